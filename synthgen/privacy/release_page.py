"""The release report as one HTML file that needs nothing else."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from synthgen.page.frame import embedded, frame, template
from synthgen.page.wording import DASH, amount, fixed, percent
from synthgen.privacy.release_content import AttackLine, Meaning, ReleaseContent
from synthgen.privacy.release_curves import curve_figure, distances_figure, key_figure
from synthgen.privacy.release_figures import (
    forest_figure,
    power_figure,
    waterfall_figure,
)

if TYPE_CHECKING:
    import jinja2

_FIRST_FINDINGS: Final = 10
#: Verdicts in the colours and shapes of ratings.
RATINGS: Final = {"RELEASE": "good", "REVIEW": "fair", "BLOCK": "poor"}
_OUTCOMES: Final = {
    "above": ("poor", "above a limit"),
    "within": ("good", "within limits"),
    "no power": ("none", "no power"),
    "no figure": ("none", "no figure"),
}

_SECTIONS: Final = (
    ("verdict", "Verdict"),
    ("findings", "Rules"),
    ("identity", "Data"),
    ("guarantee", "Guarantee"),
    ("budget", "Budget"),
    ("assumptions", "Assumptions"),
    ("attacks", "Attacks"),
    ("power", "Power"),
    ("utility", "Utility"),
    ("groups", "Groups"),
    ("risk", "Conditions"),
    ("sign-off", "Sign-off"),
    ("appendix", "Appendix"),
)


def render_page(content: ReleaseContent, document: str) -> str:
    """Return the page.

    Parameters
    ----------
    content : ReleaseContent
    document : str
        The JSON document of the same report, whose checksum the page shows.

    Raises
    ------
    MissingExtraError
        If jinja2 is not installed.
    """
    digest = hashlib.sha256(document.encode()).hexdigest()
    return _template().render(_context(content), digest=digest).strip() + "\n"


def render_fragment(content: ReleaseContent, document: str) -> str:
    """Return the page in a frame, for the output of a notebook's cell."""
    return embedded(render_page(content, document), content.title)


@cache
def _template() -> jinja2.Template:
    return template("synthgen.privacy", "release.html.j2")


def _context(content: ReleaseContent) -> dict[str, Any]:
    meaning = content.guarantee
    return {
        "content": content,
        "public": content.mode == "public",
        "sections": _SECTIONS,
        **frame(package="synthgen.privacy", style="release.css"),
        "rating": RATINGS[content.verdict],
        "first": _FIRST_FINDINGS,
        "guarantee": [] if meaning is None else _guarantee(meaning),
        "belief": None if meaning is None else _belief(meaning.belief),
        "curve": curve_figure(meaning, content.roc) if meaning and meaning.curve else None,
        "found": curve_figure(None, content.roc),
        "keys": {kind: key_figure(kind) for kind in ("bound", "0", "1", "guess")},
        "waterfall": waterfall_figure(content.steps, meaning.limit) if meaning else None,
        "forests": _forests(content),
        "chosen": any(line.population == "chosen" for line in content.attacks),
        "attacks": [_attack(line) for line in content.attacks],
        "epsilon_bar": _epsilon(content),
        "copies": _copies(content),
        "planted": power_figure(content.power),
        "power_words": _power(content),
        "distances": distances_figure(content.extra.get("distances", [])),
        "small": content.extra.get("small_groups", []),
    }


def _guarantee(meaning: Meaning) -> list[tuple[str, str]]:
    rows = "not public" if meaning.n_rows is None else f"{meaning.n_rows:,} (public)"
    return [
        ("Epsilon", f"{amount(meaning.epsilon)} of {amount(meaning.limit)} allowed"),
        ("Delta", amount(meaning.delta)),
        ("How it was computed", f"{meaning.method}; by Renyi divergences {amount(meaning.check)}"),
        ("What is protected", meaning.unit),
        ("Neighbouring tables", meaning.adjacency),
        ("Rows", rows),
    ]


def _belief(share: float) -> str:
    """Return a probability near one without rounding it to certainty.

    Examples
    --------
    >>> _belief(0.7311)[:4], _belief(0.999955)[:6]
    ('73.1', '99.996')
    """
    for digits in (1, 2, 3):
        if round(100 * share, digits) < 100:
            return f"{100 * share:.{digits}f} %"
    return "over 99.999 %"


def _forests(content: ReleaseContent) -> list[tuple[str, str]]:
    found = []
    for population in dict.fromkeys(line.population for line in content.attacks):
        own = [line for line in content.attacks if line.population == population]
        own.sort(key=lambda line: -(line.low_all or 0.0))
        svg = forest_figure(own, content.auc_limit)
        if svg is not None:
            found.append((population, svg))
    return found


def _attack(line: AttackLine) -> dict[str, Any]:
    kind, words = _OUTCOMES[line.outcome]
    area = DASH if line.auc is None else fixed(line.auc)
    interval = ""
    if line.low_all is not None:
        interval = f"{fixed(line.low_all)} to {fixed(line.high_all)}"
    if line.risk is not None:
        area = f"risk {fixed(line.risk)}"
        interval = f"{fixed(line.risk_low)} to {fixed(line.risk_high)}"
    rows = DASH if not line.n_members else f"{line.n_members:,} + {line.n_holdout:,}"
    guesses = DASH
    if line.success is not None:
        guesses = f"{percent(line.success)}, {percent(line.control)}"
    return {
        "line": line,
        "kind": kind,
        "words": words,
        "area": area,
        "interval": interval,
        "hits": percent(line.hits),
        "guesses": guesses,
        "rows": rows,
    }


def _epsilon(content: ReleaseContent) -> str:
    if content.epsilon_lower is None:
        return ""
    found = f"The strongest attack shows an epsilon of at least {amount(content.epsilon_lower)}"
    if content.guarantee is None:
        return found + ", which no guarantee bounds from above."
    return found + f"; the guarantee says at most {amount(content.guarantee.epsilon)}."


def _copies(content: ReleaseContent) -> list[tuple[str, str]]:
    pairs = []
    copied = content.copied
    if copied is None:
        pairs.append(("Rows that equal a training row", "not looked for"))
    else:
        pairs.append(
            (
                "Synthetic rows that equal a training row",
                f"{percent(copied.synthetic)} (at least {percent(copied.synthetic_low)})",
            )
        )
        pairs.append(
            (
                "Fresh real rows that do",
                f"{percent(copied.holdout)} (at most {percent(copied.holdout_high)})",
            )
        )
        pairs.append(("Looked at", copied.source))
    pairs += [
        (
            f"Values of {each.column} that come back",
            f"{percent(each.members)} of training rows, {percent(each.holdout)} of fresh rows",
        )
        for each in content.returned
    ]
    pairs.append(
        ("Read with care", "copies found are a defect; that none were found proves nothing")
    )
    return pairs


def _power(content: ReleaseContent) -> str:
    power = content.power
    parts = []
    if power.smallest_leak is not None:
        parts.append(
            f"Copies of {percent(power.smallest_leak)} of the training rows would have been found."
        )
    elif power.planted:
        parts.append("None of the copies that were planted on purpose was found.")
    if power.detectable is not None:
        parts.append(
            f"An area of {fixed(power.detectable)} on random rows would be told from guessing four "
            "times in five; smaller leaks may go unseen."
        )
    return " ".join(parts) or "How small a leak would have been found is not known."
