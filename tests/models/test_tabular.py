from __future__ import annotations

import copy
import datetime as dt
import decimal
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

import synthgen
from synthgen import GANSynthesizer, Predicate, Schema
from synthgen.errors import ArtifactError, InvalidDataError, ResourceError, TrainingWarning
from synthgen.models.presets import PRESETS
from synthgen.train.recipe import Recipe


def bytes_of(frame: pd.DataFrame) -> bytes:
    return frame.to_csv().encode()


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_trains_and_samples(name: str, people: pd.DataFrame) -> None:
    small = {"width": 16, "critic_width": 16, "batch_size": 60, "critic_steps": 1, "latent": 8}
    recipe = PRESETS[name].replace(steps=30, **small)
    model = GANSynthesizer(preset=recipe, refine=False, random_state=0).fit(people)
    sample = model.sample(50, random_state=0)
    assert len(sample) == 50
    assert sample.dtypes.equals(people.dtypes)
    assert model.stopped_by_ in ("steps", "patience")
    assert set(sample["city"]) <= set(people["city"])
    assert sample["age"].between(people["age"].min(), people["age"].max()).all()


def test_presets_by_name_take_their_sizes_from_the_table(people: pd.DataFrame) -> None:
    model = GANSynthesizer(preset="auto", max_steps=2, batch_size=16, refine=False).fit(people)
    assert model.recipe_.name == "mixture"
    assert (model.recipe_.steps, model.recipe_.batch_size, model.recipe_.width) == (2, 16, 128)


def test_rows_look_like_the_table(gan: GANSynthesizer, people: pd.DataFrame) -> None:
    sample = gan.sample(3_000, random_state=0)
    assert sample["income"].isna().mean() == pytest.approx(people["income"].isna().mean(), abs=0.05)
    shares = people["city"].value_counts(normalize=True)
    found = sample["city"].value_counts(normalize=True)[shares.index]
    assert found.to_numpy() == pytest.approx(shares.to_numpy(), abs=0.06)
    assert sample["age"].mean() == pytest.approx(people["age"].mean(), abs=4)
    assert sample["joined"].dt.normalize().equals(sample["joined"])


def test_what_was_learned_is_described(gan: GANSynthesizer, people: pd.DataFrame) -> None:
    assert gan.history_["step"].tolist() == list(range(6, 61, 6))
    assert {"shape", "trend", "detection", "seconds"} <= set(gan.history_)
    assert gan.history_["shape"].between(0, 1).all()
    assert (gan.n_steps_, gan.stopped_by_) == (60, "steps")
    assert gan.best_step_ in gan.history_["step"].tolist()
    assert gan.n_features_in_ == 6
    assert gan.feature_names_in_.tolist() == list(people.columns)
    assert gan.device_.type in ("cpu", "cuda")
    assert "used" in gan.refinement_


def test_the_same_seed_gives_the_same_bytes(
    gan: GANSynthesizer, people: pd.DataFrame, tiny: Recipe
) -> None:
    again = GANSynthesizer(preset=tiny, random_state=0).fit(people)
    other = GANSynthesizer(preset=tiny, random_state=1).fit(people)
    expected = bytes_of(gan.sample(500, random_state=3))
    assert bytes_of(again.sample(500, random_state=3)) == expected
    assert bytes_of(other.sample(500, random_state=3)) != expected
    assert bytes_of(gan.sample(500, random_state=4)) != expected
    assert bytes_of(gan.sample(500)) != bytes_of(gan.sample(500))


def test_global_random_states_stay(people: pd.DataFrame, tiny: Recipe) -> None:
    numbers, tensors = np.random.get_state(), torch.random.get_rng_state()  # noqa: NPY002 - compared
    model = GANSynthesizer(preset=tiny, max_steps=3).fit(people)
    model.sample(10)
    model.sample(10, conditions={"sex": "Male"})
    model.impute(people)
    model.score_samples(people.head())
    assert torch.equal(torch.random.get_rng_state(), tensors)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(np.random.get_state(), numbers, strict=True)  # noqa: NPY002 - compared
    )


def test_parameters_are_left_alone(people: pd.DataFrame, tiny: Recipe) -> None:
    model = GANSynthesizer(preset=tiny, max_steps=2, refine=False, random_state=0)
    before = copy.deepcopy(model.get_params())
    model.fit(people)
    assert model.get_params() == before
    copied = clone(model)
    assert copied.get_params() == before
    with pytest.raises(NotFittedError):
        copied.sample(1)


