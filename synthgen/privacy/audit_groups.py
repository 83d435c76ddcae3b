"""Whether the members of some group are recognised more easily than all members together."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.errors import InvalidParameterError
from synthgen.privacy.attacks.arena import Arena
from synthgen.privacy.attacks.judge import Population, judge
from synthgen.privacy.attacks.membership import Prepared
from synthgen.privacy.attacks.result import AttackResult

Scores = Mapping[str, NDArray[np.float64]]

#: Columns with more levels than this make no groups unless they are asked for.
_MOST_LEVELS: Final = 12
#: Columns that groups are made of by default, at most.
_MOST_COLUMNS: Final = 5
#: Members, and holdout rows, in each half of a group: with fewer an interval tells nothing.
_LEAST_ROWS: Final = 20


@dataclass(frozen=True)
class GroupRisk:
    """How well the members of one group were told from holdout rows of the same group.

    Parameters
    ----------
    column, level : str
        The group: rows with this level of this column.
    n_members, n_holdout : int
        Random rows of the group that were attacked, both halves together.
    result : AttackResult or None
        Of the attack that was best on the choosing half of this group, measured on its other half;
        ``auc_simultaneous`` holds for all groups at once. None if there are too few rows to tell.
    """

    column: str
    level: str
    n_members: int
    n_holdout: int
    result: AttackResult | None

    def to_dict(self) -> dict[str, Any]:
        """Return the group as JSON types."""
        result = None if self.result is None else self.result.to_dict()
        return {**vars(self), "result": result}


def group_risks(
    scored: Sequence[tuple[Any, Scores]],
    ready: Prepared,
    columns: Sequence[Hashable],
    *,
    delta: float,
    level: float,
) -> tuple[GroupRisk, ...]:
    """Judge the attacks on membership within every group of random rows.

    Parameters
    ----------
    scored : sequence of (attack, scores)
    ready : Prepared
    columns : sequence of column names
        See :func:`group_columns`.
    delta, level : float
        As for :func:`~synthgen.privacy.attacks.judge.judge`.

    Returns
    -------
    tuple of GroupRisk
        The group with the largest lower bound first, those with too few rows last.
    """
    everyone = ready.populations[0]
    if everyone.name != "random" or not scored:
        return ()
    groups = [group for name in columns for group in _split(ready.arena, everyone, name)]
    enough = [_fewest(population) >= _LEAST_ROWS for *_, population in groups]
    origin, merged = _merged(scored)
    found = []
    for (name, value, population), judged in zip(groups, enough, strict=True):
        result = None
        if judged:
            result = judge(
                "", "", merged, population, delta=delta, level=level, comparisons=sum(enough)
            )
            attack, threat, variant = origin[result.variant]
            result = replace(result, attack=attack, threat_model=threat, variant=variant, roc=None)
        inside = int(population.member.sum())
        found.append(GroupRisk(name, value, inside, len(population.member) - inside, result))
    # Python sorts stably, so that ties keep the order of columns and levels.
    return tuple(sorted(found, key=_lowest))


def group_columns(arena: Arena, columns: Sequence[Hashable] | None) -> list[Hashable]:
    """Return the columns that make groups: by default the first five with at most twelve levels.

    Raises
    ------
    InvalidParameterError
        If a named column is no category of the table.
    """
    levels = dict(zip(arena.names, arena.n_levels, strict=True))
    if columns is None:
        # One of the levels stands for whatever no reference row has.
        few = [name for name, number in levels.items() if 2 <= number - 1 <= _MOST_LEVELS]
        return few[:_MOST_COLUMNS]
    for name in columns:
        if not levels.get(name):
            known = [name for name, number in levels.items() if number]
            raise InvalidParameterError(
                f"groups: {name!r} is no column of categories; there are {known!r}. "
                "Cut numbers into bands first."
            )
    return list(columns)


def _split(
    arena: Arena, everyone: Population, name: Hashable
) -> Iterator[tuple[str, str, Population]]:
    """Yield column, level and rows of every group of one column."""
    assert arena.target_frame is not None  # An audit always keeps it.
    values = arena.target_frame[name].iloc[everyone.rows]
    words = np.array(["missing" if pd.isna(each) else str(each) for each in values])
    for word in sorted(set(words.tolist())):
        own = words == word
        yield (
            str(name),
            word,
            Population(
                f"{name} = {word}", everyone.rows[own], everyone.member[own], everyone.choosing[own]
            ),
        )


def _fewest(population: Population) -> int:
    """Return the size of the smallest of the four parts: members or not, choosing or reported."""
    return min(
        int((side & half).sum())
        for side in (population.member, ~population.member)
        for half in (population.choosing, ~population.choosing)
    )


def _merged(
    scored: Sequence[tuple[Any, Scores]],
) -> tuple[dict[str, tuple[str, str, str]], dict[str, NDArray[np.float64]]]:
    """Return all variants of all attacks as those of one, and where each is from."""
    origin, merged = {}, {}
    for attack, scores in scored:
        for variant, values in scores.items():
            key = f"{attack.name}: {variant}"
            origin[key] = (attack.name, attack.threat_model, variant)
            merged[key] = values
    return origin, merged


def _lowest(risk: GroupRisk) -> float:
    if risk.result is None or risk.result.auc_simultaneous is None:
        return 1.0
    return -risk.result.auc_simultaneous[0]
