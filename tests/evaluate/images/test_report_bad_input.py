"""What an image report is given by mistake, and what it says to it."""

import json
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

from synthgen import ImageGANSynthesizer
from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate import images

DIGITS = (load_digits().images / 16).astype(np.float32)
LABELS = load_digits().target
REAL, MADE, HELD = DIGITS[:40], DIGITS[40:80], DIGITS[80:120]
RAGGED = [np.zeros((8, 8)), np.zeros((9, 9))]


def made(real=REAL, synthetic=MADE, holdout=None, **options):
    return images.image_report(real, synthetic, holdout, **{"extractor": "pixels", **options})


ARRAYS = [
    (None, "non-empty numeric array"),
    ("images.npy", "non-empty numeric array"),
    (np.empty((0, 8, 8)), "non-empty numeric array"),
    (MADE[0], "non-empty numeric array"),
    (MADE.astype(object), "non-empty numeric array"),
    (RAGGED, "must all have one shape"),
    (np.zeros((5, 9, 9)), "must have one shape"),
    (np.full_like(MADE, np.nan), "must not hold NaN"),
    (np.full_like(MADE, np.inf), "must not hold NaN"),
    (MADE * 1e6, "must be in [0, 1]"),
]


@pytest.mark.parametrize(("given", "words"), ARRAYS)
@pytest.mark.parametrize("side", ["real", "synthetic", "holdout"])
def test_images(side, given, words):
    if side == "holdout" and given is None:
        pytest.skip("no holdout is the default")
    with pytest.raises(InvalidDataError, match=re.escape(words)):
        made(**{side: given})


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (LABELS[:5], "one label for each of 40 images"),
        (3, "one label for each of 40 images"),
        (np.zeros((40, 1, 1)), "must have the shape"),
        ([[1]] * 39 + [[1, 2]], "must all have one shape"),
        ([None] * 40, "must not have missing labels"),
        (np.full(40, np.nan), "must not have missing labels"),
    ],
)
@pytest.mark.parametrize("side", ["labels", "synthetic_labels", "holdout_labels"])
def test_labels(side, labels, words):
    given = {"labels": LABELS[:40], "synthetic_labels": LABELS[40:80], "holdout": HELD}
    given["holdout_labels"] = LABELS[80:120]
    with pytest.raises(InvalidDataError, match=words):
        made(**{**given, side: labels})


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"extractor": None}, InvalidParameterError, "extractor must be a name"),
        ({"extractor": 3}, InvalidParameterError, "extractor must be a name"),
        ({"extractor": "fid"}, InvalidParameterError, "extractor must be one of"),
        ({"synthetic": ImageGANSynthesizer}, InvalidParameterError, "make one and fit it"),
        ({"synthetic": ImageGANSynthesizer()}, NotFittedError, "not fitted"),
        ({"title": None}, InvalidParameterError, "title must be a text"),
        ({"max_images": 0}, InvalidParameterError, "max_images must be"),
        ({"layout": "hwc"}, InvalidParameterError, "layout must be one of"),
    ],
)
def test_parameters(changes, error, words):
    with pytest.raises(error, match=words):
        made(**changes)


@pytest.mark.parametrize(
    "sides",
    [
        (REAL[:1], MADE[:1], None),
        (REAL[:2], MADE[:2], HELD[:2]),
        (REAL * 0, MADE * 0, HELD * 0),
        (REAL, REAL, REAL),
        (REAL[:, :1, :1], MADE[:, :1, :1], None),
    ],
    ids=["one", "two", "black", "the same", "a pixel"],
)
def test_hardly_any_images_give_a_report_without_nan(sides):
    report = made(*sides)
    json.loads(report.to_json(), parse_constant=pytest.fail)
    assert "copies were not looked for" in report.verdict or "lie closer" in report.verdict


def test_a_class_of_its_own_for_every_image_cannot_be_learned():
    """Without a holdout nothing would be left to learn from."""
    found = made(labels=np.arange(40), synthetic_labels=np.arange(40))
    accuracy = found.results["classifier_accuracy"]
    assert accuracy.value is None
    assert "needs two images" in accuracy.details["not_applicable"]
    assert found.content.classes == []
    assert found.to_html()
