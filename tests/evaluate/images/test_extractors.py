from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.evaluate.images.extractors import (
    Extractor,
    custom,
    from_module,
    inception,
    make_extractor,
    with_channels,
)
from synthgen.evaluate.images.frechet import frechet
from synthgen.evaluate.images.inception import Inception, resize
from synthgen.evaluate.images.kernel import kernel

from .digits import digits, halves


def test_pixels_keep_distances() -> None:
    images, _ = digits()
    found = make_extractor("pixels", images)(images[:100])
    flat = images[:100].reshape(100, -1)
    ratios = np.linalg.norm(found[1:] - found[0], axis=1) / np.linalg.norm(
        flat[1:] - flat[0], axis=1
    )
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)
    large = np.random.default_rng(0).random((80, 3, 40, 50)).astype(np.float32)
    assert make_extractor("pixels", large)(large).shape == (80, 64)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 20, 13), (5, 9, 70), (1, 1, 1)])
def test_random_features_of_any_shape(shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(0).random((40, *shape)).astype(np.float32)
    found = make_extractor("random", images)(images)
    assert found.shape == (40, 64)
    assert np.isfinite(found).all()


def test_seeds() -> None:
    images, codes = digits()
    for name in ("random", "domain"):
        first, again, other = (
            make_extractor(name, images[:200], codes[:200], random_state=seed) for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(first(images), again(images))
        assert first.fingerprint(images) == again.fingerprint(images) != other.fingerprint(images)


def test_networks_leave_the_global_generator_alone() -> None:
    images, codes = digits()
    before = torch.random.get_rng_state()
    for name in ("random", "domain"):
        make_extractor(name, images[:100], codes[:100])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_domain_network_learns_the_classes() -> None:
    images, codes = digits()
    found = make_extractor("auto", images, codes)
    assert found.name == "domain"
    assert found.details["domain_accuracy"] > 0.9
    features = found(images)
    assert features.var(axis=0).sum() == pytest.approx(features.shape[1], rel=0.1)
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities(images[:9]).sum(axis=1), 1)


def test_auto_falls_back_to_random_features() -> None:
    images, codes = digits()
    senseless = np.random.default_rng(0).permutation(codes)
    for labels in (None, np.zeros(len(images)), senseless):
        assert make_extractor("auto", images, labels).name == "random"


def test_modules_and_functions() -> None:
    images, _ = digits()
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3), torch.nn.BatchNorm2d(5))
    found = from_module(net, "mine", size=16, mean=(0.5,), std=(0.5,), channels=3)
    assert found(images[:70]).shape == (70, 5)  # maps are averaged
    assert not net.training
    flat = make_extractor(torch.nn.Flatten(), images)
    assert flat.name == "Flatten"
    np.testing.assert_allclose(flat(images[:3]), images[:3].reshape(3, -1), rtol=1e-6)

    def corners(pictures: np.ndarray) -> np.ndarray:
        return pictures[:, 0, 0]

    wanted = custom("corner", corners, layout="channels_last", value_range=(-1, 1))
    np.testing.assert_allclose(wanted(images[:400]), images[:400, :, 0, 0] * 2 - 1)
    assert make_extractor(corners, images).name == "corners"
    assert make_extractor(wanted, images) is wanted


def test_bad_features_are_refused() -> None:
    images, codes = digits()
    for function in (
        lambda pictures: pictures,
        lambda pictures: np.full((len(pictures), 2), np.nan),
    ):
        with pytest.raises(InvalidDataError, match="Extractor 'odd'"):
            custom("odd", function)(images[:5])
    with pytest.raises(InvalidParameterError, match="extractor must be one of"):
        make_extractor("vgg", images)
    with pytest.raises(InvalidParameterError, match="needs labels"):
        make_extractor("domain", images)
    with pytest.raises(InvalidParameterError, match="two classes"):
        make_extractor("domain", images, np.zeros(len(images)))
    with pytest.raises(InvalidDataError, match="one label for each"):
        make_extractor("domain", images, codes[:-1])


@pytest.mark.parametrize("name", ["inception", "my Inception v3", "FID", ""])
def test_nothing_else_may_be_called_inception(name: str) -> None:
    with pytest.raises(InvalidParameterError, match="FID"):
        custom(name, len)


def test_channels() -> None:
    grey = np.random.default_rng(0).random((2, 1, 4, 4)).astype(np.float32)
    assert (with_channels(grey, 3) == grey).all()
    clear = np.random.default_rng(0).random((2, 4, 4, 4)).astype(np.float32)
    np.testing.assert_array_equal(with_channels(clear, 3), clear[:, :3])
    with pytest.raises(InvalidDataError, match="3 channels and the images have 2"):
        with_channels(clear[:, :2], 3)


def test_resizing_by_the_old_rule() -> None:
    row = torch.arange(4.0).expand(1, 1, 3, 4)
    assert resize(row, 8)[0, 0, 0].tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3]
    assert resize(row, 2)[0, 0, 0].tolist() == [0, 2]


@pytest.mark.slow
def test_inception_weights_come_from_a_file(tmp_path: Path) -> None:
    real, other = halves()
    path = tmp_path / "weights.pth"
    state = Inception().state_dict()
    assert len(state) == 566  # those of the published file, with counters of batches
    torch.save(state, path)
    found = inception(path)
    assert found(real[:2]).shape == (2, 2048)
    assert found.probabilities is not None
    assert found.probabilities(real[:2]).shape == (2, 1008)
    result = kernel(real[:4], other[:4], extractor=found)
    assert result.name == "KID"
    assert len(result.details["weights"]) == 12
    refused = frechet(real[:4], other[:4], extractor=found)
    assert (refused.name, refused.value) == ("FID", None)
    torch.save({name: state[name] for name in list(state)[:9]}, path)
    with pytest.raises(InvalidDataError, match="does not hold the Inception v3 weights"):
        inception(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataError, match="no file of Inception weights"):
        inception(tmp_path / "none.pth")


def test_an_extractor_is_described_in_results() -> None:
    real, other = halves()
    own = Extractor("rows", lambda images: images.mean(axis=(1, 3)), None, {"kind": "toy"})
    details = frechet(real, other, extractor=own).details
    assert (details["extractor"], details["kind"]) == ("rows", "toy")
    assert len(details["fingerprint"]) == 12
