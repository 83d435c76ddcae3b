"""A clinical table with gaps: what is filled in, and what may be concluded from it.

    python clinical_gaps.py

scikit-learn's diabetes table: 442 patients, ten measures, and how the disease went on. A fifth of
the cells is removed, so that the truth is known: cell by cell, column by column, and for the slope
of the disease's progress by body mass index.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.impute import KNNImputer

from synthgen import GANSynthesizer, GaussianCopula, evaluate
from synthgen.augment import SyntheticImputer


def slope(table: pd.DataFrame) -> tuple[float, float]:
    """Return the slope of the progress by body mass index, others fixed, and its standard error."""
    design = np.column_stack([np.ones(len(table)), table[["bmi", "age", "sex", "bp"]]])
    target = table["target"].to_numpy()
    beta, (rest,), *_ = np.linalg.lstsq(design, target, rcond=None)
    variance = rest / (len(table) - design.shape[1])
    return float(beta[1]), float(np.sqrt(variance * np.linalg.inv(design.T @ design)[1, 1]))


def judged(truth: pd.DataFrame, gaps: np.ndarray, filled: pd.DataFrame) -> dict[str, float]:
    """Return the mean error of filled cells in standard deviations, and the shape of columns."""
    squares = ((filled - truth) / truth.std()).to_numpy()[gaps] ** 2
    shape = evaluate.shape(truth, filled, random_state=0).value
    return {"error": float(np.sqrt(squares.mean())), "shape": float(shape or 0.0)}


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1_000, help="training steps of the generator")
    options = parser.parse_args()

    import_module("sklearn.experimental.enable_iterative_imputer")
    iterative: Any = import_module("sklearn.impute").IterativeImputer
    truth = load_diabetes(as_frame=True, scaled=False).frame.astype(float)
    gaps = np.random.default_rng(0).random(truth.shape) < 0.2
    table = truth.mask(gaps)

    found: dict[str, dict[str, float]] = {}
    for name, rival in (("iterative", iterative(random_state=0)), ("knn", KNNImputer())):
        filled = pd.DataFrame(rival.fit_transform(table), columns=table.columns)
        found[name] = judged(truth, gaps, filled)
    generators = {
        "copula": GaussianCopula(),
        "gan": GANSynthesizer(max_steps=options.steps),
    }
    complete, error = slope(truth)
    print(f"slope by bmi, all cells known: {complete:.2f} +- {1.96 * error:.2f}")
    some, error = slope(table.dropna(subset=["bmi", "age", "sex", "bp", "target"]))
    print(f"slope by bmi, complete rows:   {some:.2f} +- {1.96 * error:.2f}")
    for name, generator in generators.items():
        imputer = SyntheticImputer(generator, random_state=0).fit(table)
        found[f"{name}, drawn"] = judged(truth, gaps, imputer.transform(table))
        pooled = imputer.pooled(table, slope, m=20)
        low, high = pooled.interval
        print(f"slope by bmi, {name} pooled:  {pooled.value:.2f}, {low:.2f} to {high:.2f}")
        imputer.set_params(strategy="best")
        found[f"{name}, best"] = judged(truth, gaps, imputer.transform(table))
    print(f"\n{pd.DataFrame(found).T.round(3).to_string()}")


if __name__ == "__main__":
    main()
