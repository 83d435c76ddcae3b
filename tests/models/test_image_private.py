from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone

from synthgen import load
from synthgen.errors import InvalidDataError, InvalidParameterError, TrainingWarning
from synthgen.models import image_private
from synthgen.models.image import ImageGANSynthesizer
from synthgen.models.image_refusals import EMBEDDING_REFUSALS, IMAGE_GRADIENT_REFUSALS
from synthgen.privacy import (
    DPSGD,
    BudgetExceededError,
    DPEmbedding,
    DPMarginals,
    PrivacyError,
    PrivacyWarning,
    SharedLedger,
)
from tests.privacy.proof.scan import texts_of
from tests.train.image_tasks import digits

#: As bytes, whose black and white are known.
SCALE = 255 // 16


@pytest.fixture(autouse=True)
def short_preparation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learn from the release for a few steps only before a private critic joins."""
    short = image_private.EMBEDDING_RECIPE.replace(steps=20, batch_size=40)
    monkeypatch.setattr(image_private, "EMBEDDING_RECIPE", short)


def bytes_of_digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = digits(997)
    return (X * SCALE).astype(np.uint8), y


def private(privacy: Any = None, **options: Any) -> ImageGANSynthesizer:
    own = DPEmbedding(5.0, n_waves=50) if privacy is None else privacy
    asked = {"classes": range(10), "max_steps": 40, "random_state": 0, "batch_size": 40} | options
    return ImageGANSynthesizer(privacy=own, **asked)


@pytest.fixture(scope="module")
def fitted() -> ImageGANSynthesizer:
    return private().fit(*bytes_of_digits())


def test_a_private_model_keeps_its_promise(fitted: ImageGANSynthesizer) -> None:
    assert fitted.is_private_
    assert 4.99 < fitted.epsilon_ <= 5.0 * (1 + 1e-6)
    assert fitted.delta_ == 1e-6
    assert [event.mechanism for event in fitted.ledger_.events] == ["gaussian"]
    assert any("one image with its label" in text for text in fitted.ledger_.assumptions)
    images, labels = fitted.sample(50, random_state=1, return_labels=True)
    assert images.shape == (50, 8, 8)
    assert images.dtype == np.uint8
    assert set(labels.tolist()) <= set(range(10))
    assert {"step", "misfit"} <= set(fitted.history_)
    assert fitted.history_["misfit"].iloc[-1] < fitted.history_["misfit"].iloc[0]


def test_labels_are_as_frequent_as_was_released() -> None:
    X, y = bytes_of_digits()
    kept = (y != 3) & ((y != 0) | (np.arange(len(y)) % 4 == 0))
    model = private(DPEmbedding(20.0, n_waves=10, count_share=0.5), max_steps=2)
    with pytest.warns(PrivacyWarning, match="weak"):
        model.fit(X[kept], y[kept])
    shares = np.asarray(model.sampler_.labels.shares)
    true = np.bincount(y[kept], minlength=10) / kept.sum()
    np.testing.assert_allclose(shares, true, atol=0.01)
    assert not np.allclose(shares, true, atol=1e-9)


def test_noise_is_not_the_random_state_and_a_noise_seed_is_no_privacy() -> None:
    X, y = bytes_of_digits()

    def means(**options: Any) -> torch.Tensor:
        model = private(DPEmbedding(1.0, n_waves=4, **options), max_steps=3).fit(X, y)
        if options:
            assert not model.is_private_
            assert model.epsilon_ == np.inf
        return model.sampler_.generator.last.weight

    assert not torch.equal(means(), means())
    with pytest.warns(PrivacyWarning, match="noise_seed"):
        assert torch.equal(means(noise_seed=3), means(noise_seed=3))


def test_saved_and_loaded(fitted: ImageGANSynthesizer, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.privacy.get_params() == fitted.privacy.get_params()
    assert (again.epsilon_, again.is_private_) == (fitted.epsilon_, True)
    assert again.ledger_.assumptions == fitted.ledger_.assumptions
    kept = again.sample(5, random_state=0)
    np.testing.assert_array_equal(kept, fitted.sample(5, random_state=0))
    assert clone(again).get_params()["classes"] == list(range(10))


def test_no_image_and_no_statistic_is_in_the_model(
    fitted: ImageGANSynthesizer, tmp_path: Path
) -> None:
    fitted.save(tmp_path / "model")
    saved = texts_of(tmp_path / "model")
    X, y = bytes_of_digits()
    units = (X.astype(np.float32) / np.float32(127.5) - 1).astype(np.float32)
    secrets = [image.tobytes() for image in X] + [image.tobytes() for image in units]
    # A number of images of which no tenth is round.
    secrets += [repr(float(share)).encode() for share in np.bincount(y) / len(y)]
    secrets += [units[y == k].mean(axis=0).tobytes() for k in range(10)]
    assert not [secret for secret in secrets if secret in saved]


def test_private_gradients_learn_beside_the_release() -> None:
    X, y = bytes_of_digits()
    privacy = DPSGD(8.0, batch_size=60, steps=25, critic_steps=2, one_way_share=0.5)
    model = private(privacy, max_steps="auto", batch_size="auto").fit(X, y)
    assert model.n_steps_ == 25
    assert [event.count for event in model.ledger_.events] == [1, 25]
    assert 7.9 < model.epsilon_ <= 8.0 * (1 + 1e-6)
    assert model.sample(4).shape == (4, 8, 8)
    assert np.isfinite(model.score_samples(X[:5], y[:5])).all()
    assert {"critic_fake", "critic_steps", "misfit"} <= set(model.history_)


def test_updates_that_time_cuts_off_are_charged_and_told() -> None:
    privacy = DPSGD(8.0, batch_size=60, steps=5_000)
    model = private(privacy, max_steps="auto", batch_size="auto", max_minutes=0.01)
    with pytest.warns(TrainingWarning, match=r"of 5000 updates, which are all charged"):
        model.fit(*bytes_of_digits())
    assert model.ledger_.events[-1].count == 5_000


def test_images_without_labels() -> None:
    X, _ = bytes_of_digits()
    model = private(classes=None, max_steps=3).fit(X)
    assert model.sample(3).shape == (3, 8, 8)
    assert model.classes_ == []


def test_an_undeclared_label_counts_nowhere() -> None:
    X, y = bytes_of_digits()
    y = np.where(y == 9, 77, y)
    for privacy in (
        DPEmbedding(20.0, n_waves=4, count_share=0.5, allow_weak=True),
        DPSGD(20.0, batch_size=30, steps=2, one_way_share=0.5),
    ):
        model = private(
            privacy, max_steps="auto" if isinstance(privacy, DPSGD) else 2, batch_size="auto"
        )
        with pytest.warns(PrivacyWarning, match="weak"):
            model.fit(X, y)
        assert model.sampler_.labels.shares[9] < 0.02


REFUSED = {
    "augment": "cutout",
    "balance": 1.0,
    "transform": np.asarray,
    "warm_start": True,
    "checkpoint_dir": "here",
    "preset": "dcgan",
    "max_steps": 10,
    "batch_size": 16,
}


@pytest.mark.parametrize("name", [name for name, _, _ in EMBEDDING_REFUSALS])
def test_refused_with_a_release(name: str) -> None:
    with pytest.raises(PrivacyError, match=rf"{name}=.*cannot be private"):
        private(**{name: REFUSED[name]}).fit(*bytes_of_digits())


@pytest.mark.parametrize("name", [name for name, _, _ in IMAGE_GRADIENT_REFUSALS])
def test_refused_with_gradients(name: str) -> None:
    options = {"max_steps": "auto", "batch_size": "auto", name: REFUSED[name]}
    with pytest.raises(PrivacyError, match=rf"{name}=.*cannot be private"):
        private(DPSGD(3.0), **options).fit(*bytes_of_digits())


@pytest.mark.parametrize("preset", ["strided", "wgan-gp", "dcgan", "r3gan", "stylegan2-ada"])
def test_recipes_that_read_real_images_elsewhere_are_refused(preset: str) -> None:
    model = private(DPSGD(3.0, steps=3), preset=preset, max_steps="auto", batch_size="auto")
    with pytest.raises(PrivacyError, match=r"cannot|refused|use"):
        model.fit(*bytes_of_digits())


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"privacy": DPMarginals(1.0)}, InvalidParameterError, "for images, got DPMarginals"),
        ({"privacy": "strict"}, InvalidParameterError, "got str"),
        ({"privacy": DPEmbedding(-1.0)}, InvalidParameterError, "epsilon"),
        ({"privacy": DPEmbedding(np.inf)}, PrivacyError, "infinite"),
        ({"privacy": DPEmbedding(1.0, n_waves=1)}, InvalidParameterError, "n_waves"),
        ({"privacy": DPEmbedding(1.0, count_share=1.0)}, InvalidParameterError, "count_share"),
        ({"privacy": DPSGD(1.0, infer="spend")}, PrivacyError, "infer='spend'"),
        ({"classes": None}, PrivacyError, "classes="),
        ({"classes": [1, 1]}, InvalidParameterError, "different labels"),
        ({"classes": "abc"}, InvalidParameterError, "different labels"),
        ({"classes": []}, InvalidParameterError, "different labels"),
    ],
    ids=str,
)
def test_bad_requests(options: dict[str, Any], error: type[Exception], words: str) -> None:
    defaults = {"max_steps": "auto", "batch_size": "auto"}
    with pytest.raises(error, match=words):
        private(**defaults | options).fit(*bytes_of_digits())


def test_bad_data() -> None:
    X, y = bytes_of_digits()
    with pytest.raises(PrivacyError, match="value_range"):
        private().fit(X / 255.0, y)
    with pytest.raises(PrivacyError, match="at least 500 rows"):
        private().fit(X[:400], y[:400])
    with pytest.raises(InvalidDataError, match="labels"):
        private().fit(X, y[:-1])
    with pytest.raises(InvalidDataError, match="label"):
        private().fit(X, np.column_stack([y, y]))
    model = private(value_range=(0.0, 1.0), max_steps=2).fit(X / 255.0, y)
    assert model.spec_.high == 1.0


def test_a_private_model_is_fitted_once(fitted: ImageGANSynthesizer) -> None:
    X, y = bytes_of_digits()
    for more in (fitted.fine_tune, fitted.partial_fit):
        with pytest.raises(PrivacyError, match="budget of their own"):
            more(X, y)


def test_nothing_scores_images_without_a_critic(fitted: ImageGANSynthesizer) -> None:
    X, y = bytes_of_digits()
    with pytest.raises(InvalidParameterError, match="has no critic"):
        fitted.score_samples(X[:3], y[:3])
    with pytest.raises(InvalidParameterError, match="has no critic"):
        fitted.sample(3, reject="critic")


def test_a_shared_ledger_refuses_what_is_too_much(tmp_path: Path) -> None:
    X, y = bytes_of_digits()
    path = tmp_path / "ledger.json"
    SharedLedger.create(path, epsilon=3.0, delta=1e-6)
    private(DPEmbedding(2.0, n_waves=4, ledger=path), max_steps=1).fit(X, y)
    with pytest.raises(BudgetExceededError):
        private(DPEmbedding(2.9, n_waves=4, ledger=path), max_steps=1).fit(X, y)


def test_declared_classes_without_privacy() -> None:
    X, y = digits()
    model = ImageGANSynthesizer(classes=[*range(10), 10], max_steps=2, random_state=0).fit(X, y)
    assert model.classes_ == [[*range(11)]]
    assert not model.is_private_
    with pytest.raises(InvalidDataError, match="none of the declared classes"):
        ImageGANSynthesizer(classes=[1, 2], max_steps=2).fit(X, y)


def test_a_single_image_decides_neither_the_channels_nor_the_type(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    X, y = bytes_of_digits()
    for place in range(6):
        colour = np.repeat(X[place][:, :, None], 3, axis=2) if place == 5 else X[place]
        image.fromarray(colour).save(tmp_path / f"{place}.png")
    model = private(classes=None)
    with pytest.raises(InvalidDataError, match="1 and 3 channels"):
        model.fit(tmp_path)
    mixed = [*X[:20], X[20].astype(np.int16)]
    with pytest.raises(PrivacyError, match="of several types"):
        private().fit(mixed, y[:21])
