"""Rows from several states of one training: tried, and not part of the package."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch

from synthgen.encode.layout import EncodedTable
from synthgen.models import tabular
from synthgen.models.monitor import QualityMonitor
from synthgen.sample.draw import RowSource


@dataclass(frozen=True)
class SnapshotSource(RowSource):
    """Draw rows, in random order, in equal parts from generators of different steps.

    Parameters
    ----------
    generator, conditioning
        As of the base class.
    others : tuple of TabularGenerator
    """

    others: tuple[Any, ...] = ()

    def draw(self, n: int, rng: torch.Generator) -> EncodedTable:
        """Draw `n` rows, at least one."""
        networks = (self.generator, *self.others)
        ends = [n * k // len(networks) for k in range(len(networks) + 1)]
        parts = [
            RowSource(network, self.conditioning).draw(end - start, rng)
            for network, start, end in zip(networks, ends[:-1], ends[1:], strict=True)
            if end > start
        ]
        order = torch.randperm(n, generator=rng).numpy()
        return EncodedTable.concatenate(parts).take(order)


@contextmanager
def snapshots(count: int) -> Iterator[None]:
    """Let table generators draw from the state of the `count` last checks, and from the best.

    Huang et al., "Snapshot ensembles", ICLR 2017, without their restarts.
    """
    kept: list[Any] = []

    class Keeping(QualityMonitor):
        def __call__(self, generator: Any) -> dict[str, float]:
            kept.append(copy.deepcopy(generator))
            return super().__call__(generator)

    def source(generator: Any, conditioning: Any) -> SnapshotSource:
        return SnapshotSource(generator, conditioning, tuple(kept[-count:]))

    with (
        mock.patch.object(tabular, "QualityMonitor", Keeping),
        mock.patch.object(tabular, "RowSource", source),
    ):
        yield
