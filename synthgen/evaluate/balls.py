"""Balls around rows: the neighbourhoods of real rows, and the supports around a centre."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.measure.columns import Roles, align, column_roles, cut
from synthgen.measure.space import Rows, distance_blocks, place

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

#: Rows that the scale of the space and the levels of the breakdown are learned from.
_SCALE_ROWS: Final = 50_000

#: Distances times columns at most, for some seconds.
_MAX_WORK: Final = 2_000_000_000

#: Squared distances this close are equal: scaled whole numbers must not differ by rounding.
_TIE: Final = 1 + 1e-9


@dataclass(frozen=True)
class Sides:
    """Equally many reference (real) and synthetic rows.

    Parameters
    ----------
    frames : list of pandas.DataFrame
        Real rows that set the scale, reference rows, synthetic rows.
    reference, made : Rows
        The last two as points.
    roles : Roles
        How the columns are treated.
    details : dict
        What a result says about the rows.
    """

    frames: list[pd.DataFrame]
    reference: Rows
    made: Rows
    roles: Roles
    details: dict[str, Any]


@dataclass(frozen=True)
class Neighbours:
    """What the balls around the reference rows contain.

    Parameters
    ----------
    nearest : numpy.ndarray of int of shape (rows,)
        The synthetic row that is nearest to every reference row.
    covered : numpy.ndarray of bool of shape (rows,)
        Whether there is a synthetic row in the ball of a reference row.
    density : numpy.ndarray of shape (synthetic rows,)
        Number of balls that a synthetic row lies in, each divided by the reference rows in it.
    """

    nearest: NDArray[np.int64]
    covered: NDArray[np.bool_]
    density: NDArray[np.float64]


def make_sides(
    real: Any,
    synthetic: Any,
    holdout: Any,
    schema: Schema | None,
    max_rows: int,
    random_state: Any,
) -> Sides:
    """Cut both sides to one size and place them in the space that `real` scales.

    The real side is the holdout, if there is one.
    """
    max_rows = check_integer("max_rows", max_rows, minimum=1)
    first, made, *rest = align(real, synthetic, *([] if holdout is None else [holdout]))
    reference = rest[0] if rest else first
    roles = column_roles(first, schema)
    limit = max(1, math.isqrt(_MAX_WORK // len(roles.roles)))
    size = min(max_rows, limit, len(reference), len(made))
    rng = generator(root_seed(random_state), "score", 23)
    frames = [cut(first, _SCALE_ROWS, rng), cut(reference, size, rng), cut(made, size, rng)]
    placed = place(frames, roles)
    details = {
        "rows": size,
        "real_side": "holdout" if rest else "real",
        "left_out": {str(name): reason for name, reason in roles.left_out.items()},
    }
    return Sides(frames, placed[1], placed[2], roles, details)


def neighbours(sides: Sides, k: int) -> Neighbours | None:
    """Search the balls that reach from every reference row to its `k`-th neighbour, in blocks.

    Returns
    -------
    Neighbours or None
        None if there are `k` reference rows or fewer, so that none has a `k`-th neighbour.
    """
    n_rows, n_made = len(sides.reference), len(sides.made)
    if n_rows <= k:
        return None
    nearest = np.empty(n_rows, dtype=np.int64)
    covered = np.empty(n_rows, dtype=bool)
    weight = np.zeros(n_made)
    for block, (own, other) in distance_blocks(sides.reference, sides.reference, sides.made):
        # A row is no neighbour of itself.
        own[np.arange(len(own)), np.arange(block.start, block.stop)] = np.inf
        radius = np.partition(own, k - 1, axis=1)[:, k - 1] * _TIE
        inside = (own <= radius[:, None]).sum(axis=1)
        reached = other <= radius[:, None]
        nearest[block] = other.argmin(axis=1)
        covered[block] = reached.any(axis=1)
        weight += (1 / inside) @ reached
    return Neighbours(nearest, covered, weight)


def curve(
    reference: NDArray[np.float64], queries: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of queries within the radius that holds a share of the references.

    Parameters
    ----------
    reference, queries : numpy.ndarray of shape (rows,)
        Distances from the centre; infinite for a query that no ball holds.

    Returns
    -------
    levels, shares : numpy.ndarray of shape (2 * distinct reference distances,)

    Notes
    -----
    The curve is piecewise linear with jumps: `levels` has every step of the reference distribution
    twice, as the end of one piece and as the start of the next.
    """
    radii, counts = np.unique(reference, return_counts=True)
    steps = np.concatenate([[0.0], np.cumsum(counts) / len(reference)])
    ordered = np.sort(queries)
    before = np.searchsorted(ordered, radii, side="left") / len(queries)
    after = np.searchsorted(ordered, radii, side="right") / len(queries)
    levels = np.column_stack([steps[:-1], steps[1:]]).ravel()
    return levels, np.column_stack([before, after]).ravel()


def agreement(levels: NDArray[np.float64], shares: NDArray[np.float64]) -> float:
    """Return ``1 - 2 * integral |share - level|``, exactly."""
    start, end = (shares - levels).reshape(-1, 2).T
    width = np.diff(levels.reshape(-1, 2), axis=1)[:, 0]
    sizes = np.abs(start) + np.abs(end)
    crossing = (start**2 + end**2) / np.where(sizes > 0, sizes, 1.0)
    areas = np.where(start * end < 0, crossing, sizes) * width / 2
    return float(np.clip(1 - 2 * areas.sum(), 0.0, 1.0))
