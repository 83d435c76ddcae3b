from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate.images.classes import apply_labels, encode_labels
from synthgen.evaluate.images.classifier import class_coverage, classifier_accuracy, coverage_of

from .digits import digits, noisy


def test_good_labels_teach_and_bad_ones_do_not() -> None:
    images, codes = digits()
    train, test = slice(0, 800), slice(800, 1400)
    made, made_codes = noisy(images[1400:], 0.1), codes[1400:]
    shared = {"labels": codes[train], "holdout": images[test], "holdout_labels": codes[test]}
    good = classifier_accuracy(images[train], made, synthetic_labels=made_codes, **shared)
    assert 0.8 < good.value <= good.ceiling + 0.02
    assert good.ceiling > 0.9
    assert good.floor == pytest.approx(0.1, abs=0.03)
    assert good.interval[0] < good.value < good.interval[1]
    accuracy = good.details["accuracy"]
    assert accuracy["synthetic to real"] == good.value
    assert accuracy["real to synthetic"] > 0.8
    assert accuracy["mixed to real"] > good.value - 0.02
    bad = classifier_accuracy(images[train], made, synthetic_labels=(made_codes + 1) % 10, **shared)
    assert bad.value < 0.1
    assert bad.details["accuracy"]["real to synthetic"] < 0.1


def test_a_class_that_is_missing_is_the_worst() -> None:
    images, codes = digits()
    names = np.array(list("abcdefghij"))[codes]
    kept = codes[900:] != 4
    found = classifier_accuracy(
        images[:900],
        images[900:][kept],
        labels=names[:900],
        synthetic_labels=names[900:][kept],
    )
    worst = found.breakdown.iloc[0]
    assert worst["class"] == "e"
    assert worst["synthetic to real"] == 0
    assert np.isnan(worst["real to synthetic"])
    assert found.to_dict()["breakdown"][0]["real to synthetic"] is None
    assert found.details["test_side"] == "a quarter of the real images"
    assert found.details["test_images"] == pytest.approx(225, abs=10)


def test_repeats_and_seeds() -> None:
    images, codes = digits()
    options = {"labels": codes[:150], "synthetic_labels": codes[150:250]}
    first, again = (
        classifier_accuracy(images[:150], images[150:250], repeats=2, **options) for _ in "12"
    )
    assert first.to_dict() == again.to_dict()
    assert len(first.details["repeats"]) == 2
    assert first.value == pytest.approx(np.mean(first.details["repeats"]))


def test_awkward_classes() -> None:
    images, _ = digits()
    one = classifier_accuracy(images[:9], images[:9], labels=[1] * 9, synthetic_labels=[1] * 9)
    assert one.value is None
    assert "two classes" in one.details["not_applicable"]
    # Two images of two classes: nothing to test on but what was learned from.
    tiny = classifier_accuracy(images[:4], images[:1], labels=[0, 0, 0, 1], synthetic_labels=[1])
    assert 0 <= tiny.value <= 1


def test_wrong_labels_are_refused() -> None:
    images, codes = digits()
    with pytest.raises(InvalidDataError, match="synthetic_labels has the class 11"):
        classifier_accuracy(images[:20], images[:20], labels=codes[:20], synthetic_labels=[11] * 20)
    with pytest.raises(InvalidDataError, match="holdout_labels must hold one label"):
        classifier_accuracy(
            images[:20],
            images[:20],
            labels=codes[:20],
            synthetic_labels=codes[:20],
            holdout=images[:20],
        )
    with pytest.raises(InvalidParameterError, match="repeats"):
        classifier_accuracy(
            images[:9], images[:9], labels=codes[:9], synthetic_labels=codes[:9], repeats=0
        )


def test_labels_of_any_type() -> None:
    codes, classes = encode_labels(pd.Series(["b", "a", "b"], dtype="category"), 3)
    assert (codes.tolist(), classes) == ([1, 0, 1], ["a", "b"])
    codes, classes = encode_labels([3, "x", 3], 3)
    assert (codes[0], codes[2]) == (codes[2], codes[0])
    assert apply_labels(np.array([2, 1]), 2, [1, 2], "labels").tolist() == [1, 0]
    with pytest.raises(InvalidDataError, match="missing labels"):
        encode_labels(["a", None], 2)


def test_coverage_counts_classes_with_a_tenth_of_their_due() -> None:
    real = np.repeat([0, 1, 2, 3], 25)
    made = np.array([0] * 600 + [1] * 375 + [2] * 25)
    found = coverage_of(real, made, ["a", "b", "c", "d"])
    assert found.value == 0.75
    assert found.details["missing"] == ["d"]
    assert list(found.breakdown["class"]) == ["d", "c", "b", "a"]
    assert found.details["distance_of_shares"] == pytest.approx(0.475)


def test_coverage_needs_no_labels_of_synthetic_images() -> None:
    images, codes = digits()
    found = class_coverage(images[:1200], images[1200:][codes[1200:] < 7], labels=codes[:1200])
    assert found.value == pytest.approx(0.7)
    assert set(found.details["missing"]) == {7, 8, 9}
    assert class_coverage(images[:9], images[:9], labels=[1] * 9).value is None


def test_of_few_images_some_classes_are_absent_by_chance() -> None:
    rng = np.random.default_rng(0)
    real = np.arange(1_000) % 100
    values = [coverage_of(real, rng.integers(0, 100, 100), list(range(100))) for _ in range(50)]
    assert np.mean([found.value for found in values]) == pytest.approx(values[0].ceiling, abs=0.02)
    assert values[0].ceiling == pytest.approx(1 - 0.99**100)
    inside = [found.interval[0] <= found.ceiling <= found.interval[1] for found in values]
    assert np.mean(inside) > 0.9
