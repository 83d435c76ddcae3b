"""The scores of an image report: what each one asks, in which words, and how it is rated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from synthgen.evaluate.report.content import Score
from synthgen.evaluate.report.rating import rate
from synthgen.evaluate.result import Result


@dataclass(frozen=True)
class ImageEntry:
    """One score of the report.

    Parameters
    ----------
    key : str
        Name among the results.
    title, question, family, definition : str
        See :class:`~synthgen.evaluate.report.content.Score`.
    scale : {"between", "near"}
        How the value is rated, see :func:`~synthgen.evaluate.report.rating.rate`.
    good, fair : float
        Largest gap to the ceiling with that rating.
    decides : bool
        Whether the verdict depends on it.
    """

    key: str
    title: str
    question: str
    family: str
    definition: str
    scale: Literal["between", "near"] = "near"
    good: float = 0.05
    fair: float = 0.2
    decides: bool = False


ENTRIES: Final = (
    ImageEntry(
        "classifier_accuracy",
        "Accuracy of a classifier trained on synthetic images",
        "How well does a classifier that has seen synthetic images only know real ones?",
        "Use",
        "A small convolutional network is trained on the synthetic images and their labels, and "
        "tested on real images. The floor is the share of the largest class, the ceiling what the "
        "same network reaches after training on real images.",
        "between",
        decides=True,
    ),
    ImageEntry(
        "frechet",
        "Frechet distance",
        "How far is the distribution of features from the real one?",
        "Fidelity",
        "The distance of two normal distributions with the means and covariances of the features. "
        "It compares with distances in equal features at equal numbers of images only, and is a "
        "FID with Inception's features only. The floor is that of images of independent pixels.",
        "between",
        0.01,
        0.05,
    ),
    ImageEntry(
        "kernel",
        "Kernel distance",
        "The same without bias for few images. Is it more than chance?",
        "Fidelity",
        "The squared maximum mean discrepancy of the features with a polynomial kernel; it may be "
        "below 0 by chance.",
        "between",
        0.05,
        0.15,
    ),
    ImageEntry(
        "precision",
        "Precision",
        "What share of synthetic images lies where real ones do?",
        "Fidelity",
        "The share of synthetic images whose features lie within the distance from some real image "
        "to its k-th neighbour.",
    ),
    ImageEntry(
        "density",
        "Density",
        "How deep among real images do synthetic ones lie?",
        "Fidelity",
        "How many of such balls around real images a synthetic one lies in, over k.",
    ),
    ImageEntry(
        "inception_score",
        "Inception score",
        "Is each image of one class, and are they together of many?",
        "Fidelity",
        "The exponential of the mutual information of image and predicted class.",
        "between",
    ),
    ImageEntry(
        "recall",
        "Recall",
        "What share of real images lies where synthetic ones do?",
        "Variety",
        "Precision with the sides exchanged.",
    ),
    ImageEntry(
        "coverage",
        "Coverage",
        "What share of real images has a synthetic one nearby?",
        "Variety",
        "The share of real images with a synthetic one within the distance to their k-th neighbour "
        "among real ones.",
    ),
    ImageEntry(
        "class_coverage",
        "Class coverage",
        "What share of the classes is there?",
        "Variety",
        "The share of classes that a classifier gives at least a tenth of the synthetic images "
        "that they should have.",
        good=0.0,
        fair=0.1,
        decides=True,
    ),
    ImageEntry(
        "ms_ssim",
        "Likeness within classes",
        "How alike are two images of one class? Far above real images, a class has collapsed.",
        "Variety",
        "The mean multi-scale structural similarity of pairs of images of one class.",
        "between",
        0.1,
        0.3,
    ),
    ImageEntry(
        "memorised",
        "Closer than real ones",
        "What share lies closer to a training image than all but 1 % of fresh real images do?",
        "Memorisation",
        "The distance to the nearest training image is that of pixels, averaged to 32 x 32 at "
        "most. Passing says little: a copy that is moved or recoloured lies far in pixels.",
        good=0.01,
        fair=0.05,
        decides=True,
    ),
)


def scores_of(results: Mapping[str, Result]) -> list[Score]:
    """Return the lines of the report.

    Parameters
    ----------
    results : mapping of str to Result
        By name, as in :func:`~synthgen.evaluate.images.report.image_report`.
    """
    return [_score(entry, results[entry.key]) for entry in ENTRIES if entry.key in results]


def _score(entry: ImageEntry, result: Result) -> Score:
    # Names carry the features that they were measured in, for instance "FD[domain]".
    features = result.name.partition("[")[2]
    return Score(
        name=result.name,
        title=entry.title + (f" [{features}" if features else ""),
        question=entry.question,
        family=entry.family,
        value=result.value,
        direction=result.direction,
        interval=result.interval,
        floor=result.floor,
        ceiling=result.ceiling,
        rating=rate(entry, result, result.floor, result.ceiling),
        note="" if result.applicable else f"not applicable: {result.details['not_applicable']}",
        definition=entry.definition,
        reference=result.reference,
    )
