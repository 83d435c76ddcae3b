from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from synthgen.errors import InvalidParameterError
from synthgen.evaluate import Result


def test_to_dict_is_json_and_hides_no_nan() -> None:
    result = Result(
        "trend",
        np.float64(0.5),
        interval=(0.4, 0.6),
        breakdown=pd.DataFrame(
            {"column": ["a", 3, ("x", 1)], "score": [1.0, np.nan, 0.5], "counts": [True] * 3}
        ),
        details={"sizes": np.array([1, 2]), ("a", 1): pd.NaT, "n": np.int64(4)},
    )
    document = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert document["value"] == 0.5
    assert document["interval"] == [0.4, 0.6]
    assert [record["score"] for record in document["breakdown"]] == [1.0, None, 0.5]
    assert document["breakdown"][1]["column"] == 3
    assert document["details"] == {"sizes": [1, 2], "('a', 1)": None, "n": 4}


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Result("shape", 1.0).value = 0.0  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_never_nan(value: float) -> None:
    with pytest.raises(InvalidParameterError, match="must be finite or None"):
        Result("shape", value)


def test_no_value_needs_a_reason() -> None:
    with pytest.raises(InvalidParameterError, match="must say why"):
        Result("shape", None)
    result = Result("shape", None, details={"not_applicable": "no columns"})
    assert not result.applicable
    assert result.to_dict()["value"] is None
