import warnings

import numpy as np
import pytest

from synthgen.errors import MissingExtraError
from synthgen.privacy import attacks, audit
from synthgen.privacy.attacks import anonymeter as module
from tests.privacy.attacks.toys import mixed


@pytest.fixture(scope="module")
def splits():
    frame = mixed(900)
    return attacks.split(frame[:300], frame[:300], frame[300:600], frame[600:])


def test_without_the_package_the_extra_is_named(splits, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "anonymeter", None)
    monkeypatch.setitem(__import__("sys").modules, "anonymeter.evaluators", None)
    with pytest.raises(MissingExtraError, match="anonymeter"):
        module.anonymeter_attacks(splits)


def test_an_audit_says_that_it_was_not_run(monkeypatch):
    monkeypatch.setattr("synthgen.privacy.audit_battery.installed", lambda: False)
    frame = mixed(300)
    report = audit(frame[:100], frame[:100], frame[100:], attacks=["anonymeter", "nearest"])
    assert [each.attack for each in report.skipped] == ["anonymeter"]
    assert "not installed" in report.skipped[0].reason


def test_tables_have_plain_dtypes_and_no_gaps(splits):
    tables = module.frames(splits, 200, 0)
    assert len(tables["syn"]) == 200
    assert len(tables["ori"]) == len(tables["control"]) > 190
    for frame in tables.values():
        assert "id" not in frame
        assert not frame.isna().any().any()
        assert (frame["c"] == "(missing)").any()
        assert frame["k"].dtype == np.float64


def test_risks_equal_those_of_anonymeter_called_directly(splits):
    evaluators = pytest.importorskip("anonymeter.evaluators", reason="an optional package")
    got = module.anonymeter_attacks(splits, secrets=["c", "x"], n_attacks=100, seed=3)
    tables = module.frames(splits, 5_000, 3)
    few = {name: own if name == "syn" else own.head(100) for name, own in tables.items()}
    names = list(tables["ori"].columns)
    direct = [
        evaluators.SinglingOutEvaluator(**tables, n_attacks=100, n_cols=3, seed=3),
        evaluators.LinkabilityEvaluator(
            **few, aux_cols=(names[0::2], names[1::2]), n_attacks=100, n_neighbors=5
        ),
        evaluators.InferenceEvaluator(
            **few, aux_cols=[n for n in names if n != "c"], secret="c", n_attacks=100
        ),
        evaluators.InferenceEvaluator(
            **few,
            aux_cols=[n for n in names if n != "x"],
            secret="x",
            regression=True,
            n_attacks=100,
        ),
    ]
    assert [each.attack for each in got] == [
        "anonymeter singling out",
        "anonymeter linkability",
        "anonymeter inference: c",
        "anonymeter inference: x",
    ]
    for own, evaluator in zip(got, direct, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcome = evaluator.evaluate().results()
            risk = outcome.risk()
        assert own.details["risk"] == risk.value
        assert own.details["risk_interval"] == [float(end) for end in risk.ci]
        assert own.success == outcome.attack_rate.value
        assert own.control == outcome.control_rate.value
    # The released rows are the members themselves: linking them must work.
    assert got[1].details["risk"] > 0.5
