"""The verdict: one word and one sentence that a reader can act on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from synthgen.evaluate.report.catalogue import ENTRIES
from synthgen.evaluate.report.content import Finding, Rating, Score
from synthgen.evaluate.report.rating import worse

_KEY: Final = frozenset(entry.name for entry in ENTRIES if entry.key)
#: Ratings as words.
WORDS: Final = {
    "good": "Good",
    "fair": "Usable with care",
    "poor": "Not good enough",
    "none": "No verdict",
}


def decide(
    scores: Sequence[Score], findings: Sequence[Finding], area: float | None
) -> tuple[Rating, str]:
    """Return the rating of the whole table, and why; `area` is the AUC of detection by trees.

    The rating is that of the worst score that decides; the others inform. Without detection there
    is no verdict, unless another score is poor already; and a table with a poor finding is not
    called good.
    """
    by_name = {score.name: score for score in scores}
    deciding = [score for score in scores if score.name in _KEY and score.rating != "none"]
    rating: Rating = "none"
    for score in deciding:
        rating = worse(rating, score.rating)
    if rating == "good" and any(finding.severity == "poor" for finding in findings):
        rating = "fair"
    if "c2st_trees" in by_name and by_name["c2st_trees"].value is None and rating != "poor":
        # Nothing else sees all columns together, so nothing else can call a table good.
        rating = "none"
    reasons = [_detection(area), _utility(by_name), _traces(by_name, findings)]
    sentence = f"{WORDS[rating]}: " + "; ".join(reason for reason in reasons if reason)
    weak = [score.title.lower() for score in deciding if score.rating == rating != "good"]
    weak = weak or [finding.where for finding in findings if finding.severity == "poor"][:3]
    if weak:
        sentence += f". What pulls it down: {', '.join(weak)}"
    return rating, sentence + "."


def _detection(area: float | None) -> str:
    if area is None:
        return "detection was not measured"
    if area <= 0.6:
        words = "hardly tells"
    elif area <= 0.75:
        words = "tells rather often"
    else:
        words = "easily tells"
    return f"a strong classifier {words} synthetic from real rows (AUC {area:.2f}, guessing is .50)"


def _utility(scores: dict[str, Score]) -> str:
    score = scores.get("utility")
    if score is not None and score.value is not None and score.ceiling is not None:
        return (
            f"models trained on synthetic rows reach {score.value:.3f} on real rows, where "
            f"{score.ceiling:.3f} is reached with real ones"
        )
    score = scores.get("global_utility")
    if score is not None and score.value is not None:
        share = max(0.0, score.value)
        return f"columns can be predicted from each other {share:.0%} as well as in the real table"
    return ""


def _traces(scores: dict[str, Score], findings: Sequence[Finding]) -> str:
    found = [f for f in findings if f.metric in ("copy_share", "membership_auc")]
    if found:
        return "it carries traces of single training rows"
    score = scores.get("copy_share")
    if score is None or score.value is None:
        return ""
    if score.value == 0:
        return "simple checks find no copies of real rows"
    copies = f"{score.value:.2%} of the rows equal real ones"
    return copies if score.ceiling is None else f"{copies}, where {score.ceiling:.2%} is usual"
