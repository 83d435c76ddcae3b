"""Two classes of Fashion-MNIST cut to 50 images: what finds them again.

    SYNTHGEN_DATA=... python -m benchmarks.augment.pictures --pairs 0 1 2 3 4

One JSON line per pair of classes; a line that is there is not run again. ``--report`` prints the
table. The five pairs are a permutation of the ten classes, so that none is chosen.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from benchmarks.images.data import load
from benchmarks.lines import append_line, read_lines
from synthgen.augment.methods import METHODS, Fold
from synthgen.evaluate.images.network import train_classifier
from synthgen.evaluate.images.pictures import as_images
from synthgen.models.image import ImageGANSynthesizer

RESULTS = Path(__file__).parent / "results" / "pictures.jsonl"
ARMS = ("none", "class_weights", "random_over", "classic_images", "gan", "gan_filter", "gan_even")
PAIRS = np.random.default_rng(0).permutation(10).reshape(5, 2)
KEPT = 50
#: Recall of the two classes is to rise by this over class weights.
BAR = 0.08


class SmallCNN(ClassifierMixin, BaseEstimator):
    """The small network of the accuracy score as a classifier of images.

    Parameters
    ----------
    random_state : int
    """

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Any:
        """Train on images (n, height, width) and codes."""
        self.classes_ = np.arange(int(y.max()) + 1)
        pictures, codes = as_images(X)[0], np.asarray(y, dtype=np.int64)
        self.net_ = train_classifier(
            pictures, codes, len(self.classes_), self.random_state, weights=sample_weight
        )
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return class probabilities."""
        return self.net_.probabilities(as_images(X)[0])

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable classes."""
        return self.predict_proba(X).argmax(axis=1)


def run(pair: int, steps: int, balance: float, arms: list[str]) -> dict[str, Any]:
    """Return recall of the two classes, and balanced accuracy, of each arm."""
    split = load({"source": "fashion_mnist", "train": 20_000}, pair)
    rng = np.random.default_rng([pair, 1])
    kept = np.ones(len(split.labels), dtype=bool)
    for code in PAIRS[pair]:
        own = rng.permutation(np.flatnonzero(split.labels == code))
        kept[own[KEPT:]] = False
    X, y = split.images[kept], split.labels[kept]
    generator = ImageGANSynthesizer(
        max_steps=steps, max_minutes=600, balance=balance, random_state=pair
    )
    fold = Fold(X, y, split.holdout, SmallCNN(), generator, 10, 0.5, 1.0, pair)
    line: dict[str, Any] = {"pair": pair, "steps": steps, "balance": balance, "images": len(y)}
    line["classes"] = PAIRS[pair].tolist()
    start = time.process_time()
    if any(arm.startswith("gan") for arm in arms):
        # Fitted once, at its first use: here, to be timed.
        line["generator"] = type(fold.source.model).__name__
    line["generator_cpu_seconds"] = time.process_time() - start
    rare = np.isin(split.holdout_labels, PAIRS[pair])
    for arm in arms:
        said = METHODS[arm](fold).codes
        right = said == split.holdout_labels
        each = [right[split.holdout_labels == code].mean() for code in range(10)]
        line[arm] = {"recall": float(right[rare].mean()), "balanced_accuracy": float(np.mean(each))}
        print(f"pair {pair} {arm}: {line[arm]}", flush=True)
    return line


def report(lines: list[dict[str, Any]]) -> str:
    """Return recall and balanced accuracy as a Markdown table, and whether the bar holds."""
    if not lines:
        return "Nothing was measured yet."
    header = ["classes", *ARMS, "gan_even - class_weights"]
    rows = [header, ["---"] * len(header)]
    gains = []
    for line in lines:
        gains.append(line["gan_even"]["recall"] - line["class_weights"]["recall"])
        cells = [" and ".join(map(str, line["classes"]))]
        cells += [
            f"{line[arm]['recall']:.3f} ({line[arm]['balanced_accuracy']:.3f})" for arm in ARMS
        ]
        rows.append([*cells, f"{gains[-1]:+.3f}"])
    means = pd.DataFrame([{arm: line[arm]["recall"] for arm in ARMS} for line in lines]).mean()
    rows.append(["mean", *(f"{means[arm]:.3f}" for arm in ARMS), f"{np.mean(gains):+.3f}"])
    met = "met" if np.mean(gains) >= BAR else "missed"
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + f"\n\nBar of {BAR:+.2f}: {met}."


def main() -> int:
    """Run what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", nargs="+", type=int, default=list(range(len(PAIRS))))
    parser.add_argument("--steps", type=int, default=1_500, help="training steps of the generator")
    parser.add_argument("--balance", type=float, default=1.0)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(METHODS))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    options = parser.parse_args()
    if options.report:
        print(report(read_lines(options.results)))
        return 0
    warnings.simplefilter("ignore")
    there = {(line["pair"], line["steps"], line["balance"]) for line in read_lines(options.results)}
    for pair in options.pairs:
        if (pair, options.steps, options.balance) not in there:
            line = run(pair, options.steps, options.balance, options.arms)
            append_line(line, options.results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
