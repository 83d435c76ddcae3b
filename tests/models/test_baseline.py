from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from synthgen import (
    Between,
    FixedCombinations,
    GaussianCopula,
    IndependentColumns,
    Inequality,
    Schema,
    load,
)
from synthgen.errors import (
    ArtifactError,
    ConditionError,
    DataWarning,
    InvalidDataError,
    InvalidParameterError,
    SchemaMismatchError,
)

BOTH = pytest.mark.parametrize("cls", [IndependentColumns, GaussianCopula])


@pytest.fixture(scope="module")
def linked() -> pd.DataFrame:
    """Return 3,000 rows: x and y correlated, group cuts x, z gated by spikes and gaps."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal(3_000)
    y = 0.8 * x + 0.6 * rng.standard_normal(3_000)
    z = np.exp(y + rng.standard_normal(3_000))
    z[rng.random(3_000) < 0.3] = 0.0
    z[rng.random(3_000) < 0.1] = np.nan
    latent = 0.9 * x + np.sqrt(1 - 0.81) * rng.standard_normal(3_000)
    group = np.where(latent > 0.5, "b", "a")
    day = pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 40_000_000, 3_000), "s")
    return pd.DataFrame({"x": x, "y": y, "z": z, "group": group, "when": day})


@pytest.fixture(scope="module")
def copula(linked: pd.DataFrame) -> GaussianCopula:
    return GaussianCopula(random_state=0).fit(linked)


@pytest.fixture(scope="module")
def independent(linked: pd.DataFrame) -> IndependentColumns:
    return IndependentColumns(random_state=0).fit(linked)


@pytest.fixture
def models(copula: GaussianCopula, independent: IndependentColumns) -> dict[type, Any]:
    return {GaussianCopula: copula, IndependentColumns: independent}


def spearman(df: pd.DataFrame) -> float:
    return float(df["x"].corr(df["y"], method="spearman"))


@BOTH
def test_rows_look_like_the_table(cls: type, models: dict[type, Any], linked: Any) -> None:
    sample = models[cls].sample(5_000, random_state=0)
    assert len(sample) == 5_000
    assert sample.dtypes.equals(linked.dtypes)
    assert list(sample.columns) == list(linked.columns)
    assert sample["x"].mean() == pytest.approx(linked["x"].mean(), abs=0.06)
    assert sample["x"].std() == pytest.approx(linked["x"].std(), rel=0.05)
    assert (sample["z"] == 0).mean() == pytest.approx((linked["z"] == 0).mean(), abs=0.03)
    assert sample["z"].isna().mean() == pytest.approx(linked["z"].isna().mean(), abs=0.02)
    share = (linked["group"] == "b").mean()
    assert (sample["group"] == "b").mean() == pytest.approx(share, abs=0.03)


def test_the_copula_keeps_dependence(copula: GaussianCopula, linked: pd.DataFrame) -> None:
    sample = copula.sample(20_000, random_state=0)
    assert spearman(sample) == pytest.approx(spearman(linked), abs=0.03)
    for frame in (linked, sample):
        assert frame["x"][frame["group"] == "b"].mean() == pytest.approx(1.0, abs=0.12)
    both = sample[sample["z"] > 0]
    real = linked[linked["z"] > 0]
    expected = real["y"].corr(real["z"], method="spearman")
    assert both["y"].corr(both["z"], method="spearman") == pytest.approx(expected, abs=0.04)


def test_independent_columns_are_independent(independent: IndependentColumns) -> None:
    assert abs(spearman(independent.sample(20_000, random_state=0))) < 0.03


def test_latent_correlations_are_recovered(copula: GaussianCopula) -> None:
    """Blocks come first (gate of z, group, ...), then the heads of x and y."""
    correlation = copula.correlation_
    assert np.allclose(np.diag(correlation), 1.0)
    assert np.linalg.eigvalsh(correlation)[0] > 0
    layout = copula.sampler_.encoder.layout
    _, heads = copula.sampler_.encoder.columns_of("x")
    blocks, _ = copula.sampler_.encoder.columns_of("group")
    x, y = len(layout.blocks) + heads.start, len(layout.blocks) + heads.start + 1
    assert correlation[x, y] == pytest.approx(0.8, abs=0.03)
    assert abs(correlation[blocks.start, x]) == pytest.approx(0.9, abs=0.03)


@BOTH
def test_fewer_rows_are_the_head_of_more(cls: type, models: dict[type, Any]) -> None:
    many = models[cls].sample(20_000, random_state=3)
    pd.testing.assert_frame_equal(models[cls].sample(100, random_state=3), many.head(100))
    pieces = pd.concat(models[cls].sample_iter(20_000, random_state=3), ignore_index=True)
    pd.testing.assert_frame_equal(pieces, many)
    assert not models[cls].sample(100, random_state=4).equals(many.head(100))
    assert len(models[cls].sample(0, random_state=3)) == 0


@BOTH
def test_files_hold_the_same_rows(cls: type, models: dict[type, Any], tmp_path: Path) -> None:
    models[cls].sample_to(tmp_path, 20_000, rows_per_file=9_000, random_state=3)
    files = sorted(tmp_path.glob("part-*.parquet"))
    assert len(files) == 3
    rows = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    expected = models[cls].sample(20_000, random_state=3)
    pd.testing.assert_frame_equal(rows, expected, check_dtype=False)


@BOTH
@pytest.mark.parametrize(
    ("condition", "obeys"),
    [
        ({"group": "b"}, lambda f: f["group"] == "b"),
        ({"group": ["a", "b"], "z": None}, lambda f: f["z"].isna()),
        ({"x": Between(0.5, 0.6)}, lambda f: f["x"].between(0.5, 0.6)),
        ({"z": Between(0, 0.5)}, lambda f: f["z"].between(0, 0.5)),
        ({"z": Between(2, None), "group": "a"}, lambda f: (f["z"] >= 2) & (f["group"] == "a")),
        ({"z": [0.0, None]}, lambda f: (f["z"] == 0) | f["z"].isna()),
        ({"x": Between(None, -1), "y": Between(1, None)}, lambda f: (f["x"] <= -1) & (f["y"] >= 1)),
        (
            {"when": Between("2021-04-01", "2021-04-30")},
            lambda f: f["when"].between("2021-04-01", "2021-04-30"),
        ),
    ],
)
def test_every_row_obeys_conditions(
    cls: type, models: dict[type, Any], condition: dict[str, Any], obeys: Any
) -> None:
    sample = models[cls].sample(500, conditions=condition, random_state=0)
    assert len(sample) == 500
    assert obeys(sample).all()
    again = models[cls].sample(500, conditions=condition, random_state=0)
    pd.testing.assert_frame_equal(sample, again)


def test_conditions_keep_the_mix_of_spikes_and_values(
    independent: IndependentColumns, linked: pd.DataFrame
) -> None:
    sample = independent.sample(5_000, conditions={"z": Between(0, 1.0)}, random_state=0)
    inside = linked["z"][linked["z"].between(0, 1.0)]
    assert (sample["z"] == 0).mean() == pytest.approx((inside == 0).mean(), abs=0.03)


def test_conditions_move_other_columns(copula: GaussianCopula, independent: Any) -> None:
    """E[y | x = 1.5] is 1.2 for correlated normals, with a spread of .6."""
    asked = {"x": Between(1.49, 1.51)}
    sample = copula.sample(4_000, conditions=asked, random_state=0)
    assert sample["y"].mean() == pytest.approx(1.2, abs=0.08)
    assert sample["y"].std() == pytest.approx(0.6, abs=0.06)
    assert independent.sample(4_000, conditions=asked)["y"].mean() == pytest.approx(0.0, abs=0.1)


def test_conditions_agree_with_filtered_rows(copula: GaussianCopula) -> None:
    free = copula.sample(100_000, random_state=1)
    kept = free[(free["group"] == "b") & free["z"].between(1, 5)]
    asked = {"group": "b", "z": Between(1, 5)}
    sample = copula.sample(10_000, conditions=asked, random_state=2)
    for name in ("x", "y", "z"):
        assert sample[name].mean() == pytest.approx(kept[name].mean(), abs=0.05)
        assert sample[name].std() == pytest.approx(kept[name].std(), rel=0.05)


def test_a_condition_in_the_far_tail_is_obeyed(copula: GaussianCopula) -> None:
    asked = {"x": Between(2.5, None), "y": Between(None, -2.0), "group": "a"}
    sample = copula.sample(50, conditions=asked, random_state=0)
    assert ((sample["x"] >= 2.5) & (sample["y"] <= -2.0)).all()


@BOTH
def test_a_frame_conditions_row_by_row(cls: type, models: dict[type, Any], linked: Any) -> None:
    given = linked[["z", "group"]].iloc[:300]
    sample = models[cls].sample(conditions=given, random_state=0)
    pd.testing.assert_frame_equal(sample[["z", "group"]], given)
    assert sample["x"].notna().all()
    expected = 1.0 if cls is GaussianCopula else 0.0
    assert sample["x"][sample["group"] == "b"].mean() == pytest.approx(expected, abs=0.2)


@BOTH
def test_conditions_that_make_no_sense(cls: type, models: dict[type, Any], linked: Any) -> None:
    model = models[cls]
    with pytest.raises(ConditionError, match="no column 'none'"):
        model.sample(3, conditions={"none": 1})
    with pytest.raises(ConditionError, match="no value 'c'"):
        model.sample(3, conditions={"group": "c"})
    with pytest.raises(ConditionError, match="'x' had no missing cells"):
        model.sample(3, conditions={"x": None})
    with pytest.raises(ConditionError, match="no value 'c'"):
        model.sample(conditions=pd.DataFrame({"group": ["a", "c"]}))
    with pytest.raises(ConditionError, match="n_samples is 5"):
        model.sample(5, conditions=linked[["group"]].head(3))
    with pytest.raises(InvalidParameterError, match="on_rare"):
        model.sample(3, on_rare="never")
    with pytest.raises(InvalidParameterError, match="n_samples must be an integer"):
        model.sample(-1)


@BOTH
def test_gaps_are_filled_and_the_rest_stays(
    cls: type, models: dict[type, Any], linked: Any
) -> None:
    holes = linked.head(400).copy()
    lost = np.random.default_rng(0).random(holes.shape) < 0.2
    holes = holes.mask(lost)
    filled = models[cls].impute(holes, random_state=0)
    assert filled.notna().all().all()
    for name in holes.columns:
        there = holes[name].notna()
        assert filled[name][there].equals(holes[name][there])
    error = (filled["y"] - linked["y"].head(400))[holes["y"].isna() & holes["x"].notna()]
    assert error.std() == pytest.approx(0.85 if cls is GaussianCopula else 1.4, abs=0.25)


def test_likelihood_of_a_small_table() -> None:
    """Categories count by frequency: log(3/4) and log(1/4), with a gap log(1/2) each."""
    df = pd.DataFrame({"a": ["u", "u", "u", "v"] * 50, "b": ["p", None] * 100})
    scores = IndependentColumns().fit(df).score_samples(df.head(4))
    expected = np.log([0.75, 0.75, 0.75, 0.25]) + np.log(0.5)
    assert scores == pytest.approx(expected)


def test_likelihood_of_two_normals(copula: GaussianCopula, linked: pd.DataFrame) -> None:
    """In rank space the density of a bivariate normal copula has a closed form."""
    model = GaussianCopula().fit(linked[["x", "y"]])
    correlation = model.correlation_[0, 1]
    table = model.sampler_.encoder.transform(linked[["x", "y"]])
    u, v = np.asarray(table.values, dtype=np.float64).T
    rest = 1 - correlation**2
    expected = -0.5 * np.log(rest) - (correlation**2 * (u**2 + v**2) - 2 * correlation * u * v) / (
        2 * rest
    )
    assert model.score_samples(linked[["x", "y"]]) == pytest.approx(expected, abs=1e-4)


def test_likelihood_of_correlated_categories() -> None:
    """The simulated probabilities of all four cells add up to 1 and match the table's."""
    rng = np.random.default_rng(0)
    first = rng.standard_normal(4_000)
    second = 0.6 * first + 0.8 * rng.standard_normal(4_000)
    df = pd.DataFrame({"a": np.where(first > 0.3, "x", "y"), "b": np.where(second > 0, "x", "y")})
    cells = df.value_counts(normalize=True).rename("share").reset_index()
    chances = np.exp(GaussianCopula().fit(df).score_samples(cells[["a", "b"]]))
    assert chances.sum() == pytest.approx(1.0, abs=0.02)
    assert chances == pytest.approx(cells["share"].to_numpy(), abs=0.02)


