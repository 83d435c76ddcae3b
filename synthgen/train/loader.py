"""Which rows a training step sees; a function of the seed and the step, so that runs can resume."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from synthgen.core.random import generator


@dataclass
class ShuffledRows:
    """Batches from one permutation of all rows after the other.

    Parameters
    ----------
    n_rows : int
        Number of rows in the table.
    batch_size : int
        Rows per batch; batches of a table with fewer rows repeat some.
    seed : int
    """

    n_rows: int
    batch_size: int
    seed: int
    _epochs: dict[int, np.ndarray] = field(default_factory=dict, repr=False)

    def batch(self, number: int) -> np.ndarray:
        """Return the row numbers of batch `number`, int64 of shape (batch_size,)."""
        first = number * self.batch_size
        places = np.arange(first, first + self.batch_size)
        epochs = places // self.n_rows
        rows = np.empty(self.batch_size, dtype=np.int64)
        for epoch in np.unique(epochs):
            mine = epochs == epoch
            rows[mine] = self._order(int(epoch))[places[mine] % self.n_rows]
        return rows

    def _order(self, epoch: int) -> np.ndarray:
        if epoch not in self._epochs:
            # Only the current epoch and the one that a batch may reach into are kept.
            self._epochs = {k: v for k, v in self._epochs.items() if k >= epoch - 1}
            order = generator(self.seed, "train", 0, epoch).permutation(self.n_rows)
            self._epochs[epoch] = order
        return self._epochs[epoch]