def test_grid_search_over_a_parameter(people: pd.DataFrame, tiny: Recipe) -> None:
    def scorer(model: GANSynthesizer, X: pd.DataFrame, y: Any = None) -> float:
        return float(model.score_samples(X).mean())

    model = GANSynthesizer(preset=tiny, refine=False, random_state=0)
    search = GridSearchCV(model, {"max_steps": [1, 60]}, scoring=scorer, cv=2).fit(people)
    assert search.best_params_ == {"max_steps": 60}
    assert len(search.best_estimator_.sample(5)) == 5


def test_fitting_twice_forgets_the_first_table(people: pd.DataFrame, tiny: Recipe) -> None:
    model = GANSynthesizer(preset=tiny, max_steps=5, refine=False, random_state=0)
    model.fit(people).fit(people[["age", "sex"]])
    assert list(model.sample(3)) == ["age", "sex"]
    assert model.n_features_in_ == 2


def test_a_fit_that_fails_leaves_the_model_as_it_was(people: pd.DataFrame, tiny: Recipe) -> None:
    keys = pd.DataFrame({"id": [f"A-{k:05d}" for k in range(300)]})
    model = GANSynthesizer(preset=tiny, max_steps=2, refine=False, random_state=0)
    with pytest.raises(InvalidDataError, match="nothing to learn"):
        model.fit(keys)
    with pytest.raises(NotFittedError):
        model.sample(1)
    expected = model.fit(people).sample(5, random_state=0)
    with pytest.raises(InvalidDataError):
        model.fit(keys)
    pd.testing.assert_frame_equal(model.sample(5, random_state=0), expected)
    assert model.n_features_in_ == 6


