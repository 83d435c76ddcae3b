"""Missingness: whether values are missing as often, and together, as in the real table."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.evaluate.result import Result
from synthgen.measure.columns import align, cut
from synthgen.measure.records import record_table

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

#: A column takes part in the association with at least this many missing and present real cells.
_ENOUGH: Final = 10
_BLOCK: Final = 100_000

_Gaps = NDArray[np.bool_]


def missingness(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    max_rows: int | None = None,
    random_state: Any = 0,
) -> Result:
    """Compare which cells are missing.

    The *pattern* of a row is the set of its missing columns. The value is one minus the total
    variation distance between the distributions of patterns: the share of rows that can be paired
    with a row of the other table that lacks the same cells. With many columns most patterns are
    rare and fresh real rows, too, stay clearly below 1: read the value beside that of a holdout.

    Parameters
    ----------
    real, synthetic : table
        Tables with the same columns.
    holdout : table, optional
        Real rows that were not trained on; their score becomes the ceiling, and their shares a
        column of the breakdown.
    schema : Schema, optional
        Not needed: every column counts, whatever its kind. It is checked to know the columns.
    max_rows : int, optional
        Look at no more than this many random rows of each table. By default all.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows.

    Returns
    -------
    Result
        Value in [0, 1], 1 is best, or None if nothing is missing in either table. The breakdown
        has one row per column with missing cells, the largest difference first. In the details,
        `association_difference` is the largest absolute difference of the phi coefficients of two
        columns' gaps (0 where the gaps of a column are constant), over columns with at least ten
        missing and ten present real cells.

    Raises
    ------
    SchemaMismatchError
        If the columns differ or the schema does not know one.

    References
    ----------
    Pearson (1900), On the correlation of characters not quantitatively measurable,
    doi:10.1098/rsta.1900.0022: the phi coefficient.
    Rubin (1976), Inference and missing data, doi:10.1093/biomet/63.3.581: patterns.

    Examples
    --------
    >>> real = pd.DataFrame({"a": [1.0, None, 3.0, None], "b": [1.0, None, 3.0, None]})
    >>> fake = pd.DataFrame({"a": [1.0, None, 3.0, None], "b": [1.0, 2.0, None, None]})
    >>> missingness(real, fake).value
    0.5
    """
    limit = None if max_rows is None else check_integer("max_rows", max_rows, minimum=1)
    frames = align(real, synthetic, *([] if holdout is None else [holdout]))
    if schema is not None:
        for name in frames[0].columns:
            _ = schema[name]
    rng = generator(root_seed(random_state), "score", 42)
    gaps = [_gaps(cut(frame, limit, rng)) for frame in frames]
    names: list[Hashable] = list(frames[0].columns)
    details: dict[str, Any] = {"real_rows": len(gaps[0]), "synthetic_rows": len(gaps[1])}
    used = np.flatnonzero(gaps[0].any(axis=0) | gaps[1].any(axis=0))
    details["complete_columns"] = len(names) - len(used)
    value, ceiling = None, None
    if len(used):
        patterns = _patterns(gaps)
        value = _similarity(patterns[0], patterns[1])
        ceiling = None if holdout is None else _similarity(patterns[0], patterns[2])
        details |= _pattern_details(patterns)
        details |= _association([part[:, used] for part in gaps], [names[k] for k in used])
    else:
        details["not_applicable"] = "no value is missing in either table"
    breakdown = _breakdown(gaps, names, used)
    if len(breakdown):
        details["largest_difference"] = abs(float(breakdown["difference"].iloc[0]))
        details["largest_difference_column"] = breakdown["column"].iloc[0]
    return Result(
        "missingness",
        value,
        ceiling=ceiling,
        breakdown=breakdown,
        reference="1 - total variation of the patterns of missing cells",
        details=details,
    )


def _gaps(frame: pd.DataFrame) -> _Gaps:
    return np.asarray(frame.isna().to_numpy(dtype=bool))


def _patterns(gaps: list[_Gaps]) -> list[NDArray[np.int64]]:
    """Give numbers to the distinct patterns over several tables."""
    table = np.concatenate(gaps)
    keys = np.zeros(len(table), dtype=np.int64)
    for place in np.flatnonzero(table.any(axis=0)):
        # Keys are numbered anew after each column, so that they stay below the number of rows.
        keys, _ = pd.factorize(2 * keys + table[:, place])
    return np.split(keys.astype(np.int64), np.cumsum([len(part) for part in gaps])[:-1])


def _similarity(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    size = int(max(first.max(), second.max())) + 1
    one, two = (np.bincount(part, minlength=size) / len(part) for part in (first, second))
    # The distance may come out as 1 + 1e-16.
    return float(min(1.0, max(0.0, 1 - np.abs(one - two).sum() / 2)))


def _pattern_details(patterns: list[NDArray[np.int64]]) -> dict[str, Any]:
    real, synthetic = np.unique(patterns[0]), np.unique(patterns[1])
    known = np.isin(patterns[1], real)
    return {
        "patterns_real": len(real),
        "patterns_synthetic": len(synthetic),
        "patterns_common": len(np.intersect1d(real, synthetic)),
        "rows_of_new_pattern": float(1 - known.mean()),
    }


def _association(gaps: list[_Gaps], names: list[Hashable]) -> dict[str, Any]:
    """Return where the gaps of two columns go together differently."""
    count = gaps[0].sum(axis=0)
    kept = np.flatnonzero((count >= _ENOUGH) & (len(gaps[0]) - count >= _ENOUGH))
    if len(kept) < 2:
        return {"association_difference": None}
    real, synthetic = (_phi(part[:, kept]) for part in gaps[:2])
    difference = np.triu(np.abs(real - synthetic), k=1)
    i, j = np.unravel_index(int(difference.argmax()), difference.shape)
    if i == j:  # All differences are 0; any pair stands for them.
        j = i + 1
    return {
        "association_difference": float(difference[i, j]),
        "association_pair": [names[kept[i]], names[kept[j]]],
        "association_real": float(real[i, j]),
        "association_synthetic": float(synthetic[i, j]),
    }


def _phi(gaps: _Gaps) -> NDArray[np.float64]:
    """Return the phi coefficients of all pairs of columns, 0 where a column is constant."""
    n_rows, n_columns = gaps.shape
    both = np.zeros((n_columns, n_columns))
    for start in range(0, n_rows, _BLOCK):
        block = gaps[start : start + _BLOCK].astype(np.float64)
        both += block.T @ block
    share = np.diag(both) / n_rows
    spread = np.sqrt(share * (1 - share))
    scale = np.outer(spread, spread)
    covariance = both / n_rows - np.outer(share, share)
    phi = np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0)
    return np.asarray(np.clip(phi, -1, 1))


def _breakdown(gaps: list[_Gaps], names: list[Hashable], used: NDArray[np.intp]) -> pd.DataFrame:
    """Return both sides' shares of missing cells, the largest difference first."""
    shares = [part[:, used].mean(axis=0) for part in gaps]
    records = [
        {
            "column": names[k],
            "real": float(shares[0][place]),
            "synthetic": float(shares[1][place]),
            "difference": float(shares[1][place] - shares[0][place]),
        }
        for place, k in enumerate(used)
    ]
    table = record_table(records, columns=["column", "real", "synthetic", "difference"])
    if len(gaps) > 2:
        table["holdout"] = shares[2]
    order = np.argsort(-table["difference"].abs().to_numpy(dtype=np.float64), kind="stable")
    return table.iloc[order].reset_index(drop=True)
