"""The Gaussian copula of an encoded table: one latent normal score for each block and each head.

A block's state says between which two thresholds its latent score lies; a head's value is its
latent score. The covariance of what is observed is a power series in the correlation of the latent
scores (Hermite's expansion), which is solved for that correlation pair by pair. Without that step
the dependence of categories would come out too weak.

References
----------
Nelsen, "An Introduction to Copulas", Springer 2006. Patki, Wedge & Veeramachaneni, "The Synthetic
Data Vault", DSAA 2016. Cario & Nelson, "Modeling and Generating Random Vectors with Arbitrary
Marginal Distributions and Correlation Matrix", Northwestern University 1997. Rebonato & Jaeckel,
"The most general methodology to create a valid correlation matrix", J. Risk 2(2), 1999.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import ndtri

from synthgen.encode.layout import REST, EncodedTable, Layout

#: Terms of the Hermite expansion.
_TERMS: Final = 40
#: Halvings of the interval that the latent correlation is searched in.
_HALVINGS: Final = 30
#: Largest latent correlation of a pair, in absolute value.
_LARGEST: Final = 0.9995
#: Smallest eigenvalue of a correlation matrix.
_FLOOR: Final = 1e-3
#: Rows that speak for independence of a pair of which one is not always there.
_PRIOR: Final = 30
#: Most rows that correlations are estimated from.
_MOST_ROWS: Final = 200_000


def state_thresholds(frequencies: np.ndarray) -> np.ndarray:
    """Return the normal scores that separate the states of a block, shape (states + 1,).

    Examples
    --------
    >>> state_thresholds(np.array([0.5, 0.5])).tolist()
    [-inf, 0.0, inf]
    """
    cuts = ndtri(np.clip(np.cumsum(frequencies)[:-1], 0.0, 1.0))
    return np.concatenate([[-np.inf], cuts, [np.inf]])


def latent_correlation(layout: Layout, table: EncodedTable, rng: np.random.Generator) -> np.ndarray:
    """Estimate the correlation matrix of the latent normal scores.

    Parameters
    ----------
    layout : Layout
    table : EncodedTable
        Training rows.
    rng : numpy.random.Generator
        Chooses rows where there are more than needed.

    Returns
    -------
    numpy.ndarray of shape (blocks + heads, blocks + heads)
        Positive definite, with a unit diagonal.
    """
    if len(table) > _MOST_ROWS:
        table = table.take(rng.choice(len(table), _MOST_ROWS, replace=False))
    series = np.concatenate(
        [
            np.stack([_block_series(block.frequencies) for block in layout.blocks])
            if layout.blocks
            else np.empty((0, _TERMS)),
            np.eye(1, _TERMS).repeat(len(layout.heads), axis=0),
        ]
    )
    correlation = _solve(series, _covariance(layout, table))
    for number, head in enumerate(layout.heads):
        if head.gate is not None:
            # Independent of its gate by construction: scores are normal among the rows that pass.
            place = len(layout.blocks) + number
            correlation[place, head.gate] = correlation[head.gate, place] = 0.0
    return _positive_definite(correlation)


def _state_scores(frequencies: np.ndarray) -> np.ndarray:
    """Return the mean of a normal score within each state."""
    heights = np.exp(-0.5 * state_thresholds(frequencies) ** 2) / np.sqrt(2 * np.pi)
    return np.asarray((heights[:-1] - heights[1:]) / np.maximum(frequencies, 1e-300))


def _block_series(frequencies: np.ndarray) -> np.ndarray:
    """Expand a block's scores in normalised Hermite polynomials of degree 1, 2, ...

    With ``h_k = He_k / sqrt(k!)`` the integral of ``h_k`` times the normal density from a to b is
    ``(h_{k-1}(a) phi(a) - h_{k-1}(b) phi(b)) / sqrt(k)``.
    """
    edges = np.clip(state_thresholds(frequencies), -12.0, 12.0)
    heights = np.exp(-0.5 * edges**2) / np.sqrt(2 * np.pi)
    scores = _state_scores(frequencies)
    before, current = np.zeros_like(edges), np.ones_like(edges)
    terms = np.empty(_TERMS)
    for k in range(1, _TERMS + 1):
        product = current * heights
        terms[k - 1] = scores @ (product[:-1] - product[1:]) / np.sqrt(k)
        before, current = current, (edges * current - np.sqrt(k - 1) * before) / np.sqrt(k)
    return terms


def _covariance(layout: Layout, table: EncodedTable) -> np.ndarray:
    """Return the covariances of the scores, pairwise among rows where both apply."""
    n_blocks, n = len(layout.blocks), len(table)
    scores = np.empty((n, n_blocks + len(layout.heads)))
    applies = np.ones_like(scores)
    for k, block in enumerate(layout.blocks):
        scores[:, k] = _state_scores(block.frequencies)[table.codes[:, k]]
    for k, head in enumerate(layout.heads):
        values = table.values[:, k].astype(np.float64)
        if head.gate is not None:
            applies[:, n_blocks + k] = table.codes[:, head.gate] == REST
        open_rows = applies[:, n_blocks + k] > 0
        spread = values[open_rows].std() if open_rows.any() else 1.0
        scores[:, n_blocks + k] = values / (spread or 1.0)
    scores *= applies
    counts = np.maximum(applies.T @ applies, 1.0)
    means = scores.T @ applies / counts
    covariance = scores.T @ scores / counts - means * means.T
    # Where a closed gate leaves few rows to a pair, they say little.
    return np.asarray(np.where(counts < n, covariance * counts / (counts + _PRIOR), covariance))


def _solve(series: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Find the latent correlation of each pair from the covariance of its scores, by bisection."""
    low = np.full(covariance.shape, -_LARGEST)
    high = np.full(covariance.shape, _LARGEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        expected = np.zeros_like(middle)
        for k in reversed(range(_TERMS)):
            expected = (expected + np.outer(series[:, k], series[:, k])) * middle
        above = expected > covariance
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    found = (low + high) / 2
    # A block of one state tells nothing.
    silent = ~series.any(axis=1)
    found[silent], found[:, silent] = 0.0, 0.0
    np.fill_diagonal(found, 1.0)
    return np.asarray((found + found.T) / 2)


def _positive_definite(matrix: np.ndarray) -> np.ndarray:
    """Shrink a matrix to a positive definite correlation matrix by raising small eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    if len(values) and values[0] < _FLOOR:
        matrix = (vectors * np.maximum(values, _FLOOR)) @ vectors.T
        scale = np.sqrt(np.diag(matrix))
        matrix = matrix / np.outer(scale, scale)
    return matrix
