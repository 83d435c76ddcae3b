"""What an image report says and shows, as plain values and small pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from synthgen.evaluate.images.pictures import Images
from synthgen.evaluate.report.content import Overlay, Rating, Score, UtilityBar


@dataclass(frozen=True)
class Look:
    """Random images of one class, or of no class, of both sides.

    Parameters
    ----------
    name : str
        The class; empty without labels.
    real, synthetic : numpy.ndarray of shape (n, C, H, W)
    """

    name: str
    real: Images
    synthetic: Images


@dataclass(frozen=True)
class Pair:
    """An image beside the training image that is nearest to it.

    Parameters
    ----------
    images : numpy.ndarray of shape (2, C, H, W)
        The image, then the training image.
    relative : float or None
        Their distance as a multiple of what is usual for fresh real images.
    """

    images: Images
    relative: float | None


@dataclass(frozen=True)
class Closest:
    """The pairs that lie closest, and the same of real images as a control.

    Parameters
    ----------
    synthetic, control : list of Pair
        The closest first.
    control_side : str
        What stands for fresh real images: "holdout" or "training".
    distances : Overlay or None
        Distances to the nearest training image of both.
    """

    synthetic: list[Pair]
    control: list[Pair]
    control_side: str
    distances: Overlay | None


@dataclass(frozen=True)
class ClassRow:
    """The scores of one class; None where there is none.

    Parameters
    ----------
    name : str
    real, synthetic : float or None
        Share of its real test images that a classifier knows after training on either side.
    own : float or None
        Share of its synthetic images that a classifier trained on real ones takes for its own.
    likeness, likeness_real : float or None
        Mean similarity of two images of the class, of either side.
    """

    name: str
    real: float | None
    synthetic: float | None
    own: float | None
    likeness: float | None
    likeness_real: float | None


@dataclass(frozen=True)
class Stage:
    """Images of the same latent vectors at one moment of training.

    Parameters
    ----------
    name : str
        For instance "step 400".
    images : numpy.ndarray of shape (n, C, H, W)
    """

    name: str
    images: Images


@dataclass(frozen=True)
class ImageContent:
    """Everything that the report shows.

    Parameters
    ----------
    title : str
        Heading.
    rating : {"good", "fair", "poor", "none"}
        The verdict in a word.
    verdict : str
        The verdict in a sentence.
    tables : list of dict
        One per side: name, images, shape, what it is used for.
    scores : list of Score
        In the order of the report.
    looks : list of Look
        One per class, or one.
    closest : Closest
    classes : list of ClassRow
        Those that lose most first; empty without labels.
    accuracy : list of UtilityBar
        Accuracy by class as bars, in the same order.
    shares : Overlay or None
        Share of each class among real images and, as a classifier sees it, among synthetic ones.
    history : dict, optional
        Training history of the synthesizer: name of a quantity to its list of values, with the
        steps under ``"step"``.
    stages : list of Stage
        How its images changed during training.
    notes : list of str
        Sub-sampling, settings and seeds.
    """

    title: str
    rating: Rating
    verdict: str
    tables: list[dict[str, Any]]
    scores: list[Score]
    looks: list[Look]
    closest: Closest
    classes: list[ClassRow] = field(default_factory=list)
    accuracy: list[UtilityBar] = field(default_factory=list)
    shares: Overlay | None = None
    history: dict[str, list[float | None]] | None = None
    stages: list[Stage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
