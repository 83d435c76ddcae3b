"""Shadow models in an audit: which records, how many fits, and why there may be none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.errors import SynthgenError
from synthgen.privacy.attacks.membership import Prepared
from synthgen.privacy.attacks.recipe import recipe_of
from synthgen.privacy.attacks.result import AttackResult
from synthgen.privacy.attacks.shadow import LEAST_FITS, shadow_attack
from synthgen.privacy.attacks.splits import Splits
from synthgen.privacy.attacks.white_box import FAILURES
from synthgen.privacy.audit_report import Skipped

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

SHADOW: Final = "shadow"
#: Fits if the attack is named and nobody says how many.
DEFAULT_FITS: Final = 64
#: Records under attack. They share the fits, so that more of them cost nothing and give power, but
#: too many would be a population of their own.
_MOST_RECORDS: Final = 20
_MOST_SHARE: Final = 0.05
#: Rows that each generator is trained on, at most.
_MOST_ROWS: Final = 1_000
_NEIGHBOURS: Final = 5
_FAILURES: Final = (SynthgenError, *FAILURES)


def shadow_result(
    ready: Prepared,
    splits: Splits,
    model: Any,
    *,
    schema: Schema | None,
    fits: int,
    delta: float,
    level: float,
    seed: int,
    over: Callable[[], bool],
) -> AttackResult | Skipped:
    """Train the recipe of a model anew with and without the members most at risk.

    Parameters
    ----------
    ready : Prepared
    splits : Splits
        The reference rows are what the generators are trained on beside the members.
    model : object or None
        The fitted synthesizer; it is left as it is.
    schema : Schema or None
    fits : int
        Generators to train.
    delta, level : float
    seed : int
    over : callable
        Whether the time is over; asked before each fit.

    Returns
    -------
    AttackResult or Skipped
        Skipped, with its cause, if there is nothing to train, or no time to train enough.
    """
    if model is None:
        reason = "no synthesizer was given, only synthetic rows: nothing can be trained anew"
        return Skipped(SHADOW, reason)
    try:
        make = recipe_of(model)
    except (TypeError, RuntimeError) as error:
        # Both are what scikit-learn's clone raises.
        return Skipped(SHADOW, f"{type(model).__name__} cannot be copied unfitted: {error}")
    rows = min(len(splits.reference) // 2, _MOST_ROWS)
    chosen = most_isolated(ready, max(1, min(_MOST_RECORDS, int(_MOST_SHARE * rows))))
    frame = ready.arena.target_frame
    assert frame is not None
    try:
        result = shadow_attack(
            make,
            frame.iloc[chosen],
            splits.reference,
            n_shadows=fits,
            n_rows=rows,
            schema=schema,
            delta=delta,
            level=level,
            over=over,
            random_state=seed,
        )
    except _FAILURES as error:
        return Skipped(SHADOW, f"{type(error).__name__}: {error}", "error")
    if result.auc is None:
        done = result.details["fits"]
        reason = f"the time was over before {LEAST_FITS} generators were trained ({done} were kept)"
        return Skipped(SHADOW, reason, "budget")
    return result


def most_isolated(ready: Prepared, n: int) -> NDArray[np.int64]:
    """Return the targets that are members and furthest from their nearest five reference rows.

    References
    ----------
    Meeus, Guepin, Cretu & de Montjoye (2023), Achilles' heels: vulnerable record identification in
    synthetic data publishing, arXiv:2306.10308.
    """
    population = ready.populations[-1]
    members = population.rows[population.member]
    near = ready.arena.near_reference.distances[members, :_NEIGHBOURS]
    order = np.argsort(-near.mean(axis=1), kind="stable")
    chosen: NDArray[np.int64] = members[order[:n]]
    return chosen
