"""Looks at a generator during training: how far its rows are from real ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from synthgen.core.random import torch_generator
from synthgen.encode.layout import EncodedTable, Layout
from synthgen.nn.tabular import TabularGenerator
from synthgen.sample.draw import RowSource
from synthgen.train.conditioning import Conditioning
from synthgen.train.detection import detection_auc, gates_of
from synthgen.train.moments import fold_cells

#: Most rows per look, and groups per column for the pairwise comparison.
_MOST_ROWS = 12_000
_GROUPS = 8


@dataclass
class QualityMonitor:
    """Compares generated rows with real rows on coarse marginals, pairs, and by boosted trees.

    Parameters
    ----------
    layout : Layout
    real : EncodedTable
        Rows to compare with; validation rows where there are enough.
    conditioning : Conditioning or None
        Of the recipe.
    seed : int
    hidden : list of int
        Features that do not matter to the trees: they are worked out from others later.
    """

    layout: Layout
    real: EncodedTable
    conditioning: Conditioning | None
    seed: int
    hidden: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._place = fold_cells(self.layout, _GROUPS * len(np.unique(self.layout.cell_columns)))
        self._columns = np.empty(int(self._place.max()) + 1, dtype=np.int64)
        self._columns[self._place] = self.layout.cell_columns
        self._pairs = self._shares(self.real)
        self._gates = gates_of(self.layout)

    def __call__(self, generator: TabularGenerator) -> dict[str, float]:
        """Return shape and trend (best 1), detection AUC (best .5) and score (best lowest)."""
        source = RowSource(generator, self.conditioning)
        rng = torch_generator(self.seed, "monitor")
        n = min(max(len(self.real), 1_000), _MOST_ROWS)
        fake = source.draw(n, rng)
        shape, trend = self._distances(self._shares(fake))
        detection = detection_auc(self.real, fake, self._gates, self.seed, n, self.hidden)
        # The trees decide; where they see nothing (few rows), coarse pairs do.
        score = max(detection, 0.5) + 0.1 * (1.0 - trend)
        return {
            "shape": round(shape, 4),
            "trend": round(trend, 4),
            "detection": round(detection, 4),
            "score": score,
        }

    def _shares(self, table: EncodedTable) -> np.ndarray:
        """Return how often two groups of cells occur together, (groups, groups)."""
        table = table.take(slice(0, _MOST_ROWS))
        cells = self.layout.cells(table)
        width = len(self._columns)
        hot = np.zeros((len(cells), width + 1), dtype=np.float32)
        groups = np.where(cells < 0, width, self._place[cells])
        np.put_along_axis(hot, groups, 1.0, axis=1)
        return hot[:, :width].T @ hot[:, :width] / len(cells)

    def _distances(self, shares: np.ndarray) -> tuple[float, float]:
        """Return mean (1 - total variation) over columns and over pairs of columns."""
        difference = np.abs(shares - self._pairs) / 2
        _, column = np.unique(self._columns, return_inverse=True)
        count = int(column.max()) + 1
        hot = np.eye(count)[column]  # (groups, columns)
        singles = hot.T @ difference.diagonal()
        pairs = hot.T @ difference @ hot
        others = ~np.eye(count, dtype=bool)
        trend = 1.0 - float(pairs[others].mean()) if count > 1 else 1.0 - float(singles.mean())
        return 1.0 - float(singles.mean()), trend
