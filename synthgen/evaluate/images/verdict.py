"""The verdict of an image report: one word and one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from synthgen.evaluate.images.catalogue import ENTRIES
from synthgen.evaluate.report.content import Rating, Score
from synthgen.evaluate.report.rating import worse
from synthgen.evaluate.report.verdict import WORDS
from synthgen.evaluate.result import Result
from synthgen.page.wording import amount, listed, percent

_DECIDING: Final = frozenset(entry.key for entry in ENTRIES if entry.decides)


def decide_images(
    scores: Sequence[Score], results: Mapping[str, Result], names: Mapping[str, str]
) -> tuple[Rating, str]:
    """Return the rating of a set of images, and why.

    The rating is that of the worst score that decides. Without labels nothing says what the images
    are good for: then there is no verdict, unless something is poor.

    Parameters
    ----------
    scores : sequence of Score
    results : mapping of str to Result
    names : mapping of str to str
        Key of a result to the name of its score.
    """
    by_name = {score.name: score for score in scores}
    deciding = [by_name[names[key]] for key in results if key in _DECIDING]
    rating: Rating = "none"
    for score in deciding:
        rating = worse(rating, score.rating)
    accuracy = results.get("classifier_accuracy")
    if (accuracy is None or accuracy.value is None) and rating != "poor":
        rating = "none"
    reasons = [_use(accuracy), _distance(results["frechet"]), _copies(results["memorised"])]
    sentence = f"{WORDS[rating]}: {'; '.join(reason for reason in reasons if reason)}."
    weak = [score.title.lower() for score in deciding if score.rating == rating != "good"]
    if weak and rating != "none":
        sentence += f" What pulls it down: {listed(weak)}."
    return rating, sentence


def _use(result: Result | None) -> str:
    if result is None or result.value is None:
        return "what the images are good for was not measured, for want of labels"
    return (
        f"a classifier trained on synthetic images knows {percent(result.value)} of real ones, "
        f"where {percent(result.ceiling)} is reached with real ones"
    )


def _distance(result: Result) -> str:
    if result.value is None or result.ceiling is None:
        return ""
    fresh = amount(result.ceiling)
    return f"{result.name} is {amount(result.value)}, where fresh real images get {fresh}"


def _copies(result: Result) -> str:
    if result.value is None:
        return "copies were not looked for"
    share = percent(result.value)
    return f"{share} lie closer to a training image than nearly all real images do"
