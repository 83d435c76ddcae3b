"""What is measured: rows to learn from, rows to judge, and which of these are anomalous."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthgen.anomaly import planted_anomalies

FILES = {
    "california_housing": "california_housing.csv.gz",
    "bank_additional_4119": "bank_additional_4119.csv",
    "adult": "adult_train.csv.gz",
    "bikeshare": "bikeshare.csv",
    "support2_clinical": "support2_clinical.csv.gz",
}

#: Training rows, rows to judge, and truth.
Cell = tuple[Any, Any, np.ndarray]


def data_folder() -> Path:
    """Return the folder of the data sets that the package does not bring."""
    return Path(os.environ.get("SYNTHGEN_DATA", "data"))


def labelled(name: str) -> Iterator[tuple[str, pd.DataFrame, np.ndarray]]:
    """Yield tables with a truth: malignant tumours, or every class but one."""
    from sklearn.datasets import load_breast_cancer, load_digits, load_wine

    if name == "breast_cancer":
        found = load_breast_cancer(as_frame=True)
        yield name, found.data, (found.target == 0).to_numpy()
        return
    found = {"wine": load_wine, "digits": load_digits}[name](as_frame=True)
    for kind in sorted(found.target.unique()):
        yield f"{name}-{kind}", found.data, (found.target != kind).to_numpy()


def split(X: pd.DataFrame, odd: np.ndarray, config: dict[str, Any], seed: int) -> Cell:
    """Train on 70 % of the normal rows with some anomalies among them, judge the others."""
    rng = np.random.default_rng(seed)
    normal, strange = (rng.permutation(np.flatnonzero(odd == value)) for value in (False, True))
    normal = normal[: config["rows"]]
    cut = int(0.7 * len(normal))
    mixed_in = min(int(config["contamination"] * cut), len(strange) // 2)
    train = rng.permutation(np.concatenate([normal[:cut], strange[:mixed_in]]))
    rest = strange[mixed_in:][: config["rows"]]
    test = np.concatenate([normal[cut:], rest])
    truth = np.repeat([False, True], [len(normal) - cut, len(rest)])
    return X.iloc[train].reset_index(drop=True), X.iloc[test].reset_index(drop=True), truth


def planted(name: str, kind: str, config: dict[str, Any], seed: int) -> Cell:
    """Plant anomalies of one kind into real rows, and some of them into the training rows."""
    table = pd.read_csv(data_folder() / "tabular" / FILES[name])
    rng = np.random.default_rng(seed)
    rows = table.iloc[rng.permutation(len(table))[: config["rows"]]].reset_index(drop=True)
    count = int(config["contamination"] * 0.7 * len(rows)) + len(rows) // 10
    odd = planted_anomalies(rows, kind, count, random_state=seed)
    both = pd.concat([rows, odd], ignore_index=True)
    return split(both, np.repeat([False, True], [len(rows), count]), config, seed)


def images(kind: int, config: dict[str, Any], seed: int) -> Cell:
    """Train on one class of Fashion-MNIST, judge all of them."""
    folder = data_folder() / "images" / "fashion_mnist"
    X, y = _idx(folder, "train20000")
    T, odd = _idx(folder, "t10k")
    rng = np.random.default_rng(seed)
    own = rng.permutation(np.flatnonzero(y == kind))[: config["train"]]
    judged = np.sort(rng.permutation(len(T))[: config["test"]])
    return X[np.sort(own)], T[judged], odd[judged] != kind


def _idx(folder: Path, stem: str) -> tuple[np.ndarray, np.ndarray]:
    pixels = gzip.decompress((folder / f"{stem}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{stem}-labels-idx1-ubyte.gz").read_bytes())
    X = np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 28, 28)
    return X, np.frombuffer(labels, np.uint8, offset=8)