def test_real_rows_are_likelier_than_shuffled_ones(copula: GaussianCopula, linked: Any) -> None:
    shuffled = linked.assign(y=linked["y"].to_numpy()[::-1])
    assert copula.score_samples(linked).mean() > copula.score_samples(shuffled).mean() + 0.5


@BOTH
def test_saved_models_give_the_same_rows(
    cls: type, models: dict[type, Any], tmp_path: Path, linked: Any
) -> None:
    models[cls].save(tmp_path / "model")
    other = load(tmp_path / "model")
    assert type(other) is cls
    pd.testing.assert_frame_equal(
        other.sample(50, random_state=1), models[cls].sample(50, random_state=1)
    )
    asked = {"group": "b"}
    pd.testing.assert_frame_equal(
        other.sample(50, conditions=asked, random_state=1),
        models[cls].sample(50, conditions=asked, random_state=1),
    )
    assert other.score_samples(linked.head()) == pytest.approx(
        models[cls].score_samples(linked.head())
    )


def test_a_model_of_another_class_is_refused(copula: GaussianCopula, tmp_path: Path) -> None:
    copula.save(tmp_path / "model")
    with pytest.raises(ArtifactError, match="is a GaussianCopula, not a IndependentColumns"):
        IndependentColumns.load(tmp_path / "model")


