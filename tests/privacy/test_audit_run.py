import json

import numpy as np
import pandas as pd
import pytest

from synthgen import Schema
from synthgen.errors import InvalidDataError, InvalidParameterError, SchemaMismatchError
from synthgen.privacy import AuditReport, audit
from synthgen.privacy import audit_run as module
from tests.privacy.attacks.toys import mixed

FAST = ["copies", "nearest", "calibrated", "neighbourhood"]


@pytest.fixture(scope="module")
def tables():
    frame = mixed(1_200)
    return frame[:400], frame[400:1_000], frame[1_000:]


@pytest.fixture(scope="module")
def leak(tables):
    members, holdout, _ = tables
    return audit(members, members, holdout, random_state=0)


def test_training_rows_are_found(leak):
    assert leak.battery().auc > 0.99
    assert leak.auc_lower("random") > 0.9
    assert leak.epsilon_lower() > 2
    assert leak.controls_passed
    shares = {name: leak.reproduced["id"][name] for name in ("members", "holdout")}
    assert shares == {"members": 1.0, "holdout": 0.0}
    assert leak.reproduced["id"]["members_present"] == leak.splits["tables"]["members"]["used"]
    guessed = next(each for each in leak.attacks if each.attack == "attribute: x")
    assert guessed.success > guessed.control


def test_distances_are_kept_per_cent_by_per_cent(leak, tables):
    members, fresh, real = leak.distances.values()
    assert list(leak.distances) == [
        "members to synthetic rows", "holdout to synthetic rows", "holdout to reference rows",
    ]  # fmt: skip
    assert set(members) == {0.0}
    assert min(fresh) > 0
    assert all(own == sorted(own) and len(own) == 101 for own in (members, fresh, real))
    assert json.loads(leak.to_json())["distances"]["members to synthetic rows"] == members


def test_every_attack_ran_or_has_a_reason(leak):
    run = {each.attack.split(":")[0] for each in leak.attacks}
    skipped = {each.attack: each.reason for each in leak.skipped}
    assert run | {name.split(":")[0] for name in skipped} >= {
        name for name in module.NAMES if name not in ("anonymeter", "shadow")
    }
    assert "no model was given" in skipped["likelihood"]


def test_fresh_rows_are_not_found(tables):
    members, holdout, fresh = tables
    report = audit(fresh, members, holdout, attacks=FAST, random_state=0)
    battery = report.battery()
    assert battery.auc_interval[0] <= 0.5 <= battery.auc_interval[1]
    assert report.auc_lower("random") < 0.5
    assert report.controls_passed
    assert report.smallest_leak is not None
    assert "no evidence of privacy" in report.summary()


def test_the_report_is_plain_data(leak):
    document = json.loads(leak.to_json())
    assert document["format"] == 1
    assert document["controls_passed"] is True
    assert document["splits"]["tables"]["reference"]["used"] == 300
    assert "NaN" not in leak.to_json()
    assert "seconds" not in document
    assert list(leak.results["attack"][:2]) == ["copies", "copies"]
    assert leak.worst(2)[0].auc_simultaneous[0] >= leak.worst(2)[1].auc_simultaneous[0]
    assert "AuditReport" in repr(leak)
    assert isinstance(leak, AuditReport)


