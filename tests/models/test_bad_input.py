"""What users get wrong, and what they are told."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from synthgen import Between, GANSynthesizer, Schema
from synthgen.errors import (
    ArtifactError,
    ConditionError,
    InvalidDataError,
    InvalidParameterError,
    RecipeError,
    SchemaMismatchError,
)
from synthgen.train.recipe import Recipe


def numbers(**more: Any) -> pd.DataFrame:
    return pd.DataFrame({"a": np.arange(30) % 7, **more})


BAD_TABLES = {
    "no rows": (pd.DataFrame({"a": []}), InvalidDataError, "0 sample(s)"),
    "no columns": (pd.DataFrame(index=range(3)), InvalidDataError, "0 feature(s)"),
    "empty array": (np.empty((0, 3)), InvalidDataError, "0 sample(s)"),
    "one row": (pd.DataFrame({"a": [1]}), InvalidDataError, "at least 2 rows"),
    "one dimension": (np.arange(5.0), InvalidDataError, "Reshape your data"),
    "a series": (pd.Series([1, 2, 3]), InvalidDataError, "to_frame"),
    "a string": ("table.csv", InvalidDataError, "Expected a table"),
    "twice the same name": (
        pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]),
        InvalidDataError,
        "'a'",
    ),
    "mixed types": (
        numbers(b=pd.Series(["x", 1] * 15, dtype=object)),
        InvalidDataError,
        "'b' mixes values of different types",
    ),
    "infinite": (numbers(b=[np.inf, 1.0] * 15), InvalidDataError, "infinity"),
    "lists": (
        numbers(b=pd.Series([[1], [2]] * 15, dtype=object)),
        InvalidDataError,
        "'b' holds nested values",
    ),
    "dicts": (
        numbers(b=pd.Series([{"x": 1}] * 30, dtype=object)),
        InvalidDataError,
        "'b' holds nested values",
    ),
    "polars lists": (pl.DataFrame({"a": [[1, 2], [3]]}), InvalidDataError, "'a'"),
    "complex": (np.ones((4, 2)) * 1j, InvalidDataError, "Complex data not supported"),
    "sparse": (sparse.csr_array(np.eye(4)), (InvalidDataError, TypeError), "parse"),
    "ids only": (
        pd.DataFrame({"id": [f"A-{k:05d}" for k in range(50)]}),
        InvalidDataError,
        "nothing to learn: all columns are of kind id",
    ),
    "constants only": (
        pd.DataFrame({"a": [1] * 30, "b": [None] * 30}),
        InvalidDataError,
        "nothing to learn",
    ),
}


@pytest.mark.parametrize("name", sorted(BAD_TABLES))
def test_bad_tables(name: str, tiny: Recipe) -> None:
    table, error, words = BAD_TABLES[name]
    with pytest.raises(error, match=re.escape(words)):
        GANSynthesizer(preset=tiny, max_steps=1, refine=False).fit(table)


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"max_steps": 0}, InvalidParameterError, "max_steps must be an integer >= 1 or 'auto'"),
        ({"max_steps": "many"}, InvalidParameterError, "max_steps must be"),
        ({"max_minutes": 0}, InvalidParameterError, "max_minutes must be a number in (0, inf)"),
        ({"max_minutes": "1"}, InvalidParameterError, "max_minutes must be"),
        ({"batch_size": 2.5}, InvalidParameterError, "batch_size must be an integer"),
        ({"refine": "yes"}, InvalidParameterError, "refine must be one of True, False, 'auto'"),
        ({"calibrate": 1}, InvalidParameterError, "calibrate must be one of"),
        ({"warm_start": None}, InvalidParameterError, "warm_start must be one of"),
        ({"verbose": "x"}, InvalidParameterError, "verbose must be an integer >= 0"),
        ({"verbose": None}, InvalidParameterError, "verbose must be an integer >= 0"),
        ({"validation_fraction": 0.9}, InvalidParameterError, "validation_fraction must be"),
        ({"device": "abacus"}, InvalidParameterError, "device must be 'auto' or a torch device"),
        ({"random_state": "x"}, InvalidParameterError, "random_state must be None"),
        ({"random_state": -1}, InvalidParameterError, "random_state must be >= 0"),
        ({"checkpoint_dir": 3}, InvalidParameterError, "checkpoint_dir must be a path"),
        ({"schema": {"a": "integer"}}, InvalidParameterError, "schema must be a Schema or None"),
        ({"preset": "biggan"}, InvalidParameterError, "preset must be one of 'auto', 'mixture'"),
        ({"preset": 3}, InvalidParameterError, "preset must be one of"),
        ({"preset": Recipe(name="x", objective="y")}, InvalidParameterError, "objective must be"),
        ({"preset": "ctgan", "batch_size": 64}, RecipeError, "not a multiple of pack 10"),
    ],
)
def test_bad_parameters(parameters: dict[str, Any], error: type, words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        GANSynthesizer(**parameters).fit(numbers())


def test_unknown_parameters() -> None:
    with pytest.raises(TypeError, match="epochs"):
        GANSynthesizer(epochs=3)  # type: ignore[call-arg]  # that is the point
    with pytest.raises(ValueError, match="epochs"):
        GANSynthesizer().set_params(epochs=3)


def test_a_label_recipe_needs_a_category(tiny: Recipe) -> None:
    table = pd.DataFrame({"x": np.random.default_rng(0).normal(size=100)})
    recipe = tiny.replace(conditioning="label")
    with pytest.raises(InvalidDataError, match="trains with conditions on categories"):
        GANSynthesizer(preset=recipe, max_steps=1).fit(table)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"n_samples": -1}, InvalidParameterError, "n_samples must be an integer >= 0, got -1"),
        ({"n_samples": 2.5}, InvalidParameterError, "n_samples must be an integer"),
        ({"n_samples": True}, InvalidParameterError, "n_samples must be an integer"),
        ({}, InvalidParameterError, "n_samples is missing"),
        ({"conditions": {"sex": "Male"}}, InvalidParameterError, "n_samples is missing"),
        ({"n_samples": 1, "random_state": "x"}, InvalidParameterError, "random_state"),
        ({"n_samples": 1, "on_rare": "never"}, InvalidParameterError, "on_rare must be one of"),
        ({"n_samples": 1, "conditions": {"town": "Rome"}}, ConditionError, "no column 'town'"),
        ({"n_samples": 1, "conditions": {"city": "Lima"}}, ConditionError, "no value 'Lima'"),
        ({"n_samples": 1, "conditions": {"city": []}}, ConditionError, "'city' is empty"),
        ({"n_samples": 1, "conditions": {"sex": None}}, ConditionError, "no missing cells"),
        ({"n_samples": 1, "conditions": {"age": "old"}}, ConditionError, "'age' is integer"),
        ({"n_samples": 1, "conditions": {"age": {"a": 1}}}, ConditionError, "got dict"),
        (
            {"n_samples": 1, "conditions": {"age": Between(40, 30)}},
            ConditionError,
            "40 is above 30",
        ),
        ({"n_samples": 1, "conditions": {"age": Between()}}, ConditionError, "has no end"),
        (
            {"n_samples": 1, "conditions": {"joined": Between("2020-99-01", None)}},
            ConditionError,
            "'joined' is datetime",
        ),
        ({"n_samples": 1, "conditions": {"joined": "1850-01-01"}}, ConditionError, "joined"),
        ({"n_samples": 1, "conditions": {"joined": "99999-01-01"}}, ConditionError, "joined"),
        (
            {"conditions": pd.DataFrame({"city": ["Rome", "Lima"]})},
            ConditionError,
            "no value 'Lima' (row 1 of conditions)",
        ),
        ({"conditions": pd.DataFrame({"town": ["x"]})}, ConditionError, "no column 'town'"),
        (
            {"n_samples": 3, "conditions": pd.DataFrame({"city": ["Rome"]})},
            ConditionError,
            "conditions has 1 rows",
        ),
        ({"conditions": 5, "n_samples": 1}, InvalidDataError, "Expected a table"),
    ],
)
def test_bad_requests(
    arguments: dict[str, Any], error: type, words: str, gan: GANSynthesizer
) -> None:
    with pytest.raises(error, match=re.escape(words)):
        gan.sample(**arguments)


def test_unfitted_models(people: pd.DataFrame, tmp_path: Any) -> None:
    model = GANSynthesizer()
    for use in (
        lambda: model.sample(1),
        lambda: next(model.sample_iter(1)),
        lambda: model.sample_to(tmp_path, 1),
        lambda: model.save(tmp_path / "m"),
        lambda: model.impute(people),
        lambda: model.score_samples(people),
    ):
        with pytest.raises(NotFittedError):
            use()
    assert list(tmp_path.iterdir()) == []


def test_tables_with_other_columns(gan: GANSynthesizer, people: pd.DataFrame) -> None:
    for use in (gan.impute, gan.score_samples):
        with pytest.raises(SchemaMismatchError, match=r"missing columns: \['age'\]"):
            use(people.drop(columns="age"))
        with pytest.raises(SchemaMismatchError, match=r"extra columns: \['more'\]"):
            use(people.assign(more=1))


def test_a_schema_of_another_table(people: pd.DataFrame, tiny: Recipe) -> None:
    schema = Schema.infer(people.drop(columns="sex"))
    with pytest.raises(SchemaMismatchError, match="sex"):
        GANSynthesizer(preset=tiny, schema=schema).fit(people)


def test_paths_that_hold_no_model(tmp_path: Any, gan: GANSynthesizer) -> None:
    with pytest.raises(ArtifactError, match="not a saved synthgen model"):
        GANSynthesizer.load(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("keep me")
    with pytest.raises(ArtifactError, match="choose another path"):
        gan.save(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "keep me"


def test_odd_tables_that_are_fine(tiny: Recipe) -> None:
    """Constant and all-missing columns, dates far away, two rows, a column of None in polars."""
    table = pd.DataFrame(
        {
            "x": np.arange(60) % 5,
            "constant": ["c"] * 60,
            "missing": [np.nan] * 60,
            "far": pd.Series(np.array(["1677-12-01", "2262-03-01", "0001-02-03"] * 20, "M8[s]")),
        }
    )
    model = GANSynthesizer(preset=tiny, max_steps=2, refine=False, random_state=0).fit(table)
    sample = model.sample(40, random_state=0)
    assert set(sample["constant"]) == {"c"}
    assert sample["missing"].isna().all()
    assert sample["far"].dtype == table["far"].dtype
    assert sample["far"].between(table["far"].min(), table["far"].max()).all()
    two = table[["x", "far"]].head(2)
    assert len(GANSynthesizer(preset=tiny, max_steps=2).fit(two).sample(7)) == 7
    frame = pl.DataFrame({"x": [1, 2, 3] * 20, "gone": pl.Series([None] * 60, dtype=pl.Float64)})
    made = GANSynthesizer(preset=tiny, max_steps=2, refine=False).fit(frame).sample(9)
    assert made["gone"].null_count() == 9


def test_a_very_wide_category(tiny: Recipe) -> None:
    """More than fit into states of their own: the tail shares one, and comes back by frequency."""
    rng = np.random.default_rng(0)
    codes = np.concatenate([np.arange(20_000), rng.integers(0, 50, 20_000)])
    table = pd.DataFrame({"code": [f"c{k}" for k in codes], "x": rng.normal(size=40_000)})
    schema = Schema.infer(table).with_column("code", kind="categorical")
    options: dict[str, Any] = {"preset": tiny, "max_steps": 2, "refine": False, "random_state": 0}
    model = GANSynthesizer(schema=schema, **options).fit(table)
    assert model.sampler_.encoder.layout.n_states < 5_000
    sample = model.sample(2_000, random_state=0)
    assert set(sample["code"]) <= set(table["code"])
    assert sample["code"].nunique() > 200
    rare = model.sample(50, conditions={"code": "c19999"}, random_state=0)
    assert (rare["code"] == "c19999").all()
