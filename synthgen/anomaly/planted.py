"""Rows spoilt on purpose, of the four kinds that ADBench tells apart.

Han et al., "ADBench: Anomaly Detection Benchmark", NeurIPS 2022, arXiv:2206.09426. There models of
the data draw both kinds of rows; here real rows are spoilt, so that the others stay real.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.core.params import check_choice, check_integer
from synthgen.core.random import generator, root_seed
from synthgen.data.cells import put_cells
from synthgen.data.frame import read_frame
from synthgen.data.infer import infer_columns
from synthgen.data.schema import Schema
from synthgen.data.values import from_numbers, to_numbers
from synthgen.errors import InvalidParameterError

#: Kinds of planted anomalies.
KINDS: Final = ("local", "global", "dependency", "clustered")
_MEASURED: Final = ("numeric", "integer", "datetime", "timedelta")
#: How far local anomalies leave their place, and clusters the middle, in standard deviations.
_LOCAL, _CLUSTER = 1.25, 4.0
#: Global anomalies are drawn from the range of the values, widened by this share.
_WIDER: Final = 0.1
#: Columns with larger numbers are spoilt in a larger unit.
_LARGEST: Final = 1e150


def planted_anomalies(
    X: Any, kind: str, n: int, *, schema: Schema | None = None, random_state: Any = None
) -> pd.DataFrame:
    """Return `n` anomalous rows made from real ones.

    Parameters
    ----------
    X : frame
        Real rows.
    kind : {"local", "global", "dependency", "clustered"}
        "local" rows are real ones with noise on their numbers and a fifth of their categories drawn
        anew; cells of "global" ones are uniform on the range of the column, or on its categories;
        "dependency" rows have every cell from another real row, so that each column is right
        and nothing goes together; "clustered" ones huddle around a few rows that were moved away.
    n : int
    schema : Schema, optional
        Inferred by default.
    random_state : None, int, numpy RandomState or Generator

    Returns
    -------
    pandas.DataFrame
        With the columns and types of `X`; gaps stay gaps.

    Raises
    ------
    InvalidDataError
        If `X` is not a table, or its columns are not those of `schema`.
    InvalidParameterError
        If a parameter cannot work.

    References
    ----------
    Han et al., "ADBench: Anomaly Detection Benchmark", NeurIPS 2022, arXiv:2206.09426.

    Examples
    --------
    >>> df = pd.DataFrame({"a": range(10), "b": [2 * k for k in range(10)]})
    >>> odd = planted_anomalies(df, "dependency", 100, random_state=0)
    >>> bool(odd["a"].isin(df["a"]).all()), bool((odd["b"] == 2 * odd["a"]).all())
    (True, False)
    """
    check_choice("kind", kind, KINDS)
    n = check_integer("n", n, minimum=1)
    frame, _ = read_frame(X)
    if schema is None:
        schema = Schema(infer_columns(frame), origin="data")
    elif not isinstance(schema, Schema):
        raise InvalidParameterError(f"schema must be None or a Schema, got {schema!r}.")
    schema.check(frame)
    rng = generator(root_seed(random_state), "plant", KINDS.index(kind))
    start = frame.iloc[_starts(kind, len(frame), n, rng)].reset_index(drop=True)
    spoilt = {}
    directions = rng.choice([-1.0, 1.0], (_n_clusters(n), len(schema)))
    for place, column in enumerate(schema.columns):
        own = frame[column.name]
        if not column.modelled:
            spoilt[place] = start[column.name]
        elif kind == "dependency":
            spoilt[place] = own.iloc[rng.integers(len(frame), size=n)].reset_index(drop=True)
        elif column.kind in _MEASURED:
            spoilt[place] = _numbers(
                own, start[column.name], column, kind, directions[:, place], rng
            )
        else:
            spoilt[place] = _categories(own, start[column.name], kind, rng)
    result = pd.DataFrame(spoilt)
    result.columns = frame.columns
    return result


def _n_clusters(n: int) -> int:
    return max(1, min(3, n // 10))


def _starts(kind: str, rows: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return the real rows that the anomalies start from; a cluster's all start from one."""
    if kind != "clustered":
        return rng.integers(rows, size=n)
    centres = rng.integers(rows, size=_n_clusters(n))
    return centres[np.arange(n) % len(centres)]


def _numbers(
    own: pd.Series,
    start: pd.Series,
    column: Any,
    kind: str,
    directions: np.ndarray,
    rng: np.random.Generator,
) -> pd.Series:
    values, base = to_numbers(own, column), to_numbers(start, column)
    present = values[~np.isnan(values)]
    if not len(present) or present.min() == present.max():
        return start
    # Differences of the largest numbers there are would be infinite.
    unit = max(1.0, float(np.abs(present).max()) / _LARGEST)
    base, present = base / unit, present / unit
    low, high, spread = present.min(), present.max(), present.std()
    if kind == "local":
        moved = base + _LOCAL * spread * rng.standard_normal(len(base))
    elif kind == "global":
        wide = _WIDER * (high - low)
        moved = rng.uniform(low - wide, high + wide, len(base))
    else:
        side = directions[np.arange(len(base)) % len(directions)]
        moved = base + spread * (_CLUSTER * side * 0.5 + 0.1 * rng.standard_normal(len(base)))
    if kind != "global":
        # Within the range, or the kind would be another one.
        wide = 0.0 if kind == "local" else _WIDER * (high - low)
        moved = np.clip(moved, low - wide, high + wide)
    moved = unit * np.where(np.isnan(base), present[0], moved)
    if column.kind == "integer":
        moved = np.rint(moved)
    fresh = from_numbers(moved, column)
    there = np.flatnonzero(~np.isnan(base))
    return put_cells(start, there, fresh.iloc[there])


def _categories(own: pd.Series, start: pd.Series, kind: str, rng: np.random.Generator) -> pd.Series:
    levels = own.dropna().drop_duplicates().reset_index(drop=True)
    if len(levels) < 2 or kind == "clustered":
        return start
    chosen = np.ones(len(start), bool) if kind == "global" else rng.random(len(start)) < 0.2
    chosen &= start.notna().to_numpy()
    if kind == "global":
        fresh = levels.iloc[rng.integers(len(levels), size=len(start))]
    else:
        fresh = own.dropna().iloc[rng.integers(int(own.notna().sum()), size=len(start))]
    there = np.flatnonzero(chosen)
    return put_cells(start, there, fresh.iloc[there])
