"""The audit: every attack within a budget, with controls that say whether to believe it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.core.random import root_seed
from synthgen.data.frame import read_frame
from synthgen.errors import InvalidParameterError
from synthgen.measure.checks import (
    check_callable,
    check_names,
    check_schema,
    check_synthesizer,
)
from synthgen.measure.distances import row_keys
from synthgen.privacy.attacks.attribute import check_secrets
from synthgen.privacy.attacks.membership import (
    ATTACKS,
    MAX_TARGETS,
    Prepared,
    prepare,
)
from synthgen.privacy.attacks.result import AttackResult
from synthgen.privacy.attacks.shadow import LEAST_FITS
from synthgen.privacy.attacks.splits import Splits, split
from synthgen.privacy.attacks.white_box import own_critic
from synthgen.privacy.audit_battery import (
    ANONYMETER,
    ATTRIBUTE,
    RECONSTRUCTION,
    Battery,
    Clock,
)
from synthgen.privacy.audit_facts import (
    checksum,
    distances,
    guarantee_of,
    reproduced,
    versions,
)
from synthgen.privacy.audit_groups import group_columns
from synthgen.privacy.audit_report import AuditReport, Control
from synthgen.privacy.audit_shadow import DEFAULT_FITS, SHADOW

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

_logger = logging.getLogger(__name__)

#: Rows drawn from a synthesizer if no number is given, at most.
_MAX_DRAWN: Final = 1_000_000

#: What is run by default.
_DEFAULT: Final = (*(each.name for each in ATTACKS), ATTRIBUTE, RECONSTRUCTION, ANONYMETER)
#: Names that `attacks` may hold.
NAMES: Final = (*_DEFAULT, SHADOW)


def audit(
    synthesizer_or_frame: Any,
    members: Any,
    holdout: Any,
    reference: Any = None,
    *,
    synthetic: Any = None,
    schema: Schema | None = None,
    secrets: Sequence[Hashable] | None = None,
    attacks: Sequence[str] | None = None,
    critic: Callable[[Any], Any] | None = None,
    n_synthetic: int | None = None,
    max_targets: int = MAX_TARGETS,
    shadow_fits: int = 0,
    groups: Sequence[Hashable] | None = None,
    level: float = 0.95,
    budget_s: float = 180.0,
    random_state: Any = 0,
) -> AuditReport:
    """Attack synthetic data, and the model that made them, and report what was found out.

    Parameters
    ----------
    synthesizer_or_frame : synthesizer or table
        The synthetic rows; or a fitted synthesizer, which is then attacked as a white box too.
    members : table
        The rows that it was fitted on.
    holdout : table
        Real rows of the same kind that it was *not* fitted on, and that nobody chose it by.
    reference : table, optional
        Further real rows, which the attacker is assumed to have. Without it, a random half of the
        holdout takes their place.
    synthetic : table, optional
        With a synthesizer: the rows that are released. By default new ones are drawn.
    schema : Schema, optional
        Kinds of the columns; by default the synthesizer's, or the dtypes decide.
    secrets : sequence of column names, optional
        Sensitive columns for inference and reconstruction. By default the last column, the number
        with the most distinct values and the category with the most levels.
    attacks : sequence of str, optional
        Names of attacks to run; by default all but ``"shadow"``, which trains the synthesizer anew
        many times.
    critic : callable, optional
        Scores a table of rows, higher for training rows; for the white-box attack by the critic.
        By default that of the synthesizer, if it kept one.
    n_synthetic : int, optional
        Rows to draw from a synthesizer; by default as many as there are members, a million at most.
    max_targets : int, default=4000
        Random members, and random holdout rows, that are attacked.
    shadow_fits : int, default=0
        Fits of unfitted copies of the synthesizer for the shadow-model attack, 16 at least; 0
        leaves it out unless `attacks` names it, and then stands for 64. It runs last, within the
        budget, on the members that are most isolated.
    groups : sequence of column names, optional
        Columns of categories; attacks on membership are judged within the rows of each level too.
        By default the first five columns with at most twelve levels; an empty sequence leaves it
        out.
    level : float, default=.95
        Coverage of intervals.
    budget_s : float, default=180
        Seconds after which no further attack is begun; those left out are named. The order is fixed
        and nothing else depends on the clock, but for how many shadow models are fitted. A fit
        that has begun is ended. The controls are always run.
    random_state : int, Generator or None, default=0

    Returns
    -------
    AuditReport

    Raises
    ------
    InvalidDataError
        If a table has too few rows.
    InvalidParameterError
        If a parameter cannot work.
    SchemaMismatchError
        If the tables have different columns.

    Notes
    -----
    Large tables are cut at random, as ``splits`` and ``notes`` of the report say: 20,000 rows each
    of members, holdout and reference, and 10 million cells of the synthetic table.
    """
    wanted = _check(attacks, level, budget_s, max_targets)
    wanted, shadow_fits = _check_shadows(wanted, shadow_fits)
    schema = check_schema(schema)
    secrets = None if secrets is None else check_names("secrets", secrets)
    groups = None if groups is None else check_names("groups", groups)
    if critic is not None:
        check_callable("critic", critic, "a callable that scores a table of rows, or None")
    seed = root_seed(random_state)
    clock = Clock(budget_s)
    model, made = _synthetic(synthesizer_or_frame, synthetic, members, n_synthetic, seed)
    schema = getattr(model, "schema_", None) if schema is None else schema
    claim = guarantee_of(model)
    critic = own_critic(model) if critic is None else critic
    with clock.part("prepare"):
        splits = split(made, members, holdout, reference, schema=schema, seed=seed)
        _check_secrets(secrets, splits)
        ready = prepare(splits, model=model, critic=critic, max_targets=max_targets, seed=seed)
        # Before the attacks, whose work would be lost if it cannot be read.
        stamp = checksum(read_frame(made)[0])
    if not ready.populations:
        raise InvalidParameterError(f"max_targets must be 8 or more, got {max_targets}.")
    names = group_columns(ready.arena, groups)
    battery = Battery(
        ready,
        splits,
        schema,
        wanted,
        secrets,
        level,
        claim["delta"] or 0.0,
        seed,
        clock,
        shadow_fits,
        names,
    )
    results, skipped = battery.run()
    controls, leaks, smallest = battery.controls()
    return AuditReport(
        attacks=tuple(_with_controls(results, controls)),
        controls=controls,
        planted=leaks,
        smallest_leak=smallest,
        groups=battery.group_risks(),
        skipped=tuple(skipped),
        splits=_described(splits, ready),
        reproduced=reproduced(splits),
        distances=distances(ready),
        guarantee=claim,
        settings={
            "random_state": seed,
            "level": level,
            "budget_s": budget_s,
            "max_targets": max_targets,
            "shadow_fits": shadow_fits,
            "attacks": list(wanted),
            "groups": [str(name) for name in names],
            "secrets": [str(name) for name in check_secrets(ready.arena, secrets)],
        },
        versions=versions(),
        notes=(*splits.notes, *_overlap(splits)),
        seconds=clock.seconds,
        checksum=stamp,
    )


def _with_controls(
    results: list[AttackResult], controls: tuple[Control, ...]
) -> Iterator[AttackResult]:
    """Give each attack on membership its area on the negative control."""
    areas = next(each.by_attack for each in controls if each.name == "negative")
    for result in results:
        known = result.population == "random" and result.attack in areas
        yield replace(result, control=areas[result.attack]) if known else result


def _check(
    attacks: Sequence[str] | None, level: float, budget_s: float, max_targets: int
) -> tuple[str, ...]:
    check_real("level", level, low=0.5, high=1.0, closed="neither")
    check_real("budget_s", budget_s, low=0.0)
    check_integer("max_targets", max_targets, minimum=8)
    if attacks is None:
        return _DEFAULT
    chosen = [check_choice("attacks", name, NAMES) for name in check_names("attacks", attacks)]
    if not chosen:
        raise InvalidParameterError("attacks is empty; name one or more, or None for all of them.")
    return tuple(name for name in NAMES if name in chosen)


def _check_shadows(wanted: tuple[str, ...], fits: int) -> tuple[tuple[str, ...], int]:
    """Return the names with the shadow models if they are asked for, and how many there are."""
    check_integer("shadow_fits", fits, minimum=0)
    if not fits:
        return wanted, DEFAULT_FITS if SHADOW in wanted else 0
    check_integer("shadow_fits", fits, minimum=LEAST_FITS)
    return tuple(dict.fromkeys([*wanted, SHADOW])), fits


def _check_secrets(secrets: Sequence[Hashable] | None, splits: Splits) -> None:
    """Refuse a name with a slip of the pen: nobody would see that it was not attacked."""
    known = list(splits.members.columns)
    unknown = [name for name in secrets or () if name not in known]
    if unknown:
        raise InvalidParameterError(
            f"secrets: there is no column {unknown[0]!r}; there are {known!r}."
        )


def _synthetic(
    given: Any, released: Any, members: Any, n_synthetic: int | None, seed: int
) -> tuple[Any, Any]:
    """Return the model, if one was given, and the synthetic rows."""
    if isinstance(given, type) or not (hasattr(given, "fit") and hasattr(given, "sample")):
        for name, value in (("synthetic", released), ("n_synthetic", n_synthetic)):
            if value is not None:
                raise InvalidParameterError(
                    f"{name} goes with a synthesizer; a table of synthetic rows comes first, alone."
                )
        return None, given
    check_synthesizer(given)
    if released is not None:
        return given, released
    size = min(len(members), _MAX_DRAWN) if n_synthetic is None else n_synthetic
    size = check_integer("n_synthetic", size, minimum=1)
    return given, given.sample(size, random_state=seed)


def _described(splits: Splits, ready: Prepared) -> dict[str, Any]:
    return {
        "tables": splits.sizes,
        "columns": [str(name) for name in splits.roles.names()],
        "left_out": {str(name): reason for name, reason in splits.roles.left_out.items()},
        "populations": {
            each.name: {
                "members": int(each.member.sum()),
                "holdout": int((~each.member).sum()),
                "choosing": int(each.choosing.sum()),
                "notes": list(each.notes),
            }
            for each in ready.populations
        },
    }


def _overlap(splits: Splits) -> tuple[str, ...]:
    """Say so if the holdout looks like the members themselves."""
    frames: list[pd.DataFrame] = [splits.members, splits.holdout]
    inside, outside = row_keys(frames, splits.roles)
    share = float(np.isin(outside, inside).mean())
    if share < 0.5:
        return ()
    return (
        f"{share:.0%} of the holdout rows equal a member: either the table has few distinct rows, "
        "or members were given as holdout, which hides every leak",
    )
