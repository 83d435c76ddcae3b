"""Marginals: whether the joint tables of one, two or three columns look alike."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_choice, check_integer
from synthgen.core.random import generator, root_seed
from synthgen.evaluate.discretize import MAX_LEVELS, N_BINS, Levels, check_levels, discretize
from synthgen.evaluate.result import Result
from synthgen.measure.columns import align, column_roles, cut

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

_MAX_TABLES: Final = 1_000
_MAX_ROWS: Final = 50_000
_REFERENCE: Final = (
    "mean 1 - total variation distance of k-way tables (McKenna, Miklau & Sheldon 2021, "
    "arXiv:2108.04978, for k = 3)"
)


def marginals(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    order: Literal[1, 2, 3] = 3,
    n_bins: int = N_BINS,
    max_levels: int = MAX_LEVELS,
    max_tables: int = _MAX_TABLES,
    max_rows: int = _MAX_ROWS,
    random_state: Any = 0,
) -> Result:
    """Compare the contingency tables of all sets of `order` columns.

    Every column becomes a few levels that are learned from the real table and used for both: values
    that hold many rows and quantile bins of the others (continuous), or the most frequent values
    and *other* (discrete). Missing is a level. A set of columns scores one minus the total
    variation distance of its two tables: the share of rows that need not be moved. The value is the
    mean over sets.

    Two samples of the same source score below 1, the more so the fewer rows and the more cells they
    have. Compare with the ceiling, not with 1. There is no interval: the sets share their columns
    and all share the rows, so that resampling sets would understate the uncertainty, and resampling
    rows lowers the score itself.

    Parameters
    ----------
    real, synthetic : table
        Tables with the same columns.
    holdout : table, optional
        Real rows that nothing was trained on. Their score against `real` becomes the ceiling. Both
        tables are then cut to the size of the smaller, because the score depends on the size.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    order : {1, 2, 3}, default=3
        Number of columns in a table.
    n_bins : int, default=8
        Number of levels of a continuous column, about; from 2 to 50.
    max_levels : int, default=20
        Number of values that a discrete column keeps, from 1 to 100.
    max_tables : int, default=1000
        If there are more sets of columns, this many random ones are compared.
    max_rows : int, default=50000
        At most this many random rows of each table are counted.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows and of sets.

    Returns
    -------
    Result
        Value in [0, 1], 1 is best; None if there are fewer than `order` columns. The breakdown has
        one row per set, worst first, with the cell whose shares differ most.

    Raises
    ------
    InvalidParameterError
        If an option is out of its range.
    SchemaMismatchError
        If the columns differ.

    References
    ----------
    McKenna, Miklau & Sheldon (2021), Winning the NIST contest, arXiv:2108.04978: the score of
    random three-way marginals.

    Examples
    --------
    >>> real = pd.DataFrame({"a": list("xxyy"), "b": list("uvuv")})
    >>> fake = pd.DataFrame({"a": list("xxyy"), "b": list("uuvv")})
    >>> marginals(real, fake, order=1).value, marginals(real, fake, order=2).value
    (1.0, 0.5)
    """
    order = check_choice("order", order, (1, 2, 3))
    n_bins, max_levels = check_levels(n_bins, max_levels)
    n_tables = check_integer("max_tables", max_tables, minimum=1)
    n_rows = check_integer("max_rows", max_rows, minimum=1)
    frames = align(real, synthetic) if holdout is None else align(real, synthetic, holdout)
    roles = column_roles(frames[0], schema)
    rng = generator(root_seed(random_state), "score", 21)
    size = min(n_rows, *(len(frame) for frame in frames[1:])) if len(frames) > 2 else n_rows
    frames = [cut(frames[0], n_rows, rng), *(cut(frame, size, rng) for frame in frames[1:])]
    levels = discretize(frames, roles, n_bins=n_bins, max_levels=max_levels)
    details: dict[str, Any] = {
        "order": order,
        "tables": math.comb(len(levels.names), order),
        "real_rows": len(frames[0]),
        "synthetic_rows": len(frames[1]),
        "folded_values": {str(name): count for name, count in levels.folded.items()},
        "left_out": {str(name): reason for name, reason in roles.left_out.items()},
    }
    if len(levels.names) < order:
        reason = f"a table of {order} columns needs {order}, there are {len(levels.names)}"
        return Result(
            "marginals", None, reference=_REFERENCE, details=details | {"not_applicable": reason}
        )
    sets = _column_sets(len(levels.names), order, n_tables, rng)
    breakdown = _breakdown(levels, sets)
    ceiling = None
    if holdout is not None:
        ceiling = float(np.mean([_compare(levels, columns, 2)[0] for columns in sets]))
    return Result(
        "marginals",
        float(breakdown["score"].mean()),
        ceiling=ceiling,
        breakdown=breakdown,
        reference=_REFERENCE,
        details=details | {"compared_tables": len(sets)},
    )


def _column_sets(
    n_columns: int, order: int, n_sets: int, rng: np.random.Generator
) -> list[tuple[int, ...]]:
    """Return all sets of columns, or `n_sets` random ones, in lexicographic order."""
    total = math.comb(n_columns, order)
    if total <= n_sets:
        return list(itertools.combinations(range(n_columns), order))
    ranks = np.sort(rng.choice(total, size=n_sets, replace=False)).tolist()
    return [_set_of_rank(rank, n_columns, order) for rank in ranks]


def _set_of_rank(rank: int, n_columns: int, order: int) -> tuple[int, ...]:
    """Return the set with this number in the lexicographic order of all sets."""
    result: list[int] = []
    place = 0
    for still_needed in range(order - 1, -1, -1):
        while (block := math.comb(n_columns - place - 1, still_needed)) <= rank:
            rank -= block
            place += 1
        result.append(place)
        place += 1
    return tuple(result)


def _compare(
    levels: Levels, columns: tuple[int, ...], place: int
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Return the score of one set of columns in table `place`, and both tables' shares."""
    shape = [levels.sizes[column] for column in columns]
    shares = []
    for codes in (levels.codes[0], levels.codes[place]):
        cells = codes[columns[0]]
        for column, size in zip(columns[1:], shape[1:], strict=True):
            cells = cells * size + codes[column]
        shares.append(np.bincount(cells, minlength=math.prod(shape)) / codes.shape[1])
    score = 1 - float(np.abs(shares[0] - shares[1]).sum()) / 2
    # Rounding may leave the distance of disjoint tables a little above one.
    return max(0.0, score), shares[0], shares[1]


