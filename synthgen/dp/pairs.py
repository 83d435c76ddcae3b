"""Which pairs of columns are worth measuring, when all of them would be too many.

One row is in one cell of every pair table, so the noise of each grows with the square root of their
number. For wide tables a small share of the budget tells which columns depend on each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synthgen.dp.events import Event
from synthgen.dp.ledger import Ledger
from synthgen.dp.noise import gaussian, grid_step, round_to_grid
from synthgen.dp.tables import all_pairs, count_pairs

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

#: A pair is measured if its score is this many standard deviations above what chance gives.
_CLEAR: Final = 1.5
#: At least this many pairs a column are measured, whatever their scores.
_FEWEST: Final = 2


def pair_scores(
    codes: Sequence[Codes], shares: Sequence[Floats], *, n_rows: float, sigma: float, ledger: Ledger
) -> dict[tuple[int, int], float]:
    """Release how far each pair of columns is from independence.

    The score is the sum of |N_ab - n p_a q_b| over the cells of the pair's table, for noisy shares
    p and q that were released before. Taking out a row changes one N_ab by one, hence the score by
    at most one; other values in a row change it by at most two.

    Parameters
    ----------
    codes : sequence of numpy.ndarray of int64, shape (n,)
        Coarse cells of each column; few, since chance alone adds about sqrt(2 n p q / pi) a cell.
    shares : sequence of numpy.ndarray
        Noisy shares of the cells.
    n_rows : float
        Public or noisy number of rows.
    sigma : float
        Standard deviation of the noise of a score, in rows.
    ledger : Ledger

    Returns
    -------
    dict of (int, int) to float
        Noisy scores less what independent columns would have, in rows.
    """
    pairs = all_pairs(len(shares))
    scores, chance = np.empty(len(pairs)), np.empty(len(pairs))
    for number, (i, j) in enumerate(pairs):
        expected = n_rows * np.outer(shares[i], shares[j])
        found = count_pairs(codes[i], codes[j], (len(shares[i]), len(shares[j])))
        scores[number] = np.abs(found - expected).sum()
        chance[number] = np.sqrt(2 * expected / np.pi).sum()
    ledger.charge(
        Event(
            "gaussian",
            "scores of pairs of columns",
            sensitivity=score_sensitivity(len(pairs), ledger.adjacency),
            scale=float(sigma),
        )
    )
    noisy = scores + gaussian(ledger.source, len(pairs), sigma)
    released = round_to_grid(noisy, grid_step(sigma)) - chance
    return dict(zip(pairs, released.tolist(), strict=True))


def score_sensitivity(pairs: int, adjacency: str) -> float:
    """Return how far a row moves all scores together, in Euclidean norm."""
    return float(np.sqrt(pairs)) * (2.0 if adjacency == "replace_one" else 1.0)


def choose_pairs(
    scores: dict[tuple[int, int], float], *, sigma: float, n_columns: int, most: int
) -> list[tuple[int, int]]:
    """Return the pairs to measure, from noisy scores; it costs nothing.

    Those are taken that stand out of the noise, the strongest first, at most `most`; two a column
    at least, and every column in one pair at least.
    """
    ordered = sorted(scores, key=lambda pair: -scores[pair])
    clear = sum(score > _CLEAR * sigma for score in scores.values())
    wanted = min(max(clear, _FEWEST * n_columns), most, len(ordered))
    chosen = ordered[:wanted]
    seen = {column for pair in chosen for column in pair}
    for pair in ordered[wanted:]:
        if not seen.issuperset(pair) and len(chosen) < most:
            chosen.append(pair)
            seen.update(pair)
    return sorted(chosen)
