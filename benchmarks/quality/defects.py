"""Plant known defects in real rows and show which metric of the quality report names them.

python benchmarks/quality/defects.py > docs/user_guide/defects.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd

from synthgen import datasets
from synthgen.evaluate import QualityReport, quality_report

TARGET = "income"
SEED = 0
SIZES = {"real": 6_000, "synthetic": 3_000, "holdout": 3_000}

#: Takes rows to spoil, the rows that the generator is said to have learned from, and a generator.
Plant = Callable[[pd.DataFrame, pd.DataFrame, np.random.Generator], pd.DataFrame]

TEXT = """# What the quality report finds

A score is worth what it finds. Here real rows stand for synthetic ones, and one thing at a time is
spoilt on purpose. The report should name the metric and the place, and say nothing about rows that
are fine.

```bash
python benchmarks/quality/defects.py > docs/user_guide/defects.md
```

Adult, `?` read as missing: {real:,} real rows, {synthetic:,} in the place of synthetic ones,
{holdout:,} holdout rows, all different. Without a defect: {clean}.

## Defects

{found}

## Beyond its reach

{missed}

What is smaller than the differences between two samples of real rows cannot be told from chance.
Such defects need more rows, a score of the columns in question alone, or a look of your own.
"""


@dataclass(frozen=True)
class Defect:
    """Something wrong, and what should be said about it.

    Parameters
    ----------
    name : str
        What was done.
    plant : callable
        Returns spoilt rows.
    metric : str
        The metric that should name it; "" if none is expected to.
    where : str
        What the finding should name, for instance a column.
    """

    name: str
    plant: Plant
    metric: str = ""
    where: str = ""

    @property
    def id(self) -> str:
        """Short name."""
        return self.name.split(":")[0].replace(" ", "_")


def tables() -> dict[str, pd.DataFrame]:
    """Return real, synthetic and holdout rows, no row in two of them."""
    whole = datasets.load_adult("train").replace("?", None)
    order = np.random.default_rng(SEED).permutation(len(whole))
    parts = np.split(order, np.cumsum(list(SIZES.values())))
    return {
        name: whole.iloc[rows].reset_index(drop=True)
        for name, rows in zip(SIZES, parts, strict=False)
    }


def report(
    frames: dict[str, pd.DataFrame], target: str | None = TARGET, **options: Any
) -> QualityReport:
    """Return the report on three tables."""
    parts = (frames[name] for name in SIZES)
    return quality_report(*parts, target, random_state=SEED, **options)


def spoil(frames: dict[str, pd.DataFrame], defect: Defect) -> dict[str, pd.DataFrame]:
    """Return the tables with a defect in the synthetic rows."""
    rng = np.random.default_rng(SEED)
    return frames | {"synthetic": defect.plant(frames["synthetic"].copy(), frames["real"], rng)}


def findings(of: QualityReport, defect: Defect) -> pd.DataFrame:
    """Return the findings of the expected metric at the expected place."""
    worst = of.worst(1_000)
    return worst[(worst["metric"] == defect.metric) & (worst["where"] == defect.where)]


def _some(rows: pd.DataFrame, share: float, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(len(rows), size=round(share * len(rows)), replace=False)


def _shuffle(column: str) -> Plant:
    def plant(rows: pd.DataFrame, _real: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        return rows.assign(**{column: rng.permutation(rows[column].to_numpy())})

    return plant


def _more(column: str, value: str, share: Callable[[float], float]) -> Plant:
    """Overwrite random other cells by a value until it has another share."""

    def plant(rows: pd.DataFrame, _real: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        others = np.flatnonzero(rows[column] != value)
        wanted = round(share(1 - len(others) / len(rows)) * len(rows))
        picked = rng.choice(others, size=wanted - (len(rows) - len(others)), replace=False)
        rows.loc[picked, column] = value
        return rows

    return plant


def _set(column: str, value: Any, share: float = 1.0) -> Plant:
    """Overwrite random cells."""

    def plant(rows: pd.DataFrame, _real: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        rows.loc[_some(rows, share, rng), column] = value
        return rows

    return plant


def _change(column: str, change: Callable[[pd.Series, np.random.Generator], Any]) -> Plant:
    def plant(rows: pd.DataFrame, _real: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        return rows.assign(**{column: change(rows[column], rng)})

    return plant


def _repeat(rows: pd.DataFrame, _real: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    kept = rows.drop(index=_some(rows, 0.1, rng))
    return pd.concat([kept, kept.iloc[: len(rows) - len(kept)]], ignore_index=True)


def _leak(rows: pd.DataFrame, real: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    kept = rows.drop(index=_some(rows, 0.05, rng))
    return pd.concat([kept, real.iloc[: len(rows) - len(kept)]], ignore_index=True)


def _leak_blurred(rows: pd.DataFrame, real: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = _leak(rows, real, rng)
    return rows.assign(fnlwgt=rows["fnlwgt"] + rng.integers(1, 50, size=len(rows)))


def _group_noise(rows: pd.DataFrame, _real: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Give the rows of one group values of random other rows, column by column."""
    group = np.flatnonzero(rows["relationship"] == "Own-child")
    for name in rows.columns.drop("relationship"):
        rows.loc[group, name] = rows[name].to_numpy()[rng.integers(len(rows), size=len(group))]
    return rows


