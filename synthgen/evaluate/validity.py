"""Validity: whether every synthetic cell could have stood in the real table."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.data.constraints import Constraint, FixedCombinations, Predicate
from synthgen.data.dtypes import dtype_name
from synthgen.errors import ConstraintError, InvalidDataError
from synthgen.evaluate.cell_rules import CellRules, Mask, check_cells, learn_rules
from synthgen.evaluate.result import Result
from synthgen.measure.columns import align, cut
from synthgen.measure.records import record_table

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

#: The real rows that constraints are tried on.
_PROBE: Final = 1_000


def validity(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    max_rows: int | None = None,
    random_state: Any = 0,
) -> Result:
    """Return the share of synthetic cells that break no rule of the real table.

    The checks of a cell are:

    * *missing*: it is missing only where real cells are or the schema allows it;
    * *type*: it is a number, date or time span where the real ones are; dates as text are read in
      the format of the schema;
    * *range*: it lies between the declared bounds, or else between the least and the greatest real
      value;
    * *precision*: it has no more decimals, or no finer time unit, than the real values (multiples
      of 10, 100, ... count if at least five different real values are);
    * *category*: it is a declared category or occurs among the real values;
    * *repeated*: a key (an id whose real values are all different) does not occur a second time;
    * *constraint*: a row that breaks a constraint has invalid cells in all columns of the
      constraint, since it is not known which one is to blame. A :class:`Predicate` names no
      columns: it makes rows invalid, no cells.

    Parameters
    ----------
    real, synthetic : table
        Tables with the same columns.
    holdout : table, optional
        Real rows that were not trained on. How often they break the rules becomes the ceiling and
        a column of the breakdown: fresh real rows leave the range of the others now and then.
    schema : Schema, optional
        Kinds, bounds, categories, formats and constraints. Without it they are inferred from
        `real`.
    max_rows : int, optional
        Check no more than this many random rows of `synthetic` (and of `holdout`); repeated keys
        are then found among them only. All rows of `real` are read. By default all.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows.

    Returns
    -------
    Result
        Value in [0, 1], 1 is best. The breakdown has one row per column and check, worst first; a
        wrong dtype is listed there and in the details, but `counts` is False: it makes no cell
        invalid.

    Raises
    ------
    SchemaMismatchError
        If the columns differ or the schema does not know one.
    ConstraintError
        If a constraint cannot be applied to the real table.

    Examples
    --------
    >>> real = pd.DataFrame({"age": [20, 35, 61, 48, 52], "sex": ["f", "m", "f", "m", "f"]})
    >>> fake = pd.DataFrame({"age": [20, 99], "sex": ["f", "x"]})
    >>> result = validity(real, fake)
    >>> result.value, result.details["valid_rows"]
    (0.5, 0.5)
    """
    limit = None if max_rows is None else check_integer("max_rows", max_rows, minimum=1)
    first, *others = align(real, synthetic, *([] if holdout is None else [holdout]))
    rng = generator(root_seed(random_state), "score", 41)
    others = [cut(frame, limit, rng) for frame in others]
    rules = [learn_rules(first[name], None if schema is None else schema[name]) for name in first]
    constraints = _ready(schema, first)
    audit = _audit(others[0], rules, constraints)
    records, ceiling = audit.records, None
    if holdout is not None:
        fresh = _audit(others[1], rules, constraints)
        ceiling = fresh.value
        # Both audits make the same checks in the same order.
        for record, other in zip(records, fresh.records, strict=True):
            record["holdout_share"] = other["share"]
    wrong, notes = _wrong_dtypes(first, others[0])
    breakdown = record_table(notes + records)
    if len(breakdown):
        # The share decides, the order of the table breaks ties.
        breakdown = breakdown.sort_values("share", ascending=False, kind="stable")
    details = audit.details() | {"wrong_dtypes": wrong}
    if audit.value is None:
        details["not_applicable"] = "no check applies to any column"
    return Result(
        "validity",
        audit.value,
        ceiling=ceiling,
        breakdown=breakdown.reset_index(drop=True),
        reference="share of cells that obey the rules of the real table",
        details=details,
    )


@dataclass(frozen=True)
class _Audit:
    """The outcome of all checks of one table."""

    records: list[dict[str, Any]]
    invalid: dict[Hashable, Mask]
    row_invalid: Mask

    @property
    def value(self) -> float | None:
        """Share of valid cells."""
        if not self.records:
            return None
        return 1 - self.invalid_cells / (len(self.row_invalid) * len(self.invalid))

    @property
    def invalid_cells(self) -> int:
        """Number of cells that fail any check."""
        return sum(int(mask.sum()) for mask in self.invalid.values())

    def details(self) -> dict[str, Any]:
        """Return the facts beside the value."""
        return {
            "rows": len(self.row_invalid),
            "valid_rows": float(1 - self.row_invalid.mean()),
            "invalid_rows": int(self.row_invalid.sum()),
            "cells": len(self.row_invalid) * len(self.invalid),
            "invalid_cells": self.invalid_cells,
            "checks": len(self.records),
        }


def _ready(schema: Schema | None, real: pd.DataFrame) -> list[Constraint]:
    """Return the constraints, fitted and tried on real rows."""
    ready: list[Constraint] = []
    for rule in () if schema is None else schema.constraints:
        if isinstance(rule, FixedCombinations) and rule.combinations is None:
            ready.append(rule.fit(real))
        else:
            ready.append(rule)
        ready[-1].check(real.head(_PROBE))
    return ready


def _audit(
    frame: pd.DataFrame, rules: Sequence[CellRules], constraints: Sequence[Constraint]
) -> _Audit:
    """Make all checks of one table."""
    records: list[dict[str, Any]] = []
    invalid: dict[Hashable, Mask] = {}
    names: list[Hashable] = list(frame.columns)
    for name, own in zip(names, rules, strict=True):
        series = frame[name]
        invalid[name] = np.zeros(len(frame), dtype=bool)
        for check, mask in check_cells(series, own):
            records.append(_record(name, check, mask, series))
            invalid[name] |= mask
    row_invalid = np.zeros(len(frame), dtype=bool)
    for rule in constraints:
        mask = _broken(rule, frame)
        records.append(_constraint_record(rule, mask, frame))
        row_invalid |= mask
        for label in rule.columns:
            invalid[label] |= mask
    for mask in invalid.values():
        row_invalid |= mask
    return _Audit(records, invalid, row_invalid)


def _broken(rule: Constraint, frame: pd.DataFrame) -> Mask:
    """Return the rows that break a constraint; all if it cannot be applied to the values."""
    try:
        return ~np.asarray(rule.check(frame), dtype=bool)
    except (ConstraintError, InvalidDataError):
        # The real rows could be checked, so that the values of this table are of a wrong kind.
        return np.ones(len(frame), dtype=bool)


def _record(name: Hashable, check: str, mask: Mask, series: pd.Series[Any]) -> dict[str, Any]:
    invalid = int(mask.sum())
    example = str(series.iloc[int(mask.argmax())]) if invalid else ""
    return _line(name, check, invalid, len(mask), example)


def _constraint_record(rule: Constraint, mask: Mask, frame: pd.DataFrame) -> dict[str, Any]:
    label = f" {rule.name}" if isinstance(rule, Predicate) else ""
    invalid, place = int(mask.sum()), int(mask.argmax())
    cells = [f"{name}={frame[name].iloc[place]}" for name in rule.columns] if invalid else []
    where = rule.columns[0] if len(rule.columns) == 1 else ", ".join(map(str, rule.columns))
    check = f"constraint: {type(rule).__name__}{label}"
    return _line(where, check, invalid, len(mask), ", ".join(cells))


def _wrong_dtypes(
    real: pd.DataFrame, synthetic: pd.DataFrame
) -> tuple[dict[Hashable, str], list[dict[str, Any]]]:
    """Return the columns whose dtype differs, and their lines of the breakdown."""
    wrong: dict[Hashable, str] = {}
    for name in real.columns:
        expected, found = dtype_name(real[name]), dtype_name(synthetic[name])
        if expected != found:
            wrong[name] = f"{found} instead of {expected}"
    size = len(synthetic)
    lines = [_line(name, "dtype", size, size, text, False) for name, text in wrong.items()]
    return wrong, lines


def _line(
    name: Hashable, check: str, invalid: int, rows: int, example: str, counts: bool = True
) -> dict[str, Any]:
    return {
        "column": name,
        "check": check,
        "invalid": invalid,
        "share": invalid / rows,
        "example": example,
        "counts": counts,
    }
