"""Constraints on what occurs together: combinations, one-hot groups, uniqueness, any predicate."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.core.documents import encode_scalar
from synthgen.data.cells import (
    level_cells,
    ordered_numbers,
    plain_values,
    put_cells,
    require_columns,
)
from synthgen.errors import ConstraintError

#: What a function of the user's may raise.
_FAILURES: Final = (
    ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError,
)  # fmt: skip


def names_of(rule: Any, columns: Any) -> tuple[Hashable, ...]:
    """Return the columns of a rule; a text alone would be taken for its letters."""
    if isinstance(columns, (str, bytes)):
        kind = type(rule).__name__
        raise ConstraintError(f"{kind} takes a list of columns, got {columns!r}: [{columns!r}].")
    return tuple(columns)


@dataclass(frozen=True)
class FixedCombinations:
    """Only combinations of values occur that occur in the real data.

    Parameters
    ----------
    columns : tuple of hashable
        Two or more columns.
    combinations : tuple of tuple, optional
        The allowed combinations; filled in by :meth:`fit`. A missing value is None.

    Examples
    --------
    >>> df = pd.DataFrame({"city": ["Bonn", "Rome"], "country": ["de", "it"]})
    >>> rule = FixedCombinations(("city", "country")).fit(df)
    >>> rule.check(pd.DataFrame({"city": ["Bonn", "Bonn"], "country": ["de", "it"]})).tolist()
    [True, False]
    """

    columns: tuple[Hashable, ...]
    combinations: tuple[tuple[Any, ...], ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", names_of(self, self.columns))
        if len(self.columns) < 2:
            raise ConstraintError(f"FixedCombinations needs two or more columns: {self.columns!r}.")

    def fit(self, df: pd.DataFrame) -> FixedCombinations:
        """Return the constraint with the combinations of `df` filled in."""
        require_columns(df, self.columns)
        rows = df[list(self.columns)].drop_duplicates()
        columns = [plain_values(rows[name]) for name in self.columns]
        return replace(self, combinations=tuple(zip(*columns, strict=True)))

    def check(self, df: pd.DataFrame) -> np.ndarray:
        """Return for each row whether it obeys, shape (n,)."""
        return self._positions(df) >= 0

    def repair(self, df: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
        """Give offending rows an allowed combination that agrees in the first column if any does.

        Combinations are drawn as often as they occur in the valid rows, all alike if there is none.
        """
        allowed = self._allowed()
        positions = self._positions(df)
        broken = np.flatnonzero(positions < 0)
        if not len(broken):
            return df
        if not allowed:
            return None
        weights = np.bincount(positions[positions >= 0], minlength=len(allowed)) + 1e-9
        groups: dict[Any, list[int]] = {}
        for i, combination in enumerate(allowed):
            groups.setdefault(combination[0], []).append(i)
        chosen = np.empty(len(broken), dtype=np.int64)
        first = plain_values(df[self.columns[0]].iloc[broken])
        places: dict[Any, list[int]] = {}
        for place, value in enumerate(first):
            places.setdefault(value, []).append(place)
        for value, rows in places.items():
            options = np.array(groups.get(value, range(len(allowed))))
            share = weights[options] / weights[options].sum()
            chosen[rows] = rng.choice(options, size=len(rows), p=share)
        return self._assign(df, broken, chosen)

    def _assign(self, df: pd.DataFrame, broken: np.ndarray, chosen: np.ndarray) -> pd.DataFrame:
        df = df.copy()
        for k, name in enumerate(self.columns):
            levels = [combination[k] for combination in self._allowed()]
            df[name] = put_cells(df[name], broken, level_cells(levels, chosen, df[name]))
        return df

    def _allowed(self) -> tuple[tuple[Any, ...], ...]:
        if self.combinations is None:
            raise ConstraintError(
                f"FixedCombinations({self.columns!r}) has no combinations yet; call fit(df)."
            )
        return self.combinations

    def _positions(self, df: pd.DataFrame) -> np.ndarray:
        """Position of each row's combination among the allowed ones, -1 if it is not allowed."""
        allowed = self._allowed()
        require_columns(df, self.columns)
        key = np.zeros(len(df), dtype=np.int64)
        known = np.zeros(len(allowed), dtype=np.int64)
        for k, name in enumerate(self.columns):
            levels = [combination[k] for combination in allowed]
            both = np.empty(len(levels) + len(df), dtype=object)
            both[: len(levels)] = levels
            both[len(levels) :] = plain_values(df[name])
            codes, distinct = pd.factorize(both, use_na_sentinel=False)
            pair = np.concatenate([known, key]) * len(distinct) + codes
            codes, _ = pd.factorize(pair)
            known, key = codes[: len(levels)], codes[len(levels) :]
        places = np.full(int(max(known.max(initial=0), key.max(initial=0))) + 1, -1)
        places[known] = np.arange(len(allowed))
        return np.asarray(places[key])

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        rows = self.combinations
        return {
            "type": "fixed_combinations",
            "columns": [encode_scalar(name) for name in self.columns],
            "combinations": None if rows is None else [[encode_scalar(v) for v in r] for r in rows],
        }


