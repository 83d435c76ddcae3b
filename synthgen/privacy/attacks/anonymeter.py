"""Singling out, linkability and inference by the package anonymeter, called as it is.

Its risks are reported unchanged: none of its statistics is computed anew here. It is not a
dependency, and its licence grants no patents: install it if you want it.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.core.random import generator
from synthgen.errors import MissingExtraError
from synthgen.measure.columns import cut
from synthgen.privacy.attacks.result import AttackResult
from synthgen.privacy.attacks.splits import Splits

#: The version that the results are tested against.
VERSION: Final = "1.1.0"

_REFERENCE: Final = "Giomi, Boenisch, Wehmeyer & Tasnadi (2023), PoPETs 2023(2), arXiv:2211.10459"
_THREATS: Final = {
    "singling out": "synthetic rows",
    "linkability": "synthetic rows, and each row in two halves",
    "inference": "synthetic rows and all other values of the row",
}


def installed() -> bool:
    """Return whether anonymeter can be imported."""
    return find_spec("anonymeter") is not None


def anonymeter_attacks(
    splits: Splits,
    *,
    secrets: Sequence[Hashable] = (),
    n_attacks: int = 500,
    max_rows: int = 5_000,
    level: float = 0.95,
    seed: int = 0,
) -> list[AttackResult]:
    """Run the three attacks of anonymeter, with the holdout as its control.

    Parameters
    ----------
    splits : Splits
    secrets : sequence of hashable
        Columns to infer from all others; none are inferred without.
    n_attacks : int, default=500
        At most this many attacks of each kind.
    max_rows : int, default=5000
        Members, holdout and synthetic rows that anonymeter sees, at random.
    level : float, default=0.95
    seed : int, default=0
        Of the queries that single out. Anonymeter draws the random baselines of linkability and
        inference without a seed; they are not reported, so that a report can be repeated.

    Returns
    -------
    list of AttackResult
        ``success`` is the rate of success among members, ``control`` that among holdout rows,
        ``details["risk"]`` and ``details["risk_interval"]`` what anonymeter calls the risk.

    Raises
    ------
    MissingExtraError
        If anonymeter is not installed.

    References
    ----------
    Giomi, Boenisch, Wehmeyer & Tasnadi (2023), PoPETs 2023(2), arXiv:2211.10459.
    """
    try:
        from anonymeter.evaluators import (
            InferenceEvaluator,
            LinkabilityEvaluator,
            SinglingOutEvaluator,
        )
    except ImportError as error:
        raise MissingExtraError("Attacks by anonymeter", "anonymeter", "anonymeter") from error
    tables = frames(splits, max_rows, seed)
    size = min(n_attacks, len(tables["ori"]))
    # It draws targets without a seed: a draw of all rows is the same whatever the seed.
    few = {**tables, "ori": tables["ori"].head(size), "control": tables["control"].head(size)}
    names = list(tables["ori"].columns)
    columns = min(3, len(names))
    runs: list[tuple[str, str, Any, dict[str, Any]]] = []
    single = SinglingOutEvaluator(**tables, n_attacks=size, n_cols=columns, seed=seed)
    runs.append(("singling out", "singling out", single, {}))
    if len(names) > 1:
        halves = names[0::2], names[1::2]
        link = LinkabilityEvaluator(**few, aux_cols=halves, n_attacks=size, n_neighbors=5)
        runs.append(("linkability", "linkability", link, {"n_jobs": 1}))
    labels = _labels(splits.roles.names())
    for secret in [labels[name] for name in secrets if name in labels and len(names) > 1]:
        other = [name for name in names if name != secret]
        regression = bool(pd.api.types.is_numeric_dtype(tables["ori"][secret]))
        guess = InferenceEvaluator(
            **few, aux_cols=other, secret=secret, regression=regression, n_attacks=size
        )
        runs.append(("inference", f"inference: {secret}", guess, {"n_jobs": 1}))
    return [_result(kind, name, run, options, level) for kind, name, run, options in runs]


def _labels(names: Sequence[Hashable]) -> dict[Hashable, str]:
    """Return the names as different texts.

    Examples
    --------
    >>> _labels(["a", 1, "1"])
    {'a': 'a', 1: '1', '1': "'1'"}
    """
    labels: dict[Hashable, str] = {}
    for name in names:
        label = str(name)
        while label in labels.values():
            label = repr(label)
        labels[name] = label
    return labels


def frames(splits: Splits, max_rows: int, seed: int) -> dict[str, pd.DataFrame]:
    """Return the tables as anonymeter wants them: used columns, named by strings, plain dtypes.

    Members and holdout rows are distinct and equally many; otherwise anonymeter corrects for the
    difference by draws without a seed.
    """
    rng = generator(seed, "attack", 61)
    used = splits.roles.names()
    labels = _labels(used)
    result = {}
    for name, frame in (
        ("ori", splits.members),
        ("syn", splits.synthetic),
        ("control", splits.holdout),
    ):
        head = cut(frame[used], max_rows, rng)
        columns: dict[str, Any] = {}
        for column in used:
            if splits.roles.roles[column] == "continuous":
                columns[labels[column]] = splits.roles.numbers(head, column)
            else:
                text = head[column].astype(object)
                columns[labels[column]] = text.where(text.notna(), "(missing)").astype(str)
        table = pd.DataFrame(columns, index=head.index)
        numbers = table.select_dtypes("number").columns
        # Its distances know no missing numbers; they stand at the middle.
        table[numbers] = table[numbers].fillna(table[numbers].median()).fillna(0.0)
        result[name] = table if name == "syn" else table.drop_duplicates(ignore_index=True)
    size = min(len(result["ori"]), len(result["control"]))
    return {**result, "ori": result["ori"].head(size), "control": result["control"].head(size)}


def _result(
    kind: str, name: str, evaluator: Any, options: dict[str, Any], level: float
) -> AttackResult:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome = evaluator.evaluate(**options).results(confidence_level=level)
        risk = outcome.risk()
    seeded = kind == "singling out"
    told = [str(warning.message) for warning in caught]
    doubts = [text for text in told if "cannot be trusted" in text or "Cannot measure" in text]
    control = outcome.control_rate
    return AttackResult(
        f"anonymeter {name}",
        "random",
        _THREATS[kind],
        auc=None,
        baseline=float(outcome.baseline_rate.value) if seeded else 0.0,
        success=float(outcome.attack_rate.value),
        control=float(control.value),
        n_members=int(outcome.n_attacks_ori),
        n_holdout=int(outcome.n_attacks_control),
        level=level,
        warnings=tuple(f"no power: {text}" for text in doubts) if seeded else (),
        notes=(f"anonymeter {_version()}; {_REFERENCE}",),
        details={
            "risk": float(risk.value),
            "risk_interval": [float(np.clip(end, 0.0, 1.0)) for end in risk.ci],
        },
    )


def _version() -> str:
    from importlib.metadata import version

    return version("anonymeter")