def test_an_interrupt_leaves_a_usable_model(
    people: pd.DataFrame, tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(self: Any, share: float, step: int, figures: dict[str, float]) -> None:
        if step == 20:
            raise KeyboardInterrupt

    monkeypatch.setattr("synthgen.models.tabular.ProgressBar.update", press)
    model = GANSynthesizer(preset=tiny, random_state=0)
    with pytest.warns(TrainingWarning, match="interrupted after 20 steps"):
        model.fit(people)
    assert (model.stopped_by_, model.n_steps_) == ("interrupt", 20)
    assert len(model.sample(10)) == 10


def test_a_fit_resumes_from_its_checkpoint(
    gan: GANSynthesizer,
    people: pd.DataFrame,
    tiny: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def press(self: Any, share: float, step: int, figures: dict[str, float]) -> None:
        if step == 20:
            raise KeyboardInterrupt

    place = str(tmp_path / "run")
    model = GANSynthesizer(preset=tiny, random_state=0, checkpoint_dir=place)
    with monkeypatch.context() as patch:
        patch.setattr("synthgen.models.tabular.ProgressBar.update", press)
        with pytest.warns(TrainingWarning, match="interrupted"):
            model.fit(people)
    assert model.n_steps_ == 20
    assert model.fit(people).n_steps_ == 60
    expected = gan.sample(200, random_state=0)
    pd.testing.assert_frame_equal(model.sample(200, random_state=0), expected)
    with pytest.raises(ArtifactError, match="another run: data differ"):
        model.fit(people.head(200))
    with pytest.raises(ArtifactError, match="another run: recipe differ"):
        model.set_params(max_steps=70).fit(people)


def test_a_warm_start_goes_on_from_the_weights(
    gan: GANSynthesizer, people: pd.DataFrame, tiny: Recipe
) -> None:
    recipe = tiny.replace(generator_rate=1e-9)
    cold = GANSynthesizer(preset=recipe, max_steps=1, refine=False, random_state=0).fit(people)
    warm = copy.deepcopy(gan).set_params(preset=recipe, max_steps=1, warm_start=True).fit(people)

    def distance(model: GANSynthesizer) -> float:
        mine = model.sampler_.source.generator.state_dict()
        theirs = gan.sampler_.source.generator.state_dict()
        return max(float((mine[name] - value).abs().max()) for name, value in theirs.items())

    assert distance(warm) < 1e-6
    assert distance(cold) > 0.01
    with pytest.raises(InvalidDataError, match="warm_start needs a table that is encoded like"):
        warm.fit(people.drop(columns="sex"))


def test_memory_is_estimated_before_training(
    people: pd.DataFrame, tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthgen.models.memory.available_memory", lambda: 100_000)
    with pytest.raises(ResourceError, match=r"300 rows with .* needs about .* GB, and 0.0 GB"):
        GANSynthesizer(preset=tiny).fit(people)
    monkeypatch.setattr("synthgen.models.memory.available_memory", lambda: None)
    GANSynthesizer(preset=tiny, max_steps=1, refine=False).fit(people)


def test_refinement_and_calibration_are_part_of_the_model(
    people: pd.DataFrame, tiny: Recipe, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"preset": tiny, "random_state": 0, "max_steps": 20}
    model = GANSynthesizer(refine=True, calibrate=True, **options).fit(people)
    assert model.sampler_.refiner is not None
    assert model.sampler_.calibration is not None
    model.save(tmp_path / "m")
    loaded = GANSynthesizer.load(tmp_path / "m")
    expected = model.sample(300, random_state=0)
    pd.testing.assert_frame_equal(loaded.sample(300, random_state=0), expected)
    plain = GANSynthesizer(refine=False, **options).fit(people)
    assert plain.sampler_.refiner is None
    assert plain.refinement_ == {"used": False, "reason": "switched off"}
    assert not plain.sample(300, random_state=0).equals(expected)


# --- on disk -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(gan: GANSynthesizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("saved") / "model"
    gan.save(folder)
    return folder


def test_a_loaded_model_gives_the_same_rows(
    gan: GANSynthesizer, saved: Path, people: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise AssertionError("a pickle was read")

    for name in ("pickle.loads", "pickle.load", "pickle.Unpickler", "torch.load"):
        monkeypatch.setattr(name, refuse)
    for loaded in (GANSynthesizer.load(saved), synthgen.load(saved)):
        assert type(loaded) is GANSynthesizer
        pd.testing.assert_frame_equal(
            loaded.sample(200, random_state=1), gan.sample(200, random_state=1)
        )
    asked = {"sex": "Male", "age": synthgen.Between(30, 40)}
    pd.testing.assert_frame_equal(
        loaded.sample(50, conditions=asked, random_state=1),
        gan.sample(50, conditions=asked, random_state=1),
    )
    np.testing.assert_array_equal(loaded.score_samples(people), gan.score_samples(people))
    assert loaded.get_params() == gan.get_params()
    pd.testing.assert_frame_equal(loaded.history_, gan.history_)
    assert loaded.n_features_in_ == 6
    assert loaded.feature_names_in_.tolist() == list(people.columns)


def test_no_file_of_a_model_is_a_pickle(saved: Path) -> None:
    names = sorted(path.name for path in saved.iterdir())
    assert {"config.json", "schema.json", "weights.safetensors"} <= set(names)
    assert {path.suffix for path in saved.iterdir()} <= {".json", ".safetensors", ".txt"}


def damaged(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


@pytest.mark.parametrize("name", ["weights.safetensors", "schema.json", "config.json"])
@pytest.mark.parametrize("how", ["truncated", "edited", "gone"])
def test_damage_is_noticed(name: str, how: str, saved: Path, tmp_path: Path) -> None:
    folder = damaged(saved, tmp_path)
    raw = (folder / name).read_bytes()
    if how == "truncated":
        (folder / name).write_bytes(raw[: len(raw) // 2])
    elif how == "edited":
        place = raw.rindex(b"1") if name.endswith("json") else len(raw) - 5
        flipped = b"2" if name.endswith("json") else bytes([raw[place] ^ 1])
        (folder / name).write_bytes(raw[:place] + flipped + raw[place + 1 :])
    else:
        (folder / name).unlink()
    with pytest.raises(ArtifactError):
        GANSynthesizer.load(folder)


def test_a_newer_format_is_refused(saved: Path, tmp_path: Path) -> None:
    folder = damaged(saved, tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "format": 99}))
    with pytest.raises(ArtifactError, match=r"format 99.*Upgrade synthgen"):
        GANSynthesizer.load(folder)


def test_a_model_of_another_class_is_refused(people: pd.DataFrame, tmp_path: Path) -> None:
    synthgen.IndependentColumns().fit(people).save(tmp_path / "m")
    with pytest.raises(ArtifactError, match="is a IndependentColumns"):
        GANSynthesizer.load(tmp_path / "m")


def test_a_full_disk_leaves_the_old_model(
    gan: GANSynthesizer, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = damaged(saved, tmp_path)
    written: list[Path] = []

    def fill_up(path: Path, raw: bytes) -> None:
        written.append(path)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        path.write_bytes(raw[: len(raw) // 2])

    with monkeypatch.context() as patch:
        patch.setattr("synthgen.core.serialize.write_synced", fill_up)
        with pytest.raises(ArtifactError, match="No space left"):
            gan.save(folder)
    assert len(written) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    expected = gan.sample(20, random_state=0)
    pd.testing.assert_frame_equal(GANSynthesizer.load(folder).sample(20, random_state=0), expected)


def test_models_are_copied_in_memory(gan: GANSynthesizer) -> None:
    expected = gan.sample(100, random_state=0)
    copied = pickle.loads(pickle.dumps(gan))
    pd.testing.assert_frame_equal(copied.sample(100, random_state=0), expected)


def test_predicates_come_back_by_name(people: pd.DataFrame, tiny: Recipe, tmp_path: Path) -> None:
    def adult(frame: pd.DataFrame) -> pd.Series:
        return frame["age"] >= 21

    schema = Schema.infer(people).with_constraints(Predicate(adult, "adult"))
    with pytest.warns(synthgen.errors.DataWarning, match="Predicate adult"):
        model = GANSynthesizer(schema=schema, preset=tiny, max_steps=2, refine=False).fit(people)
    model.save(tmp_path / "m")
    with pytest.raises(ArtifactError, match=r"Predicate\('adult'\), whose code is not saved"):
        GANSynthesizer.load(tmp_path / "m")
    loaded = GANSynthesizer.load(tmp_path / "m", predicates={"adult": adult})
    assert (loaded.sample(500, random_state=0)["age"] >= 21).all()


# --- containers and types ------------------------------------------------------------------------


def typed_columns() -> dict[str, Any]:
    """Return columns of 120 values of all sorts of types."""
    rng = np.random.default_rng(0)
    n = 120
    gaps = rng.random(n) < 0.2
    numbers = rng.normal(50, 10, n).round(2)
    levels = rng.choice(["low", "mid", "high"], n)
    days = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 500, n), "D")
    return {
        "float32": pd.Series(numbers.astype(np.float32)),
        "int8": pd.Series(rng.integers(-20, 20, n).astype(np.int8)),
        "Int64": pd.Series(rng.integers(0, 500, n)).astype("Int64").mask(gaps),
        "Float64": pd.Series(numbers).astype("Float64").mask(gaps),
        "boolean": pd.Series(rng.random(n) < 0.4).astype("boolean").mask(gaps),
        "bool": pd.Series(rng.random(n) < 0.4),
        "bool with gaps": pd.Series(rng.random(n) < 0.4, dtype=object).mask(gaps),
        "category": pd.Series(pd.Categorical(levels, ["low", "mid", "high", "never"])).mask(gaps),
        "ordered": pd.Series(pd.Categorical(levels, ["low", "mid", "high"], ordered=True)),
        "string": pd.Series(levels, dtype="string").mask(gaps),
        "string[pyarrow]": pd.Series(levels, dtype="string[pyarrow]"),
        "object": pd.Series(levels, dtype=object).mask(gaps),
        "datetime": pd.Series(days).mask(gaps),
        "datetime with zone": pd.Series(days).dt.tz_localize("Europe/Paris"),
        "timedelta": pd.Series(pd.to_timedelta(rng.integers(0, 90, n), "min")),
        "date": pd.Series(days.date, dtype=object),
        "Decimal": pd.Series([decimal.Decimal(f"{x:.2f}") for x in numbers], dtype=object),
        "int64[pyarrow]": pd.Series(rng.integers(0, 500, n), dtype="int64[pyarrow]"),
        "all missing": pd.Series([np.nan] * n),
        "all None": pd.Series([None] * n, dtype=object),
        "constant": pd.Series(["x"] * n),
    }


def test_dtypes_come_back(tiny: Recipe, tmp_path: Path) -> None:
    frame = pd.DataFrame(typed_columns())
    model = GANSynthesizer(preset=tiny, max_steps=10, refine=False, random_state=0).fit(frame)
    sample = model.sample(200, random_state=0)
    assert sample.dtypes.astype(str).to_dict() == frame.dtypes.astype(str).to_dict()
    for name in frame:
        real, made = frame[name].dropna(), sample[name].dropna()
        assert {type(value) for value in made} == {type(value) for value in real}, name
        assert frame[name].isna().any() or sample[name].notna().all(), name
    for name in ("category", "ordered"):
        assert sample[name].dtype == frame[name].dtype
    assert sample["all missing"].isna().all()
    assert sample["constant"].eq("x").all()
    assert {-value.as_tuple().exponent for value in sample["Decimal"]} == {2}
    model.save(tmp_path / "m")
    pd.testing.assert_frame_equal(
        GANSynthesizer.load(tmp_path / "m").sample(200, random_state=0), sample
    )


def test_polars_in_polars_out(tiny: Recipe) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "a": rng.normal(size=100),
            "b": pl.Series(rng.choice(["x", "y"], 100), dtype=pl.Categorical),
            "c": pl.Series([None, 1, 2, 3] * 25, dtype=pl.Int16),
            "d": [dt.date(2020, 1, 1 + k % 28) for k in range(100)],
            "nothing": pl.Series([None] * 100, dtype=pl.String),
            "null": [None] * 100,
        }
    )
    model = GANSynthesizer(preset=tiny, max_steps=3, refine=False, random_state=0).fit(frame)
    sample = model.sample(30)
    assert isinstance(sample, pl.DataFrame)
    assert sample.schema == frame.schema
    assert sample["nothing"].null_count() == 30
    filled = model.impute(frame)
    assert isinstance(filled, pl.DataFrame)
    assert filled["c"].null_count() == 0


def test_arrow_in_arrow_out(people: pd.DataFrame, tiny: Recipe) -> None:
    table = pa.Table.from_pandas(people, preserve_index=False)
    model = GANSynthesizer(preset=tiny, max_steps=3, refine=False, random_state=0).fit(table)
    sample = model.sample(30)
    assert isinstance(sample, pa.Table)
    assert sample.schema.types == table.schema.types
    assert sample.column_names == table.column_names


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32])
def test_arrays_in_arrays_out(dtype: type, tiny: Recipe) -> None:
    array = np.random.default_rng(0).normal(0, 30, (90, 3)).astype(dtype)
    model = GANSynthesizer(preset=tiny, max_steps=3, refine=False, random_state=0).fit(array)
    sample = model.sample(30)
    assert isinstance(sample, np.ndarray)
    assert sample.dtype == dtype
    assert sample.shape == (30, 3)
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize(
    "labels",
    [[3, 1, 2], [("a", 1), ("a", 2), ("b", 1)], ["a", 1, ("x", None)], [1.5, True, "z"]],
)
def test_labels_of_any_type(labels: list[Any], tiny: Recipe, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({k: rng.choice(["u", "v", "w"], 80) for k in range(3)})
    frame.columns = pd.Index(labels, tupleize_cols=False)
    model = GANSynthesizer(preset=tiny, max_steps=3, refine=False, random_state=0).fit(frame)
    model.save(tmp_path / "m")
    for one in (model, GANSynthesizer.load(tmp_path / "m")):
        sample = one.sample(20, conditions={labels[1]: "u"}, random_state=0)
        assert list(sample.columns) == labels
        assert (sample.iloc[:, 1] == "u").all()


def test_the_index_does_not_matter(people: pd.DataFrame, tiny: Recipe) -> None:
    odd = people.set_axis(np.random.default_rng(0).integers(0, 5, len(people)) * 1.5)
    before = odd.copy()
    options: dict[str, Any] = {"preset": tiny, "max_steps": 3, "refine": False, "random_state": 0}
    sample = GANSynthesizer(**options).fit(odd).sample(20, random_state=0)
    expected = GANSynthesizer(**options).fit(people).sample(20, random_state=0)
    pd.testing.assert_frame_equal(sample, expected)
    pd.testing.assert_frame_equal(odd, before)


def test_a_target_is_one_more_column(people: pd.DataFrame, tiny: Recipe) -> None:
    X, y = people.drop(columns="sex"), people["sex"]
    model = GANSynthesizer(preset=tiny, max_steps=3, refine=False, random_state=0).fit(X, y)
    sample = model.sample(20, conditions={"sex": "Male"})
    assert list(sample.columns) == [*X.columns, "sex"]
    assert model.n_features_in_ == 5
    joint, alone = model.score_samples(X.assign(sex=y)), model.score_samples(X)
    assert (joint < alone + 1e-6).all()


@pytest.mark.parametrize("place", ["refine_table", "Calibration.fit"])
def test_a_refit_that_fails_leaves_the_model_as_it_was(
    place: str, people: pd.DataFrame, tiny: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = GANSynthesizer(preset=tiny, max_steps=4, refine=True, calibrate=True, random_state=0)
    model.fit(people)
    rows, steps, history = model.sample(5, random_state=0), model.n_steps_, model.history_.copy()

    def fail(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"synthgen.models.tabular.{place}", fail)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(max_steps=2).fit(people.rename(columns={"age": "years"}))
    pd.testing.assert_frame_equal(model.sample(5, random_state=0), rows)
    assert model.n_steps_ == steps
    pd.testing.assert_frame_equal(model.history_, history)
    assert model.critic_ is not None
