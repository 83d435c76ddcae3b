"""All scores of one set of synthetic images, as a table and as a page with pictures."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.random import generator, root_seed
from synthgen.evaluate.images.by_class import accuracy_bars, class_rows, class_shares
from synthgen.evaluate.images.catalogue import ENTRIES, scores_of
from synthgen.evaluate.images.classes import apply_labels, encode_labels
from synthgen.evaluate.images.classifier import classifier_accuracy, coverage_of
from synthgen.evaluate.images.closest import closest_pairs
from synthgen.evaluate.images.compared import Compared, featured
from synthgen.evaluate.images.content import ImageContent, Look
from synthgen.evaluate.images.extractors import make_extractor
from synthgen.evaluate.images.frechet import frechet_features
from synthgen.evaluate.images.inception_score import score_probabilities
from synthgen.evaluate.images.kernel import kernel_features
from synthgen.evaluate.images.msssim import intra_class_similarity
from synthgen.evaluate.images.nearest import memorisation
from synthgen.evaluate.images.neighbours import MAX_NEIGHBOURS, neighbourhood_features
from synthgen.evaluate.images.page import render_page
from synthgen.evaluate.images.pictures import MAX_IMAGES, Images, as_images, make_sides
from synthgen.evaluate.images.subject import Subject, makes_images, stages_of, subject_of
from synthgen.evaluate.images.verdict import decide_images
from synthgen.evaluate.report.panels import history
from synthgen.evaluate.result import Result
from synthgen.measure.checks import check_text
from synthgen.measure.records import record_table
from synthgen.page.files import write_report
from synthgen.page.wording import clean

#: Images of a row and, without labels, rows; classes that are shown.
_COLUMNS: Final = 10
_ROWS: Final = 6
_CLASSES: Final = 30
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
    content : ImageContent
        Everything that the page shows.
    sizes : dict of str to int
        How many images of every side there were.
    """

    results: dict[str, Result]
    content: ImageContent = field(repr=False)
    sizes: dict[str, int]

    @property
    def verdict(self) -> str:
        """One sentence."""
        return self.content.verdict

    def table(self) -> pd.DataFrame:
        """Return one row per score.

        Returns
        -------
        pandas.DataFrame
            Columns ``score``, ``value``, ``low`` and ``high`` (95 % interval), ``real_vs_real``
            (what as many fresh real images get), ``floor`` (what images without any shapes, or
            a guess, get), ``better``, ``rating`` and ``note``.
        """
        records = []
        for score in self.content.scores:
            low, high = score.interval or (None, None)
            records.append(
                {
                    "score": score.name,
                    "value": score.value,
                    "low": low,
                    "high": high,
                    "real_vs_real": score.ceiling,
                    "floor": score.floor,
                    "better": score.direction,
                    "rating": score.rating,
                    "note": score.note,
                }
            )
        table = record_table(records)
        numbers = ["value", "low", "high", "real_vs_real", "floor"]
        return table.astype(dict.fromkeys(numbers, np.float64))

    def to_dict(self) -> dict[str, Any]:
        """Return verdict and scores as JSON types, without pictures."""
        return {
            "verdict": self.verdict,
            "rating": self.content.rating,
            "sizes": self.sizes,
            "ratings": {score.name: score.rating for score in self.content.scores},
            "results": {name: result.to_dict() for name, result in self.results.items()},
        }

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the scores as JSON text, and write it to a file if there is a path."""
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False)
        write_report(path, text)
        return text

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the report as one page that needs nothing else, and write it if there is a path.

        Parameters
        ----------
        path : path, optional

        Returns
        -------
        str

        Raises
        ------
        MissingExtraError
            If jinja2 is not installed.
        """
        page = render_page(self.content)
        write_report(path, page)
        return page


def image_report(
    real: Any,
    synthetic: Any,
    holdout: Any = None,
    *,
    labels: Any = None,
    synthetic_labels: Any = None,
    holdout_labels: Any = None,
    synthesizer: Any = None,
    extractor: Any = "auto",
    layout: str = "auto",
    max_images: int = MAX_IMAGES,
    title: str = "Quality of synthetic images",
    random_state: Any = 0,
) -> ImageReport:
    """Measure synthetic images by every score that the data allow.

    Parameters
    ----------
    real : array-like
        Training images as ``(n, H, W)``, ``(n, H, W, C)`` or ``(n, C, H, W)``; see
        :func:`~synthgen.evaluate.images.pictures.as_images`.
    synthetic : array-like or fitted synthesizer
        Synthetic images; or a synthesizer, which makes as many as there are real ones, with labels
        if it knows any.
    holdout : array-like, optional
        Real images that nothing was trained on. With them, copies score no better than other images
        do.
    labels, synthetic_labels, holdout_labels : array-like of shape (n,) or (n, attributes), optional
        Their classes. Without those of the synthetic images there is no classifier accuracy score,
        and no verdict.
    synthesizer : object, optional
        The fitted synthesizer that made the images; its ``history_`` and ``grids_`` are shown.
    extractor : str or Extractor, default="auto"
        See :func:`~synthgen.evaluate.images.extractors.make_extractor`.
    layout : {"auto", "channels_first", "channels_last"}, default="auto"
        Where the channels stand.
    max_images : int, default=10000
        At most this many random images of a side are compared (the classifiers learn from all).
    title : str
        Heading of the page.
    random_state : int, Generator or None, default=0
        Seed of everything.

    Returns
    -------
    ImageReport

    Raises
    ------
    InvalidDataError
        If images or labels cannot be compared.
    InvalidParameterError
        If there are labels of synthetic or holdout images but none of the real ones, or a
        parameter cannot work.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> images = load_digits().images / 16
    >>> report = image_report(images[:300], images[300:600], extractor="pixels")
    >>> report.verdict.split(":")[0]
    'No verdict'
    """
    check_text("title", title)
    seed = root_seed(random_state)
    maker = synthetic if makes_images(synthetic) else synthesizer
    given = (labels, synthetic_labels, holdout_labels)
    subject = subject_of(real, synthetic, holdout, given, layout, max_images, seed)
    results = _measured(subject, extractor, max_images, seed)
    held = [] if subject.holdout is None else [subject.holdout]
    arrays = as_images(subject.real, subject.synthetic, *held, layout=subject.layout)
    names = ("real", "synthetic", "holdout")
    sizes = {name: len(images) for name, images in zip(names, arrays, strict=False)}
    scores = scores_of(results)
    shown = [entry.key for entry in ENTRIES if entry.key in results]
    rating, verdict = decide_images(
        scores, results, dict(zip(shown, (score.name for score in scores), strict=True))
    )
    rows = class_rows(results)
    content = ImageContent(
        clean(title),
        rating,
        verdict,
        _described(arrays),
        scores,
        _looks(arrays[0], arrays[1], subject, seed),
        closest_pairs(
            arrays[0], arrays[1], arrays[2] if held else None, results["memorised"], seed
        ),
        rows,
        accuracy_bars(rows, _tested(subject, results)) if rows else [],
        class_shares(results),
        history(maker),
        stages_of(maker),
        _notes(results, seed),
    )
    return ImageReport(results, content, sizes)


