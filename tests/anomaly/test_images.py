"""The detector on images."""

from __future__ import annotations

import numpy as np
import pytest

from synthgen.anomaly import GANOutlierDetector
from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.models.image import ImageGANSynthesizer
from synthgen.models.image_encoder import ImageEncoder


def test_bars_on_the_other_side_are_strange(
    image_detector: GANOutlierDetector, pictures: np.ndarray
) -> None:
    odd = pictures[:20, :, ::-1]
    assert image_detector.score_samples(odd).max() < np.median(
        image_detector.score_samples(pictures)
    )
    assert (image_detector.predict(pictures) == 1).mean() > 0.8


def test_every_method_is_finite(image_detector: GANOutlierDetector, pictures: np.ndarray) -> None:
    scores = image_detector.method_scores(pictures[:7])
    assert {"fanogan", "critic", "critic_features", "critic_mahalanobis"} <= set(scores)
    assert {"isolation_forest", "knn", "pca"} <= set(scores)
    assert np.isfinite(scores.to_numpy()).all()
    assert "anogan" not in scores


def test_maps_are_as_large_as_the_images(
    image_detector: GANOutlierDetector, pictures: np.ndarray
) -> None:
    found = image_detector.anomaly_map(pictures[:3])
    assert found.shape == (3, 8, 8)
    assert 0.0 <= found.min() <= found.max() <= 2.0


def test_the_encoder_learns_to_reconstruct(pictures: np.ndarray) -> None:
    images = (pictures[:, None].astype(np.float32) / 127.5) - 1.0
    synth = ImageGANSynthesizer(max_steps=30, batch_size=16, random_state=0).fit(pictures)
    before = ImageEncoder(synth).fit(images, steps=1).reconstruct(images)
    encoder = ImageEncoder(synth).fit(images, steps=60)
    after = encoder.reconstruct(images)
    assert after.total.mean() < before.total.mean()
    searched = encoder.search(images[:8], steps=10)
    assert searched.total.mean() < after.total[:8].mean()


def test_latent_search_on_request(pictures: np.ndarray) -> None:
    synthesizer = ImageGANSynthesizer(max_steps=2, batch_size=16, random_state=0)
    detector = GANOutlierDetector(synthesizer=synthesizer, method="anogan", random_state=0)
    assert list(detector.fit(pictures[:20]).method_) == ["anogan"]
    assert np.isfinite(detector.score_samples(pictures[:3])).all()


def test_bad_images(image_detector: GANOutlierDetector, pictures: np.ndarray) -> None:
    with pytest.raises(InvalidDataError, match="fitted to"):
        image_detector.score_samples(np.zeros((3, 9, 9), dtype=np.uint8))
    with pytest.raises(InvalidDataError, match="about tables"):
        image_detector.explain(pictures)
    with pytest.raises(InvalidParameterError, match="method must be one of"):
        GANOutlierDetector(method="likelihood").fit(pictures)
