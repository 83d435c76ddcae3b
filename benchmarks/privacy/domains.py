"""Tables with public domains: ranges and granularities typed by hand, categories as documented.

The categories are those that the tables' documentation lists; they are read off all rows, holdout
included, to save the typing. In a release they would have to be declared.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthgen import Schema, datasets

#: Data set: file, target, and declared facts about columns of numbers.
DATA: dict[str, dict[str, Any]] = {
    "adult": {
        "target": "income",
        "ranges": {
            "age": (17, 90),
            "fnlwgt": (10_000, 1_500_000),
            "education-num": (1, 16),
            "capital-gain": (0, 99_999),
            "capital-loss": (0, 5_000),
            "hours-per-week": (1, 99),
        },
    },
    "bank_additional_4119": {
        "file": "bank_additional_4119.csv",
        "target": "y",
        "ranges": {
            "age": (17, 100),
            "duration": (0, 5_000),
            "campaign": (1, 60),
            "pdays": (0, 999),
            "previous": (0, 10),
            "emp.var.rate": (-4, 2),
            "cons.price.idx": (92, 95),
            "cons.conf.idx": (-51, -26),
            "euribor3m": (0.5, 5.5),
            "nr.employed": (4_900, 5_300),
        },
    },
    "california_housing": {
        "file": "california_housing.csv.gz",
        "target": "median_house_value",
        "ranges": {
            "longitude": (-125, -114),
            "latitude": (32, 42),
            "housing_median_age": (1, 52),
            "total_rooms": (1, 40_000),
            "total_bedrooms": (1, 7_000),
            "population": (1, 40_000),
            "households": (1, 7_000),
            "median_income": (0.4, 15.1),
            "median_house_value": (14_000, 501_000),
        },
    },
    # Its ranges are read off all rows as well.
    "support2_clinical": {"file": "support2_clinical.csv.gz", "target": "hospdead", "ranges": {}},
}


def load(name: str) -> tuple[pd.DataFrame, pd.DataFrame, Schema, str]:
    """Return training rows, holdout rows, the public schema and the target."""
    entry = DATA[name]
    if "file" not in entry:
        train, holdout = datasets.load_adult("train"), datasets.load_adult("test")
    else:
        table = pd.read_csv(Path(os.environ["SYNTHGEN_DATA"]) / "tabular" / entry["file"])
        order = np.random.default_rng(0).permutation(len(table))
        size = len(table) // 10
        holdout, train = (
            table.iloc[rows].reset_index(drop=True) for rows in (order[:size], order[size:])
        )
    everything = pd.concat([train, holdout], ignore_index=True)
    schema = Schema.infer(everything)
    for column, (low, high) in entry["ranges"].items():
        schema = schema.with_column(column, minimum=low, maximum=high)
    return train, holdout, schema.observed(everything).as_public(), entry["target"]
