"""The features of both sides, and of what a score is told apart from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from synthgen.core.random import generator, root_seed
from synthgen.evaluate.images.extractors import Extractor, Features, make_extractor
from synthgen.evaluate.images.pictures import Sides, make_sides, scramble
from synthgen.evaluate.result import Result

_SCRAMBLE = 73


@dataclass(frozen=True)
class Compared:
    """The features of both sides.

    Parameters
    ----------
    extractor : Extractor
    sides : Sides
    reference, made, fresh, scrambled : numpy.ndarray of shape (images, d)
    fingerprint : str
    """

    extractor: Extractor
    sides: Sides
    reference: Features
    made: Features
    fresh: Features
    scrambled: Features
    fingerprint: str

    @property
    def features(self) -> tuple[Features, Features, Features, Features]:
        """Features of the reference, of synthetic, of fresh real, and of scrambled images."""
        return self.reference, self.made, self.fresh, self.scrambled

    def described(self, result: Result) -> Result:
        """Return the result with what it is about."""
        about = {"extractor": self.extractor.name, "fingerprint": self.fingerprint}
        details = self.sides.details | about | self.extractor.details | result.details
        return replace(result, details=details)


def compared(
    real: Any,
    synthetic: Any,
    holdout: Any,
    labels: Any,
    extractor: Any,
    layout: str,
    max_images: int,
    random_state: Any,
) -> Compared:
    """Return the features of the sides that a metric compares."""
    seed = root_seed(random_state)
    sides = make_sides(
        real, synthetic, holdout, layout=layout, max_images=max_images, random_state=seed
    )
    found = make_extractor(extractor, sides.train, labels, random_state=seed)
    return featured(sides, found, seed)


def featured(sides: Sides, extractor: Extractor, seed: int) -> Compared:
    """Return the features of given sides, and of images with the same but independent pixels."""
    scrambled = scramble(sides.fresh, generator(seed, "score", _SCRAMBLE))
    pictures = (sides.reference, sides.made, sides.fresh, scrambled)
    own, made, fresh, worst = (extractor(images) for images in pictures)
    return Compared(extractor, sides, own, made, fresh, worst, extractor.fingerprint(sides.train))
