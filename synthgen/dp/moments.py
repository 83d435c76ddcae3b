"""The private release of a table: noisy tables of columns and pairs of columns, once.

1. A histogram of each column on its fine public cells.
2. From these, which cells are joined (free).
3. The table of each pair of columns on the joined cells.

What comes out is all that training may see of the data. Whatever is done with it afterwards keeps
the guarantee.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.dp.coarsen import Coarse, PublicColumn, coarsen, pair_bins
from synthgen.dp.ledger import Ledger
from synthgen.dp.mechanisms import gaussian_counts, project_simplex
from synthgen.dp.pairs import choose_pairs, pair_scores
from synthgen.dp.plan import MarginalPlan
from synthgen.dp.tables import all_pairs, check_codes, count_cells, count_pairs

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Columns are cut into at most this many bins to score pairs.
_SCORE_BINS: Final = 8
#: Categories of fewer rows share a cell, whatever the noise.
_FEWEST_ROWS: Final = 5.0


@dataclass(frozen=True)
class Histograms:
    """Released counts of single columns.

    Parameters
    ----------
    counts : tuple of numpy.ndarray of float64
        Of each column's fine cells: noisy, then made non-negative with the sum `n_rows`.
    sigma : float
        Standard deviation of the noise, in rows.
    n_rows : float
        The public number of rows, or a noisy one.
    """

    counts: tuple[Floats, ...]
    sigma: float
    n_rows: float


@dataclass(frozen=True)
class PairTables:
    """Released shares of joined cells, of columns and of pairs of columns.

    Parameters
    ----------
    singles : tuple of numpy.ndarray of float64
        Share of each cell of each column; they sum to 1.
    single_sigmas : tuple of numpy.ndarray of float64
        Standard deviation of each, from the noise.
    pairs : tuple of (int, int)
        Measured pairs of columns.
    tables : tuple of numpy.ndarray of float64
        Noisy shares of the cells of each pair, negative ones among them.
    sigma : float
        Standard deviation of the noise of a pair's cell, in rows.
    n_rows : float
    """

    singles: tuple[Floats, ...]
    single_sigmas: tuple[Floats, ...]
    pairs: tuple[tuple[int, int], ...]
    tables: tuple[Floats, ...]
    sigma: float
    n_rows: float

    @cached_property
    def starts(self) -> Codes:
        """First cell of each column, the number of cells as last entry."""
        return np.cumsum([0, *(len(part) for part in self.singles)])

    def pooled(self) -> PairTables:
        """Return the tables with shares of single columns that all releases agree on best.

        Each table of a pair has margins, which are estimates of single columns as well, with the
        noise of the cells that they sum over. The average by inverse variances, made non-negative
        with the sum 1, is closer to the truth than the histograms alone. It is post-processing.
        """
        singles, sigmas = [], []
        for place, (share, spread) in enumerate(zip(self.singles, self.single_sigmas, strict=True)):
            weights = 1.0 / np.maximum(spread, 1e-12) ** 2
            sums = weights * share
            for (i, j), table in zip(self.pairs, self.tables, strict=True):
                if place not in (i, j):
                    continue
                axis = 1 if place == i else 0
                weight = 1.0 / max(table.shape[axis] * (self.sigma / self.n_rows) ** 2, 1e-24)
                sums = sums + weight * table.sum(axis=axis)
                weights = weights + weight
            singles.append(project_simplex(sums / weights, 1.0))
            sigmas.append(1.0 / np.sqrt(weights))
        return replace(self, singles=tuple(singles), single_sigmas=tuple(sigmas))

    def moments(self) -> dict[str, Floats]:
        """Return targets and weights for matching moments.

        With p the share of a cell, E = p q that of a pair if its columns were independent, s the
        noise in rows and n the rows, a squared miss weighs 1 / (E + s^2 / n) / C^2 for a pair of
        cells and 1 / (p + m s1^2 / n) / C for a cell joined of m fine ones, C being the number of
        columns: the inverse of the variance from sampling and noise together, up to a factor n. E
        stands in for the share itself, whose noise would bias the weights.

        Returns
        -------
        dict of str to numpy.ndarray
            ``singles`` and ``single_weights`` (k,), ``pairs`` and ``pair_weights`` (k, k), both
            symmetric; weights are 0 where nothing was measured.
        """
        width, n_columns = int(self.starts[-1]), len(self.singles)
        singles = np.concatenate(self.singles)
        sigmas = np.concatenate(self.single_sigmas)
        pairs, weights = np.zeros((width, width)), np.zeros((width, width))
        np.fill_diagonal(pairs, singles)
        for (i, j), table in zip(self.pairs, self.tables, strict=True):
            rows = slice(self.starts[i], self.starts[i + 1])
            columns = slice(self.starts[j], self.starts[j + 1])
            weight = 1.0 / self._variances(i, j) / self.n_rows / n_columns**2
            pairs[rows, columns], pairs[columns, rows] = table, table.T
            weights[rows, columns], weights[columns, rows] = weight, weight.T
        variances = np.maximum(singles, 0.0) / self.n_rows + sigmas**2
        return {
            "singles": singles,
            "single_weights": 1.0 / np.maximum(variances, 1e-12) / self.n_rows / n_columns,
            "pairs": pairs,
            "pair_weights": weights,
        }

    def misfit(self, pairs: Floats) -> float:
        """Return the mean of (model - released)^2 / variance over the cells of measured pairs.

        About 1 for a model of the population that the rows were drawn from: below .7 a model fits
        noise, above 1.3 it misses structure. It looks at what was released only.

        Parameters
        ----------
        pairs : numpy.ndarray of shape (k, k)
            The model's probabilities of pairs of cells.
        """
        total, cells = 0.0, 0
        for (i, j), table in zip(self.pairs, self.tables, strict=True):
            rows = slice(self.starts[i], self.starts[i + 1])
            columns = slice(self.starts[j], self.starts[j + 1])
            miss = (pairs[rows, columns] - table) ** 2 / self._variances(i, j)
            total += float(miss.sum())
            cells += table.size
        return total / max(cells, 1)

    def _variances(self, i: int, j: int) -> Floats:
        """Variance of a released share under independence, from sampling and noise."""
        expected = np.outer(self.singles[i], self.singles[j])
        ridge = max(self.sigma**2 / self.n_rows, 1e-9)
        return np.asarray((expected + ridge) / self.n_rows)

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return JSON facts and arrays; all of it was released."""
        arrays: dict[str, np.ndarray] = {}
        for number, (share, sigma) in enumerate(zip(self.singles, self.single_sigmas, strict=True)):
            arrays[f"single.{number}"], arrays[f"sigma.{number}"] = share, sigma
        for number, table in enumerate(self.tables):
            arrays[f"table.{number}"] = table
        facts = {"pairs": [list(pair) for pair in self.pairs], "columns": len(self.singles)}
        return facts | {"sigma": self.sigma, "n_rows": self.n_rows}, arrays

    @classmethod
    def from_state(cls, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> PairTables:
        """Rebuild tables from :meth:`to_state`."""
        return cls(
            singles=tuple(arrays[f"single.{k}"] for k in range(facts["columns"])),
            single_sigmas=tuple(arrays[f"sigma.{k}"] for k in range(facts["columns"])),
            pairs=tuple((int(i), int(j)) for i, j in facts["pairs"]),
            tables=tuple(arrays[f"table.{k}"] for k in range(len(facts["pairs"]))),
            sigma=facts["sigma"],
            n_rows=facts["n_rows"],
        )


@dataclass(frozen=True)
class Release:
    """Everything that was released about a table.

    Parameters
    ----------
    histograms : Histograms
        Of fine cells; values within a joined cell are drawn from them.
    coarse : tuple of Coarse
        How fine cells are joined.
    tables : PairTables
        What a generator is trained on.
    """

    histograms: Histograms
    coarse: tuple[Coarse, ...]
    tables: PairTables


def release_moments(
    codes: Codes, columns: Sequence[PublicColumn], plan: MarginalPlan, ledger: Ledger, bins: int
) -> Release:
    """Release histograms and pair tables of encoded rows.

    Parameters
    ----------
    codes : numpy.ndarray of int64, shape (n, columns)
        Cells of public grids; -1 for a value that is counted nowhere.
    columns : sequence of PublicColumn
    plan : MarginalPlan
    ledger : Ledger
        Charged before each step.
    bins : int
        Most bins of an ordered column in pair tables.

    Raises
    ------
    InvalidDataError
        If a code lies outside its column's cells.
    BudgetExceededError
        If the plan is more than the ledger allows.
    """
    check_codes(codes, [column.size for column in columns])
    sigma = plan.sigma("one_way", len(columns), ledger)
    histograms = release_histograms(codes, columns, sigma=sigma, ledger=ledger)
    pairs = _pairs_to_measure(codes, columns, histograms, plan, ledger)
    noise = plan.sigma("pairs", len(pairs), ledger) if pairs else math.inf
    coarse = join_cells(columns, histograms, noise=noise, most=bins)
    return Release(
        histograms, coarse, release_pairs(codes, histograms, coarse, pairs, noise, ledger)
    )


def release_histograms(
    codes: Codes, columns: Sequence[PublicColumn], *, sigma: float, ledger: Ledger
) -> Histograms:
    """Release a histogram of each column, with noise of standard deviation `sigma` a cell.

    A row is in one cell of each of k columns: the sensitivity is sqrt(k), however fine the cells.
    """
    counts = [count_cells(codes[:, k], column.size) for k, column in enumerate(columns)]
    note = f"histograms of {len(columns)} columns"
    noisy = gaussian_counts(counts, tables=len(columns), sigma=sigma, ledger=ledger, note=note)
    n_rows = ledger.n_rows if ledger.n_rows is not None else _noisy_rows(noisy)
    projected = tuple(project_simplex(part, n_rows) for part in noisy)
    return Histograms(projected, sigma, float(n_rows))


def _noisy_rows(noisy: Sequence[Floats]) -> float:
    """Return the number of rows as the histograms tell it, the most exact ones most."""
    weights = np.array([1 / part.size for part in noisy])
    sums = np.array([part.sum() for part in noisy])
    return float(max(weights @ sums / weights.sum(), 1.0))


def _pairs_to_measure(
    codes: Codes,
    columns: Sequence[PublicColumn],
    histograms: Histograms,
    plan: MarginalPlan,
    ledger: Ledger,
) -> list[tuple[int, int]]:
    every = all_pairs(len(columns))
    if len(every) <= plan.n_pairs:
        return every
    noise = plan.sigma("pairs", plan.n_pairs, ledger)
    coarse = join_cells(columns, histograms, noise=noise, most=_SCORE_BINS)
    # A row moves a score by as much as it moves the counts of a table, by two at most in place of
    # the root of two when it gets other values.
    sigma = plan.sigma("scores", len(every), ledger)
    sigma *= math.sqrt(2) if ledger.adjacency == "replace_one" else 1.0
    scores = pair_scores(
        _coarse_codes(codes, coarse),
        [_coarse_shares(histograms, joined, k) for k, joined in enumerate(coarse)],
        n_rows=histograms.n_rows,
        sigma=sigma,
        ledger=ledger,
    )
    return choose_pairs(scores, sigma=sigma, n_columns=len(columns), most=plan.n_pairs)


def join_cells(
    columns: Sequence[PublicColumn], histograms: Histograms, *, noise: float, most: int
) -> tuple[Coarse, ...]:
    """Join fine cells as far as pair tables with a noise of `noise` rows a cell need it."""
    if not math.isfinite(noise):
        noise = histograms.sigma
    bins = pair_bins(histograms.n_rows, noise, most)
    rare = max(noise, 2 * histograms.sigma, _FEWEST_ROWS)
    return tuple(
        coarsen(column, counts, n_rows=histograms.n_rows, sigma=noise, rare=rare, bins=bins)
        for column, counts in zip(columns, histograms.counts, strict=True)
    )


def release_pairs(
    codes: Codes,
    histograms: Histograms,
    coarse: Sequence[Coarse],
    pairs: Sequence[tuple[int, int]],
    sigma: float,
    ledger: Ledger,
) -> PairTables:
    """Release the tables of `pairs` on joined cells, each once, with noise `sigma` a cell.

    A row is in one cell of each of m tables: the sensitivity is sqrt(m).
    """
    joined = _coarse_codes(codes, coarse)
    counts = [count_pairs(joined[i], joined[j], (coarse[i].size, coarse[j].size)) for i, j in pairs]
    noisy: list[Floats] = []
    if pairs:
        note = f"tables of {len(pairs)} pairs of columns"
        noisy = gaussian_counts(counts, tables=len(pairs), sigma=sigma, ledger=ledger, note=note)
    n_rows = histograms.n_rows
    spread = [histograms.sigma * np.sqrt(np.bincount(part.groups)) / n_rows for part in coarse]
    return PairTables(
        singles=tuple(_coarse_shares(histograms, part, k) for k, part in enumerate(coarse)),
        single_sigmas=tuple(spread),
        pairs=tuple(pairs),
        tables=tuple(table / n_rows for table in noisy),
        sigma=float(sigma) if pairs else 0.0,
        n_rows=n_rows,
    )


def _coarse_codes(codes: Codes, coarse: Sequence[Coarse]) -> list[Codes]:
    """Return the joined cells of each column, each in one piece of memory."""
    return [part.encode(codes[:, k]) for k, part in enumerate(coarse)]


def _coarse_shares(histograms: Histograms, coarse: Coarse, column: int) -> Floats:
    counts = np.bincount(coarse.groups, weights=histograms.counts[column], minlength=coarse.size)
    return np.asarray(counts / max(counts.sum(), 1e-12))
