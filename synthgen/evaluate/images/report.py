"""All scores of one set of synthetic images, as a table and as a page with pictures."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidParameterError
from synthgen.evaluate.images.classes import apply_labels, encode_labels
from synthgen.evaluate.images.classifier import classifier_accuracy, coverage_of
from synthgen.evaluate.images.extractors import Compared, featured, make_extractor
from synthgen.evaluate.images.frechet import frechet_features
from synthgen.evaluate.images.inception_score import score_probabilities
from synthgen.evaluate.images.kernel import kernel_features
from synthgen.evaluate.images.msssim import intra_class_similarity
from synthgen.evaluate.images.nearest import memorisation
from synthgen.evaluate.images.neighbours import MAX_NEIGHBOURS, neighbourhood_features
from synthgen.evaluate.images.page import render_page
from synthgen.evaluate.images.pictures import MAX_IMAGES, Images, as_images, make_sides
from synthgen.evaluate.result import Result

_COLUMNS: Final = 10
_ROWS: Final = 10
_CLOSEST: Final = 10
_SPLITS: Final = 10

_PICTURES: Final = 75
_CUT: Final = 76


@dataclass(frozen=True)
class ImageReport:
    """What :func:`image_report` found.

    Parameters
    ----------
    results : dict of str to Result
        By name, the most telling first.
    pictures : dict of str to numpy.ndarray
        Images ``(n, C, H, W)`` to look at: ``"real"`` and ``"synthetic"`` (ten in a row; a row per
        class where there are labels), and in pairs ``"closest_synthetic"`` and ``"closest_real"``.
    sizes : dict of str to int
        How many images of every side there were.
    labels : list of str
        Names of the rows of the pictures; empty without labels.
    """

    results: dict[str, Result]
    pictures: dict[str, Images] = field(repr=False)
    sizes: dict[str, int]
    labels: list[str] = field(default_factory=list)

    def table(self) -> pd.DataFrame:
        """Return one row per score.

        Returns
        -------
        pandas.DataFrame
            Columns ``score``, ``value``, ``low`` and ``high`` (95 % interval), ``real_vs_real``
            (what as many fresh real images get), ``floor`` (what images without any shapes, or
            a guess, get), ``better`` and ``note``.
        """
        records = []
        for result in self.results.values():
            low, high = result.interval or (None, None)
            records.append(
                {
                    "score": result.name,
                    "value": result.value,
                    "low": low,
                    "high": high,
                    "real_vs_real": result.ceiling,
                    "floor": result.floor,
                    "better": result.direction,
                    "note": str(result.details.get("not_applicable", "")),
                }
            )
        table = pd.DataFrame(records)
        numbers = ["value", "low", "high", "real_vs_real", "floor"]
        return table.astype(dict.fromkeys(numbers, np.float64))

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as JSON types, without pictures."""
        results = {name: result.to_dict() for name, result in self.results.items()}
        return {"sizes": self.sizes, "results": results}

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the scores as JSON text, and write it to a file if there is a path."""
        text = json.dumps(self.to_dict(), indent=2)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the report as one page that needs nothing else, and write it if there is a path.

        Parameters
        ----------
        path : path, optional

        Returns
        -------
        str
        """
        page = render_page(self.results, self.pictures, self.sizes, self.labels)
        if path is not None:
            Path(path).write_text(page, encoding="utf-8")
        return page


