"""Search for a generator and its parameters with Optuna.

Optuna is not among synthgen's dependencies:

    pip install optuna
    python tune_with_optuna.py --rows 2000 --trials 20 --seconds 60

Every trial is fitted on the same training rows and scored on validation rows that it has not seen.
The best of many trials looks better on these than it is, so that the report at the end uses test
rows that no trial was scored on. Into the working directory come all trials (``trials.csv``), the
best model (``tuned-model``) and its report (``tuned.html``).
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import optuna
import pandas as pd

from synthgen import GANSynthesizer, GaussianCopula, datasets
from synthgen.evaluate import make_synthesizer_scorer, quality_report


def build(trial: Any, seconds: float) -> GANSynthesizer | GaussianCopula:
    """Return the generator that a trial proposes, not fitted."""
    if trial.suggest_categorical("model", ["copula", "gan"]) == "copula":
        return GaussianCopula(random_state=0)
    return GANSynthesizer(
        preset=trial.suggest_categorical("preset", ["mixture", "moments", "relativistic"]),
        batch_size=trial.suggest_categorical("batch_size", [128, 256, 512]),
        calibrate=trial.suggest_categorical("calibrate", [False, True]),
        max_minutes=seconds / 60,
        random_state=0,
    )


def objective(
    trial: optuna.Trial, train: pd.DataFrame, validation: pd.DataFrame, seconds: float
) -> float:
    """Return how hard boosted trees find it to tell a trial's rows from real ones; 1 is best."""
    synthesizer = build(trial, seconds).fit(train)
    return make_synthesizer_scorer("c2st")(synthesizer, validation)


def main() -> None:
    """Search, fit the best generator again, and write its report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000, help="training rows")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0, help="most seconds of training")
    options = parser.parse_args()

    table = datasets.load_adult("train").sample(2 * options.rows, random_state=0)
    train, validation = table[: options.rows], table[options.rows :]
    test = datasets.load_adult("test")

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    # Begin with what has to be beaten.
    study.enqueue_trial({"model": "copula"})
    study.enqueue_trial(
        {"model": "gan", "preset": "mixture", "batch_size": 256, "calibrate": False}
    )
    study.optimize(
        partial(objective, train=train, validation=validation, seconds=options.seconds),
        n_trials=options.trials,
    )
    study.trials_dataframe().to_csv("trials.csv", index=False)

    best = build(optuna.trial.FixedTrial(study.best_params), options.seconds).fit(train)
    best.save("tuned-model")
    rows = best.sample(len(train), random_state=1)
    report = quality_report(train, rows, test, "income", best.schema_, synthesizer=best)
    report.to_html("tuned.html")


if __name__ == "__main__":
    main()
