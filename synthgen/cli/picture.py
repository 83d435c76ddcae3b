"""One picture of how alike two tables are: single columns, and pairs of columns."""

from __future__ import annotations

import io
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from synthgen.data.schema import Schema

_REAL: Final = "#9aa5b1"
_SYNTHETIC: Final = "#d1495b"
_INK: Final = "#2b2d42"
_CONTINUOUS: Final = frozenset({"numeric", "integer", "datetime", "timedelta"})
_LEVELS: Final = 8


def draw(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    independent: pd.DataFrame,
    schema: Schema,
    columns: Sequence[Hashable],
) -> bytes:
    """Draw the picture.

    Parameters
    ----------
    real : pandas.DataFrame
        Real rows that no model was trained on.
    synthetic : pandas.DataFrame
        Rows to compare with them.
    independent : pandas.DataFrame
        The floor: real columns without any relation between them.
    schema : Schema
        Kinds of the columns.
    columns : sequence of hashable
        At most six columns to show one by one.

    Returns
    -------
    bytes
        A PNG image.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "font.size": 9,
        "axes.edgecolor": "#c8ccd4",
        "axes.labelcolor": _INK,
        "text.color": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "axes.titleweight": "bold",
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
    }
    with rc_context(style):
        figure = Figure(figsize=(12.5, 11.5), dpi=130, layout="constrained")
        halves: Any = figure.subfigures(2, 1, height_ratios=[1.15, 1])
        _draw_columns(halves[0], real, synthetic, schema, columns)
        _draw_pairs(halves[1], real, synthetic, independent, schema)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _draw_columns(
    figure: Any,
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    schema: Schema,
    columns: Sequence[Hashable],
) -> None:
    figure.suptitle("Single columns: test rows and synthetic rows", fontsize=12, fontweight="bold")
    panels = figure.subplots(2, 3).ravel()
    for axes in panels[len(columns) :]:
        axes.set_axis_off()
    for name, axes in zip(columns, panels, strict=False):
        if schema[name].kind in _CONTINUOUS:
            _overlay_numbers(axes, *_as_numbers(name, real, synthetic, schema))
        else:
            _overlay_levels(axes, real[name], synthetic[name])
        axes.set_title(str(name))
        axes.spines[["top", "right"]].set_visible(False)
        axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    panels[0].legend(frameon=False, loc="upper right")


def _as_numbers(
    name: Hashable, real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from synthgen.data.values import to_numbers

    parts = [to_numbers(frame[name], schema[name]) for frame in (real, synthetic)]
    first, second = (part[np.isfinite(part)] for part in parts)
    return first, second


def _overlay_numbers(axes: Axes, real: NDArray[np.float64], synthetic: NDArray[np.float64]) -> None:
    both = np.concatenate([real, synthetic])
    if not len(both):
        return
    # The far tail would leave all bars in one corner.
    low, high = np.quantile(both, [0.001, 0.995])
    edges = np.linspace(low, high if high > low else low + 1, 31)
    shares = [
        np.histogram(np.clip(part, edges[0], edges[-1]), edges)[0] / max(len(part), 1)
        for part in (real, synthetic)
    ]
    axes.stairs(shares[0], edges, fill=True, color=_REAL, label="real (test)")
    axes.stairs(shares[1], edges, color=_SYNTHETIC, linewidth=1.8, label="synthetic")


def _overlay_levels(axes: Axes, real: pd.Series[Any], synthetic: pd.Series[Any]) -> None:
    first = real.astype(object).value_counts(normalize=True)
    second = synthetic.astype(object).value_counts(normalize=True)
    shown = list(first.index[:_LEVELS])
    place = np.arange(len(shown))
    axes.bar(place, [first[level] for level in shown], color=_REAL, width=0.8, label="real (test)")
    axes.bar(
        place,
        [second.get(level, 0.0) for level in shown],
        width=0.8,
        facecolor="none",
        edgecolor=_SYNTHETIC,
        linewidth=1.8,
        label="synthetic",
    )
    labels = [_shorten(str(level)) for level in shown]
    axes.set_xticks(place, labels, rotation=35, ha="right", rotation_mode="anchor")


def _shorten(text: str, longest: int = 16) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _draw_pairs(
    figure: Any,
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    independent: pd.DataFrame,
    schema: Schema,
) -> None:
    figure.suptitle("Pairs of columns: distance to the test rows", fontsize=12, fontweight="bold")
    panels = figure.subplots(1, 2)
    names, floor = pair_distances(real, independent, schema)
    _, made = pair_distances(real, synthetic, schema)
    # A few columns that say the same would leave all other pairs in one colour.
    top = max(float(np.nanquantile(floor, 0.97)), 1e-3)
    titles = {
        f"synthetic rows (mean {np.nanmean(made):.3f})": made,
        f"floor: independent columns (mean {np.nanmean(floor):.3f})": floor,
    }
    image = None
    for axes, (title, matrix) in zip(panels, titles.items(), strict=True):
        image = axes.imshow(matrix, cmap="magma_r", vmin=0.0, vmax=top)
        axes.set_title(title)
        _label_pairs(axes, names)
    figure.colorbar(image, ax=panels, shrink=0.8, extend="max", label="1 - trend of the pair")


def _label_pairs(axes: Axes, names: Sequence[Hashable]) -> None:
    labels = [_shorten(str(name)) for name in names]
    axes.set_xticks(range(len(names)), labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), labels)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def pair_distances(
    real: pd.DataFrame, other: pd.DataFrame, schema: Schema
) -> tuple[list[Hashable], NDArray[np.float64]]:
    """Return one minus the trend score of every pair of columns.

    Returns
    -------
    names : list
        The columns.
    matrix : numpy.ndarray of shape (columns, columns)
        Symmetric, in [0, 1], 0 is best; NaN on the diagonal and for pairs without a score.
    """
    from synthgen import evaluate

    pairs = evaluate.trend(real, other, schema=schema).breakdown
    if pairs is None:
        return [], np.full((0, 0), np.nan)
    used = {*pairs["column_1"], *pairs["column_2"]}
    names = [name for name in schema.names if name in used]
    place = {name: index for index, name in enumerate(names)}
    matrix = np.full((len(names), len(names)), np.nan)
    for one, two, score in zip(pairs["column_1"], pairs["column_2"], pairs["score"], strict=True):
        matrix[place[one], place[two]] = matrix[place[two], place[one]] = 1 - score
    return names, matrix
