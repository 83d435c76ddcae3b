"""Rows that break a constraint: found, drawn again, and repaired if that does not help."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Final

import numpy as np
import pandas as pd

from synthgen.data.constraints import Constraint, Unique
from synthgen.data.schema import Schema

#: Draws of a row before it is repaired.
MOST_ATTEMPTS: Final = 12
_MOST_CANDIDATES: Final = 16_384


def row_rules(schema: Schema) -> list[Constraint]:
    """Return the constraints that single rows can obey; uniqueness is a matter of all rows."""
    return [rule for rule in schema.constraints if not isinstance(rule, Unique)]


def obeys(frame: pd.DataFrame, rules: list[Constraint]) -> np.ndarray:
    """Return for each row whether it obeys all rules, (n,)."""
    good = np.ones(len(frame), dtype=bool)
    for rule in rules:
        good &= rule.check(frame)
    return good


def redraw(
    frame: pd.DataFrame,
    rules: list[Constraint],
    draw: Callable[[np.ndarray, int], pd.DataFrame],
    concerned: np.ndarray,
) -> pd.DataFrame:
    """Draw rows that break a rule again, some times.

    Parameters
    ----------
    frame : pandas.DataFrame
        With a RangeIndex.
    rules : list of Constraint
    draw : callable
        Draws the rows with the given places anew, of which some come several times; told the
        number of the attempt.
    concerned : numpy.ndarray of bool, shape (n, rules)
        Which rules a row can be made to obey by drawing it again; the others do not count.
    """
    for attempt in range(MOST_ATTEMPTS):
        places = np.flatnonzero(_broken(frame, rules, concerned))
        if not len(places):
            break
        # Ever more candidates for the few rows that are left.
        copies = min(2**attempt, max(_MOST_CANDIDATES // len(places), 1))
        candidates = np.repeat(places, copies)
        drawn = draw(candidates, attempt)
        broken = _broken(drawn, rules, concerned[candidates])
        chosen = broken.reshape(-1, copies).argmin(axis=1)
        order = np.arange(len(frame))
        order[places] = len(frame) + np.arange(len(places)) * copies + chosen
        both = pd.concat([frame, drawn], ignore_index=True)
        frame = both.iloc[order].reset_index(drop=True)
    return frame


def _broken(frame: pd.DataFrame, rules: list[Constraint], concerned: np.ndarray) -> np.ndarray:
    """Return how many of the rules that concern it each row breaks, (n,)."""
    broken = np.zeros(len(frame), dtype=np.int64)
    for k, rule in enumerate(rules):
        broken += ~rule.check(frame) & concerned[:, k]
    return broken


def repair(
    frame: pd.DataFrame,
    rules: list[Constraint],
    fixed: Iterable[Hashable],
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Change cells of rows that break a rule, as each rule can.

    Returns
    -------
    frame : pandas.DataFrame
    good : numpy.ndarray of bool, shape (n,)
        Whether a row now obeys all rules, with its `fixed` columns as they were.
    """
    changed = frame
    for rule in rules:
        result = rule.repair(changed, rng)
        changed = changed if result is None else result
    good = obeys(changed, rules)
    for name in fixed:
        before, after = frame[name], changed[name]
        same = (before == after).fillna(False) | (before.isna() & after.isna())
        good &= same.to_numpy(dtype=bool)
    return changed, good
