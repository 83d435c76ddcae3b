"""The tables of a report: real, synthetic and holdout rows, and those for floor and ceiling."""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from synthgen.core.random import generator
from synthgen.data.schema import Schema
from synthgen.errors import DataWarning, InvalidDataError, InvalidParameterError
from synthgen.evaluate.baselines import baseline_frames
from synthgen.measure.columns import align, cut

#: Share of the real rows that stand for a holdout where none is given.
_BORROWED: Final = 0.2
_FEWEST: Final = 10


@dataclass(frozen=True)
class Tables:
    """Aligned tables, all with the real table's columns.

    Parameters
    ----------
    real, synthetic, holdout : pandas.DataFrame
        At most `max_rows` rows each; synthetic and holdout rows are equally many.
    all_real, all_synthetic, all_holdout : pandas.DataFrame
        Every row; a borrowed holdout is no part of `all_real`.
    floor : pandas.DataFrame
        The real rows with every column permuted on its own, as many as there are synthetic rows.
    fresh : pandas.DataFrame
        Real rows, other than `members`, as many as there are synthetic rows if there are enough:
        what an ideal generator trained on `members` would make.
    members : pandas.DataFrame
        The other half of the real rows.
    schema : Schema
        Kinds of the columns.
    target : hashable, optional
        The column that a model should predict.
    borrowed : bool
        Whether the holdout is a part of the real table, because none was given.
    seed : int
        Root of all random numbers.
    n_jobs : int
        Threads of a single metric.
    """

    real: pd.DataFrame
    synthetic: pd.DataFrame
    holdout: pd.DataFrame
    all_real: pd.DataFrame
    all_synthetic: pd.DataFrame
    all_holdout: pd.DataFrame
    floor: pd.DataFrame
    fresh: pd.DataFrame
    members: pd.DataFrame
    schema: Schema
    target: Hashable | None
    borrowed: bool
    seed: int
    n_jobs: int

    def given(self) -> pd.DataFrame:
        """Return every row of the real table as it was given."""
        if not self.borrowed:
            return self.all_real
        return pd.concat([self.all_real, self.all_holdout], ignore_index=True)


def make_tables(
    real: Any,
    synthetic: Any,
    holdout: Any,
    *,
    target: Hashable | None,
    schema: Schema | None,
    max_rows: int,
    seed: int,
    n_jobs: int,
) -> Tables:
    """Check, align and cut the tables of a report.

    Raises
    ------
    InvalidDataError
        If a table is empty or too small.
    InvalidParameterError
        If there is no column `target`.
    SchemaMismatchError
        If the columns differ.
    """
    frames = align(real, synthetic, *([] if holdout is None else [holdout]))
    for frame, name in zip(frames, ("real", "synthetic", "holdout"), strict=False):
        if len(frame) < _FEWEST:
            raise InvalidDataError(
                f"A report needs at least {_FEWEST} rows of each table; the {name} table has "
                f"{len(frame)}."
            )
    if target is not None and target not in list(frames[0].columns):
        raise InvalidParameterError(
            f"There is no column {target!r} to be the target; the columns are "
            f"{list(frames[0].columns)}."
        )
    rng = generator(seed, "split", 7)
    if holdout is None:
        order = rng.permutation(len(frames[0]))
        size = max(_FEWEST, round(_BORROWED * len(order)))
        if len(order) - size < _FEWEST:
            raise InvalidDataError(
                f"Without a holdout, {_FEWEST} real rows take its place, so that the real table "
                f"needs at least {2 * _FEWEST}; it has {len(order)}."
            )
        parts = [
            frames[0].iloc[rows].reset_index(drop=True) for rows in (order[size:], order[:size])
        ]
        frames = [parts[0], frames[1], parts[1]]
    whole, made, unseen = frames
    size = min(len(made), len(unseen), max_rows)
    used = cut(whole, max_rows, rng)
    baselines = baseline_frames(used, unseen, seed)
    return Tables(
        real=used,
        synthetic=cut(made, size, rng),
        holdout=cut(unseen, size, rng),
        all_real=whole,
        all_synthetic=made,
        all_holdout=unseen,
        floor=cut(baselines.independent, size, rng),
        fresh=cut(baselines.fresh, size, rng),
        members=baselines.members,
        schema=_inferred(whole) if schema is None else schema,
        target=target,
        borrowed=holdout is None,
        seed=seed,
        n_jobs=n_jobs,
    )


def _inferred(frame: pd.DataFrame) -> Schema:
    """Infer the schema; what it warns of is of concern to training, not here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return Schema.infer(frame)
