"""Images and labels that are hardly any, or none: a model, or an error that says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthgen.errors import ConditionError, InvalidDataError, SynthgenError
from synthgen.models.image import ImageGANSynthesizer
from tests.train.image_tasks import SMALL

#: Few steps train nothing; what the guards say about that is not the point here.
pytestmark = pytest.mark.filterwarnings("ignore::synthgen.errors.TrainingWarning")

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (20, 8, 9), dtype=np.uint8)


def fitted(images: Any, y: Any = None, **options: Any) -> ImageGANSynthesizer:
    recipe = SMALL.replace(steps=1)
    return ImageGANSynthesizer(preset=recipe, random_state=0, **options).fit(images, y)


@pytest.mark.parametrize(
    ("images", "y"),
    [
        (X[:2], None),
        (X[:2], ["a", "b"]),
        (X, ["a"] * 19 + ["b"]),
        (X, ["a"] * 20),
        (np.repeat(X[..., None], 4, axis=3), None),
        (np.repeat(X[:1], 5, axis=0), None),
        (list(X), [1.5, 2.5] * 10),
        (X.astype(bool), np.array([b"x", b"y"] * 10)),
        (np.asfortranarray(X.astype(">i4")), np.array([[True, False]] * 20)),
    ],
    ids=["two", "two classes", "rare", "one class", "rgba", "equal", "list", "bool", "odd arrays"],
)
def test_little_data_give_a_model(images: Any, y: Any) -> None:
    model = fitted(images, y)
    made = model.sample(3, random_state=0)
    assert made.shape == (3, *np.shape(images)[1:])
    assert made.dtype == np.asarray(images).dtype.newbyteorder("=")
    if y is not None:
        last = list(y)[-1]
        wanted = tuple(last) if np.ndim(last) else last
        _, labels = model.sample(2, y=wanted, return_labels=True)
        assert (labels == np.asarray(wanted)).all()


@pytest.mark.parametrize(
    ("images", "y", "words"),
    [
        (X[:1], None, "at least 2"),
        (X[0], None, "shape"),
        (X[:0], None, "no images"),
        (X, ["a"] * 19, "20 images and 19 labels"),
        (X, "ab", "Labels must have the shape"),
        (X, 3, "Labels must have the shape"),
        (X, [None] * 20, "missing"),
        (X, list(range(20)), "look like numbers or names"),
        (np.where(X > 250, np.nan, 1.0), None, "NaN"),
        (X.reshape(20, -1), None, "Reshape"),
        (X[:, None, None], None, "shape"),
        ([X[0], X[1, :4]], None, "different shapes"),
        ([X[0], None], None, "different shapes"),
        (None, None, "must be numbers"),
        ({"images": X}, None, "must be numbers"),
        (np.full((20, 8, 8), 7), None, "nothing to learn"),
    ],
)
def test_bad_data_are_named(images: Any, y: Any, words: str) -> None:
    with pytest.raises(InvalidDataError, match=words):
        fitted(images, y)


def test_an_empty_folder(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", __file__):
        with pytest.raises(InvalidDataError, match=r"no images|no folder"):
            fitted(path)


def test_what_a_fitted_model_refuses() -> None:
    model = fitted(X, ["a", "b"] * 10)
    calls: list[Any] = [
        lambda: model.score_samples(X[:, :7], ["a"] * 20),
        lambda: model.score_samples(X, ["a"] * 3),
        lambda: model.score_samples(X.astype(float) * np.nan, ["a"] * 20),
        lambda: model.fine_tune(X, ["c", "a"] * 10),
        lambda: model.fine_tune(X[..., None].repeat(3, axis=3), ["a"] * 20),
        lambda: model.sample(-1),
        lambda: model.sample(2.5),
        lambda: model.sample(2, y=["a"]),
        lambda: model.sample(2, y=[["a", "b"]]),
        lambda: model.sample(2, sigma="wide"),
        lambda: model.sample(2, random_state="seed"),
        lambda: model.invert(X[0]),
    ]
    for call in calls:
        with pytest.raises(SynthgenError):
            call()
    with pytest.raises(ConditionError, match="knows 'a', 'b'"):
        model.sample(1, y="A")
