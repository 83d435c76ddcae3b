import json

import numpy as np
import pandas as pd
import pytest

from synthgen.errors import InvalidParameterError
from synthgen.privacy import audit

FAST = ["copies", "nearest", "calibrated", "neighbourhood"]


def people(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    region = rng.choice(["north", "south", "isle"], n, p=[0.5, 0.48, 0.02])
    frame = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    frame["region"] = region
    return frame


@pytest.fixture(scope="module")
def leak():
    """An audit of synthetic rows where only members of the north were copied."""
    members, holdout, fresh = people(1_200, 1), people(1_200, 2), people(1_200, 3)
    copied = members["region"] == "north"
    synthetic = pd.concat([members[copied], fresh[fresh["region"] != "north"]])
    return audit(synthetic, members, holdout, people(1_200, 4), attacks=FAST)


def test_the_group_that_leaks_is_named(leak):
    first, second, small = leak.groups
    assert (first.column, first.level) == ("region", "north")
    assert first.result.auc > 0.99
    assert first.result.auc_simultaneous[0] > 0.9
    assert first.result.attack in FAST
    assert first.result.variant
    assert first.result.population == "region = north"
    assert second.level == "south"
    assert second.result.auc_simultaneous[0] <= 0.5 <= second.result.auc_simultaneous[1]
    assert small.level == "isle"
    assert small.result is None, "twenty rows in each half are needed"
    assert small.n_members + small.n_holdout > 0
    assert "members with region = north stand out most" in leak.summary()


def test_groups_are_in_the_document(leak):
    document = json.loads(leak.to_json())
    assert [each["level"] for each in document["groups"]] == ["north", "south", "isle"]
    assert document["settings"]["groups"] == ["region"]
    assert document["groups"][2]["result"] is None


def test_rows_of_a_group_are_all_random_rows_of_it(leak):
    everyone = leak.splits["populations"]["random"]
    assert sum(each.n_members for each in leak.groups) == everyone["members"]
    assert sum(each.n_holdout for each in leak.groups) == everyone["holdout"]


def test_missing_levels_make_a_group():
    frame = people(1_600, 5)
    frame.loc[frame["region"] == "south", "region"] = None
    report = audit(frame[:400], frame[400:800], frame[800:1_200], frame[1_200:], attacks=FAST)
    assert "missing" in {each.level for each in report.groups}


def test_groups_can_be_left_out():
    frame = people(800, 6)
    report = audit(frame[:200], frame[200:500], frame[500:], attacks=["nearest"], groups=[])
    assert report.groups == ()
    assert "stand out" not in report.summary()


@pytest.mark.parametrize(
    ("groups", "message"),
    [(["a"], "no column of categories"), (["nowhere"], "no column"), ("region", "groups")],
)
def test_columns_that_make_no_groups_are_named(groups, message):
    frame = people(800, 7)
    with pytest.raises(InvalidParameterError, match=message):
        audit(frame[:200], frame[200:500], frame[500:], attacks=["nearest"], groups=groups)


def test_columns_of_at_most_twelve_levels_that_differ_make_groups():
    n = 600
    frame = people(n, 1).assign(constant="x", twelve=np.arange(n) % 12, thirteen=np.arange(n) % 13)
    frame = frame.astype({"twelve": str, "thirteen": str})
    found = audit(frame, frame, frame, frame, attacks=["copies"])
    assert found.settings["groups"] == ["region", "twelve"]
