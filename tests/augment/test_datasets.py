"""Generated rows and images as data sets of torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from torch.utils.data import DataLoader

from synthgen import IndependentColumns
from synthgen.augment import Albumentations, MixedDataset, SyntheticDataset
from synthgen.errors import InvalidDataError, InvalidParameterError


@pytest.fixture(scope="module")
def synth() -> IndependentColumns:
    frame = pd.DataFrame({"x": np.sin(np.arange(60)), "c": ["a", "b", "b"] * 20, "y": [0, 1] * 30})
    return IndependentColumns(random_state=0).fit(frame)


def _made(synth: Any, length: int = 25, **options: Any) -> SyntheticDataset:
    defaults = {"label": "y", "random_state": 0, "block_size": 10}
    return SyntheticDataset(synth, length, **defaults | options)


def test_items_do_not_depend_on_the_order(synth: IndependentColumns) -> None:
    forward = _made(synth)
    backward = _made(synth)
    items = [forward[k] for k in range(25)]
    for place in reversed(range(25)):
        features, label = backward[place]
        assert np.array_equal(features, items[place][0])
        assert label == items[place][1]
    assert np.array_equal(forward[-1][0], items[24][0])
    with pytest.raises(IndexError):
        forward[25]


def test_shorter_is_the_head_of_longer(synth: IndependentColumns) -> None:
    assert np.array_equal(_made(synth, 3)[2][0], _made(synth, 1000)[2][0])


def test_blocks_are_made_when_needed_and_few_are_kept(synth: IndependentColumns) -> None:
    made = _made(synth, 10**9)
    made[10**9 - 1]
    for place in range(0, 80, 10):
        made[place]
    assert len(made._blocks) == 4


def test_types_and_loader(synth: IndependentColumns) -> None:
    features, labels = next(iter(DataLoader(_made(synth), batch_size=8)))
    assert features.shape == (8, 2)
    assert str(features.dtype) == "torch.float32"
    assert str(labels.dtype) == "torch.int64"
    assert SyntheticDataset(synth, 5, random_state=0)[0].shape == (3,)


@pytest.mark.slow
def test_workers_make_the_same_items(synth: IndependentColumns) -> None:
    alone = [batch[0].numpy() for batch in DataLoader(_made(synth), batch_size=5)]
    loader = DataLoader(_made(synth), batch_size=5, num_workers=2)
    together = [batch[0].numpy() for batch in loader]
    assert np.array_equal(np.concatenate(alone), np.concatenate(together))


def test_words_as_labels_and_conditions(synth: IndependentColumns) -> None:
    made = _made(synth, label="c", classes=["a", "b"], conditions={"c": "b"})
    assert {made[k][1] for k in range(25)} == {1}
    with pytest.raises(InvalidDataError, match="Pass classes"):
        _made(synth, label="c", classes=["a"])[0]
    with pytest.raises(InvalidParameterError, match="no column 'q'"):
        _made(synth, label="q")[0]


def test_other_epoch_other_rows(synth: IndependentColumns) -> None:
    made = _made(synth)
    before = made[0][0].copy()
    made.refresh(1)
    assert not np.array_equal(made[0][0], before)
    made.refresh(0)
    assert np.array_equal(made[0][0], before)


def test_images(noise: Any, shades: tuple[np.ndarray, np.ndarray]) -> None:
    noise.fit(*shades)
    image, label = SyntheticDataset(noise, 5, label=True, random_state=0)[3]
    assert image.shape == (8, 8)
    assert image.dtype == np.float32
    assert (image.min() >= 100) == (label == 1)
    only = SyntheticDataset(noise, 5, conditions={"y": 1}, random_state=0)
    assert only[0].min() >= 100


def test_images_with_words_as_labels(noise: Any, shades: tuple[np.ndarray, np.ndarray]) -> None:
    class Words:
        def sample(self, n: int, y: Any = None, random_state: Any = None, **options: Any) -> Any:
            images, codes = noise.fit(*shades).sample(n, y, random_state, return_labels=True)
            return images, np.array(["dark", "bright"])[codes]

    made = SyntheticDataset(
        Words(), 30, label=True, classes=["dark", "bright"], random_state=0, block_size=30
    )
    items = [made[k] for k in range(30)]
    assert {label for _, label in items} == {0, 1}
    assert all((image.min() >= 100) == label for image, label in items)


def test_mixed_appends(synth: IndependentColumns) -> None:
    real = [(np.array([k, 0], dtype=np.float32), 0) for k in range(4)]
    mixed = MixedDataset(real, _made(synth, 6), transform=lambda x: x + 100)
    assert len(mixed) == 10
    assert mixed[3][0].tolist() == [103, 100]
    assert np.array_equal(mixed[4][0], _made(synth, 6)[0][0])


def test_mixed_replaces_with_probability(synth: IndependentColumns) -> None:
    real = [(np.full(2, -2.0, dtype=np.float32), 0) for _ in range(400)]
    mixed = MixedDataset(real, _made(synth, 50), p=0.25)
    assert len(mixed) == 400

    def places() -> np.ndarray:
        return np.array([mixed[k][0][0] > -2 for k in range(400)])

    first = places()
    assert 0.17 < first.mean() < 0.33
    mixed.refresh(1)
    assert not np.array_equal(places(), first)
    with pytest.raises(InvalidParameterError):
        MixedDataset(real, _made(synth, 0), p=0.5)
    with pytest.raises(InvalidParameterError):
        MixedDataset(real, _made(synth), p=1.5)


def test_pipeline_on_the_real_side_with_channels_first() -> None:
    image = np.arange(12).reshape(3, 2, 2)
    flip = Albumentations(lambda image: {"image": image[:, ::-1]}, channels_first=True)
    assert np.array_equal(flip(image), image[:, :, ::-1])


class _Images:
    """An image model with two attributes of its labels."""

    classes_ = ((0, 1), ("a", "b"))
    spec_ = None

    def sample(
        self, n: int, y: Any = None, random_state: Any = None, *, return_labels: bool = False
    ) -> np.ndarray:
        return np.zeros((n, 8, 8))


def test_image_options_are_checked_before_training() -> None:
    with pytest.raises(InvalidParameterError, match="2 attributes"):
        SyntheticDataset(_Images(), 5, label=True)
    with pytest.raises(InvalidParameterError, match="'label'"):
        SyntheticDataset(_Images(), 5, conditions={"label": 1})


def test_labels_with_gaps_are_refused() -> None:
    frame = pd.DataFrame({"x": np.arange(20.0), "y": pd.array([1, None] * 10, dtype="Int64")})
    rows = SyntheticDataset(IndependentColumns().fit(frame), 50, label="y", random_state=0)
    with pytest.raises(InvalidDataError, match="'y' is missing"):
        rows[0]


def test_nullable_booleans_are_whole_numbers() -> None:
    frame = pd.DataFrame({"x": np.arange(20.0), "y": pd.array([True, False] * 10, "boolean")})
    rows = SyntheticDataset(IndependentColumns().fit(frame), 50, label="y", random_state=0)
    assert rows[0][1].dtype == np.int64


@pytest.mark.parametrize("encode", [lambda frame: None, lambda frame: frame.to_numpy()[:3]])
def test_what_encode_returns_is_checked(synth: IndependentColumns, encode: Any) -> None:
    with pytest.raises(InvalidDataError, match="encode must return"):
        SyntheticDataset(synth, 5, encode=encode, random_state=0)[0]


def test_encode_may_return_a_frame(synth: IndependentColumns) -> None:
    rows = SyntheticDataset(synth, 5, encode=lambda frame: frame, random_state=0)
    assert len(rows[0]) == len(rows.synthesizer.sample(1).columns)


def test_a_frame_is_no_sequence_of_items(synth: IndependentColumns) -> None:
    with pytest.raises(InvalidParameterError, match="a frame gives columns"):
        MixedDataset(pd.DataFrame({"x": [1.0]}), SyntheticDataset(synth, 5))
