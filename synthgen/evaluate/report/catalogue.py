"""The metrics of a report: what each one asks, of which rows, and in which words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import pandas as pd

from synthgen.evaluate.copies import copy_share, membership, nearest_share, repeats
from synthgen.evaluate.detection import c2st
from synthgen.evaluate.fidelity import shape, trend
from synthgen.evaluate.global_utility import global_utility
from synthgen.evaluate.granularity import granularity
from synthgen.evaluate.information import mutual_information
from synthgen.evaluate.marginals import marginals
from synthgen.evaluate.missingness import missingness
from synthgen.evaluate.rare import rare_categories
from synthgen.evaluate.report.tables import Tables
from synthgen.evaluate.result import Result
from synthgen.evaluate.subgroups import subgroup_fidelity
from synthgen.evaluate.support import support
from synthgen.evaluate.utility import utility
from synthgen.evaluate.validity import validity
from synthgen.measure.columns import column_roles

#: Which rows take the place of the synthetic ones for the ceiling: none, since the metric brings
#: its own; the holdout; the real rows; or real rows other than those it then takes for training.
Ceiling = Literal["own", "holdout", "real", "fresh"]

#: How a value is rated: by its place between floor and ceiling, or by its distance to the ceiling.
Scale = Literal["between", "near"]

_DETECTION_ROWS: Final = 20_000
_FAMILIES: Final = ("trees", "linear", "forest")


Compute = Callable[[Tables, pd.DataFrame, pd.DataFrame], Result | Mapping[str, Result]]


@dataclass(frozen=True)
class Entry:
    """One metric of the report.

    Parameters
    ----------
    name, title, question, family, definition : str
        See :class:`~synthgen.evaluate.report.content.Score`.
    compute : callable
        Takes the tables, the real rows and the rows to score; returns a result, or several by name.
        Entries that share it are measured together.
    ceiling : {"own", "holdout", "real", "fresh"}
        Where the ceiling comes from.
    floor : bool
        Whether independent columns are scored as well.
    whole : bool
        Whether every row is looked at, instead of as many as there are holdout rows.
    scale : {"between", "near"}
        How the value is rated.
    good, fair : float
        Largest gap to the ceiling with that rating; as a share of the distance between floor and
        ceiling if the scale is "between".
    key : bool
        Whether the verdict depends on it.
    needs_target, needs_holdout : bool
        Whether it is left out without a target, or without rows that were not trained on.
    """

    name: str
    title: str
    question: str
    family: str
    definition: str
    compute: Compute
    ceiling: Ceiling = "holdout"
    floor: bool = True
    whole: bool = False
    scale: Scale = "near"
    good: float = 0.02
    fair: float = 0.08
    key: bool = False
    needs_target: bool = False
    needs_holdout: bool = False


def _call(metric: Callable[..., Any], *, unseen: bool = True, **options: Any) -> Compute:
    """Return the metric as a function of the tables and of the rows to score.

    Parameters
    ----------
    metric : callable
    unseen : bool, default=True
        Whether it gets the holdout.
    **options
        Further arguments.
    """

    def compute(
        tables: Tables, real: pd.DataFrame, rows: pd.DataFrame
    ) -> Result | Mapping[str, Result]:
        arguments = options | {"schema": tables.schema, "random_state": tables.seed}
        if unseen:
            arguments["holdout"] = tables.holdout
        result: Result | Mapping[str, Result] = metric(real, rows, **arguments)
        return result

    return compute


def _trend(tables: Tables, real: pd.DataFrame, rows: pd.DataFrame) -> Result:
    names = column_roles(real, tables.schema).names()
    if len(names) < 2:
        reason = f"a pair needs two columns, there is {len(names)}"
        return Result("trend", None, details={"not_applicable": reason})
    return trend(real, rows, schema=tables.schema, random_state=tables.seed)


def _validity(tables: Tables, real: pd.DataFrame, rows: pd.DataFrame) -> Result:
    return validity(
        real, rows, holdout=tables.all_holdout, schema=tables.schema, random_state=tables.seed
    )


def _copies(tables: Tables, _real: pd.DataFrame, rows: pd.DataFrame) -> Result:
    # Copies of borrowed rows are copies too, and such rows say nothing of what is usual.
    unseen = None if tables.borrowed else tables.all_holdout
    return copy_share(tables.given(), rows, holdout=unseen, schema=tables.schema)


def _utility(tables: Tables, real: pd.DataFrame, rows: pd.DataFrame) -> Result:
    # One table's rows are cut to the other's number: train on as many real as synthetic rows.
    return utility(
        real,
        rows,
        holdout=tables.holdout,
        target=tables.target,
        models=_FAMILIES,
        schema=tables.schema,
        random_state=tables.seed,
        n_jobs=tables.n_jobs,
    )


def _rare(tables: Tables, real: pd.DataFrame, rows: pd.DataFrame) -> Result:
    result = rare_categories(
        real, rows, holdout=tables.holdout, schema=tables.schema, random_state=tables.seed
    )
    # As many holdout as synthetic rows: what they score is a better ceiling than theory's, which
    # is too high for columns of thousands of levels.
    return replace(result, ceiling=result.details.get("holdout_value", result.ceiling))


_support = _call(support)

ENTRIES: Final[tuple[Entry, ...]] = (
    Entry(
        "validity",
        "Valid cells",
        "Are all values possible: types, ranges, categories, keys and constraints?",
        "Validity",
        "Share of cells that break no rule of the real table: type, declared or real range, known "
        "category, decimals, gaps only where real columns have them, distinct keys, constraints.",
        _validity,
        ceiling="own",
        floor=False,
        whole=True,
        good=0.002,
        fair=0.02,
        key=True,
    ),
    Entry(
        "granularity",
        "Rounding of numbers",
        "Are numbers and dates as round as the real ones?",
        "Validity",
        "Per column of numbers or dates, 1 minus the total variation distance of the coarsest "
        "powers of ten (units of time) that divide the values; the mean over columns.",
        _call(granularity, unseen=False),
        floor=False,
    ),
    Entry(
        "shape",
        "Single columns",
        "Does every column on its own look like the real one?",
        "Fidelity",
        "Mean over columns of 1 minus the Kolmogorov-Smirnov distance (numbers, dates) or the "
        "total variation distance (categories). Blind to relations between columns.",
        _call(shape, unseen=False),
        key=True,
    ),
    Entry(
        "trend",
        "Pairs of columns",
        "Do pairs of columns go together as in the real table?",
        "Fidelity",
        "Mean over pairs of 1 minus half the difference of the correlations (two columns of "
        "numbers) or 1 minus the total variation distance of the two-way tables. Independent "
        "columns score high: read it beside the floor.",
        _trend,
        scale="between",
        good=0.2,
        fair=0.5,
    ),
    Entry(
        "marginals",
        "Triples of columns",
        "Do three columns at a time go together as in the real table?",
        "Fidelity",
        "Mean over triples of 1 minus the total variation distance of their three-way tables, "
        "numbers cut at real quantiles.",
        _call(marginals),
        ceiling="own",
        scale="between",
        good=0.2,
        fair=0.5,
    ),
    Entry(
        "mutual_information",
        "Strength of relations",
        "Are relations between columns as strong as in the real table?",
        "Fidelity",
        "Similarity of the normalised mutual information of all pairs, weighted by how strong the "
        "real relation is.",
        _call(mutual_information, unseen=False),
        scale="between",
        good=0.2,
        fair=0.5,
    ),
    Entry(
        "missingness",
        "Missing values",
        "Are values missing as often, and together, as in the real table?",
        "Fidelity",
        "1 minus the total variation distance of the patterns of missing cells in a row.",
        _call(missingness),
        ceiling="own",
        good=0.05,
        fair=0.15,
        key=True,
    ),
    Entry(
        "c2st_trees",
        "Detection by boosted trees",
        "Can a strong classifier tell synthetic from real rows?",
        "Detection",
        "2 (1 - AUC) of boosted trees that classify real holdout rows against synthetic rows, by "
        "cross-validation: 1 is indistinguishable, 0 told apart every time. The most telling "
        "single score, since it sees all columns together; it falls with the number of rows.",
        _call(c2st, max_rows=_DETECTION_ROWS),
        ceiling="real",
        scale="between",
        good=0.2,
        fair=0.5,
        key=True,
    ),
    Entry(
        "c2st_logistic",
        "Detection by logistic regression",
        "Can a simple classifier tell synthetic from real rows?",
        "Detection",
        "1 minus the mean of 2 max(AUC, .5) - 1 of logistic regression, by cross-validation. Blind "
        "to relations between columns.",
        _call(c2st, method="logistic", max_rows=_DETECTION_ROWS),
        ceiling="real",
        good=0.05,
        fair=0.2,
    ),
    Entry(
        "utility",
        "Training on synthetic rows",
        "Do models trained on synthetic rows predict the target for real rows?",
        "Utility",
        "Boosted trees, a linear model and a random forest are trained on synthetic rows and "
        "tested on real holdout rows; the ceiling is the same with real training rows.",
        _utility,
        ceiling="own",
        scale="between",
        good=0.05,
        fair=0.2,
        key=True,
        needs_target=True,
    ),
    Entry(
        "global_utility",
        "Predicting every column",
        "Can every column be predicted from the others as well as in the real table?",
        "Utility",
        "Boosted trees predict each column from all others, trained on synthetic rows and tested "
        "on real holdout rows, relative to training on real rows (1) and to not knowing the other "
        "columns (0); the mean over columns.",
        _call(global_utility),
        ceiling="fresh",
        scale="between",
        good=0.2,
        fair=0.5,
        key=True,
    ),
    Entry(
        "alpha_precision",
        "Plausible rows",
        "Do synthetic rows lie where real rows lie?",
        "Coverage",
        "Integrated alpha-precision: how evenly synthetic rows fill the nested regions that hold "
        "given shares of the real rows.",
        _support,
        ceiling="real",
        good=0.03,
        fair=0.1,
    ),
    Entry(
        "beta_recall",
        "Diverse rows",
        "Do synthetic rows cover all the places where real rows lie?",
        "Coverage",
        "Integrated beta-recall: how evenly real rows are covered by the nested regions that hold "
        "given shares of the synthetic rows.",
        _support,
        ceiling="real",
        scale="between",
        good=0.2,
        fair=0.5,
    ),
    Entry(
        "density",
        "Density",
        "Are synthetic rows in crowded places of the real table?",
        "Coverage",
        "Mean number of real neighbourhoods (5 nearest neighbours) that a synthetic row lies in, "
        "divided by 5.",
        _support,
        ceiling="real",
        scale="between",
        good=0.2,
        fair=0.5,
    ),
    Entry(
        "coverage",
        "Neighbourhoods covered",
        "Is there a synthetic row near every real row?",
        "Coverage",
        "Share of real rows with a synthetic row nearer than the fifth nearest real row.",
        _support,
        ceiling="real",
        scale="between",
        good=0.2,
        fair=0.5,
    ),
    Entry(
        "rare_categories",
        "Rare categories",
        "Do rare categories occur as often as in the real table?",
        "Coverage",
        "Mean over categories of at most 5 % of the rows of synthetic share over real share, at "
        "most 1.",
        _rare,
        ceiling="own",
        floor=False,
        good=0.05,
        fair=0.2,
    ),
    Entry(
        "subgroup_fidelity",
        "Worst subgroup",
        "Is any group of rows worse than the rest?",
        "Coverage",
        "Lowest mean similarity of the columns within the rows of one category.",
        _call(subgroup_fidelity),
        ceiling="own",
        scale="between",
        good=0.3,
        fair=0.6,
    ),
    Entry(
        "copy_share",
        "Copies of training rows",
        "Are synthetic rows copies of real ones?",
        "Traces of training rows",
        "Share of synthetic rows that equal a real row in every column; the ceiling is the share "
        "of the rows of a holdout that do. A smoke test, no proof of privacy.",
        _copies,
        ceiling="own",
        whole=True,
        good=0.001,
        fair=0.01,
        key=True,
    ),
    Entry(
        "repeats",
        "Repeated rows",
        "Do synthetic rows repeat each other?",
        "Traces of training rows",
        "Share of synthetic rows that equal an earlier synthetic row in every column, among as "
        "many rows as the smaller table has; the ceiling is that among as many real rows.",
        _call(repeats),
        ceiling="own",
        floor=False,
        whole=True,
        good=0.01,
        fair=0.05,
        key=True,
    ),
    Entry(
        "membership_auc",
        "Membership by nearest row",
        "Does the nearest synthetic row tell who was in the training table?",
        "Traces of training rows",
        "AUC of an attack that takes a real row for a training row if a synthetic row is near: .5 "
        "is guessing, 1 a full leak. A smoke test, no proof of privacy.",
        _call(membership),
        ceiling="fresh",
        good=0.03,
        fair=0.08,
        key=True,
        needs_holdout=True,
    ),
    Entry(
        "nearest_share",
        "Nearer to training than to holdout rows",
        "Are synthetic rows nearer to training rows than to other real rows?",
        "Traces of training rows",
        "Share of synthetic rows whose nearest training row is nearer than their nearest holdout "
        "row, among equally many of both; .5 is ideal.",
        _call(nearest_share),
        ceiling="fresh",
        good=0.03,
        fair=0.1,
        needs_holdout=True,
    ),
)
