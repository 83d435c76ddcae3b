"""What a private fit may know about columns: declared, bought, or read off noisy counts."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.data.column import Column
from synthgen.data.constraints import FixedCombinations, Lookup, OneHot
from synthgen.data.schema import Schema
from synthgen.data.surrogate_blind import blind_surrogate
from synthgen.data.values import to_numbers
from synthgen.dp.coarsen import Coarse, PublicColumn
from synthgen.dp.errors import PrivacyError
from synthgen.dp.ledger import Ledger
from synthgen.dp.moments import Release
from synthgen.dp.parameters import PrivacyParameters
from synthgen.dp.plan import MarginalPlan
from synthgen.dp.purchase import buy_facts, undeclared
from synthgen.dp.roundness import release_roundness
from synthgen.dp.select import frequent_cells
from synthgen.encode.public import (
    Cells,
    NumberCells,
    PublicEncoder,
    fine_codes,
    public_cells,
    public_column,
    public_grid,
)
from synthgen.encode.table import TableEncoder
from synthgen.encode.text import SurrogateEncoder

_REGENERATED: Final = ("id", "pii")
#: Columns with more possible values than this are searched for frequent single ones.
_MANY_VALUES: Final = 256
#: Lists of possible values longer than this are not searched.
_TOO_MANY_VALUES: Final = 2_000_000


def check_private_schema(schema: Schema | None, privacy: PrivacyParameters) -> Schema:
    """Check that everything about the columns is declared, or may be bought.

    Raises
    ------
    PrivacyError
        If the schema was inferred from the data, lacks a domain, or has a kind or a constraint that
        cannot be made without a look at the data.
    """
    if schema is None:
        raise PrivacyError(
            "A private model needs a public schema: what the columns can hold must not come from "
            "the data. Write one, for instance schema = Schema.infer(sample_or_codebook)"
            ".with_column('age', minimum=0, maximum=120)...as_public(), and pass schema=schema."
        )
    if schema.origin == "data":
        raise PrivacyError(
            "The schema was inferred from the data, so its categories and ranges can give rows "
            "away. Declare them with schema.with_column(name, minimum=..., maximum=..., "
            "categories=..., nullable=...), and say schema.as_public() once everything in it would "
            "be known without the data."
        )
    for column in schema.columns:
        if not column.modelled and column.kind not in _REGENERATED:
            raise PrivacyError(
                f"Column {column.name!r} of kind {column.kind!r} cannot be made up without a look "
                "at the data. Leave it out, or declare it as 'categorical' with its categories, "
                "'id' or 'pii'."
            )
    for rule in schema.constraints:
        learns = isinstance(rule, Lookup) and rule.table is None
        if learns or isinstance(rule, (FixedCombinations, OneHot)):
            raise PrivacyError(
                f"{type(rule).__name__} learns combinations from the data. Join the columns into "
                "one with declared categories instead."
            )
    lacking = [name for names in undeclared(schema) for name in names]
    if lacking and privacy.infer == "refuse":
        raise PrivacyError(
            f"The schema does not say what these columns can hold: {lacking}. Declare it with "
            "schema.with_column(name, minimum=..., maximum=...) or categories=[...], or buy it "
            f"with {type(privacy).__name__}(infer='spend')."
        )
    return schema


def learned(schema: Schema) -> list[Any]:
    """Return the labels of the columns that are learned from rows.

    Raises
    ------
    PrivacyError
        If there are none.
    """
    names = [column.name for column in schema.columns if column.modelled]
    if not names:
        raise PrivacyError("There is nothing to learn: all columns are made up anew.")
    return names


def bought(frame: pd.DataFrame, schema: Schema, plan: MarginalPlan, ledger: Ledger) -> Schema:
    """Buy what the schema leaves open, and for all other learned columns whether they have gaps."""
    levels, ranges = undeclared(schema)
    gaps = [column.name for column in schema.columns if column.modelled and not column.nullable]
    facts = buy_facts(
        frame, schema, levels=levels, ranges=ranges, gaps=gaps, plan=plan, ledger=ledger
    )
    for name, changes in facts.items():
        schema = schema.with_column(name, **changes)
    return schema


def declared_cells(schema: Schema) -> dict[Any, Cells]:
    """Return the fine public cells of each learned column."""
    return {column.name: public_cells(column) for column in schema.columns if column.modelled}


def encoded_cells(
    frame: pd.DataFrame, schema: Schema, cells: dict[Any, Cells]
) -> tuple[np.ndarray, list[PublicColumn]]:
    """Return the fine cell of each row and column, and what the columns' cells are like."""
    codes = np.stack([fine_codes(own, schema[name], frame[name]) for name, own in cells.items()], 1)
    return codes, [public_column(own, schema[name]) for name, own in cells.items()]


def fine_columns(schema: Schema) -> list[Column]:
    """Return columns with a declared granularity and more values than have a cell each."""
    found = []
    for column in schema.columns:
        if column.kind in ("numeric", "integer", "datetime", "timedelta"):
            grid = public_grid(column)
            values = (grid.edges[-1] - grid.edges[0]) / grid.unit if grid.unit else 0
            if _MANY_VALUES < values <= _TOO_MANY_VALUES:
                found.append(column)
    return found


def with_atoms(
    frame: pd.DataFrame, columns: list[Column], plan: MarginalPlan, ledger: Ledger
) -> dict[Any, Cells]:
    """Give frequent single values of fine columns a cell of their own, and learn round ones."""
    grids = [public_grid(column) for column in columns]
    counts, starts, numbers = [], [], []
    for column, grid in zip(columns, grids, strict=True):
        numbers.append(to_numbers(frame[column.name], column))
        own, start = grid.unit_counts(numbers[-1])
        counts.append(own)
        starts.append(start)
    # Two tables a column: of single values and of how round values are.
    sigma = plan.sigma("atoms", 2 * len(columns), ledger)
    note = f"frequent single values of {len(columns)} columns"
    found = frequent_cells(counts, sigma=sigma, ledger=ledger, note=note)
    grids = [
        public_grid(column, tuple((start + places * grid.unit).tolist()))
        for column, grid, start, places in zip(columns, grids, starts, found, strict=True)
    ]
    note = f"roundness of {len(columns)} columns"
    measured = list(zip(grids, numbers, strict=True))
    roundness = release_roundness(measured, sigma=sigma, ledger=ledger, note=note)
    return {
        column.name: NumberCells(column, grid, own)
        for column, grid, own in zip(columns, grids, roundness, strict=True)
    }


def public_encoder(schema: Schema, cells: dict[Any, Cells], release: Release) -> TableEncoder:
    """Return the encoder of the joined cells; columns that are not learned are made up blindly."""
    number = {name: k for k, name in enumerate(cells)}
    encoders: list[Any] = []
    for column in schema.columns:
        if column.name not in number:
            encoders.append(SurrogateEncoder(column, blind_surrogate(column), 0.0))
            continue
        k = number[column.name]
        coarse: Coarse = release.coarse[k]
        encoders.append(
            PublicEncoder(column, cells[column.name], coarse, release.tables.singles[k])
        )
    return TableEncoder(schema, tuple(encoders))
