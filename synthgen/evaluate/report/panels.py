"""What the figures of a report show: distributions, associations, a projection, the history."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.evaluate.detection import one_hot
from synthgen.evaluate.rare import coded_levels
from synthgen.evaluate.report.content import Overlay, Projection
from synthgen.measure.columns import Roles, matrices

_BINS: Final = 24
_MOST_BARS: Final = 12
_POINTS: Final = 600
#: Share of rows beyond the outermost bins on each side, gathered in them.
_TAIL: Final = 0.005
_DIGITS: Final = 6
#: Numbers from here on are written with an exponent.
_LONG: Final = 1e7


def overlay(
    frames: Sequence[pd.DataFrame], name: Hashable, roles: Roles, score: float | None
) -> Overlay:
    """Return the shares of rows per bar in all tables.

    Parameters
    ----------
    frames : sequence of pandas.DataFrame
        Real, synthetic and, if there is one, holdout rows.
    name : hashable
        The column.
    roles : Roles
    score : float or None
        Shape of the column.

    Returns
    -------
    Overlay
    """
    if roles.roles[name] == "continuous":
        return _numbers(frames, name, roles, score)
    return _levels(frames, name, score)


def _numbers(
    frames: Sequence[pd.DataFrame], name: Hashable, roles: Roles, score: float | None
) -> Overlay:
    columns = [roles.numbers(frame, name) for frame in frames]
    is_time = _is_time(frames[0][name], name, roles)
    edges = _edges(columns[0], columns[1], is_time)
    shares = []
    for values in columns:
        present = np.clip(values[~np.isnan(values)], edges[0], edges[-1])
        counts = np.histogram(present, bins=edges)[0]
        shares.append(_rounded([*counts, np.isnan(values).sum()], len(values)))
    texts = _edge_labels(edges, frames[0][name], name, roles)
    labels = [f"{low} to {high}" for low, high in itertools.pairwise(texts)]
    # Numbers are marked at round places of the axis; only dates and times need texts of their own.
    marks = texts if is_time else None
    return _overlay(name, "continuous", score, [*labels, "missing"], shares, edges, marks)


def _edges(
    real: NDArray[np.float64], synthetic: NDArray[np.float64], is_time: bool
) -> NDArray[np.float64]:
    """Return bin edges that fit both tables; far tails end up in the outermost bins."""
    both = np.concatenate([real[~np.isnan(real)], synthetic[~np.isnan(synthetic)]])
    if not len(both):
        return np.array([0.0, 1.0])
    low, high = np.quantile(both, [_TAIL, 1 - _TAIL])
    if low == high:
        low, high = both.min(), both.max()
    if low == high:
        return np.array([low - 0.5, high + 0.5])
    values = np.unique(both)
    if len(values) <= _BINS:  # a bar per value
        middles = (values[:-1] + values[1:]) / 2
        ends = [values[0] - (middles[0] - values[0]), values[-1] + (values[-1] - middles[-1])]
        return np.concatenate([ends[:1], middles, ends[1:]])
    if is_time:
        return np.linspace(low, high, _BINS + 1)
    step = _round_step((high - low) / _BINS)
    first, last = np.floor(low / step), np.floor(high / step) + 1
    return np.arange(first, last + 1) * step


def _round_step(width: float) -> float:
    """Return the next width of the form 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> _round_step(1.7), _round_step(0.03), _round_step(5.0)
    (2.0, 0.05, 5.0)
    """
    power = float(10 ** np.floor(np.log10(width)))
    return next(power * digit for digit in (1.0, 2.0, 5.0, 10.0) if power * digit >= width)


def _edge_labels(
    edges: NDArray[np.float64], values: pd.Series[Any], name: Hashable, roles: Roles
) -> list[str]:
    kind = _kind(values, name, roles)
    if kind.startswith("date"):
        moments = pd.to_datetime(edges.round().astype(np.int64), unit="ns")
        long = edges[-1] - edges[0] > 3 * 8.64e13
        return [moment.strftime("%Y-%m-%d" if long else "%m-%d %H:%M") for moment in moments]
    if kind.startswith("time"):
        return [str(pd.Timedelta(int(edge), unit="ns").round("s")) for edge in edges]
    return [f"{edge:,.6g}" if abs(edge) < _LONG else f"{edge:.3g}" for edge in edges]


def _kind(values: pd.Series[Any], name: Hashable, roles: Roles) -> str:
    column = roles.columns.get(name)
    return column.kind if column is not None else pd.api.types.infer_dtype(values, skipna=True)


def _is_time(values: pd.Series[Any], name: Hashable, roles: Roles) -> bool:
    return _kind(values, name, roles).startswith(("date", "time"))


def _levels(frames: Sequence[pd.DataFrame], name: Hashable, score: float | None) -> Overlay:
    codes, names = coded_levels([frame[name] for frame in frames])
    counts = [np.bincount(part + 1, minlength=len(names) + 1) for part in codes]
    order = np.argsort(-counts[0][1:] - counts[1][1:] / max(1, len(frames[1])), kind="stable")
    shown, rest = order[:_MOST_BARS], order[_MOST_BARS:]
    labels = [str(names[code]) for code in shown]
    if len(rest):
        labels.append(f"other ({len(rest):,})")
    shares = []
    for part, frame in zip(counts, frames, strict=True):
        bars = [part[1:][code] for code in shown]
        bars += [part[1:][rest].sum()] if len(rest) else []
        shares.append(_rounded([*bars, part[0]], len(frame)))
    return _overlay(name, "discrete", score, [*labels, "missing"], shares, None, None)


def _overlay(
    name: Hashable,
    role: Any,
    score: float | None,
    labels: list[str],
    shares: list[list[float]],
    edges: NDArray[np.float64] | None,
    edge_labels: list[str] | None,
) -> Overlay:
    if not any(part[-1] for part in shares):  # nothing is missing anywhere
        labels, shares = labels[:-1], [part[:-1] for part in shares]
    return Overlay(
        column=str(name),
        role=role,
        score=score,
        labels=labels,
        real=shares[0],
        synthetic=shares[1],
        holdout=shares[2] if len(shares) > 2 else None,
        edges=None if edges is None else edges.tolist(),
        edge_labels=edge_labels,
    )


def _rounded(counts: Sequence[Any], total: int) -> list[float]:
    return [round(float(count) / total, _DIGITS) for count in counts]


def projection(
    real: pd.DataFrame, synthetic: pd.DataFrame, roles: Roles, rng: np.random.Generator
) -> Projection | None:
    """Place rows on the first two principal components of the real rows.

    Numbers are standardised over both tables and categories one-hot; the components are those of
    the real table, so that synthetic rows far from it stand out.

    Parameters
    ----------
    real, synthetic : pandas.DataFrame
        Some thousand rows each.
    roles : Roles
    rng : numpy.random.Generator
        Chooses the points to show.

    Returns
    -------
    Projection or None
        None if the table has fewer than two dimensions.

    """
    from sklearn.decomposition import PCA

    features = one_hot(matrices([real, synthetic], roles)).tocsr()
    own, other = features[: len(real)], features[len(real) :]
    if min(own.shape) < 3:
        return None
    seed = int(rng.integers(2**31))
    axes = PCA(n_components=2, svd_solver="arpack", random_state=seed).fit(own)
    shares = tuple(round(float(share), _DIGITS) for share in axes.explained_variance_ratio_)
    if not np.isfinite(shares).all():
        return None
    points = [_points(axes.transform(part), rng) for part in (own, other)]
    return Projection(real=points[0], synthetic=points[1], explained=(shares[0], shares[1]))


def _points(places: NDArray[np.float64], rng: np.random.Generator) -> list[tuple[float, float]]:
    if len(places) > _POINTS:
        places = places[np.sort(rng.choice(len(places), _POINTS, replace=False))]
    return [(round(float(x), 3), round(float(y), 3)) for x, y in places]


def history(synthesizer: Any) -> dict[str, list[float | None]] | None:
    """Return the training history of a fitted synthesizer, if it has one.

    Parameters
    ----------
    synthesizer : object
        Anything; a frame ``history_`` with a column ``step`` is looked for.

    Returns
    -------
    dict or None
        Columns of numbers, NaN as None.
    """
    frame = getattr(synthesizer, "history_", None)
    if not isinstance(frame, pd.DataFrame) or "step" not in frame or len(frame) < 2:
        return None
    numeric = frame.select_dtypes("number")
    return {
        str(name): [None if pd.isna(value) else float(value) for value in numeric[name]]
        for name in numeric.columns
        if name != "seconds"
    }
