"""Every method for images, fitted on the same images."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA

from synthgen.anomaly.baselines import Components, Detector, Forest, Neighbours
from synthgen.anomaly.models import Timed, fresh_model
from synthgen.anomaly.planted_images import IMAGE_KINDS, planted_images

Vector = NDArray[np.float64]
Images = NDArray[np.float32]

_ADVERSARIAL: Final = ("fanogan", "anogan", "critic", "critic_features", "critic_mahalanobis")
_BASELINES: Final = ("isolation_forest", "knn", "pca")
#: Methods for images.
IMAGE_METHODS: Final = (*_ADVERSARIAL, *_BASELINES)
#: Principal components of the critic's features that distances are taken in, at most.
_MOST_COMPONENTS: Final = 128
#: The search for latent vectors takes long: it is left out unless asked for by name.
_ON_REQUEST: Final = "anogan"


class FeatureSpace:
    """Standardised critic features, their principal components and distances in them.

    Parameters
    ----------
    features : numpy.ndarray of shape (n, k)
        Of training images.
    seed : int
    """

    def __init__(self, features: Vector, seed: int) -> None:
        self._middle = features.mean(axis=0)
        self._spread = features.std(axis=0) + 1e-6
        count = min(_MOST_COMPONENTS, len(features) - 1, features.shape[1])
        self._components = PCA(max(count, 1), random_state=seed % 2**32)
        points = self._components.fit_transform(self._scaled(features))
        self._search = Neighbours(seed).fit(points)
        self._covariance = LedoitWolf().fit(points)

    def _scaled(self, features: Vector) -> Vector:
        return np.asarray((features - self._middle) / self._spread)

    def neighbours(self, features: Vector) -> Vector:
        """Return mean distances to the nearest training images."""
        return self._search.abnormality(self._components.transform(self._scaled(features)))

    def mahalanobis(self, features: Vector) -> Vector:
        """Return squared Mahalanobis distances (covariance shrunk, Ledoit and Wolf 2004)."""
        points = self._components.transform(self._scaled(features))
        return np.asarray(self._covariance.mahalanobis(points), dtype=np.float64)


class ImageMethods(Timed):
    """A generator, a critic, an encoder, and the detectors beside them.

    Parameters
    ----------
    synthesizer : ImageGANSynthesizer
        Unfitted; cloned for each of the models.
    n_models : int
    seed : int
    """

    panel = ("isolation_forest", "knn", "pca")

    def __init__(self, synthesizer: Any, n_models: int, seed: int) -> None:
        super().__init__()
        self._synthesizer, self._n_models, self._seed = synthesizer, n_models, seed
        self.names: tuple[str, ...] = tuple(n for n in IMAGE_METHODS if n != _ON_REQUEST)

    def request(self, name: str) -> None:
        """Offer a method that is left out unless asked for."""
        self.names = tuple(n for n in IMAGE_METHODS if n in (*self.names, name))

    def fit(self, images: Images) -> ImageMethods:
        """Fit everything to the training images."""
        from synthgen.models.image_encoder import ImageEncoder

        self.models = [self._fitted(images, k) for k in range(self._n_models)]
        self.encoders = [
            self._timed("fanogan", partial(ImageEncoder(model).fit, images, **self._effort(model)))
            for model in self.models
        ]
        self.spaces = [
            self._timed(
                "critic_features",
                partial(self._space, model, images),
            )
            for model in self.models
        ]
        makers: dict[str, Callable[[int], Detector]] = {
            "isolation_forest": Forest, "knn": Neighbours, "pca": Components
        }  # fmt: skip
        pixels = _pixels(images)
        self.baselines = {
            name: self._timed(name, partial(make(self._seed).fit, pixels))
            for name, make in makers.items()
        }
        return self

    def _space(self, model: Any, images: Images) -> FeatureSpace:
        from synthgen.models.image_features import critic_features

        return FeatureSpace(critic_features(model, images), self._seed)

    def abnormality(self, images: Images, names: tuple[str, ...]) -> dict[str, Vector]:
        """Return scores of the given methods, the higher the stranger."""
        from synthgen.models.image_features import critic_features, critic_scores

        found: dict[str, Vector] = {}
        pixels = _pixels(images)
        for name in names:
            if name in self.baselines:
                found[name] = self.baselines[name].abnormality(pixels)
        if "fanogan" in names:
            errors = [own.reconstruct(images).total for own in self.encoders]
            found["fanogan"] = np.mean(errors, axis=0)
        if "anogan" in names:
            found["anogan"] = np.mean([e.search(images).total for e in self.encoders], axis=0)
        if "critic" in names:
            found["critic"] = -np.mean([critic_scores(m, images) for m in self.models], axis=0)
        if {"critic_features", "critic_mahalanobis"} & set(names):
            features = [critic_features(model, images) for model in self.models]
            pairs = list(zip(self.spaces, features, strict=True))
            found["critic_features"] = np.mean([s.neighbours(f) for s, f in pairs], axis=0)
            found["critic_mahalanobis"] = np.mean([s.mahalanobis(f) for s, f in pairs], axis=0)
        return {name: np.nan_to_num(found[name], posinf=1e30, neginf=-1e30) for name in names}

    def anomaly_map(self, images: Images) -> Images:
        """Return the absolute error of reconstructions, (n, height, width)."""
        maps = [own.reconstruct(images).map for own in self.encoders]
        return np.asarray(np.mean(maps, axis=0), dtype=np.float32)

    def planted(self, images: Images, n: int) -> dict[str, Images]:
        """Return calibration images spoilt in each way."""
        return {
            kind: planted_images(images, kind, n, random_state=self._seed) for kind in IMAGE_KINDS
        }

    def _effort(self, model: Any) -> dict[str, Any]:
        """Return how long the encoder trains: as long as the generator did, at most."""
        steps = max(int(model.n_steps_), 1)
        return {"steps": min(steps, 3_000), "seconds": 30.0 * model.max_minutes, "seed": self._seed}

    def _fitted(self, images: Images, number: int) -> Any:
        model = fresh_model(self._synthesizer, self._seed, number)
        model.set_params(layout="NCHW", value_range=(-1.0, 1.0))
        return self._timed(f"generator {number}", lambda: model.fit(images))


def _pixels(images: Images) -> Vector:
    return np.asarray(images.reshape(len(images), -1), dtype=np.float64)
