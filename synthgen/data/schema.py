"""What the columns of a table mean: inferred with reasons, overridden by the user, kept as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from synthgen.core.documents import check_mapping, dump_json
from synthgen.data.column import KINDS, PII_TYPES, SURROGATE_KINDS, Column, Kind, check_column
from synthgen.data.constraints import Constraint, bind_constraint, constraint_from_json
from synthgen.data.dtypes import dtype_name, family
from synthgen.data.frame import read_frame
from synthgen.errors import (
    ArtifactError,
    InvalidParameterError,
    SchemaMismatchError,
)

__all__ = ["KINDS", "PII_TYPES", "SURROGATE_KINDS", "Column", "Kind", "Schema"]

_FORMAT: Final = 1


@dataclass(frozen=True)
class Schema:
    """The columns of a table and the constraints its rows obey.

    Parameters
    ----------
    columns : tuple of Column
    constraints : tuple of Constraint
    origin : {"user", "data"}
        Who says what is in it: a user, for whom it is public, or the data. Private training takes
        a schema of the first kind only, since a category or a range can give a row away.

    Examples
    --------
    >>> df = pd.DataFrame({"age": [31, 45, 45], "sex": ["f", "m", "f"]})
    >>> schema = Schema.infer(df)
    >>> schema["age"].kind, schema["sex"].kind
    ('integer', 'categorical')
    >>> schema = schema.with_column("age", minimum=0, maximum=120)
    """

    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...] = ()
    origin: Literal["user", "data"] = "user"

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "constraints", tuple(self.constraints))
        if not self.columns:
            raise InvalidParameterError("A schema needs at least one column.")
        if len(set(self.names)) < len(self.columns):
            raise InvalidParameterError("The column names of a schema must be unique.")
        for column in self.columns:
            check_column(column)
        by_name = {column.name: column for column in self.columns}
        for constraint in self.constraints:
            if not hasattr(constraint, "columns"):
                raise InvalidParameterError(
                    f"Constraints are rules such as Range or Unique, got {constraint!r}."
                )
            unknown = [name for name in constraint.columns if name not in self.names]
            if unknown:
                raise InvalidParameterError(
                    f"{type(constraint).__name__} names unknown columns {unknown!r}."
                )
        if self.origin not in ("user", "data"):
            raise InvalidParameterError(f"origin must be 'user' or 'data', got {self.origin!r}.")
        bound = tuple(bind_constraint(rule, by_name) for rule in self.constraints)
        object.__setattr__(self, "constraints", bound)

    @property
    def names(self) -> tuple[Hashable, ...]:
        """Labels of the columns in order."""
        return tuple(column.name for column in self.columns)

    def __getitem__(self, name: Hashable) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise SchemaMismatchError(f"There is no column {name!r}; there are {list(self.names)!r}.")

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @classmethod
    def infer(cls, X: Any) -> Schema:
        """Infer the kind of every column, with the reason for it, and which follow from others.

        Columns of numbers that are the sum of others in every row get the constraint
        :class:`~synthgen.Sum`, columns that follow from another one :class:`~synthgen.Lookup`, and
        dates or akin numbers of which one is never above the other
        :class:`~synthgen.Inequality`; ``schema.with_constraints()`` drops them. No other
        constraint is set unasked, see :meth:`suggest_constraints`.

        Parameters
        ----------
        X : pandas.DataFrame, polars.DataFrame, pyarrow.Table or array of shape (n, k)

        Returns
        -------
        Schema

        Raises
        ------
        InvalidDataError
            If it is not a table that can be modelled.

        Warns
        -----
        DataWarning
            If there are free texts, personal data or categories that hardly repeat.
        """
        from synthgen.data.infer import infer_columns
        from synthgen.data.suggest import find_rules

        frame, _ = read_frame(X)
        columns = infer_columns(frame)
        return cls(columns, find_rules(frame, columns), origin="data")

    def with_column(self, name: Hashable, /, **changes: Any) -> Schema:
        """Return a schema in which one column is changed.

        Parameters
        ----------
        name : hashable
            Label of the column.
        **changes
            Fields of :class:`Column`. Changing the kind clears facts that no longer apply.

        Raises
        ------
        SchemaMismatchError
            If there is no such column.
        InvalidParameterError
            If the changes cannot work.
        """
        changed = self[name].changed(**changes)
        columns = tuple(changed if column.name == name else column for column in self.columns)
        return replace(self, columns=columns)

    def with_constraints(self, *constraints: Constraint) -> Schema:
        """Return a schema with these constraints in place of the present ones."""
        return replace(self, constraints=constraints)

    def observed(self, df: Any) -> Schema:
        """Return a schema with the ranges, categories and gaps that a table has.

        Ranges and categories that are declared already are kept. The result is stamped
        ``origin="data"``: see :meth:`as_public`.

        Parameters
        ----------
        df : table
            With the columns of the schema.

        Examples
        --------
        >>> df = pd.DataFrame({"age": [31, 45, 45], "sex": ["f", "m", "f"]})
        >>> schema = Schema.infer(df).observed(df)
        >>> schema["age"].minimum, schema["age"].maximum, schema["sex"].categories
        (31.0, 45.0, ('f', 'm'))
        """
        from synthgen.data.domain import observed_column

        frame, _ = read_frame(df)
        self.check(frame)
        columns = tuple(observed_column(column, frame[column.name]) for column in self.columns)
        return replace(self, columns=columns, origin="data")

    def as_public(self) -> Schema:
        """Return the same schema, declared public by you.

        Say so only if everything in it, each category and each bound, would be known without the
        data, for instance from a codebook: what is declared public is not protected. The reasons of
        inferred kinds, which may quote cells, and constraints that were found in rows, are left
        out; :meth:`with_constraints` declares constraints.
        """
        columns = tuple(column.changed(reason="") for column in self.columns)
        declared = tuple(c for c in self.constraints if not getattr(c, "found", False))
        return replace(self, columns=columns, constraints=declared, origin="user")

    def suggest_constraints(self, df: Any) -> tuple[Constraint, ...]:
        """Return the constraints that all rows of a table obey and that look intended.

        See :func:`synthgen.data.suggest.suggest_constraints`.
        """
        from synthgen.data.suggest import suggest_constraints

        frame, _ = read_frame(df)
        return suggest_constraints(frame, self)

    def check(self, df: pd.DataFrame) -> None:
        """Check that a frame has the columns and types of the schema.

        Raises
        ------
        SchemaMismatchError
            If it has not; the message lists what is missing, extra or of another type.
        """
        missing = [name for name in self.names if name not in df.columns]
        extra = [name for name in df.columns if name not in self.names]
        lines = []
        if missing:
            lines.append(f"  missing columns: {missing!r}")
        if extra:
            lines.append(f"  extra columns: {extra!r}")
        for column in self.columns:
            if column.name in df.columns:
                found = dtype_name(df[column.name])
                if not _compatible(column, df[column.name], found):
                    lines.append(
                        f"  column {column.name!r}: expected {column.kind} of dtype "
                        f"{column.dtype}, found dtype {found}"
                    )
        if lines:
            raise SchemaMismatchError(
                "The table does not have the columns that were expected:\n" + "\n".join(lines)
            )

    def completed(self, df: pd.DataFrame) -> Schema:
        """Return a schema that has dtypes and unknown facts from data, kinds from this one.

        Meant for schemas that were written without the data at hand, for instance SDV metadata.
        What was read off the data makes it one of origin "data".

        Parameters
        ----------
        df : pandas.DataFrame
            Plain frame, see :func:`synthgen.data.frame.read_frame`.

        Raises
        ------
        SchemaMismatchError
            If a column is missing or its values cannot be of the kind that the schema says.
        """
        from synthgen.data.infer import complete_column

        missing = [name for name in self.names if name not in df.columns]
        if missing:
            raise SchemaMismatchError(f"The table lacks the columns {missing!r} of the schema.")
        try:
            columns = tuple(complete_column(column, df[column.name]) for column in self.columns)
        except InvalidParameterError as error:
            raise SchemaMismatchError(f"The table does not fit the schema: {error}") from error
        return replace(self, columns=columns, origin="data")

    def describe(self) -> pd.DataFrame:
        """Return one row per column: name, kind, dtype, reason and the facts that are known."""
        names = [field.name for field in fields(Column)]
        rows = [{name: getattr(column, name) for name in names} for column in self.columns]
        table = pd.DataFrame(rows, columns=pd.Index(names), dtype=object)
        kept = ["name", "kind", "dtype", "nullable", "reason"]
        return table[kept + [n for n in names if n not in kept and table[n].notna().any()]]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document, see :meth:`from_json`."""
        return {
            "format": _FORMAT,
            "origin": self.origin,
            "columns": [column.to_json() for column in self.columns],
            "constraints": [constraint.to_json() for constraint in self.constraints],
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Schema:
        """Read a document written by :meth:`to_json`.

        Raises
        ------
        ArtifactError
            If it is not a schema, or of a newer format.
        """
        required = {"format": int, "columns": list, "constraints": list}
        check_mapping(document, required, "The schema")
        if document["format"] > _FORMAT:
            raise ArtifactError(
                f"The schema has format {document['format']}, newer than {_FORMAT}; "
                "update synthgen."
            )
        columns = tuple(Column.from_json(item) for item in document["columns"])
        constraints = tuple(constraint_from_json(item) for item in document["constraints"])
        try:
            return cls(columns, constraints, document.get("origin", "user"))
        except InvalidParameterError as error:
            raise ArtifactError(f"The schema is not valid: {error}") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the schema to a JSON file, whole or not at all."""
        target = Path(path)
        staging = target.with_name(f".{target.name}.part")
        try:
            staging.write_text(dump_json(self.to_json()), encoding="utf-8")
            staging.replace(target)
        finally:
            staging.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Schema:
        """Read a schema from a JSON file.

        Raises
        ------
        ArtifactError
            If the file is missing or not a schema.
        """
        try:
            document = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ArtifactError(f"The schema '{path}' cannot be read: {error}") from error
        return cls.from_json(document)

    def to_sdv(self) -> dict[str, Any]:
        """Return SDV single-table metadata, see :func:`synthgen.data.sdv.to_sdv`."""
        from synthgen.data.sdv import to_sdv

        return to_sdv(self)

    @classmethod
    def from_sdv(cls, document: dict[str, Any]) -> Schema:
        """Read SDV single-table metadata, see :func:`synthgen.data.sdv.from_sdv`."""
        from synthgen.data.sdv import from_sdv

        return from_sdv(document)


def _compatible(column: Column, series: pd.Series, found: str) -> bool:
    """Whether values of a dtype can be read as those of the column."""
    if found == column.dtype or not series.notna().any():
        return True
    ours, theirs = family(column.dtype), family(found)
    if isinstance(series.dtype, pd.CategoricalDtype):
        levels = pd.Series(series.cat.categories)
        return ours == "category" or _compatible(column, levels, dtype_name(levels))
    if ours == "category":
        return True
    if {ours, theirs} <= {"string", "object"}:
        return _content(found, series) == "string" or ours == "object"
    if {ours, theirs} <= {"number", "boolean", "decimal"}:
        return True
    if "object" in (ours, theirs):
        numbers = ("boolean", "integer", "floating", "mixed-integer-float", "decimal")
        return theirs == "object" and _content(found, series) in numbers and column.modelled
    return ours == theirs


def _content(found: str, series: pd.Series) -> str:
    return "string" if found.startswith("str") else pd.api.types.infer_dtype(series, skipna=True)
