"""The critic of a trained table model, kept to look at rows once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from synthgen.data.frame import read_frame
from synthgen.encode.layout import EncodedTable
from synthgen.encode.table import TableEncoder
from synthgen.train.table import TableTask

_PASS: Final = 4_096


@dataclass(frozen=True)
class RowCritic:
    """Scores and features of rows. It has looked at real rows and is not part of saved models.

    Parameters
    ----------
    encoder : TableEncoder
    critic, inputs, cells : torch.nn.Module
        The trained critic, how it sees rows, and the layout as tensors.
    device : torch.device
    """

    encoder: TableEncoder
    critic: Any
    inputs: Any
    cells: Any
    device: torch.device

    @classmethod
    def of(cls, encoder: TableEncoder, task: TableTask) -> RowCritic | None:
        """Return the critic of a finished task; None if it judges more than single rows."""
        critic: Any = task.critic
        if task.conditioning is not None or critic.pack != 1:
            return None
        critic = critic.requires_grad_(False).eval()
        return cls(encoder, critic, task.critic_input, task.generator.cells, task.device)

    def scores(self, X: Any) -> np.ndarray:
        """Return the critic's score of each row: the higher, the more like a real one, (rows,)."""
        return np.concatenate([part.cpu().numpy() for part in self._passes(X, self.critic)])

    def features(self, X: Any) -> np.ndarray:
        """Return what the critic's last layer reads, (rows, width)."""
        trunk = self.critic.net[:-1]
        return np.concatenate([part.cpu().numpy() for part in self._passes(X, trunk)])

    def _passes(self, X: Any, look: Callable[[Tensor], Tensor]) -> Iterator[Tensor]:
        frame, _ = read_frame(X)
        table: EncodedTable = self.encoder.transform(frame)
        for start in range(0, len(table), _PASS):
            part = table.take(slice(start, start + _PASS))
            # A category never seen is none of those that the critic knows.
            states = torch.as_tensor(part.codes, dtype=torch.long, device=self.device)
            hot = self.cells.one_hot(states.clamp(min=0) + self.cells.starts)
            hot = hot * ((states >= 0).float() @ self.cells.membership.T)
            with torch.inference_mode():
                scores = torch.as_tensor(part.values, device=self.device)
                yield look(self.inputs(hot, scores)).float()
