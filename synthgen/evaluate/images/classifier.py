"""Classifier accuracy score: how well one learns from synthetic images."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.evaluate.images.classes import apply_labels, encode_labels
from synthgen.evaluate.images.pictures import Images, as_images
from synthgen.evaluate.result import Result
from synthgen.measure.stats import share_interval, stratified_folds

REFERENCE: Final = (
    "Ravuri & Vinyals (2019), arXiv:1905.10887; Shmelkov, Schmid & Alahari (2018), arXiv:1807.09499"
)

_SPLIT: Final = 70
_CUT: Final = 71

#: Without a holdout, one image in so many tests the classifiers.
_FOLDS: Final = 4

#: A class is covered if its share among the synthetic images is at least this part of the real one.
_COVERED: Final = 0.1

_WAYS: Final = ("real to real", "synthetic to real", "mixed to real", "real to synthetic")


def classifier_accuracy(
    real: Any,
    synthetic: Any,
    *,
    labels: Any,
    synthetic_labels: Any,
    holdout: Any = None,
    holdout_labels: Any = None,
    repeats: int = 1,
    layout: str = "auto",
    max_images: int = 50_000,
    random_state: Any = 0,
) -> Result:
    """Return the accuracy on real images of a classifier that has seen synthetic ones only.

    It falls if images are wrong, if their labels are, and if classes or their variety are missing,
    and is the score that counts for data to train on.

    Parameters
    ----------
    real, synthetic : array-like
        Training images and synthetic images.
    labels, synthetic_labels : array-like of shape (n,) and (m,)
        Their classes.
    holdout, holdout_labels : array-like, optional
        Real images that nothing was trained on, which all but one accuracy is measured on. Without
        them a quarter of the real images: the generator has seen these, and copies score too well.
    repeats : int, default=1
        Classifiers of different seeds that are averaged.
    layout : {"auto", "channels_first", "channels_last"}, default="auto"
        Where the channels stand.
    max_images : int, default=50000
        At most this many random images of a side are used.
    random_state : int, Generator or None, default=0
        Seed of the choice of images and of the classifiers.

    Returns
    -------
    Result
        Value in [0, 1], higher is better. The floor is the share of the largest class, the ceiling
        the accuracy after training on real images. ``details["accuracy"]`` also has the accuracy
        after training on both, and that of the real classifier on the synthetic images (are they of
        their class?). The breakdown has the classes, the one that loses most first.

    References
    ----------
    Ravuri & Vinyals (2019), Classification accuracy score for conditional generative models,
    arXiv:1905.10887; Shmelkov, Schmid & Alahari (2018), How good is my GAN?, arXiv:1807.09499.
    """
    repeats = check_integer("repeats", repeats, minimum=1)
    limit = check_integer("max_images", max_images, minimum=1)
    seed = root_seed(random_state)
    arrays = as_images(real, synthetic, *([] if holdout is None else [holdout]), layout=layout)
    codes, classes = encode_labels(labels, len(arrays[0]))
    sides = [(arrays[0], codes)]
    named = [("synthetic_labels", synthetic_labels), ("holdout_labels", holdout_labels)]
    for images, (name, values) in zip(arrays[1:], named, strict=False):
        known = apply_labels([] if values is None else values, len(images), classes, name)
        sides.append((images, known))
    details = {"test_side": "holdout" if holdout is not None else "a quarter of the real images"}
    if len(classes) < 2 or len(codes) < 2:
        details["not_applicable"] = "two classes and two real images are needed"
    elif holdout is None and len(classes) == len(codes):
        details["not_applicable"] = "some class needs two images: one to learn from, one to test on"
    if "not_applicable" in details:
        return Result("classifier_accuracy", None, reference=REFERENCE, details=details)
    if holdout is None:
        sides[:1] = _split(arrays[0], codes, seed)
    else:
        sides.insert(1, sides.pop())
    train, test, made = (_cut(side, limit, seed, at) for at, side in enumerate(sides))
    found = _accuracies(train, test, made, len(classes), repeats, seed)
    return _result(found, test[1], made[1], classes, details | {"test_images": len(test[1])})


Side = tuple[Images, NDArray[np.int64]]


def _split(images: Images, codes: NDArray[np.int64], seed: int) -> list[Side]:
    folds = stratified_folds(codes, _FOLDS, generator(seed, "score", _SPLIT))
    # A class of one image is in fold 0; those images must be learned from.
    test = folds == _FOLDS - 1
    if not test.any():
        test = folds == folds.max()
    return [(images[~test], codes[~test]), (images[test], codes[test])]


def _cut(side: Side, limit: int, seed: int, at: int) -> Side:
    rows = generator(seed, "score", _CUT, at).permutation(len(side[1]))[:limit]
    return side[0][rows], side[1][rows]


def _accuracies(
    train: Side, test: Side, made: Side, n_classes: int, repeats: int, seed: int
) -> dict[str, list[NDArray[np.bool_]]]:
    """Return for every way, and every repeat, which test images were recognised."""
    from synthgen.evaluate.images.network import train_classifier

    # Half and half, or the larger side would be all there is.
    size = min(len(train[1]), len(made[1]))
    both = (
        np.concatenate([train[0][:size], made[0][:size]]),
        np.concatenate([train[1][:size], made[1][:size]]),
    )
    hits: dict[str, list[NDArray[np.bool_]]] = {way: [] for way in _WAYS}
    for repeat in range(repeats):
        for way, (images, codes) in zip(_WAYS, (train, made, both), strict=False):
            model = train_classifier(images, codes, n_classes, seed, 1, repeat)
            hits[way].append(model.predict(test[0]) == test[1])
            if way == "real to real":
                hits["real to synthetic"].append(model.predict(made[0]) == made[1])
    return hits


def _result(
    hits: dict[str, list[NDArray[np.bool_]]],
    test_codes: NDArray[np.int64],
    made_codes: NDArray[np.int64],
    classes: list[Any],
    details: dict[str, Any],
) -> Result:
    accuracy = {way: float(np.mean(found)) for way, found in hits.items()}
    table: dict[str, Any] = {"class": pd.Series(classes, dtype=object)}
    for way, found in hits.items():
        codes = made_codes if way == "real to synthetic" else test_codes
        counts = np.bincount(codes, minlength=len(classes))
        recognised = np.bincount(codes, weights=np.mean(found, axis=0), minlength=len(classes))
        # A class without an image has no accuracy.
        table[way] = np.divide(
            recognised, counts, out=np.full(len(classes), np.nan), where=counts > 0
        )
    breakdown = pd.DataFrame(table)
    loss = breakdown["synthetic to real"] - breakdown["real to real"]
    order = loss.sort_values(kind="stable").index
    value = accuracy["synthetic to real"]
    spread = [float(found.mean()) for found in hits["synthetic to real"]]
    return Result(
        "classifier_accuracy",
        value,
        interval=share_interval(value, len(test_codes)),
        floor=float(np.bincount(test_codes).max() / len(test_codes)),
        ceiling=accuracy["real to real"],
        breakdown=breakdown.loc[order].reset_index(drop=True),
        reference=REFERENCE,
        details=details | {"accuracy": accuracy, "repeats": spread},
    )


def class_coverage(
    real: Any,
    synthetic: Any,
    *,
    labels: Any,
    layout: str = "auto",
    random_state: Any = 0,
) -> Result:
    """Return the share of real classes that a classifier sees among the synthetic images.

    It needs no labels of the synthetic images, and so judges generators that take none.

    Parameters
    ----------
    real, synthetic : array-like
        Images, see :func:`~synthgen.evaluate.images.frechet.frechet`.
    labels : array-like of shape (n,)
        Classes of the real images.
    layout : {"auto", "channels_first", "channels_last"}, default="auto"
        Where the channels stand.
    random_state : int, Generator or None, default=0
        Seed of the classifier.

    Returns
    -------
    Result
        Value in [0, 1], higher is better: the share of classes that have at least a tenth of the
        synthetic images that they should have by the real images' share. The ceiling is what as
        many images with the real shares have on average: of few images of many classes, some are
        absent by chance. The breakdown has both shares of every class, the most neglected first.
    """
    seed = root_seed(random_state)
    own, made = as_images(real, synthetic, layout=layout)
    codes, classes = encode_labels(labels, len(own))
    if len(classes) < 2:
        details = {"not_applicable": "two classes are needed"}
        return Result("class_coverage", None, details=details)
    from synthgen.evaluate.images.network import train_classifier

    model = train_classifier(own, codes, len(classes), seed, 0)
    return coverage_of(codes, model.predict(made), classes)


def coverage_of(
    codes: NDArray[np.int64], predicted: NDArray[np.int64], classes: list[Any]
) -> Result:
    """Return the class coverage of predicted classes, see :func:`class_coverage`."""
    shares = [
        np.bincount(values, minlength=len(classes)) / len(values) for values in (codes, predicted)
    ]
    covered = shares[1] >= _COVERED * shares[0]
    chances = _covered_by_chance(shares[0], len(predicted))
    spread = 2 * float(np.sqrt((chances * (1 - chances)).sum())) / len(classes)
    value = float(covered.mean())
    breakdown = pd.DataFrame(
        {"class": pd.Series(classes, dtype=object), "real": shares[0], "synthetic": shares[1]}
    )
    order = (shares[1] / shares[0]).argsort(kind="stable")
    return Result(
        "class_coverage",
        value,
        interval=(max(0.0, value - spread), min(1.0, value + spread)),
        floor=1 / len(classes),
        ceiling=float(chances.mean()),
        breakdown=breakdown.loc[order].reset_index(drop=True),
        reference="share of classes with a tenth of their due or more",
        details={
            "classes": len(classes),
            "missing": [classes[at] for at in np.flatnonzero(~covered)],
            "distance_of_shares": float(np.abs(shares[0] - shares[1]).sum() / 2),
        },
    )


def _covered_by_chance(shares: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return how likely each class has a tenth of its due among `n` images with these shares."""
    from scipy.stats import binom

    least = np.ceil(_COVERED * shares * n)
    return np.asarray(binom.sf(least - 1, n, shares))