def image_report(
    real: Any,
    synthetic: Any,
    holdout: Any = None,
    *,
    labels: Any = None,
    synthetic_labels: Any = None,
    holdout_labels: Any = None,
    extractor: Any = "auto",
    layout: str = "auto",
    max_images: int = MAX_IMAGES,
    random_state: Any = 0,
) -> ImageReport:
    """Measure synthetic images by every score that the data allow.

    Parameters
    ----------
    real, synthetic, holdout : array-like
        Training images, synthetic images, and real images that nothing was trained on, as
        ``(n, H, W)``, ``(n, H, W, C)`` or ``(n, C, H, W)``; see
        :func:`~synthgen.evaluate.images.pictures.as_images`. With a holdout, copies score no better
        than other images do.
    labels, synthetic_labels, holdout_labels : array-like, optional
        Their classes. Without `synthetic_labels` there is no classifier accuracy score.
    extractor : str or Extractor, default="auto"
        See :func:`~synthgen.evaluate.images.extractors.make_extractor`.
    layout : {"auto", "channels_first", "channels_last"}, default="auto"
        Where the channels stand.
    max_images : int, default=10000
        At most this many random images of a side are compared (the classifiers learn from all).
    random_state : int, Generator or None, default=0
        Seed of everything.

    Returns
    -------
    ImageReport

    Raises
    ------
    InvalidParameterError
        If there are labels of synthetic or holdout images but none of the real ones.
    """
    seed = root_seed(random_state)
    given = {"synthetic_labels": synthetic_labels, "holdout_labels": holdout_labels}
    for name, values in given.items():
        if labels is None and values is not None:
            raise InvalidParameterError(f"{name} are given, but no labels of the real images.")
    if holdout is not None and synthetic_labels is not None and holdout_labels is None:
        raise InvalidParameterError("A holdout needs holdout_labels if the others have labels.")
    sides = make_sides(
        real, synthetic, holdout, layout=layout, max_images=max_images, random_state=seed
    )
    found = featured(sides, make_extractor(extractor, sides.train, labels, random_state=seed), seed)
    results: dict[str, Result] = {}
    shared: dict[str, Any] = {"layout": layout, "random_state": seed}
    if synthetic_labels is not None:
        results["classifier_accuracy"] = classifier_accuracy(
            real,
            synthetic,
            labels=labels,
            synthetic_labels=synthetic_labels,
            holdout=holdout,
            holdout_labels=holdout_labels,
            **shared,
        )
    results |= _on_features(found, labels, seed)
    if synthetic_labels is not None:
        results["ms_ssim"] = intra_class_similarity(
            real, synthetic, labels=labels, synthetic_labels=synthetic_labels, **shared
        )
    results["memorised"] = memorisation(real, synthetic, holdout=holdout, **shared)
    arrays = as_images(real, synthetic, *([] if holdout is None else [holdout]), layout=layout)
    names = ("real", "synthetic", "holdout")
    sizes = {name: len(images) for name, images in zip(names, arrays, strict=False)}
    pictures, rows = _pictures(arrays[0], arrays[1], labels, synthetic_labels, seed)
    pairs = _closest(results["memorised"])
    pictures["closest_synthetic"] = arrays[1][pairs["synthetic"].to_numpy()]
    pictures["closest_real"] = arrays[0][pairs["real"].to_numpy()]
    return ImageReport(results, pictures, sizes, rows)


def _on_features(found: Compared, labels: Any, seed: int) -> dict[str, Result]:
    """Return the scores that need features, or the classifier behind them."""
    name = found.extractor.name
    results = {
        "frechet": frechet_features(*found.features, extractor=name),
        "kernel": kernel_features(*found.features, extractor=name, random_state=seed),
    }
    rng = generator(seed, "score", _CUT)
    size = min(MAX_NEIGHBOURS, len(found.reference), len(found.made))
    cut = [rows[rng.permutation(len(rows))[:size]] for rows in found.features]
    results |= neighbourhood_features(*cut, extractor=name)
    classify = found.extractor.probabilities
    if classify is not None:
        made, best = classify(found.sides.made), classify(found.sides.reference)
        results["inception_score"] = score_probabilities(
            made, best, splits=_SPLITS, extractor=name, seed=seed, details={}
        )
        if name == "domain" and labels is not None:
            codes, classes = encode_labels(labels, len(found.sides.train))
            predicted = np.asarray(made.argmax(axis=1), dtype=np.int64)
            results["class_coverage"] = coverage_of(codes, predicted, classes)
    return {key: found.described(result) for key, result in results.items()}


def _pictures(
    real: Images, made: Images, labels: Any, made_labels: Any, seed: int
) -> tuple[dict[str, Images], list[str]]:
    """Return random images of both sides, in rows of one class each where both have labels."""
    rng = generator(seed, "score", _PICTURES)
    if labels is None or made_labels is None:
        chosen = [rng.permutation(len(images))[: _ROWS * _COLUMNS] for images in (real, made)]
        return {"real": real[chosen[0]], "synthetic": made[chosen[1]]}, []
    codes, classes = encode_labels(labels, len(real))
    other = apply_labels(made_labels, len(made), classes, "synthetic_labels")
    shown = classes[:_ROWS]
    pictures = {
        name: _rows(images, own, len(shown), rng)
        for name, images, own in (("real", real, codes), ("synthetic", made, other))
    }
    return pictures, [str(label) for label in shown]


def _rows(
    images: Images, codes: NDArray[np.int64], n_classes: int, rng: np.random.Generator
) -> Images:
    """Return ten images of every class; white ones where a class has fewer."""
    result = np.ones((n_classes, _COLUMNS, *images.shape[1:]), dtype=np.float32)
    for code in range(n_classes):
        rows = rng.permutation(np.flatnonzero(codes == code))[:_COLUMNS]
        result[code, : len(rows)] = images[rows]
    return result.reshape(-1, *images.shape[1:])


def _closest(result: Result) -> pd.DataFrame:
    if result.breakdown is None:
        return pd.DataFrame({"synthetic": [], "real": []}, dtype=np.int64)
    return result.breakdown.head(_CLOSEST)
