"""Precision, recall, density and coverage: who lies in whose neighbourhood."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.evaluate.balls import Sides as Tables
from synthgen.evaluate.balls import neighbours
from synthgen.evaluate.images.compared import compared
from synthgen.evaluate.result import Result
from synthgen.measure.columns import Roles
from synthgen.measure.space import Rows
from synthgen.measure.stats import share_interval

_KYNKAANNIEMI: Final = "Kynkaanniemi et al. (2019), arXiv:1904.06991"
_NAEEM: Final = "Naeem et al. (2020), arXiv:2002.09797"

#: The search takes time with the square of it.
MAX_NEIGHBOURS: Final = 5_000

_CUT: Final = 68

_NAMES: Final = ("precision", "recall", "density", "coverage")


def neighbourhood_features(
    reference: ArrayLike,
    made: ArrayLike,
    fresh: ArrayLike | None = None,
    scrambled: ArrayLike | None = None,
    *,
    k: int = 5,
    extractor: str = "features",
) -> dict[str, Result]:
    """Return the four scores of features.

    The neighbourhood of a row is the ball to its `k`-th neighbour of the same side, end included.

    Parameters
    ----------
    reference, made : array-like of shape (n, d) and (m, d)
        Features of real and of synthetic images.
    fresh : array-like of shape (m, d), optional
        Features of other real images, as many as synthetic ones; they give the ceilings.
    scrambled : array-like of shape (m, d), optional
        Features of images of independent pixels; they give the floors.
    k : int, default=5
        Which neighbour.
    extractor : str, default="features"
        Where the features come from.

    Returns
    -------
    dict of str to Result
        Higher is better.

        * precision: share of synthetic rows in the neighbourhood of a real one
        * recall: share of real rows in the neighbourhood of a synthetic one
        * density: neighbourhoods of real rows that a synthetic row lies in, divided by `k`; about 1
          for rows of the same source, and not bounded
        * coverage: share of real rows with a synthetic one in their neighbourhood

    References
    ----------
    Kynkaanniemi et al. (2019), Improved precision and recall metric for assessing generative
    models, arXiv:1904.06991; Naeem et al. (2020), Reliable fidelity and diversity metrics for
    generative models, arXiv:2002.09797.
    """
    k = check_integer("k", k, minimum=1)
    own, other = (np.asarray(rows, dtype=np.float64) for rows in (reference, made))
    if min(len(own), len(other)) <= k:
        reason = f"{k + 1} images are needed on both sides, there are {min(len(own), len(other))}"
        return {
            name: _result(
                name, extractor, None, (None, None), 0, {"k": k, "not_applicable": reason}
            )
            for name in _NAMES
        }
    values = _scores(own, other, k)
    worst, best = (
        dict.fromkeys(_NAMES) if rows is None else _scores(own, np.asarray(rows, float), k)
        for rows in (scrambled, fresh)
    )
    return {
        name: _result(
            name,
            extractor,
            values[name],
            (worst[name], best[name]),
            len(other) if name == "precision" else len(own),
            {"k": k},
        )
        for name in _NAMES
    }


def _scores(own: NDArray[np.float64], other: NDArray[np.float64], k: int) -> dict[str, float]:
    around_real, around_made = (
        neighbours(_tables(own, other), k),
        neighbours(_tables(other, own), k),
    )
    if around_real is None or around_made is None:  # `k` rows or fewer, which callers rule out
        raise AssertionError
    return {
        "precision": float((around_real.density > 0).mean()),
        "recall": float((around_made.density > 0).mean()),
        "density": float(around_real.density.mean()),
        "coverage": float(around_real.covered.mean()),
    }


def _tables(reference: NDArray[np.float64], made: NDArray[np.float64]) -> Tables:
    """Return features as tables of numbers alone, whose search by blocks is used."""
    own, other = (Rows(rows, np.empty((0, len(rows)), np.int32), []) for rows in (reference, made))
    return Tables([], own, other, Roles({}, {}, {}), {})


def _result(
    name: str,
    extractor: str,
    value: float | None,
    ends: tuple[float | None, float | None],
    rows: int,
    details: dict[str, Any],
) -> Result:
    share = value is not None and name != "density"
    return Result(
        f"{name}[{extractor}]",
        value,
        interval=share_interval(value, rows) if share and value is not None else None,
        floor=ends[0],
        ceiling=ends[1],
        reference=_KYNKAANNIEMI if name in ("precision", "recall") else _NAEEM,
        details=details,
    )


def neighbourhoods(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    labels: Any = None,
    extractor: Any = "auto",
    k: int = 5,
    layout: str = "auto",
    max_images: int = MAX_NEIGHBOURS,
    random_state: Any = 0,
) -> dict[str, Result]:
    """Return precision, recall, density and coverage of the synthetic images.

    Parameters
    ----------
    real, synthetic, holdout, labels, extractor, layout, random_state
        As in :func:`~synthgen.evaluate.images.frechet.frechet`.
    k : int, default=5
        Which neighbour a neighbourhood reaches to.
    max_images : int, default=5000
        At most this many random images of a side are used.

    Returns
    -------
    dict of str to Result
        See :func:`neighbourhood_features`. The intervals count images and hold the other side
        fixed.
    """
    seed = root_seed(random_state)
    found = compared(real, synthetic, holdout, labels, extractor, layout, max_images, seed)
    # The reference is cut to the size of the others: neighbourhoods shrink as rows get more.
    size = min(len(found.reference), len(found.made))
    rows = generator(seed, "score", _CUT).permutation(len(found.reference))[:size]
    own, *others = found.features
    scores = neighbourhood_features(own[rows], *others, k=k, extractor=found.extractor.name)
    return {name: found.described(result) for name, result in scores.items()}
