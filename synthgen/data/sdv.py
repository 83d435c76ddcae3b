"""Schemas from and to the single-table metadata that SDV reads and writes.

Both the flat form (``METADATA_SPEC_VERSION`` ``SINGLE_TABLE_V1``) and the form with one entry under
``tables`` are read. That metadata knows no dtypes, so columns read from it have likely ones until
the schema meets data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from synthgen.data.column import Column
from synthgen.data.datetext import formattable, plain_format
from synthgen.errors import InvalidParameterError

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

_VERSION: Final = "SINGLE_TABLE_V1"
_PII: Final = {
    "name": "name", "first_name": "first_name", "last_name": "last_name", "email": "email",
    "phone": "phone_number", "address": "address", "street": "street_address", "city": "city",
    "postcode": "postcode", "country": "country", "state": "administrative_unit", "iban": "iban",
    "credit_card": "credit_card_number", "ip": "ipv4_address", "ssn": "ssn",
    "username": "user_name", "company": "company", "url": "url",
}  # fmt: skip
_PII_BACK: Final = {theirs: ours for ours, theirs in _PII.items()} | {
    "ipv6_address": "ip",
    "country_code": "country",
    "state_abbr": "state",
    "state": "state",
}
_REPRESENTATIONS: Final = {
    "int8": "Int8", "int16": "Int16", "int32": "Int32", "int64": "Int64", "uint8": "UInt8",
    "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64", "float32": "Float",
    "float64": "Float",
}  # fmt: skip


def to_sdv(schema: Schema) -> dict[str, Any]:
    """Return single-table metadata of version V1.

    Free text and constants become ``unknown`` and ``categorical``; time spans ``numerical``.

    Raises
    ------
    InvalidParameterError
        If a column label is not a string, which that metadata cannot express.
    """
    columns = {}
    for column in schema:
        if not isinstance(column.name, str):
            raise InvalidParameterError(
                f"SDV metadata need text as column names, got {column.name!r}; rename it first."
            )
        columns[column.name] = _entry(column)
    document: dict[str, Any] = {"METADATA_SPEC_VERSION": _VERSION, "columns": columns}
    keys = [column.name for column in schema if column.kind == "id" and not column.nullable]
    if keys:
        document["primary_key"] = keys[0]
    return document


def from_sdv(document: dict[str, Any]) -> Schema:
    """Read single-table metadata.

    Parameters
    ----------
    document : dict

    Raises
    ------
    InvalidParameterError
        If it is not metadata of exactly one table.
    """
    from synthgen.data.schema import Schema

    if "tables" in document:
        tables = list(document["tables"].values())
        if len(tables) != 1:
            raise InvalidParameterError(f"The metadata describe {len(tables)} tables, not one.")
        document = tables[0]
    columns = document.get("columns")
    if not isinstance(columns, dict) or not columns:
        raise InvalidParameterError("SDV metadata need an object 'columns'.")
    key = document.get("primary_key")
    return Schema(tuple(_column(name, entry, name == key) for name, entry in columns.items()))


def _entry(column: Column) -> dict[str, Any]:
    simple = {"boolean": "boolean", "categorical": "categorical", "constant": "categorical"}
    if column.kind in simple:
        return {"sdtype": simple[column.kind]}
    if column.kind == "ordinal":
        return {"sdtype": "categorical", "order": list(column.categories or ())}
    if column.kind in ("numeric", "integer", "timedelta"):
        entry: dict[str, Any] = {"sdtype": "numerical"}
        representation = _REPRESENTATIONS.get(column.dtype.lower())
        return entry | ({"computer_representation": representation} if representation else {})
    if column.kind == "datetime":
        form = {"datetime_format": plain_format(column.format)} if column.format else {}
        return {"sdtype": "datetime"} | form
    if column.kind == "id":
        return {"sdtype": "id"} | ({"regex_format": column.pattern} if column.pattern else {})
    if column.kind == "pii":
        return {"sdtype": _PII[str(column.pii)], "pii": True}
    return {"sdtype": "unknown", "pii": False}


def _column(name: str, entry: dict[str, Any], is_key: bool) -> Column:
    sdtype = entry.get("sdtype")
    reason = f"SDV metadata: {sdtype}"
    nullable = not is_key
    if sdtype == "numerical":
        representation = str(entry.get("computer_representation", "Float"))
        whole = representation != "Float"
        dtype = representation if whole else "float64"
        return Column(name, "integer" if whole else "numeric", dtype, nullable, reason)
    if sdtype == "categorical":
        if entry.get("order"):
            levels = tuple(entry["order"])
            return Column(name, "ordinal", "object", nullable, reason, categories=levels)
        return Column(name, "categorical", "object", nullable, reason)
    if sdtype == "boolean":
        return Column(name, "boolean", "boolean", nullable, reason)
    if sdtype == "datetime":
        form = entry.get("datetime_format")
        if form is not None and formattable(form):
            return Column(name, "datetime", "object", nullable, reason, format=form)
        return Column(name, "datetime", "datetime64[ns]", nullable, reason)
    if sdtype == "id" or is_key:
        return Column(name, "id", "object", nullable, reason, pattern=entry.get("regex_format"))
    if sdtype in _PII_BACK:
        return Column(name, "pii", "object", nullable, reason, pii=_PII_BACK[str(sdtype)])
    if sdtype == "unknown" or entry.get("pii"):
        return Column(name, "text", "object", nullable, reason)
    raise InvalidParameterError(f"Column {name!r}: the sdtype {sdtype!r} is not known.")
