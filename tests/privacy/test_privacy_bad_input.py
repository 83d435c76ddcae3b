"""What audits and release reports are given by mistake, and what they say to it."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from synthgen import GaussianCopula, IndependentColumns
from synthgen.errors import InvalidDataError, InvalidParameterError, SchemaMismatchError
from synthgen.privacy import (
    ReleaseLimits,
    audit,
    audit_mechanism,
    audit_one_run,
    release_report,
)
from tests.privacy.released import audited, table

SYNTHETIC, MEMBERS, HOLDOUT = table(40, 1), table(40, 2), table(40, 3)
DOUBLED = SYNTHETIC.set_axis(["x", "x", "c"], axis=1)


def audited_with(**changes):
    facts = {"synthesizer_or_frame": SYNTHETIC, "members": MEMBERS, "holdout": HOLDOUT}
    return audit(**{**facts, "attacks": ["nearest"], **changes})


def fitted():
    return IndependentColumns(random_state=0).fit(MEMBERS)


TABLES = [
    (None, InvalidDataError, "Expected a table"),
    (GaussianCopula, InvalidDataError, "Expected a table"),
    (pd.DataFrame(), InvalidDataError, "at least one row"),
    (SYNTHETIC[:0], InvalidDataError, "at least one row"),
    (DOUBLED, InvalidDataError, "duplicate column names: ['x']"),
    (SYNTHETIC.rename(columns={"x": "z"}), SchemaMismatchError, "same columns"),
    (SYNTHETIC.assign(x=np.inf), InvalidDataError, "infinite values"),
    (SYNTHETIC["x"], InvalidDataError, "to_frame"),
]


@pytest.mark.parametrize(("given", "error", "words"), TABLES)
@pytest.mark.parametrize("side", ["synthesizer_or_frame", "members", "holdout", "reference"])
def test_tables_of_an_audit(side, given, error, words):
    if side == "reference" and given is None:
        pytest.skip("no reference is the default")
    with pytest.raises(error, match=re.escape(words)) as caught:
        audited_with(**{side: given})
    if "infinite" not in words and not isinstance(caught.value, SchemaMismatchError):
        assert str(caught.value).startswith(side.replace("synthesizer_or_frame", "synthetic"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": {}}, "schema must be a Schema or None, got dict"),
        ({"secrets": "c"}, "secrets must be a list of names, got 'c'"),
        ({"secrets": 3}, "secrets must be a list of names, got 3"),
        ({"secrets": [["c"]]}, "secrets must be a list of names"),
        ({"secrets": ["income"]}, "secrets: there is no column 'income'"),
        ({"attacks": 3}, "attacks must be a list of names, got 3"),
        ({"attacks": {"nearest": 1}}, "attacks must be a list of names"),
        ({"attacks": []}, "attacks is empty"),
        ({"attacks": ["newest"]}, "attacks must be one of"),
        ({"critic": 3}, "critic must be a callable"),
        ({"n_synthetic": 5}, "n_synthetic goes with a synthesizer"),
        ({"synthetic": SYNTHETIC}, "synthetic goes with a synthesizer"),
        ({"synthesizer_or_frame": fitted(), "n_synthetic": 0}, "n_synthetic must be"),
        ({"level": 1}, "level must be"),
        ({"budget_s": float("nan")}, "budget_s must be"),
        ({"max_targets": 7}, "max_targets must be"),
        ({"random_state": "x"}, "random_state"),
    ],
)
def test_parameters_of_an_audit(changes, words):
    with pytest.raises(InvalidParameterError, match=re.escape(words)):
        audited_with(**changes)


@pytest.mark.parametrize(
    ("critic", "words"),
    [
        (lambda rows: "x", "got a str that holds none"),
        (lambda rows: [1.0], "got shape (1,)"),
        (lambda rows: np.full(len(rows), np.nan), "got NaN"),
        (lambda rows: np.full(len(rows), 1j), "holds none"),
    ],
)
def test_a_critic_that_gives_no_numbers_is_left_out_by_name(critic, words):
    (left_out,) = audited_with(attacks=["critic"], critic=critic).skipped
    assert (left_out.attack, left_out.cause) == ("critic", "error")
    assert words in left_out.reason


def test_a_synthesizer_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        audited_with(synthesizer_or_frame=GaussianCopula())
    with pytest.raises(NotFittedError):
        release_report(SYNTHETIC, audit=audited(), synthesizer=GaussianCopula())


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.assign(x=np.nan, k=np.nan, c=None),
        lambda frame: frame.assign(x=1.0, k=2, c="a"),
        lambda frame: frame.assign(c=[f"v{k}" for k in range(len(frame))], k=1),
        lambda frame: frame[["c"]],
    ],
    ids=["all missing", "constant", "all different", "one category"],
)
def test_poor_tables_give_an_audit_without_nan(change):
    """JSON refuses NaN, so that none can have been a figure."""
    frames = [change(frame) for frame in (SYNTHETIC, MEMBERS, HOLDOUT)]
    report = audit(*frames, attacks=["nearest", "attribute"])
    assert "NaN" not in report.to_json()
    assert release_report(frames[0], audit=report).verdict in ("REVIEW", "BLOCK")


RELEASES = [
    ({"synthetic": None}, InvalidDataError, "Expected a table"),
    ({"synthetic": SYNTHETIC[:0]}, InvalidDataError, "needs a row and a column"),
    ({"synthetic": DOUBLED}, InvalidDataError, "duplicate column names: ['x']"),
    ({"members": MEMBERS, "holdout": MEMBERS[::-1]}, InvalidDataError, "are the same rows"),
    ({"schema": "x"}, InvalidParameterError, "schema must be a Schema or None, got str"),
    ({"identifiers": None}, InvalidParameterError, "identifiers must be a list of names"),
    ({"conditions": 3}, InvalidParameterError, "conditions must be a list of texts"),
    ({"conditions": "x"}, InvalidParameterError, "conditions must be a list of texts"),
    ({"assumptions": ["x"]}, InvalidParameterError, "assumptions must be a mapping"),
    ({"details": "x"}, InvalidParameterError, "details must be a mapping"),
    ({"sign_off": 0}, InvalidParameterError, "sign_off must be a mapping"),
    ({"limits": {"auc": 0.6}}, InvalidParameterError, "limits must be ReleaseLimits"),
    ({"limits": ReleaseLimits(auc=float("nan"))}, InvalidParameterError, "limits.auc"),
    ({"synthesizer": "x"}, InvalidParameterError, "synthesizer must be a fitted one"),
    ({"synthesizer": GaussianCopula}, InvalidParameterError, "the class GaussianCopula"),
    ({"ledger": "ledger.json"}, InvalidParameterError, "ledger must be a Ledger"),
    ({"title": 3}, InvalidParameterError, "title must be a text"),
    ({"quality": audited()}, InvalidParameterError, "quality must be a report"),
]


@pytest.mark.parametrize(("changes", "error", "words"), RELEASES)
def test_parameters_of_a_release_report(changes, error, words):
    facts = {"synthetic": SYNTHETIC, "audit": audited(), **changes}
    with pytest.raises(error, match=re.escape(words)):
        release_report(facts.pop("synthetic"), **facts)


@pytest.mark.parametrize("n", [-1, 2.5, None, "x", True])
def test_how_many_are_the_worst(n):
    with pytest.raises(InvalidParameterError, match="n must be an integer"):
        audited().worst(n)


MECHANISMS = [
    ({"mechanism": 3}, "mechanism must be a callable"),
    ({"statistic": 3}, "statistic must be a callable"),
    ({"statistic": lambda output: "x"}, "statistic must give one number"),
    ({"statistic": lambda output: None}, "statistic must give one number"),
    ({"statistic": lambda output: [1, 2]}, "statistic must give one number"),
    ({"statistic": lambda output: float("nan")}, "statistic must give one number"),
    ({"n_runs": 7}, "n_runs must be"),
    ({"epsilon": None}, "epsilon must be"),
]


@pytest.mark.parametrize(("changes", "words"), MECHANISMS)
def test_parameters_of_a_mechanism_audit(changes, words):
    facts = {"mechanism": lambda world: world, "epsilon": 1.0, "delta": 1e-6, "n_runs": 20}
    with pytest.raises(InvalidParameterError, match=words):
        audit_mechanism(world_0=0.0, world_1=1.0, **{**facts, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mechanism": None}, "mechanism must be a callable"),
        ({"scores": "x"}, "scores must be a callable"),
        ({"mechanism": lambda coins: {}}, "got a dict that holds none"),
        ({"mechanism": lambda coins: ["a"] * 40}, "got a list that holds none"),
        ({"mechanism": lambda coins: [[1], [1, 2]]}, "got a list that holds none"),
        ({"mechanism": lambda coins: np.ones(40) * 1j}, "got a ndarray that holds none"),
        ({"mechanism": lambda coins: np.ones((40, 1))}, r"got shape \(40, 1\)"),
        ({"mechanism": lambda coins: [None] * 40}, "got NaN"),
    ],
)
def test_parameters_of_a_one_run_audit(changes, words):
    facts = {"mechanism": lambda coins: coins, "n_canaries": 40, "epsilon": 1.0, "delta": 0.0}
    with pytest.raises(InvalidParameterError, match=words):
        audit_one_run(**{**facts, **changes})
