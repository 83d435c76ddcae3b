"""Mutual information: whether columns depend on each other as strongly as in the real table."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.evaluate.discretize import MAX_LEVELS, N_BINS, Levels, check_levels, discretize
from synthgen.evaluate.result import Result
from synthgen.measure.columns import Roles, align, column_roles, cut

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

_MAX_ROWS: Final = 50_000

#: Rows times pairs that are counted at most, for about four seconds per table.
_MAX_VISITS: Final = 500_000_000

#: No fewer rows than this are used, however many columns there are.
_MIN_ROWS: Final = 2_000

_REFERENCE: Final = "weighted normalised mutual information similarity, after arXiv:2603.23016"


@dataclass(frozen=True)
class NmiMatrices:
    """Normalised mutual information of all pairs of columns, in two tables.

    Parameters
    ----------
    names : list
        Column names, in the order of rows and columns of the matrices.
    real, synthetic : numpy.ndarray of shape (columns, columns)
        Symmetric, in [0, 1], with a diagonal of 1.
    """

    names: list[Hashable]
    real: NDArray[np.float64]
    synthetic: NDArray[np.float64]


@dataclass(frozen=True)
class _Prepared:
    """Tables of equal size as levels."""

    levels: Levels
    roles: Roles
    rows: int


def mutual_information(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    n_bins: int = N_BINS,
    max_levels: int = MAX_LEVELS,
    max_rows: int = _MAX_ROWS,
    random_state: Any = 0,
) -> Result:
    """Compare how strongly the columns of every pair depend on each other.

    With ``r`` and ``s`` the normalised mutual information (:func:`nmi_matrix`) of a pair in the
    real and in the synthetic table, the value is ``sum r (1 - |r - s|) / sum r`` over all pairs.
    The weight keeps the many pairs that do not depend on each other, which any generator gets
    right, from drowning the others. It also hides dependence that only the synthetic table has:
    the breakdown and the unweighted mean in ``details`` show it.

    Columns are cut into levels that are learned from the real table and used for both, with missing
    as a level. Because mutual information is biased upwards in small samples, all tables are cut to
    the same number of rows, rare levels are folded, and the entropies are corrected for the number
    of occupied cells. There is no interval: the pairs share their columns and their rows.

    Parameters
    ----------
    real, synthetic : table
        Tables with the same columns.
    holdout : table, optional
        Real rows that nothing was trained on. Their score against `real` becomes the ceiling; all
        three tables are then cut to the size of the smallest.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    n_bins : int, default=8
        Number of levels of a continuous column, about; from 2 to 50.
    max_levels : int, default=20
        Number of values that a discrete column keeps, from 1 to 100.
    max_rows : int, default=50000
        At most this many random rows of each table are counted; fewer (5 x 10^8 divided by the
        number of pairs, but at least 2,000) with more than 140 columns.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows.

    Returns
    -------
    Result
        Value in [0, 1], 1 is best; None if there are fewer than two columns, or no two of the real
        table depend on each other. One row per pair in the breakdown, worst first.

    Raises
    ------
    InvalidParameterError
        If an option is out of its range.
    SchemaMismatchError
        If the columns differ.

    References
    ----------
    Scassola et al. (2026), A sobering look at tabular data generation via probabilistic circuits,
    arXiv:2603.23016: the idea of the weighted metric; bins, normalisation and correction are ours,
    so that figures compare only roughly.

    Examples
    --------
    >>> real = pd.DataFrame({"a": list("xxyy") * 50, "b": list("uuvv") * 50})
    >>> fake = pd.DataFrame({"a": list("xxyy") * 50, "b": list("uvuv") * 50})
    >>> mutual_information(real, real).value, mutual_information(real, fake).value
    (1.0, 0.0)
    """
    tables = [real, synthetic] if holdout is None else [real, synthetic, holdout]
    prepared = _prepare(tables, schema, (n_bins, max_levels, max_rows), random_state)
    levels = prepared.levels
    matrices = [nmi_matrix(codes, levels.sizes) for codes in levels.codes]
    upper = np.triu_indices(len(levels.names), 1)
    first, *others = (matrix[upper] for matrix in matrices)
    details: dict[str, Any] = {
        "rows": prepared.rows,
        "pairs": len(first),
        "folded_values": {str(name): count for name, count in levels.folded.items()},
        "left_out": {str(name): reason for name, reason in prepared.roles.left_out.items()},
    }
    if not first.sum() > 0:
        reason = "no two columns of the real table depend on each other"
        if not len(first):
            reason = f"a pair needs two columns, there is {len(levels.names)}"
        return Result(
            "mutual_information",
            None,
            reference=_REFERENCE,
            details=details | {"not_applicable": reason},
        )
    details["unweighted"] = float(1 - np.abs(first - others[0]).mean())
    return Result(
        "mutual_information",
        _weighted(first, others[0]),
        ceiling=None if holdout is None else _weighted(first, others[1]),
        breakdown=_breakdown(levels.names, first, others[0]),
        reference=_REFERENCE,
        details=details,
    )


def nmi_matrices(
    real: Any,
    synthetic: Any,
    *,
    schema: Schema | None = None,
    n_bins: int = N_BINS,
    max_levels: int = MAX_LEVELS,
    max_rows: int = _MAX_ROWS,
    random_state: Any = 0,
) -> NmiMatrices:
    """Return the matrices behind :func:`mutual_information`, for a heat map.

    Parameters
    ----------
    real, synthetic : table
        Tables with the same columns.
    schema, n_bins, max_levels, max_rows, random_state
        As in :func:`mutual_information`.

    Returns
    -------
    NmiMatrices
    """
    prepared = _prepare([real, synthetic], schema, (n_bins, max_levels, max_rows), random_state)
    levels = prepared.levels
    first, second = (nmi_matrix(codes, levels.sizes) for codes in levels.codes)
    return NmiMatrices(levels.names, first, second)


def nmi_matrix(codes: NDArray[np.int64], sizes: Sequence[int]) -> NDArray[np.float64]:
    """Return the normalised mutual information of all pairs of columns of one table.

    It is ``2 I(X, Y) / (H(X) + H(Y))``: 0 for independent columns, 1 if each decides the other.
    Each entropy gets ``(occupied cells - 1) / (2 rows)`` added, which takes the leading bias away;
    negative information becomes 0. A constant column tells nothing: 0.

    Parameters
    ----------
    codes : numpy.ndarray of int of shape (columns, rows)
        Levels, see :func:`synthgen.evaluate.discretize.discretize`.
    sizes : sequence of int
        Number of levels of every column.

    Returns
    -------
    numpy.ndarray of shape (columns, columns)

    References
    ----------
    Miller (1955), Note on the bias of information estimates; Paninski (2003), Estimation of entropy
    and mutual information, doi:10.1162/089976603321780272.
    """
    single = [_entropy(own) for own in codes]
    result = np.eye(len(codes))
    for i, j in itertools.combinations(range(len(codes)), 2):
        if single[i] == 0 or single[j] == 0:
            continue
        information = single[i] + single[j] - _entropy(codes[i] * sizes[j] + codes[j])
        result[i, j] = result[j, i] = 2 * information / (single[i] + single[j])
    return np.clip(result, 0.0, 1.0)


def _entropy(cells: NDArray[np.int64]) -> float:
    """Return the entropy in nats, with the correction of Miller and Madow; 0 for a constant."""
    counts = np.bincount(cells)
    counts = counts[counts > 0]
    shares = counts / len(cells)
    plain = -float(shares @ np.log(shares)) if len(counts) > 1 else 0.0
    return plain + (len(counts) - 1) / (2 * len(cells))


def _prepare(
    tables: list[Any], schema: Schema | None, options: tuple[int, int, int], random_state: Any
) -> _Prepared:
    """Align the tables, cut all to one size and turn them into levels."""
    n_bins, max_levels = check_levels(*options[:2])
    n_rows = check_integer("max_rows", options[2], minimum=1)
    frames = align(*tables)
    roles = column_roles(frames[0], schema)
    n_pairs = max(1, len(roles.roles) * (len(roles.roles) - 1) // 2)
    limit = min(n_rows, max(_MIN_ROWS, _MAX_VISITS // n_pairs))
    size = min(limit, *(len(frame) for frame in frames))
    rng = generator(root_seed(random_state), "score", 22)
    frames = [cut(frame, size, rng) for frame in frames]
    levels = discretize(frames, roles, n_bins=n_bins, max_levels=max_levels)
    return _Prepared(levels, roles, size)


def _weighted(real: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float((real * (1 - np.abs(real - other))).sum() / real.sum())


def _breakdown(
    names: list[Hashable], real: NDArray[np.float64], synthetic: NDArray[np.float64]
) -> pd.DataFrame:
    """Return one row per pair, worst first."""
    pairs = list(itertools.combinations(names, 2))
    table = pd.DataFrame(
        {
            "column_1": pd.Series([one for one, _ in pairs], dtype=object),
            "column_2": pd.Series([two for _, two in pairs], dtype=object),
            "score": 1 - np.abs(real - synthetic),
            "real": real,
            "synthetic": synthetic,
            "weight": real / real.sum(),
        }
    )
    return table.sort_values("score", kind="stable", ignore_index=True)
