from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from synthgen.data.datasets import load_adult
from synthgen.errors import InvalidParameterError
from synthgen.evaluate.rare import coded_levels, rare_categories

from .tables import related


def levels(**counts: int) -> pd.DataFrame:
    return pd.DataFrame({"c": [name for name, n in counts.items() for _ in range(n)]})


def zipf(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, 41)
    return pd.DataFrame({"c": rng.choice(40, size=n, p=weights / weights.sum()).astype(str)})


def test_known_values() -> None:
    real = levels(a=900, b=50, c=30, d=16, e=4)
    fake = levels(a=920, b=60, c=15, f=5)
    result = rare_categories(real, fake)
    # b: 60/50, counted as 1; c: 15/30; d: vanished; e: expected 4 rows, too rare.
    assert result.value == pytest.approx((1 + 0.5 + 0) / 3)
    assert result.breakdown["level"].tolist() == ["d", "c", "b"]
    assert result.breakdown["coverage"].tolist() == [0.0, 0.5, 1.0]
    assert result.breakdown["expected_rows"].tolist() == [16.0, 30.0, 50.0]
    details = result.details
    assert details["vanished"] == [("c", "d")]
    assert details["too_rare"] == [("c", "e")]
    assert details["invented"] == [("c", "f")]
    assert (details["rare_levels"], details["vanished_levels"]) == (3, 1)


def test_options_choose_the_levels() -> None:
    real = levels(a=900, b=50, c=30, d=16, e=4)
    chosen = rare_categories(real, real, max_share=0.03, min_expected=20)
    assert chosen.breakdown["level"].tolist() == ["c"]
    assert rare_categories(real, real, min_expected=4).details["rare_levels"] == 4
    # A table of a tenth of the rows is not asked for what it cannot have.
    assert rare_categories(real, real.iloc[::10]).breakdown["level"].tolist() == ["b"]


def test_ceiling_is_what_fresh_rows_get() -> None:
    """Resampling from known shares, on both sides."""
    rng = np.random.default_rng(0)
    shares = np.array([0.92, 0.03, 0.03, 0.02])
    values, ceilings = [], []
    for _ in range(100):
        counts = [rng.multinomial(n, shares) for n in (1000, 2000)]
        real, fake = (levels(**dict(zip("abcd", count, strict=True))) for count in counts)
        result = rare_categories(real, fake)
        values.append(result.value)
        ceilings.append(result.ceiling)
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values) - np.mean(ceilings)) < 3 * error + 0.002
    assert np.mean(ceilings) < 0.93


def test_expected_coverage_and_chance_equal_the_sums() -> None:
    from scipy.stats import nbinom

    row = rare_categories(levels(a=190, b=7), levels(a=290, b=9)).breakdown.iloc[0]
    law = nbinom(8, 197 / (197 + 299))
    counts = np.arange(2000)
    mean = 7 * 299 / 197
    expected = (np.minimum(1, counts / mean) * law.pmf(counts)).sum()
    assert row["expected_coverage"] == pytest.approx(expected, abs=1e-9)
    assert row["chance"] == pytest.approx(law.pmf(counts[:10]).sum(), abs=1e-9)


def test_fresh_rows_beat_a_generator_that_drops_modes() -> None:
    real, fresh = zipf(5000, 1), zipf(5000, 2)
    frequent = real[real["c"].isin([str(k) for k in range(20)])]
    dropped = frequent.sample(5000, replace=True, random_state=0)
    good, bad = rare_categories(real, fresh, holdout=fresh), rare_categories(real, dropped)
    assert good.value > 0.9 > 0.6 > bad.value
    assert bad.details["vanished_levels"] == 20
    assert good.details["holdout_value"] == pytest.approx(good.value)
    assert good.breakdown["holdout"].tolist() == good.breakdown["synthetic"].tolist()


def test_missing_values_are_no_level_and_shares_are_of_all_rows() -> None:
    real = pd.DataFrame({"c": ["a"] * 180 + ["b"] * 10 + [None] * 10})
    fake = pd.DataFrame({"c": ["a"] * 80 + ["b"] * 10 + [None] * 110})
    result = rare_categories(real, fake)
    assert result.breakdown["level"].tolist() == ["b"]
    assert result.value == 1.0
    gone = rare_categories(real, fake.assign(c=None))
    assert gone.value == 0.0


def test_not_applicable_is_said() -> None:
    numbers = pd.DataFrame({"x": [1.0, 2.0]})
    result = rare_categories(numbers, numbers)
    assert result.value is None
    assert "no discrete column" in result.details["not_applicable"]
    for frame in (levels(a=1), levels(a=5, b=5), pd.DataFrame({"c": [None, None]})):
        result = rare_categories(frame, frame)
        assert result.value is None
        assert "no level has at most 0.05" in result.details["not_applicable"]
        assert len(result.breakdown) == 0


def test_labels_and_dtypes_do_not_matter() -> None:
    real = pd.DataFrame(
        {("t", 1): pd.Categorical([1] * 90 + [2] * 5), 7: [True] * 90 + [False] * 5}
    )
    fake = pd.DataFrame({("t", 1): [1] * 92 + [2] * 3, 7: [True] * 95})
    result = rare_categories(real, fake, max_share=0.1)
    assert result.value == pytest.approx(0.3)
    assert list(result.breakdown["column"]) == [7, ("t", 1)]
    json.dumps(result.to_dict())


def test_coded_levels_take_the_names_of_the_first_table() -> None:
    codes, names = coded_levels([pd.Series([2, 1, 1]), pd.Series([3.0, None, 1.0])])
    assert [code.tolist() for code in codes] == [[0, 1, 1], [2, -1, 1]]
    assert [repr(name) for name in names] == ["2", "1", "3.0"]


def test_many_categories() -> None:
    names = [f"v{i}" for i in range(10_000)]
    real = pd.DataFrame({"c": names * 6})
    result = rare_categories(real, pd.DataFrame({"c": names[:5_000] * 12}))
    assert result.value == 0.5
    assert result.details["vanished_levels"] == 5_000
    assert len(result.details["vanished"]) == 50


def test_seeded_and_cut() -> None:
    real, fake = zipf(1000, 1), zipf(1000, 2)
    first = rare_categories(real, fake, max_rows=400, random_state=1)
    again = rare_categories(real, fake, max_rows=400, random_state=1)
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    assert first.value != rare_categories(real, fake, max_rows=400, random_state=2).value
    assert first.details["real_rows"] == 400


@pytest.mark.parametrize("option", [{"max_share": 0}, {"min_expected": 0}, {"max_rows": 0}])
def test_bad_options_are_refused(option: dict[str, int]) -> None:
    real = related(30, 1)
    with pytest.raises(InvalidParameterError, match=next(iter(option))):
        rare_categories(real, real, **option)


def test_adult_test_rows_reach_the_ceiling() -> None:
    result = rare_categories(load_adult("train"), load_adult("test"))
    assert result.value == pytest.approx(result.ceiling, abs=0.02)