def test_the_same_seed_gives_the_same_bytes(tables):
    members, holdout, fresh = tables
    first, second, other = (
        audit(fresh, members, holdout, attacks=[*FAST, "domias"], random_state=seed).to_json()
        for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other


def test_the_order_of_the_attacks_asked_for_does_not_matter(tables):
    members, holdout, fresh = tables
    first, second = (
        audit(fresh, members, holdout, attacks=names).to_json()
        for names in (["nearest", "copies"], ["copies", "nearest"])
    )
    assert first == second


def test_a_budget_only_leaves_attacks_out(tables, monkeypatch):
    members, holdout, fresh = tables
    whole = audit(fresh, members, holdout, attacks=FAST)
    left = iter([False, False, True, True])
    monkeypatch.setattr(module.Clock, "over", lambda self: next(left))
    short = audit(fresh, members, holdout, attacks=FAST)
    assert [each.attack for each in short.skipped] == ["calibrated", "neighbourhood"]
    assert "budget" in short.skipped[0].reason
    assert {each.attack for each in short.attacks} == {"copies", "nearest"}
    assert short.attacks[0].auc == whole.attacks[0].auc
    assert short.controls_passed


class _Model:
    """Knows its training rows by heart."""

    def __init__(self, frame, schema):
        self.frame, self.schema_ = frame, schema
        self.is_private_, self.epsilon_, self.delta_ = True, 1.0, 1e-3

    def fit(self, frame):
        return self

    def sample(self, n, random_state=None):
        return mixed(n, seed=7)

    def score_samples(self, frame):
        return frame["x"].isin(self.frame["x"]).to_numpy(dtype=float)


def test_a_model_is_attacked_as_a_white_box(tables):
    members, holdout, _ = tables
    model = _Model(members, Schema.infer(members))
    report = audit(model, members, holdout, attacks=[*FAST, "likelihood"], random_state=0)
    assert report.battery().attack == "likelihood"
    assert report.battery().auc > 0.99
    assert report.battery().delta == 1e-3
    assert report.guarantee == {"is_private": True, "epsilon": 1.0, "delta": 1e-3}
    assert report.epsilon_lower() > report.guarantee["epsilon"]
    assert report.splits["tables"]["synthetic"]["given"] == 400
    released = audit(model, members, holdout, synthetic=members, attacks=["nearest"])
    assert released.battery().auc == 1.0


def test_a_critic_can_be_given(tables):
    members, holdout, fresh = tables
    known = set(members["x"])
    report = audit(
        fresh, members, holdout, attacks=["critic"], critic=lambda frame: frame["x"].isin(known)
    )
    assert report.battery().auc == 1.0


def test_members_given_as_holdout_are_noticed(tables):
    members, _, _ = tables
    report = audit(members, members, members, attacks=["nearest"])
    assert any("members were given as holdout" in note for note in report.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attacks": ["nothing"]}, "attacks must be one of"),
        ({"attacks": "nearest"}, "list of names"),
        ({"level": 1.0}, "level must be"),
        ({"budget_s": -1}, "budget_s must be"),
        ({"max_targets": 2}, "max_targets must be"),
        ({"synthetic": mixed(20)}, "goes with a synthesizer"),
    ],
)
def test_bad_parameters_are_refused(tables, options, message):
    members, holdout, fresh = tables
    with pytest.raises(InvalidParameterError, match=message):
        audit(fresh, members, holdout, **options)


def test_bad_tables_are_refused(tables):
    members, holdout, fresh = tables
    with pytest.raises(SchemaMismatchError):
        audit(fresh.drop(columns="x"), members, holdout)
    with pytest.raises(InvalidDataError):
        audit(fresh, members[:5], holdout)


@pytest.mark.parametrize("labels", [[0, 1, ("t", 2)], ["a", "b", "b c"]])
def test_awkward_columns(labels):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            labels[0]: pd.array(rng.integers(0, 5, 300), dtype="Int64"),
            labels[1]: pd.Categorical(rng.choice(["u", "v"], 300)),
            labels[2]: pd.to_datetime("2020-01-01")
            + pd.to_timedelta(rng.integers(0, 99, 300), "D"),
        }
    )
    frame.loc[:20, labels[0]] = pd.NA
    report = audit(frame[:100], frame[:100], frame[100:], random_state=0)
    assert report.battery().auc > 0.6
    assert json.loads(report.to_json())["splits"]["columns"] == [str(each) for each in labels]


def test_one_constant_column_has_no_power():
    frame = pd.DataFrame({"x": np.ones(200)})
    report = audit(frame[:50], frame[:50], frame[50:])
    assert not report.controls_passed
    assert not any(each.has_power for each in report.attacks)
    assert "cannot be relied on" in report.summary()


def test_a_model_that_cannot_score_is_left_out_and_the_rest_is_kept(tables):
    members, holdout, _ = tables
    model = _Model(members, Schema.infer(members))
    model.score_samples = lambda frame: frame["nothing"]
    report = audit(model, members, holdout, attacks=[*FAST, "likelihood"], random_state=0)
    (left_out,) = report.skipped
    assert left_out.attack == "likelihood"
    assert "KeyError" in left_out.reason
    assert {each.attack for each in report.attacks} == set(FAST)


def test_the_blind_guess_is_judged_on_the_rows_that_are_reported():
    # What is common among all rows is rare among the most isolated ones.
    rng = np.random.default_rng(0)

    def rows(n):
        far = rng.random(n) < 0.1
        x = rng.normal(size=n) + np.where(far, 40 * rng.random(n), 0)
        return pd.DataFrame({"x": x, "y": rng.normal(size=n), "s": np.where(far, "rare", "usual")})

    inside, outside = rows(1_500), rows(1_500)
    report = audit(inside, inside, outside, attacks=["attribute"], secrets=["s"], random_state=0)
    by_name = {each.population: each for each in report.attacks if each.success is not None}
    assert by_name["random"].baseline > 0.8
    assert by_name["vulnerable"].baseline < 0.7
