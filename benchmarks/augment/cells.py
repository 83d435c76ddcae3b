"""Tables whose rare class is made rarer, and the classifiers that have to find it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from synthgen import datasets

DATA = ("bank_additional", "adult")
RATES = (0.01, 0.02, 0.05)
_ADULT_ROWS = 4_000
_ADULT_TEST = 6_000


def missing(data: str) -> str | None:
    """Say why a table cannot be read, or return None."""
    if data == "adult":
        return None
    folder = os.environ.get("SYNTHGEN_DATA")
    if folder and (Path(folder) / "tabular" / "bank_additional_4119.csv").is_file():
        return None
    return f"{data}: SYNTHGEN_DATA does not name the folder that holds tabular/"


def split(data: str, rate: float, seed: int) -> tuple[Any, Any, Any, Any]:
    """Return training rows with a share `rate` of positives, and all test rows.

    Positives of the training rows are left out at random; the test rows keep all of theirs and are
    weighted (see :func:`test_weights`), which estimates the same thing with far less noise.
    """
    rng = np.random.default_rng([seed, round(rate * 1000)])
    if data == "adult":
        train, test, target, word = _adult(rng)
        wanted = _ADULT_ROWS
    else:
        train, test, target, word = _bank(rng)
        wanted = 0
    positive = (train[target] == word).to_numpy()
    negatives = np.flatnonzero(~positive)
    total = wanted or round(len(negatives) / (1 - rate))
    n = round(total * rate)
    chosen = np.concatenate(
        [
            rng.choice(np.flatnonzero(positive), n, replace=False),
            rng.choice(negatives, min(total - n, len(negatives)), replace=False),
        ]
    )
    rows = train.iloc[rng.permutation(chosen)].reset_index(drop=True)
    return (
        rows.drop(columns=target),
        (rows[target] == word).to_numpy(dtype=np.int64),
        test.drop(columns=target),
        (test[target] == word).to_numpy(dtype=np.int64),
    )


def _adult(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame, str, str]:
    test = datasets.load_adult("test")
    chosen = rng.permutation(len(test))[:_ADULT_TEST]
    return datasets.load_adult("train"), test.iloc[chosen].reset_index(drop=True), "income", ">50K"


def _bank(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame, str, str]:
    path = Path(os.environ["SYNTHGEN_DATA"]) / "tabular" / "bank_additional_4119.csv"
    rows = pd.read_csv(path)
    rows = rows.iloc[rng.permutation(len(rows))].reset_index(drop=True)
    cut = len(rows) * 2 // 3
    return rows.iloc[:cut], rows.iloc[cut:].reset_index(drop=True), "y", "yes"


def test_weights(y: np.ndarray, rate: float) -> np.ndarray:
    """Return weights under which a share `rate` of the test rows is positive."""
    share = y.mean()
    return np.where(y == 1, rate / share, (1 - rate) / (1 - share))


def _wide() -> Any:
    return make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include=np.number)),
        (
            OneHotEncoder(handle_unknown="ignore", min_frequency=5),
            make_column_selector(dtype_exclude=np.number),
        ),
    )


def _narrow() -> Any:
    return make_column_transformer(
        (
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            make_column_selector(dtype_exclude=np.number),
        ),
        remainder="passthrough",
    )


MODELS = {
    "logistic": lambda: make_pipeline(_wide(), LogisticRegression(max_iter=300)),
    "forest": lambda: make_pipeline(_narrow(), RandomForestClassifier(150, random_state=0)),
    "boosting": lambda: make_pipeline(_narrow(), HistGradientBoostingClassifier(random_state=0)),
}
