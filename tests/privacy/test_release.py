import json
import math
import re
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from synthgen import GaussianCopula, Schema
from synthgen.dp.noise import TestNoise as SeededNoise
from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate import quality_report
from synthgen.privacy import ReleaseLimits, audit, release_report
from synthgen.privacy.attacks.result import Rate
from synthgen.privacy.audit_facts import checksum
from synthgen.privacy.audit_report import Skipped
from synthgen.privacy.release_limits import TEXTS
from tests.privacy.released import (
    Content,
    Quality,
    audited,
    control,
    group,
    result,
    spent,
    spoilt,
    table,
)

SYNTHETIC, MEMBERS, HOLDOUT = table(), table(3_217, 1), table(6_011, 2)


def report(**changes):
    """The release that no rule objects to, with changes."""
    facts = {
        "audit": audited(), "quality": Quality(), "ledger": spent(), "members": MEMBERS,
        "holdout": HOLDOUT,
    }  # fmt: skip
    synthetic = changes.pop("synthetic", SYNTHETIC)
    return release_report(synthetic, **{**facts, **changes})


def risk(low):
    return result(
        "anonymeter linkability", auc=None, auc_interval=None, auc_simultaneous=None, roc=None,
        tpr_at_1pct=None, fpr_at_1pct=None, epsilon_lower=None, success=0.5, control=0.2,
        details={"risk": low + 0.02, "risk_interval": [low, low + 0.04]},
    )  # fmt: skip


def overdrawn():
    ledger = spent()
    ledger.epsilon = 0.1
    return ledger


def unlearned():
    schema = Schema.infer(MEMBERS)
    assert schema.origin == "data"
    return schema


def personal():
    return unlearned().as_public().with_column("c", kind="pii", pii="name")


def test_a_release_that_no_rule_objects_to():
    made = report()
    assert (made.verdict, made.tripped, made.findings) == ("RELEASE", (), [])
    assert made.content.guarantee.epsilon < 3
    assert "Ready for release" in made.content.sentence


TRIPS = {
    "B1": {"identifiers": ["k"]},
    "B2": {"synthetic": pd.concat([MEMBERS[:30], SYNTHETIC[30:]])},
    "B3": {"audit": spoilt(auc_choosing=0.9, epsilon_lower=59.0)},
    "B4": {"audit": spoilt(auc=0.66, auc_simultaneous=(0.601, 0.7))},
    "B5": {"audit": spoilt(tpr_at_1pct=Rate(0.05, 0.031, 0.07, 75, 1501))},
    "B6": {"audit": audited(*audited().attacks, risk(0.101))},
    "B7": {"audit": audited(controls=(control("positive", False), control("negative")))},
    "B8": {"assumptions": {"Ranges were looked up in the data": "unknown"}},
    "B9": {"audit": audited(groups=(group(auc=0.66, auc_simultaneous=(0.601, 0.7)), group("b")))},
    "R1": {"ledger": None},
    "R2": {"ledger": spent(scale=1.0)},
    "R3": {"ledger": spent(delta=1.1e-5)},
    "R4": {"audit": spoilt(n_holdout=499)},
    "R5": {"audit": audited(result("nearest"), result("nearest", "vulnerable"))},
    "R6": {"audit": audited(controls=(control("positive"), control("negative", False)))},
    "R7": {"quality": None},
    "R8": {"synthetic": SYNTHETIC[:-1]},
    "R9": {"members": None, "holdout": None, "quality": Quality(copies=float("nan"))},
    "R10": {"schema": personal()},
}


@pytest.mark.parametrize("rule", TRIPS)
def test_every_rule_trips_alone(rule):
    made = report(**TRIPS[rule])
    assert made.tripped == (rule,)
    assert made.verdict == ("BLOCK" if rule[0] == "B" else "REVIEW")
    assert {finding.rule for finding in made.findings} == {rule}
    assert rule in made.content.sentence
    assert rule in repr(made)


