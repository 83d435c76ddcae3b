"""Two neighbours through the real pipeline with the same noisy answers.

What a release chooses next depends on what was released before, so sensitivities must hold given
the same answers. The first table's noisy answers are recorded and given again for the second; at
each release the exact numbers of both are compared with what the ledger was told.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from synthgen.dp import mechanisms, moments, pairs, purchase, quantiles, roundness, select
from synthgen.dp.events import Event
from synthgen.dp.ledger import Ledger


class Silent:
    """A source of words that all give noise 0, for a look at exact answers."""

    is_private = True

    def words(self, n: int) -> np.ndarray:
        return np.full(n, 2**64 - 1, dtype=np.uint64)


@dataclass
class Step:
    """One release: its exact numbers by name, what was answered, what was charged."""

    exact: dict[Any, float] | list[np.ndarray]
    answer: Any
    event: Event


@dataclass
class Transcript:
    """The releases of one fit; `given` are answers to repeat."""

    given: list[Step] | None = None
    steps: list[Step] = field(default_factory=list)

    def add(self, exact: Any, answer: Any, ledger: Ledger) -> Any:
        if self.given is not None:
            answer = self.given[len(self.steps)].answer
        self.steps.append(Step(exact, answer, ledger.events[-1]))
        return answer


@contextmanager
def recorded(transcript: Transcript) -> Iterator[None]:
    """Put the transcript between the pipeline and its releases."""
    counts, values, scores = mechanisms.gaussian_counts, select.select_values, pairs.pair_scores

    def gaussian_counts(arrays: Any, **facts: Any) -> Any:
        noisy = counts(arrays, **facts)
        return transcript.add([array.copy() for array in arrays], noisy, facts["ledger"])

    def select_values(columns: Any, **facts: Any) -> Any:
        told = values(columns, **facts)
        exact = {
            (number, value): float(count)
            for number, (names, found) in enumerate(columns)
            for value, count in zip(names, found, strict=True)
        }
        return transcript.add(exact, told, facts["ledger"])

    def pair_scores(codes: Any, shares: Any, *, ledger: Ledger, **facts: Any) -> Any:
        silent = Ledger(1.0, 1e-6, ledger.adjacency, ledger.n_rows, Silent())
        silent.charge = silent.events.append  # type: ignore[method-assign]  # it may cost anything
        exact = scores(codes, shares, ledger=silent, **facts | {"sigma": 2.0**-20})
        noisy = scores(codes, shares, ledger=ledger, **facts)
        return transcript.add(dict(exact), noisy, ledger)

    with ExitStack() as stack:
        for module in (moments, quantiles, roundness, select):
            stack.enter_context(patch.object(module, "gaussian_counts", gaussian_counts))
        stack.enter_context(patch.object(purchase, "select_values", select_values))
        stack.enter_context(patch.object(moments, "pair_scores", pair_scores))
        yield


def moved(first: Step, second: Step) -> float:
    """Return how far the exact numbers of two tables are apart, in Euclidean norm.

    Infinitely far if the same answers led to other lists of numbers.
    """
    one, two = first.exact, second.exact
    if isinstance(one, dict) and isinstance(two, dict):
        names = set(one) | set(two)
        return math.sqrt(sum((one.get(name, 0.0) - two.get(name, 0.0)) ** 2 for name in names))
    if [np.shape(part) for part in one] != [np.shape(part) for part in two]:
        return math.inf
    return math.sqrt(sum(float(((a - b) ** 2).sum()) for a, b in zip(one, two, strict=True)))


def neighbours(
    frame: pd.DataFrame, row: int, values: dict[str, Any], adjacency: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table with `values` in a row, and its neighbour with that row empty or gone.

    In columns that are not nullable a missing value is counted nowhere, as ``zero_out`` says.
    """
    first = frame.copy()
    for name, value in values.items():
        first.loc[row, name] = value
    if adjacency == "add_remove":
        return first, first.drop(index=row).reset_index(drop=True)
    if adjacency == "replace_one":
        return first, frame
    second = first.copy()
    for name in values:
        second.loc[row, name] = None if second[name].dtype == object else np.nan
    return first, second