@BOTH
def test_before_fit_nothing_works(cls: type, linked: pd.DataFrame, tmp_path: Path) -> None:
    model = cls()
    for call in (
        lambda: model.sample(3),
        lambda: next(model.sample_iter(3)),
        lambda: model.sample_to(tmp_path, 3),
        lambda: model.impute(linked),
        lambda: model.score_samples(linked),
        lambda: model.save(tmp_path / "model"),
    ):
        with pytest.raises(NotFittedError):
            call()


@BOTH
def test_bad_input_is_refused(cls: type, models: dict[type, Any], linked: Any) -> None:
    with pytest.raises(InvalidDataError, match="at least 2 rows"):
        cls().fit(linked.head(1))
    with pytest.raises(InvalidDataError, match="nothing to learn"):
        cls().fit(pd.DataFrame({"a": [1, 1, 1], "b": ["c", "c", "c"]}))
    with pytest.raises(InvalidParameterError, match="schema must be a Schema"):
        cls(schema="auto").fit(linked)
    with pytest.raises(InvalidParameterError, match="random_state"):
        cls(random_state="now").fit(linked)
    with pytest.raises(SchemaMismatchError):
        models[cls].score_samples(linked[["x"]])


@BOTH
def test_constraints_hold(cls: type) -> None:
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 10, 600)
    place = rng.integers(0, 3, 600)
    df = pd.DataFrame(
        {
            "low": low,
            "high": low + rng.uniform(0, 3, 600),
            "city": np.array(["Paris", "Lyon", "Oslo"])[place],
            "country": np.array(["France", "France", "Norway"])[place],
        }
    )
    schema = Schema.infer(df).with_constraints(
        Inequality("low", "high"), FixedCombinations(["city", "country"])
    )
    model = cls(schema=schema, random_state=0).fit(df)
    sample = model.sample(2_000, random_state=0)
    assert (sample["low"] <= sample["high"]).all()
    pairs = set(df[["city", "country"]].itertuples(index=False, name=None))
    assert set(sample[["city", "country"]].itertuples(index=False, name=None)) <= pairs
    # Some columns of a combination choose the others, in conditions and around gaps.
    given = pd.DataFrame({"country": ["France", "Norway"] * 50})
    completed = model.sample(conditions=given, random_state=0)
    assert completed["country"].tolist() == given["country"].tolist()
    assert set(completed[["city", "country"]].itertuples(index=False, name=None)) == pairs
    holes = df.head(100).assign(city=df["city"].head(100).where(df.index[:100] % 2 == 0))
    filled = model.impute(holes, random_state=0)
    assert set(filled[["city", "country"]].itertuples(index=False, name=None)) <= pairs
    with pytest.raises(ConditionError, match="no value 'Peru'"):
        model.sample(conditions=pd.DataFrame({"country": ["Peru"]}))


