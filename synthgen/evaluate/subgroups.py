"""Subgroup fidelity: whether the rows of every group look like the real rows of that group."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidParameterError
from synthgen.evaluate.grouped import MEAN_KS, Merged, ks_within, merge, tv_within
from synthgen.evaluate.rare import coded_levels
from synthgen.evaluate.result import Result
from synthgen.measure.columns import Roles, align, column_roles, cut
from synthgen.measure.records import record_table

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

#: A discrete column with more distinct values than this share of its rows says nothing, unless
#: there are too few rows to tell.
_MANY_DISTINCT: Final = 0.5
_ENOUGH: Final = 20

_Codes = NDArray[np.int64]
_Floats = NDArray[np.float64]


def subgroup_fidelity(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    by: Hashable | Iterable[Hashable] | None = None,
    min_rows: int = 100,
    max_groups: int = 300,
    max_rows: int | None = 100_000,
    random_state: Any = 0,
) -> Result:
    """Compare the columns within every group of rows; the worst group is the value.

    Groups are the levels of every discrete column, missing values being one, with at least
    `min_rows` real rows. The score of a group is the mean over all other columns of one minus the
    Kolmogorov-Smirnov distance (continuous) or the total variation distance (discrete) between
    the real and the synthetic rows of the group; missing values count as a state of their own. A
    group that the synthetic table lacks scores 0. Discrete columns whose real values hardly repeat
    (more distinct values than half the rows) are left out: no two samples of them look alike.

    Small groups score less by chance. `expected` is about what fresh real rows would get if they
    were as many as the synthetic table should have of the group; it is too low for numbers with
    many ties. `gap` is how much lower than that the score is. With a holdout, the same excess of
    the holdout rows is subtracted, which makes the gap that between fresh real rows and synthetic
    rows at equal sizes.

    Parameters
    ----------
    real, synthetic : table
        Tables with the same columns.
    holdout : table, optional
        Real rows that were not trained on; their scores in the same groups become a column of the
        breakdown, and their worst score the ceiling.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    by : label or list of labels, optional
        Columns that make the groups. Continuous columns are cut at their real quartiles. By
        default all discrete columns.
    min_rows : int, default=100
        Fewest real rows of a group.
    max_groups : int, default=300
        If there are more groups, those with the most real rows are compared.
    max_rows : int or None, default=100000
        Look at no more than this many random rows of each table; `min_rows` applies to these.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows.

    Returns
    -------
    Result
        Value in [0, 1], 1 is best, or None if there is no group. The breakdown has one row per
        group, the widest gap first, with the column that differs most beyond chance within it.

    Raises
    ------
    InvalidParameterError
        If `by` names a column that is not there or cannot make groups.
    InvalidDataError
        If no column can be compared.
    SchemaMismatchError
        If the columns differ or the schema does not know one.

    References
    ----------
    Marsaglia, Tsang & Wang (2003), Evaluating Kolmogorov's distribution,
    doi:10.18637/jss.v008.i18: the distribution whose mean is used for chance.

    Examples
    --------
    >>> real = pd.DataFrame({"sex": ["f", "m"] * 50, "x": [0.0, 1.0] * 50})
    >>> fake = pd.DataFrame({"sex": ["f", "m"] * 50, "x": [0.0, 0.0] * 50})
    >>> result = subgroup_fidelity(real, fake, min_rows=50)
    >>> result.value, result.breakdown["level"].tolist()
    (0.0, ['m', 'f'])
    """
    min_rows = check_integer("min_rows", min_rows, minimum=1)
    max_groups = check_integer("max_groups", max_groups, minimum=1)
    limit = None if max_rows is None else check_integer("max_rows", max_rows, minimum=1)
    frames = align(real, synthetic, *([] if holdout is None else [holdout]))
    roles = column_roles(frames[0], schema)
    rng = generator(root_seed(random_state), "score", 44)
    frames = [cut(frame, limit, rng) for frame in frames]
    roles = _repeating(frames[0], roles)
    names = _chosen(by, roles, list(frames[0].columns))
    table = _Table(frames, roles)
    groups, n_groups = _find_groups(table, names, min_rows, max_groups)
    records = [record for own in groups if len(roles.roles) > 1 for record in table.score(own)]
    breakdown = record_table(records)
    details: dict[str, Any] = {
        "real_rows": len(frames[0]),
        "synthetic_rows": len(frames[1]),
        "groups": len(breakdown),
        "groups_not_compared": n_groups - sum(len(own.labels) for own in groups),
        "left_out": {str(name): reason for name, reason in roles.left_out.items()},
    }
    if not len(breakdown):
        few = len(roles.roles) < 2
        details["not_applicable"] = (
            "there is no second column to compare"
            if few
            else f"no group short of the whole table has {min_rows} real rows"
        )
        return _result(None, None, None, details)
    breakdown = _sorted(breakdown)
    worst = breakdown.iloc[int(breakdown["score"].to_numpy().argmin())]
    details |= {
        "absent_groups": int((breakdown["synthetic_rows"] == 0).sum()),
        "worst_group": [worst["column"], worst["level"]],
        "mean_score": float(breakdown["score"].mean()),
        "largest_gap": float(breakdown["gap"].iloc[0]),
    }
    fresh = breakdown["holdout_score"].dropna() if holdout is not None else ()
    ceiling = float(min(fresh)) if len(fresh) else None
    return _result(float(worst["score"]), ceiling, breakdown, details)


def _result(
    value: float | None,
    ceiling: float | None,
    breakdown: pd.DataFrame | None,
    details: dict[str, Any],
) -> Result:
    return Result(
        "subgroup_fidelity",
        value,
        ceiling=ceiling,
        breakdown=breakdown,
        reference="worst mean of 1 - KS and 1 - total variation within groups",
        details=details,
    )


def _repeating(real: pd.DataFrame, roles: Roles) -> Roles:
    """Leave out discrete columns whose values hardly repeat."""
    left_out = dict(roles.left_out)
    for name in roles.names("discrete"):
        n_rows = int(real[name].notna().sum())
        if n_rows >= _ENOUGH and real[name].nunique() > _MANY_DISTINCT * n_rows:
            left_out[name] = "values that hardly repeat"
    kept = {name: role for name, role in roles.roles.items() if name not in left_out}
    return Roles(kept, roles.columns, left_out)


def _chosen(by: Any, roles: Roles, known: list[Hashable]) -> list[Hashable]:
    """Return the columns that make groups."""
    if by is None:
        return roles.names("discrete")
    # A label may itself be a tuple, so that membership decides before iteration.
    single = isinstance(by, str) or not isinstance(by, Iterable) or _is_label(by, known)
    names: list[Hashable] = [by] if single else list(dict.fromkeys(by))
    for name in names:
        if name not in roles.roles:
            reason = roles.left_out.get(name, "there is no such column")
            raise InvalidParameterError(
                f"by: {name!r} cannot make groups ({reason}); use some of {roles.names()}."
            )
    return names


def _is_label(value: Any, known: list[Hashable]) -> bool:
    return isinstance(value, Hashable) and value in known


@dataclass(frozen=True)
class _Groups:
    """Groups made by one column: per table the group of each row, -1 for none, and their labels."""

    name: Hashable
    codes: list[_Codes]
    labels: list[Any]


def _find_groups(
    table: _Table, names: list[Hashable], min_rows: int, max_groups: int
) -> tuple[list[_Groups], int]:
    """Return the groups that are compared, and how many there are."""
    made, counts = [], []
    for name in names:
        codes, labels = table.levels(name)
        rows = np.bincount(codes[0], minlength=len(labels))
        # A group of all rows is the table.
        keep = (rows >= min_rows) & (rows < len(codes[0]))
        made.append((name, codes, labels))
        counts.append(np.where(keep, rows, 0))
    sizes = np.concatenate(counts) if counts else np.zeros(0, dtype=np.int64)
    kept = np.zeros(len(sizes), dtype=bool)
    kept[np.argsort(-sizes, kind="stable")[:max_groups]] = True
    kept &= sizes > 0
    groups, start = [], 0
    for name, codes, labels in made:
        places = np.flatnonzero(kept[start : start + len(labels)])
        start += len(labels)
        numbers = np.full(len(labels), -1)
        numbers[places] = np.arange(len(places))
        if len(places):
            groups.append(_Groups(name, [numbers[c] for c in codes], [labels[k] for k in places]))
    return groups, int((sizes > 0).sum())


class _Table:
    """The columns of all tables, prepared once for all groups."""

    def __init__(self, frames: list[pd.DataFrame], roles: Roles) -> None:
        self.frames = frames
        self.roles = roles
        self.sizes = [len(frame) for frame in frames]
        self._levels: dict[Hashable, tuple[list[_Codes], list[Any]]] = {}
        self._merged: dict[Hashable, list[Merged]] = {}
        for name in roles.names("continuous"):
            real, *others = (roles.numbers(frame, name) for frame in frames)
            self._merged[name] = [merge(real, other) for other in others]
        for name in roles.names("discrete"):
            codes, levels = coded_levels([frame[name] for frame in frames])
            self._levels[name] = _with_missing(codes, list(levels))

    def levels(self, name: Hashable) -> tuple[list[_Codes], list[Any]]:
        """Return a column as codes without gaps, and the label of each code."""
        if name in self._levels:
            return self._levels[name]
        return self._quartiles(name)

    def _quartiles(self, name: Hashable) -> tuple[list[_Codes], list[Any]]:
        """Cut a continuous column at its real quartiles."""
        parts = [self.roles.numbers(frame, name) for frame in self.frames]
        present = parts[0][~np.isnan(parts[0])]
        edges = np.unique(np.quantile(present, [0.25, 0.5, 0.75])) if len(present) else present
        bins = [np.digitize(part, edges) for part in parts]
        codes = [np.where(np.isnan(part), -1, b) for part, b in zip(parts, bins, strict=True)]
        labels: list[Any] = []
        for k in range(len(edges) + 1):
            rows = np.flatnonzero(codes[0] == k)
            ends = [rows[pick(parts[0][rows])] for pick in (np.argmin, np.argmax) if len(rows)]
            labels.append(" to ".join(str(self.frames[0][name].iloc[row]) for row in ends))
        return _with_missing(codes, labels)

    def score(self, groups: _Groups) -> list[dict[str, Any]]:
        """Return one line of the breakdown per group."""
        n_groups = len(groups.labels)
        rows = [np.bincount(c[c >= 0], minlength=n_groups).astype(float) for c in groups.codes]
        others = [name for name in self.roles.names() if name != groups.name]
        compared = []
        for k in range(1, len(self.sizes)):
            due = rows[0] * self.sizes[k] / self.sizes[0]
            chance = 1 / rows[0] + 1 / due
            pairs = [self._distances(name, groups, k, rows, chance) for name in others]
            distances, expected = (np.array(part) for part in zip(*pairs, strict=True))
            distances[:, rows[k] == 0] = 1.0
            compared.append((distances, expected))
        return [self._line(groups, g, rows, others, compared) for g in range(n_groups)]

    def _line(
        self,
        groups: _Groups,
        g: int,
        rows: list[_Floats],
        others: list[Hashable],
        compared: list[tuple[_Floats, _Floats]],
    ) -> dict[str, Any]:
        scores = [float(1 - distances[:, g].mean()) for distances, _ in compared]
        expected = [float(1 - chance[:, g].mean()) for _, chance in compared]
        excess = compared[0][0][:, g] - compared[0][1][:, g]
        place = int(excess.argmax())
        line = {
            "column": groups.name,
            "level": groups.labels[g],
            "real_rows": int(rows[0][g]),
            "synthetic_rows": int(rows[1][g]),
            "real_share": float(rows[0][g] / self.sizes[0]),
            "synthetic_share": float(rows[1][g] / self.sizes[1]),
            "score": scores[0],
            "expected": expected[0],
            "gap": expected[0] - scores[0],
            "worst_column": others[place] if rows[1][g] else None,
            "worst_column_score": float(1 - compared[0][0][place, g]),
        }
        if len(scores) > 1:
            fresh = bool(rows[2][g])
            line["gap"] -= expected[1] - scores[1] if fresh else 0.0
            line["holdout_rows"] = int(rows[2][g])
            line["holdout_score"] = scores[1] if fresh else None
        return line

    def _distances(
        self, name: Hashable, groups: _Groups, k: int, rows: list[_Floats], chance: _Floats
    ) -> tuple[_Floats, _Floats]:
        """Return the distance of one column in every group, and its mean by chance."""
        # A group of no rows has no shares; its distances are set afterwards.
        sizes = [rows[0], np.maximum(rows[k], 1)]
        own = [groups.codes[0], groups.codes[k]]
        if name in self._merged:
            distances = ks_within(self._merged[name][k - 1], own, sizes)
            return distances, np.minimum(1.0, MEAN_KS * np.sqrt(chance))
        codes, labels = self._levels[name]
        return tv_within([codes[0], codes[k]], len(labels), own, sizes, chance)


def _with_missing(codes: list[_Codes], labels: list[Any]) -> tuple[list[_Codes], list[Any]]:
    """Give missing values a code and the label None."""
    if not any((part < 0).any() for part in codes):
        return codes, labels
    return [np.where(part < 0, len(labels), part) for part in codes], [*labels, None]


def _sorted(breakdown: pd.DataFrame) -> pd.DataFrame:
    """Put the widest gap first; of equal gaps the lower score."""
    order = np.lexsort([breakdown["score"].to_numpy(), -breakdown["gap"].to_numpy()])
    return breakdown.iloc[order].reset_index(drop=True)
