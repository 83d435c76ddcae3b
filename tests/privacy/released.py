"""Evidence that no rule objects to, to be spoilt in one place by each test."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from synthgen.dp.events import Event
from synthgen.dp.ledger import Ledger
from synthgen.dp.noise import SystemNoise
from synthgen.privacy.attacks.result import AttackResult, Rate
from synthgen.privacy.audit_groups import GroupRisk
from synthgen.privacy.audit_report import AuditReport, Control, Skipped

N = 1_000


def table(n=N, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"x": rng.normal(size=n), "k": rng.integers(0, 9, n), "c": rng.choice(["a", "b"], n)}
    )


def result(attack="nearest", population="random", **changes):
    facts = {
        "auc": 0.5041, "auc_interval": (0.4761, 0.5321), "auc_simultaneous": (0.4543, 0.5539),
        "auc_choosing": 0.5023, "tpr_at_1pct": Rate(0.0113, 0.0071, 0.0173, 17, 1501),
        "fpr_at_1pct": Rate(0.0107, 0.0066, 0.0166, 16, 1501), "epsilon_lower": 0.0417,
        "n_members": 1501, "n_holdout": 1503, "detectable_auc": 0.5297,
        "roc": ([0.0, 0.1013, 1.0], [0.0, 0.1129, 1.0]),
    }  # fmt: skip
    return AttackResult(attack, population, "synthetic rows", **{**facts, **changes})


def group(level="a", **changes):
    found = result(population=f"c = {level}", **changes)
    return GroupRisk("c", level, 1877, 1879, found)


def control(name, passed=True):
    return Control(name, passed, f"what {name} means", 0.9917, (0.9811, 0.9971), "copies", {})


def audited(*attacks, **changes):
    names = ("nearest", "calibrated", "domias")
    attacks = attacks or (
        *(result(name) for name in names), result("nearest", "vulnerable", n_holdout=133),
    )  # fmt: skip
    facts = {
        "controls": (control("positive"), control("negative")),
        "planted": ({"share": 0.01, "auc": 0.5051, "found": False},
                    {"share": 0.1, "auc": 0.5519, "found": True}),
        "smallest_leak": 0.1,
        "skipped": (Skipped("critic", "no critic was given"),),
        "splits": {
            "tables": {
                "members": {"given": 3217, "used": 3217}, "holdout": {"given": 6011, "used": 3011},
                "reference": {"given": 0, "used": 3001}, "synthetic": {"given": N, "used": N},
            },
            "columns": ["x", "k", "c"],
            "left_out": {},
        },
        "groups": (group(),),
        "reproduced": {},
        "distances": {
            "members to synthetic rows": [0.0, 0.1237, 0.9173],
            "holdout to synthetic rows": [0.0119, 0.1531, 0.9319],
            "holdout to reference rows": [0.0127, 0.1523, 0.9337],
        },
        "guarantee": {"is_private": None, "epsilon": None, "delta": None},
        "settings": {"random_state": 0, "level": 0.95, "max_targets": 4001},
        "versions": {"synthgen": "0"},
        "notes": ("a random 3,011 of 6,011 rows are looked at",),
    }  # fmt: skip
    return AuditReport(attacks=tuple(attacks), **{**facts, **changes})


def spent(scale=6.0, delta=1e-6, limit=None, noise=None, rows=3217):
    ledger = Ledger(limit or 60.0, delta, n_rows=rows, noise=noise or SystemNoise())
    ledger.charge(Event("gaussian", "histograms of 3 columns", scale=2 * scale))
    ledger.charge(Event("gaussian", "tables of 3 pairs of columns", scale=scale))
    return ledger


@dataclass
class Content:
    rating: str = "good"


@dataclass
class Quality:
    """As much of a quality report as is looked at."""

    verdict: str = "Good: a classifier hardly tells (AUC 0.5573)."
    content: Content = field(default_factory=Content)
    copies: float = 0.0

    @property
    def scores(self):
        rows = {
            "shape": [0.9733, 0.9611, 0.9819, 0.5119, 0.9897, "higher", "good"],
            "copy_share": [self.copies, self.copies, self.copies, None, 0.0, "lower", "good"],
        }
        names = ["value", "low", "high", "floor", "ceiling", "direction", "rating"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=names)

    @property
    def results(self):
        groups = pd.DataFrame(
            {
                "column": ["c", "c"], "level": ["a", "b"], "real_rows": [1607, 17],
                "synthetic_rows": [491, 509], "score": [0.9371, 0.7919],
                "expected": [0.9411, 0.8087],
            }
        )  # fmt: skip

        @dataclass
        class Result:
            breakdown: pd.DataFrame

        return {"subgroup_fidelity": Result(groups)}


def spoilt(**changes):
    """An audit whose random attack by distance is another."""
    good = audited()
    return replace(good, attacks=(result(**changes), *good.attacks[1:]))