def test_no_rule_is_forgotten():
    assert set(TRIPS) == set(TEXTS)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("B4", {"audit": spoilt(auc=0.66, auc_simultaneous=(0.6, 0.7))}),
        ("B9", {"audit": audited(groups=(group(auc=0.66, auc_simultaneous=(0.6, 0.7)),))}),
        ("B5", {"audit": spoilt(tpr_at_1pct=Rate(0.05, 0.03, 0.07, 75, 1501))}),
        # More hits, but no more than false alarms.
        ("B5", {"audit": spoilt(tpr_at_1pct=Rate(0.05, 0.04, 0.06, 75, 1501),
                                fpr_at_1pct=Rate(0.05, 0.04, 0.06, 75, 1501))}),
        ("B6", {"audit": audited(*audited().attacks, risk(0.1))}),
        ("R3", {"ledger": spent(delta=1e-5)}),
        ("R3", {"ledger": spent(delta=0.1 / 3217 / 10)}),
        ("R4", {"audit": spoilt(n_holdout=500)}),
        ("R2", {"ledger": spent(scale=1.0),
                "limits": ReleaseLimits(epsilon=20.0, weak_epsilon=30.0)}),
    ],
)  # fmt: skip
def test_a_limit_itself_is_allowed(rule, changes):
    assert rule not in report(**changes).tripped


def came_back(members, holdout, present=3_217):
    """Say that these shares of a column's values stand in the synthetic table."""
    sizes = {"members_present": present, "holdout_present": present}
    return {"c": {"members": members, "holdout": holdout} | sizes}


def test_values_that_come_back_are_counted_among_those_that_are_there():
    many, few = (report(audit=audited(reproduced=came_back(0.1, 0.0, n))) for n in (3_000, 20))
    assert "B1" in many.tripped
    assert "B1" not in few.tripped


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("B1", {"audit": audited(reproduced=came_back(0.9, 0.1))}),
        ("B2", {"members": None, "holdout": None, "quality": Quality(copies=0.02)}),
        ("B3", {"audit": audited(*audited().attacks[:3],
                                 result("nearest", "vulnerable", epsilon_lower=59.0))}),
        ("B4", {"audit": audited(*audited().attacks[:3],
                                 result("nearest", "vulnerable", auc_simultaneous=(0.7, 0.9)))}),
        ("B7", {"audit": audited(controls=(control("negative"),))}),
        ("B7", {"audit": audited(controls=())}),
        ("B8", {"ledger": spent(noise=SeededNoise(0))}),
        ("B8", {"ledger": overdrawn()}),
        ("B8", {"schema": unlearned()}),
        ("B8", {"ledger": None, "audit": audited(
            guarantee={"is_private": True, "epsilon": 1.0, "delta": 1e-6})}),
        ("B8", {"audit": audited(
            guarantee={"is_private": True, "epsilon": 0.2, "delta": 1e-6})}),
        ("B8", {"audit": audited(
            guarantee={"is_private": False, "epsilon": None, "delta": None})}),
        ("R2", {"ledger": spent(scale=0.4)}),
        ("R3", {"ledger": spent(delta=1e-6, rows=200_000)}),
        ("R5", {"audit": audited(*audited().attacks[:3])}),
        ("R5", {"audit": audited(skipped=(Skipped("domias", "it took too long", "budget"),))}),
        ("R5", {"audit": audited(*(replace(each, warnings=("no power",))
                                   for each in audited().attacks))}),
        ("R7", {"quality": Quality(content=Content("poor"))}),
        ("R7", {"quality": Quality(content=Content("none"))}),
    ],
)  # fmt: skip
def test_other_ways_to_trip(rule, changes):
    assert rule in report(**changes).tripped


def test_a_void_claim_is_no_guarantee():
    made = report(ledger=spent(noise=SeededNoise(0)))
    assert made.content.guarantee is None
    assert {"B8", "R1"} == set(made.tripped)
    assert "came from a seed" in made.content.no_guarantee


def test_rules_that_nothing_could_trip_are_not_called_clear():
    states = {rule.id: rule.state for rule in report(ledger=None).content.rules}
    assert states["B6"] == states["B1"] == "not looked at"
    assert states["B3"] == states["R2"] == "does not apply"
    assert states["R1"] == "tripped"
    assert states["B4"] == states["B2"] == "clear"


def test_limits_are_printed():
    made = report(limits=ReleaseLimits(auc=0.57, holdout=100))
    texts = {rule.id: rule.text for rule in made.content.rules}
    assert "0.57" in texts["B4"]
    assert "100" in texts["R4"]
    assert dict(made.content.settings)["Limits that were changed"] == (
        "auc 0.57 (default 0.6), holdout 100 (default 500)"
    )


