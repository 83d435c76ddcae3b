"""Mistakes that others have made, planted into the real pipeline one at a time.

Each is a context manager that replaces a function of the pipeline by a plausible wrong one. If the
pipeline is restructured so that a replacement has no effect, the test that expects it to be caught
fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

from synthgen.data.schema import Schema
from synthgen.dp import budget, mechanisms, moments, noise, parameters
from synthgen.dp.ledger import Ledger
from synthgen.models import private, private_domain, private_table

Break = Callable[[], Any]


@contextmanager
def no_noise() -> Iterator[None]:
    """Noise is left out of counts."""
    with patch.object(mechanisms, "grid_gaussian", lambda source, shape, sigma: np.zeros(shape)):
        yield


@contextmanager
def noise_divided() -> Iterator[None]:
    """Noise is divided by a batch's size: made for a mean and added to a sum."""
    right = mechanisms.grid_gaussian

    def wrong(source: Any, shape: Any, sigma: float) -> Any:
        return right(source, shape, sigma / 64)

    with patch.object(mechanisms, "grid_gaussian", wrong):
        yield


@contextmanager
def seeded_noise() -> Iterator[None]:
    """Noise follows a public seed while the ledger believes that it does not."""

    class Public(noise.TestNoise):
        is_private = True

    with patch.object(parameters, "noise_source", lambda seed: Public(0)):
        yield


@contextmanager
def wrong_sensitivity() -> Iterator[None]:
    """The root of the number of tables that a row is in is forgotten."""
    with patch.object(Ledger, "sensitivity", lambda self, tables: 1.0):
        yield


@contextmanager
def no_clip() -> Iterator[None]:
    """A row is counted by a weight that nobody limits."""
    cells, pairs = moments.count_cells, moments.count_pairs

    def heavy_cells(codes: Any, size: int) -> Any:
        return cells(np.append(codes, np.repeat(codes[:1], 24)), size)

    def heavy_pairs(first: Any, second: Any, sizes: Any) -> Any:
        first, second = (np.append(c, np.repeat(c[:1], 24)) for c in (first, second))
        return pairs(first, second, sizes)

    with (
        patch.object(moments, "count_cells", heavy_cells),
        patch.object(moments, "count_pairs", heavy_pairs),
    ):
        yield


@contextmanager
def exact_prior() -> Iterator[None]:
    """The shares of one column's categories stay exact."""
    right = moments.release_histograms

    def wrong(codes: Any, columns: Any, **facts: Any) -> Any:
        found = right(codes, columns, **facts)
        exact = moments.count_cells(codes[:, 0], columns[0].size).astype(np.float64)
        return replace(found, counts=(exact, *found.counts[1:]))

    with patch.object(moments, "release_histograms", wrong):
        yield


@contextmanager
def exact_rows() -> Iterator[None]:
    """The number of rows is used as it is although it is private."""
    right = moments._noisy_rows
    count: list[int] = []
    checked = budget.DPMarginals.check

    def check(self: Any, n_rows: int) -> None:
        count.append(n_rows)
        checked(self, n_rows)

    with (
        patch.object(budget.DPMarginals, "check", check),
        patch.object(moments, "_noisy_rows", lambda noisy: float(count[-1])),
    ):
        yield
    assert right is moments._noisy_rows


@contextmanager
def _schema_from(change: Callable[[pd.DataFrame, Schema], Schema]) -> Iterator[None]:
    right = private_table.fit_private

    def wrong(frame: pd.DataFrame, schema: Schema, privacy: Any, **facts: Any) -> Any:
        return right(frame, change(frame, schema), privacy, **facts)

    with patch.object(private_table, "fit_private", wrong):
        yield


def categories_from_data() -> Any:
    """Categories are those that occur."""
    return _schema_from(
        lambda frame, schema: schema.with_column(
            "group", categories=sorted(frame["group"].dropna().unique())
        )
    )


def bounds_from_data() -> Any:
    """The range of a column is that of its values."""
    return _schema_from(
        lambda frame, schema: schema.with_column(
            "age", minimum=float(frame["age"].min()), maximum=float(frame["age"].max())
        )
    )


def missing_flag_from_data() -> Any:
    """A column has a state for missing values if some are missing."""
    return _schema_from(
        lambda frame, schema: schema.with_column(
            "score", nullable=bool(frame["score"].isna().any())
        )
    )


@contextmanager
def granularity_from_data() -> Iterator[None]:
    """Single values get a cell of their own if they occur, without noise."""

    def wrong(columns: Any, **facts: Any) -> Any:
        return [np.flatnonzero(counts > 0) for counts in columns]

    with patch.object(private_domain, "frequent_cells", wrong):
        yield


@contextmanager
def pairs_from_data() -> Iterator[None]:
    """Cells are joined by exact counts."""
    right = moments.release_histograms
    join = moments.join_cells
    exact: list[Any] = []

    def remember(codes: Any, columns: Any, **facts: Any) -> Any:
        found = right(codes, columns, **facts)
        counts = [
            moments.count_cells(codes[:, k], column.size).astype(np.float64)
            for k, column in enumerate(columns)
        ]
        exact.append(replace(found, counts=tuple(counts), sigma=1e-3))
        return found

    with (
        patch.object(moments, "release_histograms", remember),
        patch.object(moments, "_FEWEST_ROWS", 1.0),
        patch.object(
            moments,
            "join_cells",
            lambda columns, histograms, noise, most: join(
                columns, exact[-1], noise=1e-3, most=most
            ),
        ),
    ):
        yield


@contextmanager
def rows_in_the_model() -> Iterator[None]:
    """The encoder keeps a look at the rows."""
    right = private._release

    def wrong(frame: Any, *rest: Any) -> Any:
        found = right(frame, *rest)
        exact = tuple(part + 0.0 for part in found.histograms.counts)
        exact[1][0] = float(frame["age"].mean())
        return replace(found, histograms=replace(found.histograms, counts=exact))

    with patch.object(private, "_release", wrong):
        yield
