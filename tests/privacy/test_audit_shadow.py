"""Shadow models as a part of an audit."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from synthgen.errors import InvalidParameterError
from synthgen.privacy import audit, release_report
from synthgen.privacy import audit_run as module
from synthgen.privacy.attacks.membership import prepare
from synthgen.privacy.attacks.splits import split
from synthgen.privacy.audit_shadow import most_isolated
from tests.privacy.attacks.toys import mixed


class Copier(BaseEstimator):
    """Releases what it was fitted on."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, frame):
        self.sample_ = frame
        return self

    def sample(self, n, random_state=None):
        return self.sample_.sample(n, replace=n > len(self.sample_), random_state=random_state)


class Safe(Copier):
    """Tells nothing of its rows."""

    def sample(self, n, random_state=None):
        return mixed(n, seed=[random_state, 7])


class Broken(Copier):
    """Cannot be fitted on few rows."""

    def fit(self, frame):
        if len(frame) < 300:
            raise RuntimeError("too few rows")
        return super().fit(frame)


class Single(Copier):
    """Cannot be copied."""

    def __init__(self, *given):
        super().__init__()


@pytest.fixture(scope="module")
def tables():
    members = mixed(400)
    # Three members that stand apart.
    members.loc[:2, "x"] = [30.0, -40.0, 50.0]
    return members, mixed(1_000, seed=1)


def shadows(model, tables, **options):
    return audit(model, *tables, **{"attacks": ["nearest", "shadow"], **options})


def test_a_leaky_recipe_is_found_and_the_report_says_so(tables):
    report = shadows(Copier().fit(tables[0]), tables, shadow_fits=16)
    result = report.battery("chosen")
    assert result.attack == "shadow"
    assert result.auc > 0.95
    assert result.details["records"] == 12
    assert report.settings["shadow_fits"] == 16
    assert "16 generators of the same recipe" in report.summary()
    assert ("shadow", "chosen") in set(
        zip(report.results["attack"], report.results["population"], strict=True)
    )
    page = release_report(tables[0], audit=report)
    text = page.to_html()
    assert "generators of the same recipe" in str(page.to_dict())
    assert "Chosen rows" in text
    assert any(f.rule == "B4" and "chosen rows" in f.text for f in page.content.findings)


def test_a_safe_recipe_is_not_found(tables):
    report = shadows(Safe().fit(tables[0]), tables, shadow_fits=64)
    result = report.battery("chosen")
    low, high = result.auc_interval
    assert low <= 0.5 <= high < 0.65
    assert result.epsilon_lower == 0
    findings = release_report(Safe().sample(400, 9), audit=report).content.findings
    assert not [each for each in findings if each.rule == "B4"]


def test_it_counts_for_the_bound_on_epsilon(tables):
    report = shadows(Copier().fit(tables[0]), tables, shadow_fits=32, synthetic=mixed(400, seed=9))
    assert report.battery("random").epsilon_lower == 0
    assert report.epsilon_lower() == report.battery("chosen").epsilon_lower > 0.5


def test_it_is_left_out_unless_asked_for(tables):
    model = Copier().fit(tables[0])
    report = audit(model, *tables, attacks=["nearest"])
    assert report.battery("chosen") is None
    assert report.settings["shadow_fits"] == 0
    added = audit(model, *tables, attacks=["nearest"], shadow_fits=16)
    assert added.settings["attacks"] == ["nearest", "shadow"]
    assert added.battery("chosen") is not None
    assert "shadow" in module.NAMES
    assert "shadow" not in module._check(None, 0.95, 1.0, 8)
    assert module._check_shadows(("shadow",), 0) == (("shadow",), 64)


@pytest.mark.parametrize(
    ("model", "cause", "words"),
    [
        (None, "missing", "no synthesizer was given"),
        (Single(), "missing", "cannot be copied"),
        (Broken(), "error", "RuntimeError: too few rows"),
    ],
)
def test_what_cannot_be_trained_anew_is_skipped_with_its_cause(tables, model, cause, words):
    given = tables[0] if model is None else model.fit(tables[0])
    (skipped,) = shadows(given, tables).skipped
    assert (skipped.attack, skipped.cause) == ("shadow", cause)
    assert words in skipped.reason


def test_without_time_it_is_skipped_and_with_little_it_is_cut_short(tables, monkeypatch):
    model = Copier().fit(tables[0])
    report = shadows(model, tables, budget_s=0.0)
    assert [(each.attack, each.cause) for each in report.skipped] == [
        ("nearest", "budget"),
        ("shadow", "budget"),
    ]
    asked = iter([False] * 18)
    monkeypatch.setattr(module.Clock, "over", lambda self: next(asked, True))
    report = shadows(model, tables)
    assert report.battery("chosen").details["fits"] == 16
    assert any("after 16 of 64" in note for note in report.battery("chosen").notes)


def test_the_same_seed_gives_the_same_bytes_and_the_model_is_left_alone(tables):
    model = Copier(random_state=3).fit(tables[0])
    first, second = (
        shadows(model, tables, shadow_fits=16, random_state=4).to_json() for _ in range(2)
    )
    assert first == second
    assert model.sample_ is tables[0]
    assert model.random_state == 3


def test_the_members_furthest_from_reference_rows_are_chosen(tables):
    members, holdout = tables
    ready = prepare(split(members, members, holdout), seed=0)
    chosen = most_isolated(ready, 3)
    assert sorted(ready.arena.target_frame["x"].iloc[chosen]) == [-40.0, 30.0, 50.0]
    assert np.isin(chosen, ready.populations[1].rows[ready.populations[1].member]).all()


@pytest.mark.parametrize("fits", [-1, 7, 15, 2.5, "many", True])
def test_bad_numbers_of_fits_are_refused(tables, fits):
    with pytest.raises(InvalidParameterError, match="shadow_fits"):
        audit(tables[0], *tables, shadow_fits=fits)


def test_a_handful_of_reference_rows_gives_a_result_without_power():
    members, holdout = mixed(40), mixed(16, seed=1)
    result = shadows(Copier().fit(members), [members, holdout], shadow_fits=16).battery("chosen")
    assert result.details["records"] == 1
    assert result.details["training_rows"] == 4
    assert not result.has_power


class Critical(Copier):
    """Keeps a critic that knows its rows."""

    def fit(self, frame):
        self.critic_ = self
        return super().fit(frame)

    def scores(self, frame):
        return frame["x"].isin(self.sample_["x"])


def test_the_critic_that_a_model_kept_is_used(tables):
    model = Critical().fit(tables[0])
    report = audit(model, *tables, synthetic=mixed(400, seed=9), attacks=["critic"])
    assert report.battery("random").attack == "critic"
    assert report.battery("random").auc == 1.0
    model.critic_ = None
    (skipped,) = audit(model, *tables, attacks=["critic", "nearest"]).skipped
    assert "the model kept none" in skipped.reason