def test_a_gap_or_a_single_level_tells_nothing() -> None:
    """A column with one value besides gaps, and one that is always missing, do no harm."""
    rng = np.random.default_rng(0)
    df = pd.DataFrame({"x": rng.random(300), "flag": ["on"] * 300, "empty": [None] * 300})
    df.loc[:50, "flag"] = None
    sample = GaussianCopula(random_state=0).fit(df).sample(200, random_state=0)
    assert set(sample["flag"].dropna()) == {"on"}
    assert sample["empty"].isna().all()


def test_duplicated_columns_stay_alike(linked: pd.DataFrame) -> None:
    df = pd.DataFrame({"x": linked["x"], "copy": linked["x"], "minus": -linked["x"]})
    sample = GaussianCopula(random_state=0).fit(df).sample(2_000, random_state=0)
    assert sample["x"].corr(sample["copy"]) > 0.99
    assert sample["x"].corr(sample["minus"]) < -0.99


def test_whole_numbers_with_too_many_digits_are_warned_of() -> None:
    frame = pd.DataFrame({"k": [2**53 + 1, 5, 7, 2**53 + 9] * 10, "x": [1, 2] * 20})
    with pytest.warns(DataWarning, match=r"'k' holds whole numbers above 2\*\*53"):
        IndependentColumns().fit(frame)