def test_the_guarantee_in_words():
    meaning = report().content.guarantee
    assert meaning.belief == pytest.approx(1 / (1 + np.exp(-meaning.epsilon)))
    # One Gaussian of mu^2 = (1/12)^2 + (1/6)^2: area Phi(mu / sqrt 2).
    exact = NormalDist().cdf(math.hypot(1 / 12, 1 / 6) / math.sqrt(2))
    assert exact <= meaning.auc <= exact + 1e-4
    alarms, found = np.array(meaning.curve).T
    assert (np.diff(found) >= 0).all()
    assert (found >= alarms).all()
    assert meaning.check >= meaning.epsilon


def test_the_budget_adds_up():
    made = report()
    first, second = made.content.steps
    assert first.before == 0
    assert first.after == second.before
    assert second.after == pytest.approx(made.content.guarantee.epsilon)
    assert [first.noise, second.noise] == [12.0, 6.0]
    many = spent()
    for place in range(12):
        many.charge(replace(many.events[0], note=f"release {place}", scale=40.0))
    steps = report(ledger=many).content.steps
    assert len(steps) == 8
    assert steps[-1].name == "7 more releases"
    assert steps[-1].after == pytest.approx(many.spent().epsilon)


def numbers_in(value):
    if isinstance(value, dict):
        return {n for item in value.values() for n in numbers_in(item)}
    if isinstance(value, list):
        return {n for item in value for n in numbers_in(item)}
    return {value} if isinstance(value, float) and not value.is_integer() else set()


def stands_in(figure, text):
    """Whether a figure is in a text, and not a part of a longer one."""
    return re.search(rf"(?<![\d.,]){re.escape(figure)}(?!\d)", text) is not None


@pytest.mark.parametrize("private", [True, False])
def test_public_shows_no_figure_of_the_data(private):
    spoiled = audited(
        spoilt(auc=0.6789, auc_simultaneous=(0.6123, 0.7123)).attacks[0],
        *audited().attacks[1:], risk(0.1234),
        reproduced=came_back(0.9137, 0.1139),
    )  # fmt: skip
    facts = {"audit": spoiled, "ledger": spent() if private else None}
    inside, outside = (report(**facts, mode=mode) for mode in ("internal", "public"))
    assert outside.verdict == inside.verdict == "BLOCK"
    assert outside.tripped == inside.tripped
    open_figures = numbers_in(json.loads(json.dumps(
        {"a": [vars(step) for step in inside.content.steps],
         "b": vars(inside.content.guarantee) if private else {}}
    )))  # fmt: skip
    open_figures |= {inside.content.auc_limit}
    shown = numbers_in(outside.to_dict())
    assert shown <= open_figures
    assert numbers_in(inside.to_dict()) - open_figures
    page, document = outside.to_html(), outside.to_json()
    secrets = [
        "0.6789", "0.679", "0.6123", "0.612", "0.5041", "0.504", "0.9917", "0.992", "0.1234",
        "0.123", "0.5573", "0.9733", "0.973", "0.9137", "91.4", "1607", "1,607", "6011", "6,011",
        "3,011", "1503", "1,503", "0.9371", "0.937", "4001",
    ]  # fmt: skip
    assert [each for each in secrets if stands_in(each, page + document)] == []
    internal = inside.to_html()
    assert all(stands_in(each, internal) for each in ("0.679", "0.612", "1,607", "0.937", "0.5573"))


def test_public_without_public_rows_does_not_tell_how_many():
    page = report(ledger=None, mode="public").to_html()
    assert "3,217" not in page
    assert "3217" not in page
    assert "3,217" in report(mode="public").to_html()  # declared public by the ledger


def test_plain_data():
    made = report(details={"Purpose": "teaching"}, sign_off={"Owner": "A. Name"})
    document = json.loads(made.to_json())
    assert document["format"] == 1
    assert document["verdict"] == "RELEASE"
    assert ["Purpose", "teaching"] in document["identity"]
    assert document["sign_off"] == [["Owner", "A. Name"]]
    assert made.to_json() == report(
        details={"Purpose": "teaching"}, sign_off={"Owner": "A. Name"}
    ).to_json()  # fmt: skip
    assert "NaN" not in made.to_json()


