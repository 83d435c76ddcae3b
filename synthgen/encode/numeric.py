"""Numbers as states and normal scores.

A column with few distinct values gets one state for each. Any other column becomes a *head*: a
value is replaced by its rank u in (0, 1) among the training values and v = Phi^-1(u), which is
standard normal whatever the column's distribution. Single values that fill much of the column, and
missing cells, are states of a block that *gates* the head. Decoding reads the value at rank u from
a stored quantile function, so marginal distributions are right by construction. Values that many
rows share come back as they were; between those that few rows have, decoding interpolates, so that
nobody's own value is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from synthgen.data.precision import common_step
from synthgen.encode.base import CellCondition, Resolution
from synthgen.encode.layout import FAR, REST, Head, StateBlock
from synthgen.encode.quantiles import SHARED, quantile_corners, thin
from synthgen.encode.wanted import Wanted
from synthgen.errors import ConditionError


@dataclass(frozen=True)
class NumericEncoder:
    """Encoder of one float64 array in which NaN means missing.

    Parameters
    ----------
    levels : numpy.ndarray
        Values with a state of their own, ascending. Without a head these are all values.
    frequencies : numpy.ndarray
        Shares of the states in their order: REST (if there is a head), levels, missing (if any).
    missing : bool
        Whether missing is a state.
    knots : numpy.ndarray
        Quantile function of the values in the head, ascending; empty without a head.
    edges, atoms : numpy.ndarray
        Bins of the head as normal scores, see :class:`~synthgen.encode.layout.Head`.
    shared : numpy.ndarray of bool
        Which knots are values that enough rows share to be repeated.
    step : float
        Distances of values in the head are multiples of this; 0 if of nothing.
    """

    levels: np.ndarray
    frequencies: np.ndarray
    missing: bool
    knots: np.ndarray
    edges: np.ndarray
    atoms: np.ndarray
    shared: np.ndarray
    step: float

    @classmethod
    def fit(cls, values: np.ndarray, resolution: Resolution) -> NumericEncoder:
        """Learn states, quantiles and bins from `values`, float64 of shape (n,)."""
        present = np.sort(values[~np.isnan(values)])
        n_missing = len(values) - len(present)
        distinct, counts = np.unique(present, return_counts=True)
        if len(distinct) <= resolution.few:
            return cls._of_levels(distinct, counts, n_missing)
        spikes = counts > resolution.spike * len(values)
        levels = distinct[spikes]
        rest = present[~np.isin(present, levels)]
        shares = [len(rest), *counts[spikes], *([n_missing] if n_missing else [])]
        edges, atoms = _bin_edges(rest, resolution)
        knots = thin(rest, resolution.knots)
        return cls(
            levels=levels,
            frequencies=np.asarray(shares, dtype=np.float64) / len(values),
            missing=n_missing > 0,
            knots=knots,
            edges=edges,
            atoms=atoms,
            shared=np.isin(knots, distinct[counts >= SHARED]),
            step=common_step(rest),
        )

    @classmethod
    def _of_levels(cls, levels: np.ndarray, counts: np.ndarray, n_missing: int) -> NumericEncoder:
        shares = np.asarray([*counts, *([n_missing] if n_missing else [])], dtype=np.float64)
        none = np.empty(0)
        return cls(
            levels=levels,
            frequencies=shares / shares.sum(),
            missing=n_missing > 0,
            knots=none,
            edges=none,
            atoms=none.astype(bool),
            shared=none.astype(bool),
            step=0.0,
        )

    @property
    def has_head(self) -> bool:
        """Whether the column has a continuous part."""
        return len(self.knots) > 0

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest value, NaN if there is none."""
        values = np.concatenate([self.levels, self.knots[:1], self.knots[-1:]])
        if not len(values):
            return np.nan, np.nan
        return float(values.min()), float(values.max())

    @property
    def _gated(self) -> bool:
        return self.has_head and len(self.frequencies) > 1

    @property
    def blocks(self) -> tuple[StateBlock, ...]:
        """The block of levels, or the gate of the head, or nothing."""
        if self.has_head and not self._gated:
            return ()
        features = np.empty((len(self.frequencies), 0))
        if not self.has_head:
            features = _level_features(self.levels, self.frequencies, self.missing)
        return (StateBlock(0, self.frequencies, features),)

    @property
    def heads(self) -> tuple[Head, ...]:
        """The head, if there is one."""
        if not self.has_head:
            return ()
        gate = 0 if self._gated else None
        return (Head(0, self.edges, self.atoms, _value_curve(self.knots, self.edges), gate),)

    def transform(
        self, values: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Encode `values`.

        Parameters
        ----------
        values : numpy.ndarray of float64, shape (n,)
        rng : numpy.random.Generator, optional
            Spreads equal values evenly over the ranks that they share. Without it they all get the
            middle rank.

        Returns
        -------
        codes : numpy.ndarray of int32, shape (n, blocks)
            -1 for a missing cell of a column that had none, and, without a head, for a new value.
        scores : numpy.ndarray of float32, shape (n, heads)
        """
        offset = 1 if self.has_head else 0
        place = np.searchsorted(self.levels, values)
        place = np.minimum(place, max(len(self.levels) - 1, 0))
        known = self.levels[place] == values if len(self.levels) else np.zeros(len(values), bool)
        codes = np.where(known, place + offset, REST if self.has_head else -1)
        gaps = np.isnan(values)
        codes[gaps] = len(self.frequencies) - 1 if self.missing else -1
        if not self.has_head:
            return codes[:, None].astype(np.int32), np.empty((len(values), 0), np.float32)
        scores = self._scores(np.where(gaps, self.knots[0], values), rng)
        scores[codes != REST] = 0.0
        kept = codes[:, None][:, : len(self.blocks)]
        return kept.astype(np.int32), scores[:, None].astype(np.float32)

    def _scores(self, values: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
        low, high = self._ranks(values)
        within = 0.5 if rng is None else rng.random(len(values))
        scores = ndtri(np.clip(low + (high - low) * within, 1e-6, 1 - 1e-6))
        # All rows of an atom sit in the middle of its bin, as generated ones do.
        bins = np.searchsorted(self.edges[1:-1], ndtri(np.clip((low + high) / 2, 1e-6, 1 - 1e-6)))
        middle = bin_middles(self.edges)
        return np.asarray(np.where(self.atoms[bins], middle[bins], scores))

    def _ranks(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest and highest rank of each value among the knots."""
        count = len(self.knots)
        low = np.searchsorted(self.knots, values, "left").astype(np.float64)
        high = np.searchsorted(self.knots, values, "right").astype(np.float64)
        between = low == high
        ranks, curve = self._curve
        exact = np.interp(values, curve, ranks) * count
        low, high = np.where(between, exact, low), np.where(between, exact, high)
        return low / count, high / count

    def inverse(self, codes: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Decode to float64 values of shape (n,); NaN is missing."""
        if not self.has_head:
            table = np.append(self.levels, np.nan)
            return np.asarray(table[codes[:, 0]])
        values = self._quantile(ndtr(scores[:, 0].astype(np.float64)))
        if self._gated:
            table = np.concatenate([[np.nan], self.levels, [np.nan]])
            values = np.where(codes[:, 0] == REST, values, table[codes[:, 0]])
        return values

    @cached_property
    def _curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Ranks and values of the corners of the quantile function."""
        return quantile_corners(self.knots, self.shared, self.step)

    def _quantile(self, ranks: np.ndarray) -> np.ndarray:
        corners, values = self._curve
        # Folded back at the ends, so that the extremes are as little repeated as other values.
        lowest, highest = corners[0], corners[-1]
        ranks = np.where(ranks < lowest, 2 * lowest - ranks, ranks)
        ranks = np.where(ranks > highest, 2 * highest - ranks, ranks)
        found: np.ndarray = np.interp(ranks, corners, values)
        if not self.step:
            return found
        origin = self.knots[0]
        return np.asarray(origin + np.round((found - origin) / self.step) * self.step)

    def condition(self, name: Any, wanted: Wanted) -> CellCondition:
        """Translate a condition on numbers.

        Raises
        ------
        ConditionError
            If no value of the column can satisfy it.
        """
        allowed = self._allowed_states(name, wanted)
        intervals: tuple[tuple[float, float] | None, ...] = ()
        if self.has_head:
            interval = self._interval(wanted)
            if interval is None:
                allowed[REST] = 0.0
            intervals = (interval,)
        if not allowed.any():
            raise ConditionError(
                f"No value of column {name!r} satisfies the condition {describe(wanted)}; "
                f"{self._summary()}."
            )
        return CellCondition((allowed,) if self.blocks else (), intervals)

    def _allowed_states(self, name: Any, wanted: Wanted) -> np.ndarray:
        if wanted.missing and not self.missing:
            raise ConditionError(f"Column {name!r} had no missing cells, so none can be generated.")
        if wanted.between is not None:
            low, high = range_ends(wanted)
            inside = (self.levels >= low) & (self.levels <= high)
        else:
            inside = np.isin(self.levels, np.asarray(wanted.values, dtype=np.float64))
        states = inside.astype(np.float64)
        if self.has_head:
            outside = wanted.between is not None or len(wanted.values) > inside.sum()
            states = np.append(1.0 if outside else 0.0, states)
        return np.append(states, float(wanted.missing)) if self.missing else states

    def _interval(self, wanted: Wanted) -> tuple[float, float] | None:
        if wanted.between is not None:
            low, high = range_ends(wanted)
        else:
            values = [value for value in wanted.values if value not in self.levels]
            if not values:
                return None
            low, high = min(values), max(values)
        if high < self.knots[0] or low > self.knots[-1]:
            return None
        lowest, _ = self._ranks(np.array([max(low, self.knots[0])], dtype=np.float64))
        _, highest = self._ranks(np.array([min(high, self.knots[-1])], dtype=np.float64))
        bottom, top = float(lowest[0]), float(highest[0])
        if wanted.between is not None and low <= self.knots[0]:
            bottom = 0.0
        if wanted.between is not None and high >= self.knots[-1]:
            top = 1.0
        # Never narrower than one knot, so that a single value has a probability.
        step = 0.5 / len(self.knots)
        if top - bottom < 2 * step:
            middle = (bottom + top) / 2
            bottom, top = max(middle - step, 0.0), min(middle + step, 1.0)
        return float(ndtri(bottom)), float(ndtri(top))

    def _summary(self) -> str:
        low, high = self.range
        return f"its values lie between {low:g} and {high:g}"

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts and arrays."""
        arrays = {
            "levels": self.levels,
            "frequencies": self.frequencies,
            "knots": self.knots,
            "edges": self.edges,
            "atoms": self.atoms,
            "shared": self.shared,
        }
        return {"missing": self.missing, "step": self.step}, arrays

    @classmethod
    def from_state(cls, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> NumericEncoder:
        """Rebuild an encoder from :meth:`to_state`."""
        return cls(missing=facts["missing"], step=facts["step"], **arrays)


def bin_middles(edges: np.ndarray) -> np.ndarray:
    """Return the normal score at the middle rank of each bin, shape (bins,)."""
    ranks = ndtr(edges)
    return np.asarray(ndtri(np.clip((ranks[1:] + ranks[:-1]) / 2, 1e-6, 1 - 1e-6)))


def range_ends(wanted: Wanted) -> tuple[float, float]:
    """Return the ends of a range as floats, infinite where open."""
    between = wanted.between
    low = -np.inf if between is None or between.low is None else float(between.low)
    high = np.inf if between is None or between.high is None else float(between.high)
    return low, high


def describe(wanted: Wanted) -> str:
    """Return a condition in words."""
    if wanted.between is not None:
        return f"between {wanted.between.low} and {wanted.between.high}"
    listed = [repr(value) for value in wanted.values] + (["missing"] if wanted.missing else [])
    return " or ".join(listed)


def _bin_edges(ordered: np.ndarray, resolution: Resolution) -> tuple[np.ndarray, np.ndarray]:
    """Cut sorted values into quantile bins; frequent single values get bins of their own.

    Returns
    -------
    edges : numpy.ndarray of shape (bins + 1,)
        Normal scores.
    atoms : numpy.ndarray of bool, shape (bins,)
    """
    n = len(ordered)
    _, first, counts = np.unique(ordered, return_index=True, return_counts=True)
    atomic = np.flatnonzero(counts > resolution.atom * n)
    # Ranks below which each atom begins, and where it ends.
    spans = [(first[k] / n, (first[k] + counts[k]) / n) for k in atomic]
    free = 1.0 - sum(high - low for low, high in spans)
    cuts: list[float] = [0.0]
    is_atom: list[bool] = []
    position = 0.0
    for low, high in [*spans, (1.0, 1.0)]:
        gap = low - position
        if gap > 0.25 / resolution.bins:
            parts = max(round(gap / free * resolution.bins), 1)
            cuts += [position + gap * (k + 1) / parts for k in range(parts)]
            is_atom += [False] * parts
        elif gap > 0 and high == low:
            # Too little for a bin: leave it to the bin before; elsewhere to the atom that follows.
            cuts[-1] = 1.0
        if high > low:
            cuts.append(high)
            is_atom.append(True)
        position = high
    edges = ndtri(np.asarray(cuts))
    edges[0], edges[-1] = -FAR, FAR
    return edges, np.asarray(is_atom)


def _value_curve(knots: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the squashed, standardised value at each bin edge, for the critic."""
    centre = np.median(knots)
    spread = np.subtract(*np.quantile(knots, [0.75, 0.25])) or np.std(knots) or 1.0
    ranks = np.clip(ndtr(edges), 0.002, 0.998)
    curve = np.arcsinh((np.quantile(knots, ranks) - centre) / spread)
    return np.asarray((curve - curve.mean()) / (curve.std() or 1.0))


def _level_features(levels: np.ndarray, shares: np.ndarray, missing: bool) -> np.ndarray:
    """Return middle rank and squashed value of each level, each with unit variance, (states, 2)."""
    weights = shares[: len(levels)] / max(shares[: len(levels)].sum(), 1e-12)
    rank = np.cumsum(weights) - weights / 2
    centre = np.sum(weights * levels)
    spread = np.sqrt(np.sum(weights * (levels - centre) ** 2)) or 1.0
    features = np.stack([rank, np.arcsinh((levels - centre) / spread)], axis=1)
    mean = weights @ features
    scale = np.sqrt(weights @ (features - mean) ** 2)
    features = (features - mean) / np.where(scale > 0, scale, 1.0)
    return np.concatenate([features, np.zeros((1, 2))]) if missing else features
