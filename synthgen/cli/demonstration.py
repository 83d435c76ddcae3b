"""``synthgen demo``: the whole way on the bundled census table, with evidence of how good it is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from synthgen.cli.console import (
    JsonOption,
    echo_json,
    format_table,
    guarded,
    to_json,
    watch_interrupts,
)
from synthgen.errors import InvalidParameterError, MissingExtraError

if TYPE_CHECKING:
    import pandas as pd

    from synthgen.data.schema import Schema

_TARGET: Final = "income"
#: Columns to show one by one.
_SHOWN: Final = ("age", "education", "hours-per-week", "occupation", "marital-status", "income")
#: What each score means, in the order of the table.
_MEANINGS: Final = {
    "shape": "single columns look alike",
    "trend": "pairs of columns look alike",
    "c2st_logistic": "a logistic regression cannot tell rows from real ones",
    "c2st_trees": "boosted trees cannot tell rows from real ones",
    "utility": f"AUC on real rows of a model of '{_TARGET}' trained on the rows",
}


@dataclass(frozen=True)
class Tables:
    """Real rows to learn from, real rows to test on, and the rows that were made."""

    train: pd.DataFrame
    test: pd.DataFrame
    synthetic: pd.DataFrame
    independent: pd.DataFrame
    schema: Schema


@guarded
def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything it makes.")] = Path(
        "synthgen-demo"
    ),
    max_minutes: Annotated[float, typer.Option(help="Longest training time.")] = 3.0,
    seed: Annotated[int, typer.Option(help="Seed; the same seed gives the same result.")] = 0,
    rows: Annotated[
        int | None, typer.Option(help="Use only so many training rows; all by default.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Learn the bundled Adult census table, make as many new rows, and measure them.

    Scores are taken against test rows that the model never saw. They stand beside a floor (real
    columns shuffled independently) and a ceiling (the real training rows themselves).
    """
    if find_spec("matplotlib") is None:
        raise MissingExtraError("The picture of the demo", "matplotlib", "evaluate")
    out.mkdir(parents=True, exist_ok=True)
    from synthgen.core.serialize import check_target

    check_target(out / "model")
    tables, times = _run(out, max_minutes, seed, rows)
    _say("measuring ...")
    scores = measure(tables)
    report = {
        "train_rows": len(tables.train),
        "test_rows": len(tables.test),
        "synthetic_rows": len(tables.synthetic),
        "seed": seed,
        **{name: round(seconds, 2) for name, seconds in times.items()},
        "scores": scores,
    }
    _write(out, tables, report)
    if as_json:
        echo_json({"folder": str(out), **report})
    else:
        typer.echo(score_table(scores))
        typer.echo(f"\nmodel, synthetic.csv, quality.json and quality.png are in {out}/")


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _run(
    out: Path, max_minutes: float, seed: int, rows: int | None
) -> tuple[Tables, dict[str, float]]:
    """Fit, save and sample; return the tables and the seconds that each took."""
    from synthgen import GANSynthesizer, datasets, evaluate
    from synthgen.cli.files import to_pandas

    train, test = datasets.load_adult("train"), datasets.load_adult("test")
    if rows is not None:
        if rows < 2:
            raise InvalidParameterError(f"--rows must be at least 2, got {rows}.")
        train = train.sample(min(rows, len(train)), random_state=seed).reset_index(drop=True)
    _say(f"fitting {len(train):,} rows x {train.shape[1]} columns, at most {max_minutes:g} min ...")
    synthesizer = GANSynthesizer(max_minutes=max_minutes, random_state=seed, verbose=1)
    start = time.perf_counter()
    with watch_interrupts() as interrupts:
        synthesizer.fit(train)
    if interrupts.seen:
        raise KeyboardInterrupt
    fitted = time.perf_counter()
    synthesizer.save(out / "model")
    _say(f"sampling {len(train):,} rows ...")
    begun = time.perf_counter()
    synthetic = to_pandas(synthesizer.sample(len(train), random_state=seed))
    ended = time.perf_counter()
    floor = evaluate.baseline_frames(train, test, random_state=seed).independent
    tables = Tables(train, test, synthetic, floor, synthesizer.schema_)
    return tables, {"fit_seconds": fitted - start, "sample_seconds": ended - begun}


def measure(tables: Tables) -> dict[str, dict[str, float | None]]:
    """Score the synthetic rows, the floor and the ceiling against the test rows.

    Parameters
    ----------
    tables : Tables
        The real rows and the ones to score.

    Returns
    -------
    dict
        By the name of the score its values for ``"synthetic"``, ``"floor"`` and ``"ceiling"``; in
        all of them higher is better.
    """
    from synthgen import evaluate

    test, schema = tables.test, tables.schema
    metrics: dict[str, Callable[[pd.DataFrame], Any]] = {
        "shape": lambda rows: evaluate.shape(test, rows, schema=schema),
        "trend": lambda rows: evaluate.trend(test, rows, schema=schema),
        "c2st_logistic": lambda rows: evaluate.c2st(test, rows, method="logistic", schema=schema),
        "c2st_trees": lambda rows: evaluate.c2st(test, rows, schema=schema),
        "utility": lambda rows: evaluate.utility(
            tables.train, rows, holdout=test, target=_TARGET, schema=schema
        ),
    }
    candidates = {
        "synthetic": tables.synthetic,
        "floor": tables.independent,
        "ceiling": tables.train,
    }
    return {
        name: {who: metric(rows).value for who, rows in candidates.items()}
        for name, metric in metrics.items()
    }


def score_table(scores: dict[str, dict[str, float | None]]) -> str:
    """Lay out the scores as text.

    Examples
    --------
    >>> typer.echo(score_table({"shape": {"synthetic": 0.99, "floor": 1, "ceiling": None}}))
    score  synthetic  floor  ceiling  meaning
    -----  ---------  -----  -------  -------------------------
    shape      0.990  1.000        -  single columns look alike
    """
    kinds = ("synthetic", "floor", "ceiling")
    header = ["score", *kinds, "meaning"]
    rows = []
    for name, values in scores.items():
        numbers = ["-" if values[kind] is None else f"{values[kind]:.3f}" for kind in kinds]
        padded = [text.rjust(len(kind)) for text, kind in zip(numbers, kinds, strict=True)]
        rows.append([name, *padded, _MEANINGS[name]])
    return format_table(header, rows)


def _write(out: Path, tables: Tables, report: dict[str, Any]) -> None:
    from synthgen.cli.picture import draw
    from synthgen.core.files import replace_file
    from synthgen.data.frame import write_path

    write_path(tables.synthetic, out / "synthetic.csv")
    document = json.dumps(to_json(report), indent=2, allow_nan=False) + "\n"
    replace_file(out / "quality.json", document.encode())
    picture = draw(tables.test, tables.synthetic, tables.independent, tables.schema, _SHOWN)
    replace_file(out / "quality.png", picture)
