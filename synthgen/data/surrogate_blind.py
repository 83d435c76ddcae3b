"""Made-up columns for private tables: nothing is looked up in the data, not even the form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthgen.data.column import Column
from synthgen.data.dtypes import family
from synthgen.data.pattern import parse_pattern
from synthgen.data.shuffle import key_of
from synthgen.data.surrogate_id import NumberIds, PatternIds, SequenceIds
from synthgen.data.surrogate_pii import PersonalData

if TYPE_CHECKING:
    from synthgen.data.surrogate import Surrogate

_PHONE = ("(###) ###-####",)


def blind_surrogate(column: Column) -> Surrogate:
    """Return a surrogate for a column of which only the schema is known.

    Parameters
    ----------
    column : Column
        Of kind id or pii. Ids follow the declared `pattern`, or count from 1.

    Returns
    -------
    Surrogate
        It may happen to make a value that is real, since it does not know those.

    Raises
    ------
    ValueError
        For other kinds.
    """
    if column.kind == "pii":
        key = key_of("pii", column.name)
        templates = _PHONE if column.pii == "phone" else ()
        real = np.empty(0, dtype=np.uint64)
        return PersonalData(str(column.pii), False, templates, real, column.dtype, key)
    if column.kind != "id":
        raise ValueError(f"A column of kind {column.kind!r} cannot be made up blindly.")
    if column.pattern is not None:
        count = len(parse_pattern(column.pattern))
        none = np.empty(0, dtype=np.int64)
        key = key_of("id", column.name)
        return PatternIds(column.pattern, (1,) * count, (none,) * count, column.dtype, key)
    if family(column.dtype) == "number":
        return NumberIds(0, 0, 1, np.empty(0, dtype=np.int64), 0, column.dtype, 0)
    return SequenceIds("", "", 0, 1, column.dtype)
