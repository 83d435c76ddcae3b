"""Drive a single-table synthesizer of SDV; see driving.py."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import pandas as pd
import sdv.single_table
from sdv.metadata import Metadata

from benchmarks.quality.peers.driving import Job, drive

# SDV would import it in `fit`, where it would be timed.
import_module("torch")


def fit(train: pd.DataFrame, job: Job) -> Callable[[int], pd.DataFrame]:
    """Detect the metadata, as SDV's documentation starts, and fit.

    Coordinates are declared to be numbers: detection takes them for personal data, whose values are
    made up and not learned.
    """
    tables = {"table": train}
    metadata = Metadata.detect_from_dataframes(tables)
    for name, column in metadata.to_dict()["tables"]["table"]["columns"].items():
        if column["sdtype"] in ("latitude", "longitude"):
            metadata.update_column(column_name=name, sdtype="numerical", table_name="table")
    synthesizer = getattr(sdv.single_table, job["class"])(metadata, **job["parameters"])
    synthesizer.fit(tables)
    return lambda rows: synthesizer.sample(num_rows=rows)["table"]


if __name__ == "__main__":
    drive(fit, "sdv")
