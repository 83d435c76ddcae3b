"""From a ledger to what it means: bounds on any attack, what cost how much, what is assumed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from synthgen.core.params import check_choice
from synthgen.dp.accounting import guarantee
from synthgen.dp.events import Event
from synthgen.dp.ledger import SLACK, Ledger
from synthgen.errors import InvalidParameterError, MissingExtraError
from synthgen.privacy.release_content import Assumption, Meaning, Status, Step

_MOST_STEPS: Final = 8
_STATUSES: Final = ("public", "paid", "unknown")
_ADJACENCY: Final = {
    "zero_out": "one row against an empty one; the number of rows is public",
    "add_remove": "one row more or less; the number of rows is private",
    "replace_one": "one row with other values; the number of rows is public",
}
#: False alarms at which the curve is drawn: close together where it is steep.
_ALARMS: Final = np.unique(
    np.concatenate([[0.0, 0.01], np.geomspace(1e-4, 1, 60), np.linspace(0.02, 1, 50)])
)
#: False alarms between which the area under it is summed.
_FINE: Final = np.union1d(
    _ALARMS, np.concatenate([np.geomspace(1e-12, 1e-3, 4_000), np.linspace(0, 1, 20_001)])
)


def ledger_of(ledger: Any, synthesizer: Any) -> Ledger | None:
    """Return the ledger of a release, from a ledger or from a fitted synthesizer.

    Raises
    ------
    InvalidParameterError
        If it is none, or both are given and differ.
    """
    own = getattr(synthesizer, "ledger_", None)
    if ledger is None:
        return own if isinstance(own, Ledger) else None
    if not isinstance(ledger, Ledger):
        raise InvalidParameterError(
            f"ledger must be a Ledger, as in synthesizer.ledger_, got {type(ledger).__name__}."
        )
    if isinstance(own, Ledger) and own.to_json() != ledger.to_json():
        raise InvalidParameterError(
            "ledger and synthesizer.ledger_ differ; give one of them: the one of this release."
        )
    return ledger


def meaning_of(ledger: Ledger) -> Meaning:
    """Return what the events of a ledger allow an attacker at most."""
    spent = ledger.spent()
    try:
        misses = ledger.trade_off(_FINE)
    except MissingExtraError as error:
        curve, hits, area, missing = [], None, None, str(error)
    else:
        # A test can always be mixed with guessing.
        found = np.maximum(1 - misses, _FINE)
        shown = found[np.searchsorted(_FINE, _ALARMS)]
        curve = [(float(x), float(y)) for x, y in zip(_ALARMS, shown, strict=True)]
        hits = float(np.interp(0.01, _ALARMS, shown))
        # From above, since it is a bound: the curve is nowhere above its step.
        area, missing = float(np.sum(np.maximum(found[:-1], found[1:]) * np.diff(_FINE))), ""
    return Meaning(
        spent.epsilon,
        spent.delta,
        spent.method,
        spent.check,
        ledger.epsilon,
        "one row",
        _ADJACENCY[ledger.adjacency],
        ledger.n_rows,
        1 / (1 + math.exp(-min(spent.epsilon, 700.0))),
        hits,
        area,
        curve,
        missing,
    )


def steps_of(ledger: Ledger) -> list[Step]:
    """Return what each release added to epsilon, in the order of the ledger.

    Epsilons do not add up: what a release adds depends on those before it.
    """
    groups = [[event] for event in ledger.events[: _MOST_STEPS - 1]]
    rest = list(ledger.events[_MOST_STEPS - 1 :])
    if rest:
        groups.append(rest)
    steps: list[Step] = []
    done: list[Event] = []
    before = 0.0
    for group in groups:
        done += group
        after = guarantee(done, ledger.delta).epsilon
        steps.append(_step(group, before, after))
        before = after
    return steps


def _step(group: list[Event], before: float, after: float) -> Step:
    first = group[0]
    if len(group) > 1:
        count = sum(event.count for event in group)
        return Step(f"{len(group)} more releases", before, after, "several", None, 1.0, count)
    noise = None if first.mechanism == "failure" else 1 / first.ratio
    return Step(first.note, before, after, first.mechanism, noise, first.sampling, first.count)


def broken_claim(ledger: Ledger | None, synthesizer: Any, audited: Mapping[str, Any]) -> list[str]:
    """Return why a claim of differential privacy does not hold, in sentences.

    Parameters
    ----------
    ledger : Ledger, optional
    synthesizer : object, optional
    audited : mapping
        What the audited model claimed: ``is_private`` and ``epsilon``, None where unknown.
    """
    says = getattr(synthesizer, "is_private_", None)
    if ledger is None:
        claimed = bool(says or audited.get("is_private"))
        return ["the model says that it is private, but no ledger was given"] if claimed else []
    reasons = []
    if not ledger.is_private:
        reasons.append("the noise came from a seed, so that whoever knows it can take it off")
    elif says is False or audited.get("is_private") is False:
        reasons.append("there is a ledger, but the model says that it is not private")
    if not ledger.events:
        reasons.append("the ledger holds no release")
        return reasons
    spent = ledger.spent().epsilon
    if spent > ledger.epsilon * (1 + SLACK):
        reasons.append("the ledger holds more releases than its limit allows")
    told = audited.get("epsilon")
    if told is not None and not math.isclose(told, spent, rel_tol=1e-3):
        reasons.append("the audited model claims another epsilon than the ledger shows")
    return reasons


def assumptions_of(
    ledger: Ledger, schema: Any, extra: Mapping[str, str] | None
) -> list[Assumption]:
    """Return the register: what is declared public, what was paid for, and what nobody knows.

    Raises
    ------
    InvalidParameterError
        If a status is none of public, paid and unknown.
    """
    register = [Assumption(sentence, "public") for sentence in ledger.assumptions]
    register += [
        Assumption(f"{event.note}: measured with noise", "paid") for event in ledger.events
    ]
    if getattr(schema, "origin", "user") == "data":
        register.append(
            Assumption(
                "Kinds, categories and ranges of the schema were read off the data", "unknown"
            )
        )
    register.append(
        Assumption(
            "No other release of these rows counts here, unless it stands in the same ledger.",
            "public",
        )
    )
    return register + declared(extra)


def declared(extra: Mapping[str, str] | None) -> list[Assumption]:
    """Return the assumptions that the user adds."""
    found: list[Assumption] = []
    for sentence, status in (extra or {}).items():
        checked: Status = check_choice(f"assumptions[{sentence!r}]", status, _STATUSES)
        found.append(Assumption(str(sentence), checked))
    return found
