"""What is to be released: table, columns, who gets it and what for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from synthgen.measure.columns import Roles

if TYPE_CHECKING:
    from synthgen.data.schema import Schema
    from synthgen.dp.ledger import Ledger


def identity_of(
    frame: pd.DataFrame,
    schema: Schema | None,
    ledger: Ledger | None,
    details: Mapping[str, str] | None,
) -> list[tuple[str, str]]:
    """Return what the reader has to know first, the user's words before ours."""
    pairs = [(str(name), str(text)) for name, text in (details or {}).items()]
    for name in ("Recipient", "Purpose", "Retention", "Assess again by"):
        if name.lower() not in {given.lower() for given, _ in pairs}:
            pairs.append((name, "not stated"))
    pairs.append(("Synthetic rows", f"{len(frame):,}"))
    pairs.append(("Columns", str(frame.shape[1])))
    if ledger is not None and ledger.n_rows is not None:
        pairs.append(("Real rows", f"{ledger.n_rows:,}, declared public"))
    pairs.append(("What is protected", "one row" if ledger is not None else "nothing formally"))
    pairs.append(("Checksum of the columns", _digest(frame, schema)))
    return pairs


def columns_of(
    frame: pd.DataFrame,
    roles: Roles,
    schema: Schema | None,
    identifiers: Sequence[Hashable],
) -> list[dict[str, str]]:
    """Return name, kind and role of every column."""
    found = []
    for name in frame.columns:
        known = schema is not None and name in schema
        kind = schema[name].kind if schema is not None and known else str(frame[name].dtype)
        role = str(roles.roles.get(name) or roles.left_out.get(name, ""))
        if name in identifiers:
            role = "direct identifier"
        found.append({"name": str(name), "kind": str(kind), "role": role})
    return found


def _digest(frame: pd.DataFrame, schema: Schema | None) -> str:
    """Return a checksum of names and kinds, which holds nothing of the rows."""
    facts: Any = [
        [str(name), schema[name].kind if schema and name in schema else str(frame[name].dtype)]
        for name in frame.columns
    ]
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()[:16]