def _group_shuffle(
    rows: pd.DataFrame, _real: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Shuffle every column within one group."""
    group = np.flatnonzero(rows["relationship"] == "Own-child")
    for name in rows.columns.drop("relationship"):
        rows.loc[group, name] = rows.loc[rng.permutation(group), name].to_numpy()
    return rows


def _flip(rows: pd.DataFrame, _real: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    picked = _some(rows, 0.1, rng)
    other = {"<=50K": ">50K", ">50K": "<=50K"}
    rows.loc[picked, TARGET] = rows.loc[picked, TARGET].map(other)
    return rows


DEFECTS: tuple[Defect, ...] = (
    Defect("a column shuffled", _shuffle("age"), "mutual_information", "age"),
    Defect("a column shuffled that determined another", _shuffle("education-num"),
           "mutual_information", "education-num"),
    Defect("10 percentage points more of a category",
           _more("education", "Bachelors", lambda share: share + 0.1), "shape", "education"),
    Defect("10 % more of a frequent category",
           _more("workclass", "Private", lambda share: share * 1.1), "shape", "workclass"),
    Defect("numbers rounded to thousands", _change("fnlwgt", lambda x, _: x.round(-3)),
           "granularity", "fnlwgt"),
    Defect("decimals of noise",
           _change("hours-per-week", lambda x, rng: x + rng.normal(0, 0.1, len(x))),
           "granularity", "hours-per-week"),
    Defect("10 % of the rows repeated", _repeat, "repeats", "whole rows"),
    Defect("5 % of the rows are training rows", _leak, "copy_share", "whole rows"),
    Defect("a rare category dropped",
           _change("race", lambda x, _: x.where(x != "Asian-Pac-Islander", "White")),
           "rare_categories", "race = Asian-Pac-Islander"),
    Defect("a category invented in 1 % of the rows", _set("education", "Kindergarten", 0.01),
           "validity", "education"),
    Defect("1 % of the values out of range", _set("hours-per-week", 150, 0.01),
           "validity", "hours-per-week"),
    Defect("numbers as text", _change("age", lambda x, _: x.astype(str)), "validity", "age"),
    Defect("gaps filled", _change("occupation", lambda x, _: x.fillna("Sales")),
           "missingness", "occupation"),
    Defect("gaps added to 5 % of the rows", _set("hours-per-week", None, 0.05),
           "missingness", "hours-per-week"),
    Defect("a tail clipped", _change("age", lambda x, _: x.clip(upper=int(x.quantile(0.9)))),
           "shape", "age"),
    Defect("a column constant", _set("hours-per-week", 40), "shape", "hours-per-week"),
    Defect("a group of rows replaced by noise", _group_noise,
           "subgroup_fidelity", "relationship = Own-child"),
    Defect("10 % of the labels flipped", _flip, "mutual_information", TARGET),
)  # fmt: skip

#: What no metric names, or not as what it is, so that nobody relies on it.
BEYOND: tuple[Defect, ...] = (
    Defect("three values out of range", _set("hours-per-week", 150, 0.001)),
    Defect("3 % more of a frequent category",
           _more("workclass", "Private", lambda share: share * 1.03)),
    Defect("columns shuffled within a group that is a sixth of the rows", _group_shuffle),
    Defect("5 % of the rows are training rows with one number blurred", _leak_blurred),
)  # fmt: skip


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _found_line(of: QualityReport, defect: Defect) -> str:
    """Return one line of the table of defects."""
    own = findings(of, defect)
    others = [
        f"`{metric}`"
        for metric in dict.fromkeys(of.worst(1_000)["metric"])
        if metric != defect.metric
    ]
    said = f"**{own.iloc[0]['where']}**: {own.iloc[0]['text']}" if len(own) else "not found"
    return _line([defect.name, f"`{defect.metric}`", said, ", ".join(others), of.content.rating])


def _missed_line(of: QualityReport, defect: Defect) -> str:
    worst = of.worst(1_000)
    said = "; ".join(f"`{m}` {w}" for m, w in zip(worst["metric"], worst["where"], strict=True))
    return _line([defect.name, said or "nothing", of.content.rating])


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=None, help="metrics computed at a time")
    jobs = parser.parse_args().jobs
    frames = tables()
    clean = report(frames, n_jobs=jobs)
    head = ["defect", "named by", "what the report says", "seen by, too", "verdict"]
    found = [_line(head), _line(["---"] * len(head))]
    found += [_found_line(report(spoil(frames, defect), n_jobs=jobs), defect) for defect in DEFECTS]
    missed = [_line(["defect", "what the report names", "verdict"]), _line(["---"] * 3)]
    missed += [
        _missed_line(report(spoil(frames, defect), n_jobs=jobs), defect) for defect in BEYOND
    ]
    worst = clean.worst(1_000)
    count = {"poor": 0, "fair": 0} | worst["severity"].value_counts().to_dict()
    text = f"verdict *{clean.content.rating}*, {count['poor']} poor, {count['fair']} fair findings"
    page = TEXT.format(clean=text, found="\n".join(found), missed="\n".join(missed), **SIZES)
    print(page, end="")


if __name__ == "__main__":
    main()