def _breakdown(levels: Levels, sets: list[tuple[int, ...]]) -> pd.DataFrame:
    """Return one row per set of columns, worst first."""
    records = []
    for columns in sets:
        score, first, second = _compare(levels, columns, 1)
        apart = np.abs(first - second)
        # Without any difference, the largest cell is shown.
        cell = int(apart.argmax() if apart.any() else first.argmax())
        names = [levels.names[column] for column in columns]
        where = _cell_label(levels, columns, cell)
        records.append((*names, score, where, float(first[cell]), float(second[cell])))
    titles = [f"column_{place + 1}" for place in range(len(sets[0]))]
    titles += ["score", "cell", "real", "synthetic"]
    # Column by column, or pandas would take names that are tuples apart.
    parts = {
        title: pd.Series([record[place] for record in records], dtype=_dtype(title))
        for place, title in enumerate(titles)
    }
    table = pd.DataFrame(parts)
    return table.sort_values("score", kind="stable", ignore_index=True)


def _dtype(title: str) -> type:
    return float if title in ("score", "real", "synthetic") else object


def _cell_label(levels: Levels, columns: tuple[int, ...], cell: int) -> str:
    places = np.unravel_index(cell, [levels.sizes[column] for column in columns])
    return ", ".join(
        f"{levels.names[column]}: {levels.labels[column][int(place)]}"
        for column, place in zip(columns, places, strict=True)
    )
