"""Conditional sampling on Adult: are conditions obeyed, and are the other columns right?

For 20 random conditions on one to three columns that at least 30 training rows satisfy, the mean
total variation between generated and real rows over the other columns is set beside that between
two random halves of the real rows (averaged over 20 splits). Numbers are compared in ten bins with
equal shares of the training rows.

    python -m benchmarks.quality.conditions --model MODEL_DIR [--seed 0]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from synthgen import GANSynthesizer
from synthgen.data.datasets import load_adult

_ROWS = 1_000
_CONDITIONS = 20
_LEAST_REAL = 30


def main() -> None:
    """Fit or load a model, sample under random conditions, print one line each and the verdict."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="saved model; fitted and saved there if absent")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    train = load_adult("train")
    synth = _model(arguments.model, train, arguments.seed)
    rng = np.random.default_rng(arguments.seed)
    edges = {
        name: np.unique(np.quantile(train[name], np.linspace(0, 1, 11)[1:-1]))
        for name in train.select_dtypes("number")
    }
    results = []
    for conditions, real in _random_conditions(train, rng):
        started = time.perf_counter()
        rows = synth.sample(_ROWS, conditions=conditions, random_state=arguments.seed)
        seconds = time.perf_counter() - started
        obeyed = all(bool((rows[name] == value).all()) for name, value in conditions.items())
        others = [name for name in train.columns if name not in conditions]
        distance = _distance(rows[others], real[others], edges)
        noise = np.mean([_half_distance(real[others], edges, rng) for _ in range(20)])
        results.append((obeyed, distance, noise, seconds))
        line = {
            "conditions": {name: str(value) for name, value in conditions.items()},
            "real_rows": len(real),
            "obeyed": obeyed,
            "tv": round(distance, 4),
            "tv_halves": round(float(noise), 4),
            "seconds": round(seconds, 2),
        }
        print(json.dumps(line))
    obeyed, distance, noise, seconds = (np.array(column) for column in zip(*results, strict=True))
    print(
        json.dumps(
            {
                "obeyed": float(obeyed.mean()),
                "mean_tv": round(float(distance.mean()), 4),
                "mean_tv_halves": round(float(noise.mean()), 4),
                "allowed": round(float(1.5 * noise.mean() + 0.03), 4),
                "slowest_seconds": round(float(seconds.max()), 2),
            }
        )
    )


def _model(path: Path | None, train: pd.DataFrame, seed: int) -> GANSynthesizer:
    if path is not None and path.exists():
        return GANSynthesizer.load(path)
    synth = GANSynthesizer(random_state=seed).fit(train)
    if path is not None:
        synth.save(path)
    return synth


def _random_conditions(
    train: pd.DataFrame, rng: np.random.Generator
) -> list[tuple[dict[str, object], pd.DataFrame]]:
    """Draw conditions from random rows, so that frequent and rare values both occur."""
    columns = [name for name in train.columns if train[name].nunique() <= 100]
    found: list[tuple[dict[str, object], pd.DataFrame]] = []
    while len(found) < _CONDITIONS:
        names = rng.choice(columns, size=1 + len(found) % 3, replace=False)
        row = train.iloc[int(rng.integers(len(train)))]
        conditions = {str(name): row[name] for name in names}
        # Half of the time any value, however rare, instead of that of a random row.
        if rng.random() < 0.5:
            name = str(names[0])
            conditions[name] = rng.choice(train[name].unique())
        mask = np.logical_and.reduce([train[name] == v for name, v in conditions.items()])
        if _LEAST_REAL <= mask.sum() < len(train) / 2:
            found.append((conditions, train[mask]))
    return found


def _half_distance(
    real: pd.DataFrame, edges: dict[str, np.ndarray], rng: np.random.Generator
) -> float:
    order = rng.permutation(len(real))
    half = len(real) // 2
    return _distance(real.iloc[order[:half]], real.iloc[order[half:]], edges)


def _distance(a: pd.DataFrame, b: pd.DataFrame, edges: dict[str, np.ndarray]) -> float:
    """Return the mean over columns of the total variation between two frames."""
    distances = []
    for name in a.columns:
        first, second = a[name], b[name]
        if name in edges:
            first = pd.Series(np.searchsorted(edges[name], first))
            second = pd.Series(np.searchsorted(edges[name], second))
        shares = (side.value_counts(normalize=True) for side in (first, second))
        distances.append(next(shares).sub(next(shares), fill_value=0.0).abs().sum() / 2)
    return float(np.mean(distances))


if __name__ == "__main__":
    main()
