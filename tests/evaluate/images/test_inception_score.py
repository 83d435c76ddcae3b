from __future__ import annotations

import numpy as np
import pytest
import torch

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate.images.extractors import Extractor
from synthgen.evaluate.images.inception_score import (
    inception_score,
    inception_score_of,
    score_probabilities,
)

from .digits import digits


def shares(n: int, k: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(k, 0.3), n)


def test_bounds() -> None:
    assert inception_score_of(np.eye(7)) == pytest.approx(7)
    assert inception_score_of(np.full((5, 4), 0.25)) == pytest.approx(1)
    assert inception_score_of(np.eye(4)[[2, 2, 2]]) == pytest.approx(1)
    assert 1 < inception_score_of(shares(100, 6)) < 6


def test_by_hand() -> None:
    rows = np.array([[0.8, 0.2], [0.4, 0.6]])
    mean = np.array([0.6, 0.4])
    expected = np.exp((rows * np.log(rows / mean)).sum() / 2)
    assert inception_score_of(rows) == pytest.approx(expected)


# Torchmetrics warns of memory, and of the deviation of a single part.
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_against_torchmetrics() -> None:
    metric = pytest.importorskip("torchmetrics.image.inception")
    logits = torch.randn(200, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    theirs = metric.InceptionScore(feature=torch.nn.Identity(), splits=1)
    theirs.update(logits)
    expected = float(theirs.compute()[0])
    assert inception_score_of(logits.softmax(1).numpy()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("rows", [np.ones((3, 2)), np.array([[1.5, -0.5]]), np.empty((0, 3))])
def test_what_is_no_probability_is_refused(rows: np.ndarray) -> None:
    with pytest.raises(InvalidDataError):
        inception_score_of(rows)


def known(images: np.ndarray) -> np.ndarray:
    """Tell the class by the brightness of the first pixel."""
    return np.eye(10)[np.round(images[:, 0, 0, 0] * 9).astype(int)]


def test_of_images() -> None:
    extractor = Extractor("known", lambda images: images.reshape(len(images), -1), known)
    codes = np.arange(400) % 10
    images = np.zeros((400, 1, 8, 8), dtype=np.float32)
    images[:, 0, 0, 0] = codes / 9
    found = inception_score(images, images[codes < 5], extractor=extractor, splits=1)
    assert found.name == "IS[known]"
    assert found.value == pytest.approx(5, rel=0.02)
    assert found.ceiling == pytest.approx(10, rel=0.05)
    assert found.floor == 1
    assert inception_score(images, images, extractor=extractor).details["splits"] == 10
    assert inception_score(images, images[:15], extractor=extractor).details["splits"] == 1


def test_an_extractor_without_classes_is_refused() -> None:
    images, _ = digits()
    with pytest.raises(InvalidParameterError, match="probabilities"):
        inception_score(images, images, extractor="pixels")


def test_both_sides_have_parts_of_the_same_size() -> None:
    perfect = np.eye(10)[np.arange(1_000) % 10]
    options = {"splits": 10, "extractor": "own", "seed": 0, "details": {}}
    found = score_probabilities(perfect, perfect[:60], **options)
    assert found.details["splits"] == 6
    assert found.value == pytest.approx(found.ceiling, rel=0.2)
    assert score_probabilities(perfect[:200], perfect[:8], **options).details["splits"] == 1
