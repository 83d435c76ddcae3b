"""Rare categories: whether levels that few real rows have occur as often as they should."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_integer, check_real
from synthgen.core.random import generator, root_seed
from synthgen.evaluate.result import Result
from synthgen.measure.columns import Roles, align, column_roles, cut, joint_codes

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

#: At most this many levels are listed by name in the details.
_LISTED: Final = 50
_COLUMNS: Final = [
    "column", "level", "real", "synthetic", "coverage", "real_rows", "synthetic_rows",
    "expected_rows", "expected_coverage", "chance",
]  # fmt: skip


def rare_categories(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    max_share: float = 0.05,
    min_expected: float = 5.0,
    max_rows: int | None = None,
    random_state: Any = 0,
) -> Result:
    """Return how well the rare levels of discrete columns are covered.

    A level is *rare* if its share of the real rows is at most `max_share`. It is looked at if the
    synthetic table should have at least `min_expected` rows of it, so that its absence is no
    accident. The coverage of a level is ``min(1, synthetic share / real share)``; the value is the
    mean over all rare levels of all discrete columns. Missing values are no level.

    The coverage of an ideal generator is below 1, since half of its levels come out rarer than
    expected by chance. What it gets can be computed: if a level has ``c`` real rows of ``N``, and
    nothing else is known about how frequent it is, the number of its rows among ``n`` fresh rows is
    negative binomial with ``c + 1`` successes of probability ``N / (N + n)`` (Poisson, its rate
    having a gamma distribution). The mean coverage under it is the ceiling. It is too high where a
    column has very many levels of a few rows each: those that reach the least count did so by luck.
    A holdout, see below, tells.

    Single columns decide, so that columns drawn independently of each other reach the ceiling.

    Parameters
    ----------
    real, synthetic : table
        Tables with the same columns.
    holdout : table, optional
        Real rows that were not trained on; their shares become a column of the breakdown, their
        score on the same levels ``details["holdout_value"]``. It is lower than the ceiling if
        there are fewer holdout rows than synthetic ones.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    max_share : float, default=0.05
        Largest real share of a rare level, in (0, 1].
    min_expected : float, default=5
        Least number of rows that the synthetic table should have of a level to be looked at.
    max_rows : int, optional
        Look at no more than this many random rows of each table. By default all.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows.

    Returns
    -------
    Result
        Value in [0, 1], 1 is best, or None if no level is looked at. The breakdown has one row per
        level, worst first; `chance` is the probability that fresh real rows have as few or fewer.

    Raises
    ------
    InvalidDataError
        If no column can be compared.
    SchemaMismatchError
        If the columns differ or the schema does not know one.

    References
    ----------
    Johnson, Kemp & Kotz (2005), Univariate discrete distributions, doi:10.1002/0471715816,
    chapter 5: the negative binomial distribution as a mixture of Poisson distributions.

    Examples
    --------
    >>> real = pd.DataFrame({"c": ["a"] * 95 + ["b"] * 5})
    >>> fake = pd.DataFrame({"c": ["a"] * 99 + ["b"] * 1})
    >>> rare_categories(real, fake).value
    0.2
    """
    max_share = check_real("max_share", max_share, low=0, high=1, closed="high")
    min_expected = check_real("min_expected", min_expected, low=0, closed="neither")
    limit = None if max_rows is None else check_integer("max_rows", max_rows, minimum=1)
    frames = align(real, synthetic, *([] if holdout is None else [holdout]))
    roles = column_roles(frames[0], schema)
    rng = generator(root_seed(random_state), "score", 43)
    frames = [cut(frame, limit, rng) for frame in frames]
    table = _counted(frames, roles)
    seen = table["real_rows"].to_numpy() > 0
    rare = seen & (table["real"] <= max_share).to_numpy()
    enough = (table["expected_rows"] >= min_expected).to_numpy()
    breakdown = _scored(table[rare & enough], len(frames[0]), len(frames[1]))
    details: dict[str, Any] = {
        "real_rows": len(frames[0]),
        "synthetic_rows": len(frames[1]),
        "discrete_columns": len(roles.names("discrete")),
        "rare_levels": len(breakdown),
        **_listed("vanished", breakdown[breakdown["synthetic_rows"] == 0]),
        **_listed("too_rare", table[rare & ~enough]),
        **_listed("invented", table[~seen]),
        "left_out": {str(name): reason for name, reason in roles.left_out.items()},
    }
    value, ceiling = None, None
    if len(breakdown):
        value = float(breakdown["coverage"].mean())
        ceiling = float(breakdown["expected_coverage"].mean())
        if holdout is not None:
            ratio = breakdown["holdout"] / breakdown["real"]
            details["holdout_value"] = float(ratio.clip(upper=1.0).mean())
    else:
        details["not_applicable"] = _reason(roles, max_share, min_expected)
    return Result(
        "rare_categories",
        value,
        ceiling=ceiling,
        breakdown=breakdown,
        reference="mean of min(1, synthetic share / real share) over rare levels",
        details=details,
    )


def _reason(roles: Roles, max_share: float, min_expected: float) -> str:
    if not roles.names("discrete"):
        return "there is no discrete column"
    return (
        f"no level has at most {max_share:.3g} of the real rows and at least {min_expected:g} "
        "expected synthetic rows"
    )


def coded_levels(
    columns: Sequence[pd.Series[Any]],
) -> tuple[list[NDArray[np.int64]], NDArray[Any]]:
    """Give numbers to the values of one discrete column over several tables, and name them.

    Returns
    -------
    codes : list of numpy.ndarray of shape (rows,)
        One array per table; -1 where missing.
    levels : numpy.ndarray of object
        The value of each code.

    Examples
    --------
    >>> coded_levels([pd.Series(["b", None, "a"])])
    ([array([ 0, -1,  1])], array(['b', 'a'], dtype=object))
    """
    codes, n_levels = joint_codes(columns)
    levels = np.empty(n_levels, dtype=object)
    # Backwards, so that the first table names a value that others write differently (1 and 1.0).
    for part, column in zip(reversed(codes), reversed(list(columns)), strict=True):
        present, first = np.unique(part, return_index=True)
        known = present >= 0
        levels[present[known]] = column.iloc[first[known]].astype(object).to_numpy()
    return codes, levels


def _counted(frames: list[pd.DataFrame], roles: Roles) -> pd.DataFrame:
    """Return all levels of all discrete columns with their rows in each table."""
    parts = []
    for name in roles.names("discrete"):
        codes, levels = coded_levels([frame[name] for frame in frames])
        counts = [np.bincount(part[part >= 0], minlength=len(levels)) for part in codes]
        part = pd.DataFrame({"level": pd.Series(levels, dtype=object), "real_rows": counts[0]})
        part.insert(0, "column", pd.Series([name] * len(levels), dtype=object))
        part["synthetic_rows"] = counts[1]
        if len(frames) > 2:
            part["holdout"] = counts[2] / len(frames[2])
        parts.append(part)
    if not parts:
        empty = pd.DataFrame({"column": [], "level": [], "real_rows": [], "synthetic_rows": []})
        parts = [empty]
    table = pd.concat(parts, ignore_index=True)
    table["real"] = table["real_rows"] / len(frames[0])
    table["synthetic"] = table["synthetic_rows"] / len(frames[1])
    # From counts, so that 5 of 5 rows are no hair's breadth less than all.
    table["expected_rows"] = table["real_rows"] * len(frames[1]) / len(frames[0])
    return table


def _scored(table: pd.DataFrame, n_real: int, n_synthetic: int) -> pd.DataFrame:
    """Return the breakdown: coverage, and what chance makes of it, worst first."""
    from scipy.stats import nbinom

    ratio = table["synthetic_rows"] / table["expected_rows"]
    counts = table["real_rows"].to_numpy(dtype=np.float64)
    success = n_real / (n_real + n_synthetic)
    found = table["synthetic_rows"].to_numpy(dtype=np.float64)
    table = table.assign(
        coverage=ratio.clip(upper=1.0),
        expected_coverage=_expected_coverage(counts, n_real, n_synthetic),
        chance=nbinom.cdf(found, counts + 1, success) if len(table) else [],
    )
    # Of equal coverages the one that should have had more rows is the worse.
    order = np.lexsort([-table["expected_rows"].to_numpy(), table["coverage"].to_numpy()])
    names = _COLUMNS + [name for name in ("holdout",) if name in table]
    return table.iloc[order][names].reset_index(drop=True)


def _expected_coverage(
    counts: NDArray[np.float64], n_real: int, n_synthetic: int
) -> NDArray[np.float64]:
    """Return the mean of min(1, X / m), X negative binomial and m = c n / N the expected rows.

    With k the whole part of m, the shortfall is the mean of m - X where X <= k. What X has of its
    mean there is E X * F(k - 1), F with one success more.
    """
    from scipy.stats import nbinom

    success = n_real / (n_real + n_synthetic)
    due, mean = (part * n_synthetic / n_real for part in (counts, counts + 1))
    below = nbinom.cdf(np.floor(due), counts + 1, success)
    part = mean * nbinom.cdf(np.floor(due) - 1, counts + 2, success)
    return np.asarray(1 - (due * below - part) / due, dtype=np.float64)


def _listed(word: str, table: pd.DataFrame) -> dict[str, Any]:
    """Return how many levels there are, and the most frequent ones by name."""
    rows = np.maximum(table["real_rows"].to_numpy(), table["synthetic_rows"].to_numpy())
    head = table.iloc[np.argsort(-rows, kind="stable")[:_LISTED]]
    pairs: list[tuple[Hashable, Any]] = list(zip(head["column"], head["level"], strict=True))
    return {f"{word}_levels": len(table), word: pairs}
