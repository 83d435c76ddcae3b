"""Several generators, one table: the same rows, the same metrics, the same floor and ceiling."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from synthgen.core.params import check_integer
from synthgen.core.random import root_seed
from synthgen.errors import InvalidDataError, InvalidParameterError, SynthgenError
from synthgen.evaluate.report.quality import QualityReport, quality_report
from synthgen.measure.columns import align

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

_BOUNDS: Final = ("floor", "ceiling")


@dataclass(frozen=True)
class Comparison:
    """Scores of several generators on the same tables; made by :func:`compare`.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row per generator, then ``"floor"`` and ``"ceiling"``; one column per metric.
    reports : dict of str to QualityReport
        The full report of each generator.
    errors : dict of str to str
        What went wrong with the generators that failed; their scores are missing.
    """

    scores: pd.DataFrame
    reports: dict[str, QualityReport]
    errors: dict[str, str]

    @property
    def best(self) -> pd.Series[Any]:
        """Name of the generator nearest to its own ceiling by metric; None where none has a value.

        Those that reach it are level, and among them the better value comes first, and of equal
        ones the first by name.
        """
        names: dict[Any, Any] = {}
        for metric in self.scores.columns:
            places = {name: _place(report, metric) for name, report in self.reports.items()}
            known = {name: place for name, place in places.items() if place is not None}
            best = min((*place, name) for name, place in known.items()) if known else (None,)
            names[metric] = best[-1]
        return pd.Series(names, dtype=object)

    def to_markdown(self, digits: int = 3) -> str:
        """Return the scores as a Markdown table, one line per metric, the best in bold."""
        best = self.best
        header = ["metric", *self.scores.index]
        lines = [" | ".join(header), " | ".join(["---"] * len(header))]
        for metric in self.scores.columns:
            cells = [metric]
            for name, value in self.scores[metric].items():
                text = "" if pd.isna(value) else f"{value:.{digits}f}"
                cells.append(f"**{text}**" if text and name == best[metric] else text)
            lines.append(" | ".join(cells))
        return "\n".join(f"| {line} |" for line in lines) + "\n"

    def __repr__(self) -> str:
        text = self.scores.T.round(3).to_string()
        failed = "".join(f"\n{name} failed: {why}" for name, why in self.errors.items())
        return text + failed


def compare(
    candidates: Mapping[str, Any],
    real: Any,
    holdout: Any = None,
    target: Hashable | None = None,
    schema: Schema | None = None,
    *,
    n_samples: int | None = None,
    random_state: Any = 0,
    **options: Any,
) -> Comparison:
    """Score several generators, or tables that they made, by the same metrics.

    Parameters
    ----------
    candidates : mapping of str to table or synthesizer
        By name: a table of synthetic rows; a fitted synthesizer, which is sampled; or one that is
        not fitted, of which a copy is fitted on `real` first.
    real : table
        The rows that the generators were trained on.
    holdout : table, optional
        Real rows that they have not seen; see :func:`quality_report`.
    target : hashable, optional
        A column that models should predict.
    schema : Schema, optional
        Kinds of the columns; inferred from `real` by default.
    n_samples : int, optional
        Rows to sample from synthesizers; by default as many as in `real`.
    random_state : int, Generator or None, default=0
        Seed of everything random.
    **options
        Further arguments of :func:`quality_report`.

    Returns
    -------
    Comparison

    Raises
    ------
    InvalidParameterError
        If there is no candidate, or one is called ``"floor"`` or ``"ceiling"``.
    InvalidDataError
        If every candidate failed.

    Examples
    --------
    >>> from synthgen import GaussianCopula, IndependentColumns, datasets, evaluate
    >>> iris = datasets.load_frame("iris")
    >>> both = {"copula": GaussianCopula(), "independent": IndependentColumns()}
    >>> table = evaluate.compare(both, iris[::2], iris[1::2])
    >>> table.scores.index.tolist()
    ['copula', 'independent', 'floor', 'ceiling']
    """
    if not candidates:
        raise InvalidParameterError("compare needs at least one candidate, got none.")
    taken = [name for name in candidates if name in _BOUNDS]
    if taken:
        raise InvalidParameterError(f"Candidates must not be called {taken}; choose other names.")
    seed = root_seed(random_state)
    frame = align(real, *([] if holdout is None else [holdout]))[0]
    n_rows = len(frame)
    if n_samples is not None:
        n_rows = check_integer("n_samples", n_samples, minimum=1)
    reports: dict[str, QualityReport] = {}
    errors: dict[str, str] = {}
    for name, candidate in candidates.items():
        try:
            rows = _rows(candidate, real, n_rows, seed)
        except (SynthgenError, ValueError, TypeError, RuntimeError) as error:
            # A generator that cannot handle the table is an outcome of the comparison.
            errors[name] = f"{type(error).__name__}: {error}"
            continue
        try:
            reports[name] = quality_report(
                frame, rows, holdout, target, schema, random_state=seed, title=name, **options
            )
        except InvalidDataError as error:
            # So is a generator whose rows cannot be compared.
            errors[name] = f"{type(error).__name__}: {error}"
    if not reports:
        raise InvalidDataError(f"Every candidate failed: {errors}")
    return Comparison(_table(list(candidates), reports), reports, errors)


def _place(report: QualityReport, metric: Any) -> tuple[float, float] | None:
    """Return how far a value is from its ceiling, 0 beyond it, and the value; less is better."""
    line = report.scores.loc[metric]
    if pd.isna(line["value"]):
        return None
    sign = 1.0 if line["direction"] == "lower" else -1.0
    value = sign * float(line["value"])
    gap = 0.0 if pd.isna(line["ceiling"]) else max(0.0, value - sign * float(line["ceiling"]))
    return gap, value


def _rows(candidate: Any, real: Any, n_samples: int, seed: int) -> Any:
    if not hasattr(candidate, "sample") or not hasattr(candidate, "fit"):
        return candidate
    try:
        check_is_fitted(candidate)
    except NotFittedError:
        candidate = clone(candidate).fit(real)
    return candidate.sample(n_samples, random_state=seed)


def _table(names: list[str], reports: dict[str, QualityReport]) -> pd.DataFrame:
    first = next(iter(reports.values())).scores
    rows = {name: reports[name].scores["value"] for name in names if name in reports}
    frame = pd.DataFrame(rows, index=first.index)
    for name in names:
        if name not in frame:
            frame[name] = float("nan")
    frame = frame[names]
    for bound in _BOUNDS:
        # Ceilings that a metric brings itself can depend on the generator; the first one's stand.
        frame[bound] = first[bound]
    return frame.T
