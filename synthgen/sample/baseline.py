"""Blocks of rows and completed rows from a copula, in terms of what all samplers share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from synthgen.core.random import generator
from synthgen.encode.layout import EncodedTable
from synthgen.encode.table import TableEncoder
from synthgen.encode.wanted import Wanted
from synthgen.sample.completer import KnownCells, RowCompleter
from synthgen.sample.copula import CopulaSource, RestrictedSource
from synthgen.sample.sampler import RowBlocks


@dataclass(frozen=True)
class CopulaRequest:
    """What the rows must obey.

    Parameters
    ----------
    wanted : dict of label to Wanted
        Conditions by column.
    source : RestrictedSource
        Draws rows that obey them.
    probability : float
        How probable they are under the copula.
    """

    wanted: Mapping[Any, Wanted]
    source: RestrictedSource
    probability: float


@dataclass(frozen=True)
class CopulaSampler(RowBlocks[CopulaRequest]):
    """Rows of a copula.

    Parameters
    ----------
    encoder : TableEncoder
    source : CopulaSource
    """

    source: CopulaSource

    def encoded(
        self, n: int, seed: int, index: tuple[int, ...], request: CopulaRequest | None = None
    ) -> EncodedTable:
        """Draw `n` encoded rows."""
        rng = generator(seed, "sample", *index)
        return self.source.draw(n, rng) if request is None else request.source.draw(n, rng)


@dataclass(frozen=True)
class CopulaCompleter(RowCompleter):
    """Completes and scores rows by a copula.

    Parameters
    ----------
    sampler : CopulaSampler
    """

    sampler: CopulaSampler

    #: Weighted draws reach as far into the tails as numbers do.
    least_probability: ClassVar[float] = 1e-300

    @property
    def encoder(self) -> TableEncoder:
        """Encoder of the rows."""
        return self.sampler.encoder

    def _draw(
        self, known: KnownCells, seed: int, *, never_missing: bool = False
    ) -> tuple[EncodedTable, np.ndarray]:
        closed = self.encoder.missing_states if never_missing else np.empty(0, np.int64)
        return self.sampler.source.complete(known, closed, generator(seed, "conditions", 1))

    def _log_likelihood(self, known: KnownCells, seed: int) -> np.ndarray:
        return self.sampler.source.log_likelihood(known, generator(seed, "score"))