@dataclass(frozen=True)
class OneHot:
    """Of a group of 0/1 columns exactly one is 1; a missing cell counts as 0.

    Examples
    --------
    >>> OneHot(("a", "b")).check(pd.DataFrame({"a": [1, 1, 0], "b": [0, 1, 0]})).tolist()
    [True, False, False]
    """

    columns: tuple[Hashable, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", names_of(self, self.columns))
        if len(self.columns) < 2:
            raise ConstraintError(f"OneHot needs two or more columns, got {self.columns!r}.")

    def check(self, df: pd.DataFrame) -> np.ndarray:
        """Return for each row whether it obeys, shape (n,)."""
        hot = self._matrix(df)
        return np.asarray(((hot == 0) | (hot == 1)).all(axis=1) & (hot.sum(axis=1) == 1))

    def repair(self, df: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
        """Keep one of several ones at random; where there is none, draw by overall frequency."""
        hot = self._matrix(df) == 1
        keep = self.check(df)
        if keep.all():
            return df
        shares = hot[keep].mean(axis=0) if keep.any() else np.ones(len(self.columns))
        weights = np.where(hot.any(axis=1, keepdims=True), hot, shares + 1e-9)
        chosen = (np.log(rng.random(hot.shape)) / np.maximum(weights, 1e-30)).argmax(axis=1)
        df = df.copy()
        for k, name in enumerate(self.columns):
            truth = np.where(keep, hot[:, k], chosen == k)
            series = pd.Series(truth, df.index)
            df[name] = series.astype(df[name].dtype)
        return df

    def _matrix(self, df: pd.DataFrame) -> np.ndarray:
        columns = [ordered_numbers(df, name, None)[0] for name in self.columns]
        return np.asarray(np.nan_to_num(np.column_stack(columns), nan=0.0))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {"type": "one_hot", "columns": [encode_scalar(name) for name in self.columns]}


@dataclass(frozen=True)
class Unique:
    """No two rows have the same values in these columns; the first of several obeys.

    Rows with a missing cell among them obey.
    """

    columns: tuple[Hashable, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", names_of(self, self.columns))
        if not self.columns:
            raise ConstraintError("Unique needs at least one column.")

    def check(self, df: pd.DataFrame) -> np.ndarray:
        """Return for each row whether it obeys, shape (n,)."""
        require_columns(df, self.columns)
        part = df[list(self.columns)]
        return np.asarray(~part.duplicated().to_numpy() | part.isna().any(axis=1).to_numpy())

    def repair(self, df: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
        """Return the frame if it obeys already; further values can only come from new rows."""
        del rng
        return df if self.check(df).all() else None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {"type": "unique", "columns": [encode_scalar(name) for name in self.columns]}


@dataclass(frozen=True)
class Predicate:
    """Any rule: a function that says for each row of a frame whether it is allowed.

    Parameters
    ----------
    function : callable
        Takes a frame, returns booleans of shape (n,).
    name : str
        What the rule is called in messages. Only the name is saved; after loading, give the
        function again.
    """

    function: Callable[[pd.DataFrame], Any] | None = field(compare=False)
    name: str

    @property
    def columns(self) -> tuple[Hashable, ...]:
        """Empty: which columns the function reads is not known."""
        return ()

    def check(self, df: pd.DataFrame) -> np.ndarray:
        """Return for each row whether it obeys, shape (n,)."""
        if self.function is None:
            raise ConstraintError(
                f"The function of the rule {self.name!r} was not saved with the model. Give it "
                f"again: Predicate(function, {self.name!r})."
            )
        try:
            mask = np.asarray(self.function(df))
        except _FAILURES as error:
            raise ConstraintError(
                f"The rule {self.name!r} failed: {type(error).__name__}: {error}."
            ) from error
        if mask.shape != (len(df),) or mask.dtype.kind not in "bO":
            raise ConstraintError(
                f"The rule {self.name!r} must return one boolean per row, got an array of shape "
                f"{mask.shape} and dtype {mask.dtype} for {len(df)} rows."
            )
        return np.where(pd.isna(mask), False, mask).astype(bool)

    def repair(self, df: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame | None:
        """Return the frame if it obeys already; what else to do is not known."""
        del rng
        return df if self.check(df).all() else None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document with the name only."""
        return {"type": "predicate", "name": self.name}
