from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate import utility

from .tables import related, unrelated


def test_good_and_useless_synthetic_rows() -> None:
    train, holdout = related(1000, 1), related(600, 3)
    good = utility(train, related(1000, 2), holdout, "label")
    useless = utility(train, unrelated(1000, 2), holdout, "label")
    assert good.details["measure"] == "ROC AUC"
    assert good.value == pytest.approx(good.ceiling, abs=0.03)
    assert good.value > 0.85
    assert abs(useless.value - 0.5) < 0.1
    assert useless.ceiling == good.ceiling
    low, high = useless.details["difference_interval"]
    assert low < useless.value - useless.ceiling < high < 0


def test_real_against_itself_has_no_difference() -> None:
    train = related(400, 1)
    result = utility(train, train, related(300, 3), "label")
    assert result.details["difference"] == 0
    assert result.details["difference_interval"] == (0, 0)
    assert result.interval[0] < result.value < result.interval[1]


def test_regression() -> None:
    train, holdout = related(1000, 1), related(500, 3)
    result = utility(train, related(1000, 2), holdout, "x")
    assert result.details["measure"] == "R2"
    assert result.value > 0.8
    assert utility(train, unrelated(1000, 2), holdout, "x").value < 0.1
    # y has gaps: its rows without a value are left out, and counted.
    dropped = utility(train, related(1000, 2), holdout, "y").details["rows_without_usable_target"]
    assert dropped[2] == holdout["y"].isna().sum() > 0


def test_multiclass() -> None:
    train, holdout = related(1000, 1), related(500, 3)
    result = utility(train, related(1000, 2), holdout, "group")
    assert result.details["measure"] == "macro one-vs-rest ROC AUC"
    assert result.value > 0.95
    assert utility(train, unrelated(1000, 2), holdout, "group").value < 0.8


@pytest.mark.parametrize(("distinct", "measure"), [(2, "ROC AUC"), (3, "macro"), (40, "R2")])
def test_task_of_a_numeric_target(distinct: int, measure: str) -> None:
    rng = np.random.default_rng(0)
    frame = related(400, 1).assign(target=rng.integers(0, distinct, 400))
    assert utility(frame, frame, frame, "target").details["measure"].startswith(measure)
    forced = utility(frame, frame, frame, "target", task="regression")
    assert forced.details["measure"] == "R2"


def test_synthetic_classes_of_its_own_and_missing_classes() -> None:
    train, holdout = related(400, 1), related(300, 3)
    fake = related(400, 2)
    fake.loc[:99, "label"] = "perhaps"
    result = utility(train, fake, holdout, "label")
    assert result.details["rows_without_usable_target"] == [0, 100, 0]
    single = utility(train, fake.assign(label="yes"), holdout, "label")
    assert single.value == 0.5
    no_middle = fake[fake["group"] != "middle"]
    assert 0.5 < utility(train, no_middle, holdout, "group").value < 1
    constant = utility(train, fake.assign(x=2.0), holdout, "x")
    assert constant.value < 0


def test_training_tables_have_the_same_size() -> None:
    result = utility(related(900, 1), related(200, 2), related(300, 3), "label")
    assert result.details["training_rows"] == [200, 200]


def test_same_seed_same_bytes() -> None:
    tables = related(300, 1), related(400, 2), related(200, 3)
    first = utility(*tables, "label", n_estimators=20, random_state=5)
    again = utility(*tables, "label", n_estimators=20, random_state=5)
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    assert first.interval != utility(*tables, "label", n_estimators=20, random_state=6).interval


def test_bad_input_is_refused() -> None:
    frame = related(60, 1)
    with pytest.raises(InvalidParameterError, match="'none' cannot be predicted"):
        utility(frame, frame, frame, "none")
    with pytest.raises(InvalidParameterError, match="needs numbers in 'label'"):
        utility(frame, frame, frame, "label", task="regression")
    with pytest.raises(InvalidDataError, match="single value"):
        utility(frame, frame, frame[frame["label"] == "yes"], "label")
    with pytest.raises(InvalidDataError, match="No row of the synthetic table"):
        utility(frame, frame.assign(label=None), frame, "label")
    with pytest.raises(InvalidDataError, match="no column beside"):
        utility(frame[["x"]], frame[["x"]], frame[["x"]], "x")
    key = pd.Series([f"k{i}" for i in range(60)])
    with pytest.raises(InvalidParameterError, match="all different"):
        utility(*[frame.assign(key=key)] * 3, "key")
