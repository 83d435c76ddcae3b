"""Encoders of single columns for the tests."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.schema import Column, Schema
from synthgen.encode.base import Resolution
from synthgen.errors import DataWarning

RESOLUTION = Resolution(bins=16, few=32, spike=0.05, atom=0.05, levels=64, knots=1_000)


def column_of(values: Any, kind: str | None = None, **changes: Any) -> tuple[pd.DataFrame, Column]:
    """Return a frame of the column "c" and its inferred, then changed, description."""
    frame = values if isinstance(values, pd.DataFrame) else pd.DataFrame({"c": values})
    with warnings.catch_warnings():
        # About kinds that the tests replace.
        warnings.simplefilter("ignore", DataWarning)
        schema = Schema.infer(frame)
    if kind is not None:
        changes["kind"] = kind
    return frame, (schema.with_column("c", **changes) if changes else schema)["c"]


def decoded(encoder: Any, codes: np.ndarray, scores: np.ndarray, wanted: Any = None) -> pd.Series:
    """Decode to a series, with a fixed generator."""
    rng = np.random.default_rng(0)
    columns = encoder.inverse(codes, scores, np.arange(len(codes)), rng, wanted or {})
    return pd.Series(columns[encoder.names[0]])


def assert_alike(decoded_values: Any, original: pd.Series) -> None:
    """Check values and dtype; the missing value of object columns may be None or NaN."""
    series = pd.Series(decoded_values)
    assert series.dtype == original.dtype
    gaps = original.isna()
    np.testing.assert_array_equal(series.isna(), gaps)
    assert series[~gaps].tolist() == original[~gaps].tolist()
