"""Who is who: members, holdout, reference and synthetic rows, disjoint and aligned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from synthgen.core.random import generator
from synthgen.errors import InvalidDataError
from synthgen.measure.columns import Roles, align, column_roles, cut, cut_rows

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

#: Rows of members, and of holdout, that vulnerable rows are looked for among.
MAX_POOL: Final = 20_000
MAX_REFERENCE: Final = 20_000
#: Cells of the synthetic table that are searched; rows beyond that are left out at random.
MAX_SYNTHETIC_CELLS: Final = 10_000_000
_LEAST_ROWS: Final = 8


@dataclass(frozen=True)
class Splits:
    """The four tables of an attack.

    Parameters
    ----------
    members : pandas.DataFrame
        Rows that the generator learned from, and that are attacked.
    holdout : pandas.DataFrame
        Real rows that it did not learn from, and that are attacked as a control.
    reference : pandas.DataFrame
        Further real rows, which the attacker has. Disjoint from the holdout.
    synthetic : pandas.DataFrame
        What is released.
    roles : Roles
        How the columns enter, decided by the reference rows.
    sizes : dict
        Rows given and rows used of each table.
    notes : tuple of str
        What was cut, and how.
    """

    members: pd.DataFrame
    holdout: pd.DataFrame
    reference: pd.DataFrame
    synthetic: pd.DataFrame
    roles: Roles
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def split(
    synthetic: Any,
    members: Any,
    holdout: Any,
    reference: Any = None,
    *,
    schema: Schema | None = None,
    seed: int = 0,
) -> Splits:
    """Align the tables and cut them to the sizes that an audit looks at.

    Without a reference table, a random half of the holdout becomes the reference.

    Raises
    ------
    InvalidDataError
        If a table has too few rows.
    SchemaMismatchError
        If columns differ.
    """
    others = {"holdout": holdout, "synthetic": synthetic}
    frames = _aligned(members, others if reference is None else others | {"reference": reference})
    given = {"members": len(frames[0]), "holdout": len(frames[1]), "synthetic": len(frames[2])}
    notes: list[str] = []
    inside, outside, made, *rest = frames
    if rest:
        real = rest[0]
        given["reference"] = len(real)
    else:
        order = generator(seed, "attack", 11).permutation(len(outside))
        half = np.sort(order[: len(outside) // 2]), np.sort(order[len(outside) // 2 :])
        real, outside = (outside.iloc[rows].reset_index(drop=True) for rows in half)
        notes.append("a random half of the holdout serves as reference")
    for name, frame in (("members", inside), ("holdout", outside), ("reference", real)):
        if len(frame) < _LEAST_ROWS:
            raise InvalidDataError(
                f"The audit needs {_LEAST_ROWS} rows of {name}, got {len(frame)}"
                + ("" if rest or name == "members" else " after half became the reference")
                + "; some hundreds are needed to find anything."
            )
    rng = generator(seed, "attack", 12)
    roles = column_roles(real, schema)
    limits = {
        "members": MAX_POOL,
        "holdout": MAX_POOL,
        "reference": MAX_REFERENCE,
        "synthetic": max(1, MAX_SYNTHETIC_CELLS // len(roles.roles)),
    }
    tables = {"members": inside, "holdout": outside, "reference": real, "synthetic": made}
    sizes = {}
    for name, frame in tables.items():
        tables[name] = cut(frame, limits[name], rng)
        sizes[name] = {"given": given.get(name, 0), "used": len(tables[name])}
        if len(tables[name]) < len(frame):
            notes.append(
                f"{name}: a random {len(tables[name]):,} of {len(frame):,} rows are looked at"
            )
    if len(tables["synthetic"]) < len(made):
        share = len(tables["synthetic"]) / len(made)
        notes.append(f"a copy of a member is seen with probability {share:.2f} only")
    return Splits(**tables, roles=roles, sizes=sizes, notes=tuple(notes))


def _aligned(members: Any, others: Mapping[str, Any]) -> list[pd.DataFrame]:
    """Return the members and the other tables with their columns; errors say which it was."""
    frames = []
    for name, tables in [("members", []), *((name, [table]) for name, table in others.items())]:
        try:
            frames.append(align(members, *tables)[-1])
        except InvalidDataError as error:
            raise type(error)(f"{name}: {error}") from error
    return frames


def random_rows(n: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return the places of `size` random rows of `n`, in order."""
    return cut_rows(np.arange(n), size, rng)