def _measured(subject: Subject, extractor: Any, most: int, seed: int) -> dict[str, Result]:
    real, synthetic, holdout = subject.real, subject.synthetic, subject.holdout
    labels, layout = subject.labels, subject.layout
    sides = make_sides(real, synthetic, holdout, layout=layout, max_images=most, random_state=seed)
    found = featured(sides, make_extractor(extractor, sides.train, labels, random_state=seed), seed)
    results: dict[str, Result] = {}
    shared: dict[str, Any] = {"layout": layout, "random_state": seed}
    both = {"labels": labels, "synthetic_labels": subject.synthetic_labels}
    if subject.synthetic_labels is not None:
        held = {"holdout": holdout, "holdout_labels": subject.holdout_labels}
        results["classifier_accuracy"] = classifier_accuracy(
            real, synthetic, **both, **held, **shared
        )
    results |= _on_features(found, labels, seed)
    if subject.synthetic_labels is not None:
        results["ms_ssim"] = intra_class_similarity(real, synthetic, **both, **shared)
    results["memorised"] = memorisation(real, synthetic, holdout=holdout, **shared)
    return results


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


def _described(arrays: list[Images]) -> list[dict[str, Any]]:
    """Return one line per side for the table of what was compared."""
    uses = (
        ("real", "what the generator learned from"),
        ("synthetic", "what it made"),
        ("holdout", "real images that nothing was trained on"),
    )
    return [
        {
            "side": name,
            "images": len(images),
            "height": images.shape[2],
            "width": images.shape[3],
            "channels": images.shape[1],
            "use": use,
        }
        for (name, use), images in zip(uses, arrays, strict=False)
    ]


def _looks(real: Images, made: Images, subject: Subject, seed: int) -> list[Look]:
    """Return random images of both sides, by class where both have labels."""
    rng = generator(seed, "score", _PICTURES)
    if subject.labels is None or subject.synthetic_labels is None:
        chosen = [rng.permutation(len(images))[: _ROWS * _COLUMNS] for images in (real, made)]
        return [Look("", real[chosen[0]], made[chosen[1]])]
    codes, classes = encode_labels(subject.labels, len(real))
    other = apply_labels(subject.synthetic_labels, len(made), classes, "synthetic_labels")
    return [
        Look(str(name), _some(real, codes == code, rng), _some(made, other == code, rng))
        for code, name in enumerate(classes[:_CLASSES])
    ]


def _some(images: Images, chosen: NDArray[np.bool_], rng: np.random.Generator) -> Images:
    some: Images = images[rng.permutation(np.flatnonzero(chosen))[:_COLUMNS]]
    return some


def _tested(subject: Subject, results: dict[str, Result]) -> dict[str, int]:
    """Return the number of images of each class that the classifiers were tested on."""
    side = subject.labels if subject.holdout is None else subject.holdout_labels
    names, counts = np.unique(np.asarray(side).astype(str), return_counts=True)
    total = int(results["classifier_accuracy"].details.get("test_images", 0))
    share = total / max(int(counts.sum()), 1)
    return {
        str(name): max(1, round(count * share)) for name, count in zip(names, counts, strict=True)
    }


def _notes(results: dict[str, Result], seed: int) -> list[str]:
    details = results["frechet"].details
    notes = [f"Everything random goes by the seed {seed}."]
    if "extractor" in details:
        notes.append(f"Features: {clean(details['extractor'])}.")
    if "reference_images" in details:
        notes.append(
            f"Distances compare {details['synthetic_images']:,} synthetic with "
            f"{details['reference_images']:,} real images ({details['reference_side']})."
        )
    looked = results["memorised"].details
    notes.append(
        f"Copies were looked for among {looked['synthetic_images']:,} synthetic and "
        f"{looked['training_images']:,} training images; {looked['equal']:,} are equal to one."
    )
    return notes
