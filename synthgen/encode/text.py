"""Columns that are regenerated and never learned: ids, personal data, free text, constants.

Only whether a cell is missing is modelled; the content comes from
:mod:`synthgen.data.surrogate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.schema import Column
from synthgen.data.surrogate import Surrogate, fit_surrogate, surrogate_from_json
from synthgen.data.values import cast_levels
from synthgen.encode.base import CellCondition
from synthgen.encode.layout import Head, StateBlock
from synthgen.encode.wanted import Wanted
from synthgen.errors import ConditionError


@dataclass(frozen=True)
class SurrogateEncoder:
    """Encoder of a column whose content is made up.

    Parameters
    ----------
    column : Column
    surrogate : Surrogate
        Makes the content.
    missing : float
        Share of missing cells in training.
    """

    column: Column
    surrogate: Surrogate
    missing: float

    @classmethod
    def fit(cls, frame: pd.DataFrame, column: Column) -> SurrogateEncoder:
        """Learn the form of one column of `frame`, not its content."""
        series = frame[column.name]
        return cls(column, fit_surrogate(series, column), float(series.isna().mean()))

    @property
    def names(self) -> tuple[Any, ...]:
        """The column's label."""
        return (self.column.name,)

    @property
    def _modelled(self) -> bool:
        return 0.0 < self.missing < 1.0

    @property
    def blocks(self) -> tuple[StateBlock, ...]:
        """Present or missing, if both occur."""
        if not self._modelled:
            return ()
        return (StateBlock(0, np.array([1.0 - self.missing, self.missing]), np.empty((2, 0))),)

    @property
    def heads(self) -> tuple[Head, ...]:
        """None."""
        return ()

    def missing_states(self) -> list[tuple[int, int]]:
        """Return the states that mean missing."""
        return [(0, 1)] if self._modelled else []

    def transform(
        self, frame: pd.DataFrame, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return which cells are missing."""
        gaps = frame[self.column.name].isna().to_numpy().astype(np.int32)
        codes = gaps[:, None] if self._modelled else np.empty((len(frame), 0), np.int32)
        return codes, np.empty((len(frame), 0), np.float32)

    def inverse(
        self,
        codes: np.ndarray,
        scores: np.ndarray,
        rows: np.ndarray,
        rng: np.random.Generator,
        wanted: Mapping[Any, Wanted],
    ) -> dict[Any, Any]:
        """Return made-up content of the original dtype."""
        if self.missing == 1.0:
            empty = cast_levels([], self.column.dtype)
            return {self.column.name: empty.take(np.full(len(rows), -1), allow_fill=True)}
        content = self.surrogate.generate(rows, rng)
        if self._modelled:
            content = _blank(content, codes[:, 0] != 0)
        return {self.column.name: content}

    def renew(self, content: pd.Series, rows: np.ndarray, rng: np.random.Generator) -> pd.Series:
        """Return made-up content for other row numbers, with the same cells missing."""
        made = _blank(self.surrogate.generate(rows, rng), content.isna().to_numpy())
        # Without a dtype pandas 3 would turn objects into text.
        series: pd.Series = pd.Series(made, dtype=made.dtype)
        return series

    def condition(self, name: Any, wanted: Wanted) -> CellCondition:
        """Allow conditions on missing cells only.

        Raises
        ------
        ConditionError
            For any other condition.
        """
        if wanted.missing and not wanted.values and self._modelled:
            return CellCondition((np.array([0.0, 1.0]),), ())
        raise ConditionError(
            f"Column {name!r} has the kind {self.column.kind!r}: its content is made up, so it "
            "cannot be a condition. Give it another kind in the schema if it should be learned."
        )

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts; there are no arrays."""
        return {"surrogate": self.surrogate.to_json(), "missing": self.missing}, {}

    @classmethod
    def from_state(
        cls, column: Column, facts: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> SurrogateEncoder:
        """Rebuild an encoder from :meth:`to_state`."""
        return cls(column, surrogate_from_json(facts["surrogate"]), facts["missing"])


def _blank(content: Any, gaps: np.ndarray) -> Any:
    """Return the cells with the given ones missing."""
    place = np.where(gaps, -1, np.arange(len(gaps)))
    return pd.Series(content, copy=False).array.take(place, allow_fill=True)
