"""A private release of mean features: one noisy sum for each class, once.

Whatever has features of bounded length can be released so, whole images as well. A generator that
is trained until its own mean features fit has seen nothing else of the data.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synthgen.dp.events import Event
from synthgen.dp.ledger import Ledger
from synthgen.dp.mechanisms import project_simplex
from synthgen.dp.noise import gaussian, grid_step, round_to_grid
from synthgen.errors import InvalidDataError

Floats = NDArray[np.float64]

#: Records are cut a hair shorter than the noise is made for, so that rounding makes none longer.
_HAIR: Final = 1.0 - 1e-9

#: Vectors and places of classes of some records, -1 for a class that was not declared.
Batch = tuple[NDArray[np.floating], NDArray[np.int64]]


@dataclass(frozen=True)
class Embedding:
    """Released mean features.

    Parameters
    ----------
    means : numpy.ndarray of float64, shape (classes, features)
        Noisy.
    counts : numpy.ndarray of float64, shape (classes,)
        Noisy numbers of records, none negative.
    noise : float
        Standard deviation of the noise on each sum of a feature, in records.
    """

    means: Floats
    counts: Floats
    noise: float

    @property
    def shares(self) -> Floats:
        """Share of each class; they sum to 1."""
        total = self.counts.sum()
        if total <= 0:
            return np.full(len(self.counts), 1.0 / len(self.counts))
        return np.asarray(self.counts / total)

    @property
    def deviations(self) -> Floats:
        """Standard deviation of the noise on each mean, (classes,)."""
        return np.asarray(self.noise / np.maximum(self.counts, 1.0))


def embedding_sensitivity(adjacency: str) -> float:
    """Return how far one record moves the released vector, in Euclidean norm.

    Its own part has length 1 at most; another one in its place may point the other way.

    Examples
    --------
    >>> embedding_sensitivity("zero_out"), embedding_sensitivity("replace_one")
    (1.0, 2.0)
    """
    return 2.0 if adjacency == "replace_one" else 1.0


def release_embedding(
    batches: Iterable[Batch],
    *,
    n_classes: int,
    n_features: int,
    count_share: float,
    sigma: float,
    ledger: Ledger,
    note: str,
) -> Embedding:
    """Sum up features and numbers of records by class, and add noise to all of it at once.

    A record of class c adds (sqrt(1 - s) v, sqrt(s)) to the part of its class, where v are its
    features, cut to length 1, and s is `count_share`: a vector of length 1 at most.

    Parameters
    ----------
    batches : iterable of (numpy.ndarray of shape (n, features), numpy.ndarray of shape (n,))
        All records, each once; features of a record must depend on that record alone.
    n_classes, n_features : int
    count_share : float
        In (0, 1).
    sigma : float
        Standard deviation of the noise.
    ledger : Ledger
        Charged before anything is read.
    note : str
        What it is for.

    Raises
    ------
    BudgetExceededError
        If it costs too much; then nothing is read.
    InvalidDataError
        If features have another number.

    References
    ----------
    Harder, Adamczewski, Park, "DP-MERF", AISTATS 2021, arXiv:2002.11603.
    """
    sensitivity = embedding_sensitivity(ledger.adjacency)
    ledger.charge(Event("gaussian", note, sensitivity=sensitivity, scale=float(sigma)))
    sums = np.zeros((n_classes, n_features + 1))
    for vectors, codes in batches:
        if vectors.shape != (len(codes), n_features):
            raise InvalidDataError(
                f"Expected {n_features} features for each of {len(codes)} records, got an array "
                f"of shape {vectors.shape}."
            )
        _add(sums, vectors, codes, count_share)
    noisy = sums + gaussian(ledger.source, sums.shape, float(sigma))
    noisy = round_to_grid(noisy, grid_step(float(sigma)))
    counts = np.maximum(noisy[:, -1] / math.sqrt(count_share), 0.0)
    if ledger.n_rows is not None:
        counts = project_simplex(noisy[:, -1] / math.sqrt(count_share), float(ledger.n_rows))
    inner = math.sqrt(1.0 - count_share)
    means = noisy[:, :-1] / inner / np.maximum(counts, 1.0)[:, None]
    return Embedding(means, counts, float(sigma) / inner)


def _add(sums: Floats, vectors: NDArray[np.floating], codes: NDArray[np.int64], s: float) -> None:
    """Add records to the sums of their classes."""
    exact = np.nan_to_num(np.asarray(vectors, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    # Lengths as they are, rounding included: the sum may not trust whoever made the vectors.
    lengths = np.linalg.norm(exact, axis=1)
    exact *= (_HAIR * math.sqrt(1.0 - s) / np.maximum(lengths, 1.0))[:, None]
    for code in np.unique(codes[codes >= 0]):
        own = codes == code
        sums[code, :-1] += exact[own].sum(axis=0)
        sums[code, -1] += _HAIR * math.sqrt(s) * int(own.sum())
