"""Refinement of a trained generator's rows: corrections of single columns, then weights of rows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from synthgen.core.documents import plain_json
from synthgen.core.random import generator, torch_generator
from synthgen.data.lookup_rule import Lookup
from synthgen.data.sum_rule import Sum
from synthgen.encode.layout import EncodedTable
from synthgen.encode.table import TableEncoder
from synthgen.sample.correct import Corrections
from synthgen.sample.draw import RowSource
from synthgen.sample.fit_corrections import CorrectionReport, fit_corrections
from synthgen.sample.refine import Refiner, fit_refiner, rows_drawn

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refinement:
    """What is done to generated rows, and what is known about it.

    Parameters
    ----------
    corrections : Corrections or None
    refiner : Refiner or None
    facts : dict
        As in ``GANSynthesizer.refinement_``.
    """

    corrections: Corrections | None
    refiner: Refiner | None
    facts: dict[str, Any]


NO_REFINEMENT: Final = Refinement(None, None, {"used": False, "reason": "switched off"})


def refine_table(
    encoder: TableEncoder,
    train: EncodedTable,
    holdout: EncodedTable,
    source: RowSource,
    target: Any,
    seed: int,
    *,
    correct: bool,
    insist: bool,
    is_late: Callable[[float], bool] = lambda _: False,
) -> Refinement:
    """Learn corrections of single columns, and then weights of corrected rows.

    Parameters
    ----------
    encoder : TableEncoder
    train, holdout : EncodedTable
        Real rows; the generator did not learn from those of `holdout`.
    source : RowSource
    target : label or None
        Column to correct last.
    seed : int
    correct : bool
        Whether to learn corrections.
    insist : bool
        Fit weights however few rows there are.
    is_late : callable
        Whether fewer than so many seconds are left. What would take longer is left out: columns
        are not corrected, but for the target, and weights are learned from fewer rows.
    """

    def draw(n: int, number: int) -> EncodedTable:
        return source.draw(n, torch_generator(seed, "refine", number))

    names = [column.names for column in encoder.encoders]
    found = CorrectionReport(None, [])
    followers, totals = looked_up(encoder), summed_up(encoder)
    if correct:
        found = fit_corrections(
            encoder.layout,
            train,
            holdout,
            draw,
            missing=encoder.missing_states.tolist(),
            skip=[*followers, *totals],
            last=next((k for k, own in enumerate(names) if target in own), None),
            later_rows=rows_drawn(len(train), len(holdout), late=True),
            is_late=is_late,
            seed=seed,
        )
    corrections = found.corrections

    def draw_corrected(n: int, number: int) -> EncodedTable:
        rows = draw(n, number)
        if corrections is None:
            return rows
        return corrections.apply(rows, generator(seed, "refine", number, 1))

    report = fit_refiner(
        encoder.layout,
        train,
        holdout,
        draw_corrected,
        seed=seed,
        hidden=followers,
        late=is_late(found.row_seconds * rows_drawn(len(train), len(holdout), late=False)),
        insist=insist,
    )
    steps = [fact | {"column": list(names[fact["column"]])} for fact in found.facts]
    used = report.refiner is not None or corrections is not None
    facts = {"used": used, "corrections": plain_json(steps), **report.facts}
    if found.passed_over:
        late = dict.fromkeys(name for k in found.passed_over for name in names[k])
        facts["no_time_for"] = plain_json(list(late))
    logger.info("Refinement: %s", facts)
    return Refinement(corrections, report.refiner, facts)


def looked_up(encoder: TableEncoder) -> list[int]:
    """Return the encoded columns that are looked up after decoding."""
    rules = encoder.schema.constraints
    return _of(encoder, {rule.column for rule in rules if isinstance(rule, Lookup)})


def summed_up(encoder: TableEncoder) -> list[int]:
    """Return the encoded columns that are added up after decoding."""
    rules = encoder.schema.constraints
    return _of(encoder, {rule.total for rule in rules if isinstance(rule, Sum)})


def _of(encoder: TableEncoder, names: set[Any]) -> list[int]:
    return [k for k, column in enumerate(encoder.encoders) if names.issuperset(column.names)]
