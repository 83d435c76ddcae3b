"""Are generated images any good? Scores on features, by classifiers, and against copying.

Every score says what it would be for real images (its ceiling) and for scrambled ones (its floor),
and is named after the features that it was measured in: it is a FID with Inception weights only.

>>> import numpy as np
>>> from synthgen.evaluate import images
>>> pictures = np.random.default_rng(0).random((300, 8, 8))
>>> images.frechet(pictures[:200], pictures[200:], extractor="pixels").name
'FD[pixels]'
"""

from synthgen.evaluate.images.classifier import class_coverage, classifier_accuracy
from synthgen.evaluate.images.extractors import (
    Extractor,
    custom,
    from_module,
    inception,
    make_extractor,
)
from synthgen.evaluate.images.frechet import frechet
from synthgen.evaluate.images.inception_score import inception_score
from synthgen.evaluate.images.kernel import kernel
from synthgen.evaluate.images.msssim import intra_class_similarity
from synthgen.evaluate.images.nearest import memorisation
from synthgen.evaluate.images.neighbours import neighbourhoods
from synthgen.evaluate.images.report import ImageReport, image_report

__all__ = [
    "Extractor",
    "ImageReport",
    "class_coverage",
    "classifier_accuracy",
    "custom",
    "frechet",
    "from_module",
    "image_report",
    "inception",
    "inception_score",
    "intra_class_similarity",
    "kernel",
    "make_extractor",
    "memorisation",
    "neighbourhoods",
]