def test_files_are_written_whole(tmp_path):
    made = report()
    assert made.to_html(tmp_path / "r.html") == (tmp_path / "r.html").read_text("utf-8")
    assert made.to_json(tmp_path / "r.json") == (tmp_path / "r.json").read_text("utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"r.html", "r.json"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"audit": None}, "audit must be"),
        ({"mode": "secret"}, "mode must be"),
        ({"title": ""}, "title must be"),
        ({"ledger": {}}, "ledger must be"),
        ({"quality": 3}, "quality must be"),
        ({"members": None}, "together"),
        ({"limits": ReleaseLimits(auc=0.2)}, "limits.auc"),
        ({"limits": ReleaseLimits(holdout=-1)}, "limits.holdout"),
        ({"assumptions": {"x": "maybe"}}, "assumptions"),
        ({"identifiers": "x"}, "list of names"),
        ({"identifiers": ["ssn"]}, "no column 'ssn'"),
    ],
)
def test_bad_parameters_are_refused(changes, message):
    with pytest.raises(InvalidParameterError, match=message):
        report(**changes)


def test_an_audit_of_another_table_is_refused():
    with pytest.raises(InvalidDataError, match="another table"):
        report(synthetic=SYNTHETIC.drop(columns="c"), members=None, holdout=None)


def test_two_ledgers_are_refused():
    class Model:
        ledger_ = spent()

    with pytest.raises(InvalidParameterError, match="differ"):
        report(ledger=spent(scale=5.0), synthesizer=Model())


def test_from_fit_to_report():
    """The whole way, with nothing made up: synthetic rows pass, training rows do not."""
    frame = table(1_600, 3)
    members, holdout = frame[:500], frame[500:]
    synth = GaussianCopula(random_state=0).fit(members)
    rows = synth.sample(500, random_state=0)
    attacks = ["copies", "nearest", "calibrated", "neighbourhood"]
    quality = quality_report(members, rows, holdout, budget_s=1e-9)
    for synthetic, verdict in ((rows, "REVIEW"), (members, "BLOCK")):
        made = release_report(
            synthetic,
            audit=audit(synthetic, members, holdout, attacks=attacks),
            synthesizer=synth,
            quality=quality,
            members=members,
            holdout=holdout,
        )
        assert made.verdict == verdict
        assert "R1" in made.tripped
        assert ("B2" in made.tripped) == ("B4" in made.tripped) == (verdict == "BLOCK")
        assert made.to_html()


def test_other_rows_of_the_same_number_are_seen():
    """Rows in another order are those that were audited; as many others are not."""
    known = replace(audited(), checksum=checksum(SYNTHETIC))
    assert report(audit=known, synthetic=SYNTHETIC[::-1]).tripped == ()
    made = report(audit=known, synthetic=table(seed=7))
    assert made.tripped == ("R8",)
    assert "other synthetic rows" in made.findings[0].text


def test_what_an_audit_says_it_looked_at():
    frame = table(160, 3)
    found = audit(frame[:40], frame[40:80], frame[80:], attacks=["nearest"])
    assert found.checksum == checksum(frame[:40]) == found.to_dict()["checksum"]
    assert "R8" not in release_report(frame[:40][::-1], audit=found).tripped
    assert "R8" in release_report(frame[40:80], audit=found).tripped


def test_only_lack_of_time_counts_as_lack_of_time():
    words = "the model has a budget"
    assert report(audit=audited(skipped=(Skipped("critic", words),))).tripped == ()
    assert report(audit=audited(skipped=(Skipped("critic", words, "error"),))).tripped == ()


def test_an_audit_tells_why_attacks_are_left_out():
    frame = table(160, 3)
    late = audit(frame[:40], frame[40:80], frame[80:], budget_s=0)
    assert {each.cause for each in late.skipped} == {"budget", "missing"}
    assert {each.attack for each in late.skipped if each.cause == "missing"} <= {
        "likelihood", "critic", "anonymeter",
    }  # fmt: skip
    assert late.to_dict()["skipped"][0] == {
        "attack": "copies", "reason": "the budget of 0 s was used up", "cause": "budget",
    }  # fmt: skip
