"""Support: whether synthetic rows lie where real ones do, and everywhere that real ones do.

Alpha-precision and density look at the synthetic rows (are they plausible?), beta-recall and
coverage at the real ones (are they all represented?). All four work on the rows themselves, see
:mod:`synthgen.measure.space`, without a learned embedding: the "naive" variant in the literature.

None has an interval: neighbouring rows fare alike, so that the binomial one of a share is too short
by a factor of up to two, and resampled rows are copies of each other, which these scores mistake
for perfect neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_integer
from synthgen.evaluate.balls import Neighbours, Sides, agreement, curve, make_sides, neighbours
from synthgen.evaluate.discretize import discretize
from synthgen.evaluate.result import Result
from synthgen.measure.space import centre_distances

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

_MAX_ROWS: Final = 5_000
_NEIGHBOURS: Final = 5

#: A level needs this many rows for a line in the breakdown, or a quarter of fewer than 80 rows.
_LEVEL_ROWS: Final = 20

_ALAA: Final = "Alaa et al. (2022), arXiv:2102.08921, naive variant (no learned embedding)"
_NAEEM: Final = "Naeem et al. (2020), arXiv:2002.09797"


def support(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    k: int = _NEIGHBOURS,
    max_rows: int = _MAX_ROWS,
    random_state: Any = 0,
) -> dict[str, Result]:
    """Compute all four scores with one search for neighbours.

    Parameters
    ----------
    real, synthetic : table
        Tables with the same columns.
    holdout : table, optional
        Real rows that nothing was trained on. If given, *they* are the real side, because a
        generator that repeats its training rows would be perfect against those; `real` then only
        sets the scale. The ceiling is the score of the training rows in the place of `synthetic`.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    k : int, default=5
        The ball around a real row reaches to its `k`-th neighbour among the real rows.
    max_rows : int, default=5000
        Both sides are cut at random to the same number of rows: that of the smaller table, at most
        this many, and at most ``sqrt(2 x 10^9 / columns)``, which is less with over 80 columns.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows.

    Returns
    -------
    dict of str to Result
        ``alpha_precision``, ``beta_recall``, ``density`` and ``coverage``.

    Raises
    ------
    InvalidParameterError
        If an option is out of its range.
    SchemaMismatchError
        If the columns differ.

    Examples
    --------
    >>> real = pd.DataFrame({"c": ["a"] * 50 + ["b"] * 50})
    >>> fake = pd.DataFrame({"c": ["a"] * 100})
    >>> {name: round(result.value, 2) for name, result in support(real, fake).items()}
    {'alpha_precision': 1.0, 'beta_recall': 0.5, 'density': 1.02, 'coverage': 0.5}
    """
    k = check_integer("k", k, minimum=1)
    sides = make_sides(real, synthetic, holdout, schema, max_rows, random_state)
    found = neighbours(sides, k)
    return {
        "alpha_precision": _alpha_precision(sides),
        "beta_recall": _beta_recall(sides, found, k),
        "density": _density(sides, found, k),
        "coverage": _coverage(sides, found, k),
    }


def alpha_precision(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    max_rows: int = _MAX_ROWS,
    random_state: Any = 0,
) -> Result:
    """Return how well the synthetic rows are spread over the typical and the rare real places.

    The alpha-support is the ball around the mean of the real rows that holds the share alpha of
    them; ``P(alpha)`` is the share of synthetic rows in it. The value integrates the deviation from
    the ideal: ``1 - 2 * integral |P(alpha) - alpha|``. Both outliers (too few inside) and rows that
    are all too typical (too many inside) lower it. Rows at equal distance enter the ball bit by
    bit, so that tables of few distinct rows do not score low for their ties.

    Parameters
    ----------
    real, synthetic, holdout, schema, max_rows, random_state
        As in :func:`support`.

    Returns
    -------
    Result
        Value in [0, 1], 1 is best, with the curve as breakdown; None with a single row. It sees
        only distances to one centre: rows that fill the gap between two clusters may go unnoticed,
        which :func:`density` does not let pass.

    References
    ----------
    Alaa, van Breugel, Saveliev & van der Schaar (2022), How faithful is your synthetic data?,
    arXiv:2102.08921.
    """
    return _alpha_precision(make_sides(real, synthetic, holdout, schema, max_rows, random_state))


def beta_recall(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    k: int = _NEIGHBOURS,
    max_rows: int = _MAX_ROWS,
    random_state: Any = 0,
) -> Result:
    """Return how well the real rows are reached by the typical and the rare synthetic ones.

    The beta-support is the ball around the mean of the synthetic rows that holds the share beta of
    them. A real row is reached if its nearest synthetic row is no farther than its `k`-th real
    neighbour and lies in the beta-support; ``R(beta)`` is the share of such rows. The value is
    ``1 - 2 * integral |R(beta) - beta|``. The nearest is searched among all synthetic rows: among
    those in the beta-support alone, typical rows would stand in for rare ones, and with a dozen
    columns even rows of the same source would score near .7.

    Parameters
    ----------
    real, synthetic, holdout, schema, k, max_rows, random_state
        As in :func:`support`. Rows of the same source score from .9 to ``1 - 2^-k``; with ``k=1``,
        which most published tables use, about .5.

    Returns
    -------
    Result
        Value in [0, 1], 1 is best, with the curve as breakdown; None with `k` rows or fewer.

    References
    ----------
    Alaa, van Breugel, Saveliev & van der Schaar (2022), How faithful is your synthetic data?,
    arXiv:2102.08921.
    """
    k = check_integer("k", k, minimum=1)
    sides = make_sides(real, synthetic, holdout, schema, max_rows, random_state)
    return _beta_recall(sides, neighbours(sides, k), k)


def density(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    k: int = _NEIGHBOURS,
    max_rows: int = _MAX_ROWS,
    random_state: Any = 0,
) -> Result:
    """Return how many real neighbourhoods a synthetic row lies in, relative to a real row.

    The neighbourhood of a real row is the ball that reaches to its `k`-th real neighbour. The value
    is the mean over synthetic rows of the number of balls that contain it, each divided by the
    number of real rows in that ball (`k`, more if some are equally far).

    Parameters
    ----------
    real, synthetic, holdout, schema, k, max_rows, random_state
        As in :func:`support`.

    Returns
    -------
    Result
        Value from 0, about 1 for rows of the same source; above 1 if the rows crowd where the real
        ones are densest. In the breakdown, the mean by level of every column, lowest first: where
        the implausible rows are. None with `k` rows or fewer.

    References
    ----------
    Naeem, Oh, Uh, Choi & Yoo (2020), Reliable fidelity and diversity metrics for generative models,
    arXiv:2002.09797.
    """
    k = check_integer("k", k, minimum=1)
    sides = make_sides(real, synthetic, holdout, schema, max_rows, random_state)
    return _density(sides, neighbours(sides, k), k)


def coverage(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    k: int = _NEIGHBOURS,
    max_rows: int = _MAX_ROWS,
    random_state: Any = 0,
) -> Result:
    """Return the share of real rows that have a synthetic row in their neighbourhood.

    The neighbourhood of a real row is the ball that reaches to its `k`-th real neighbour, end
    included.

    Parameters
    ----------
    real, synthetic, holdout, schema, k, max_rows, random_state
        As in :func:`support`.

    Returns
    -------
    Result
        Value in [0, 1], about ``1 - 2^-k`` for rows of the same source. In the breakdown, the share
        by level of every column, lowest first: what the generator forgets. None with `k` rows or
        fewer.

    References
    ----------
    Naeem, Oh, Uh, Choi & Yoo (2020), Reliable fidelity and diversity metrics for generative models,
    arXiv:2002.09797.
    """
    k = check_integer("k", k, minimum=1)
    sides = make_sides(real, synthetic, holdout, schema, max_rows, random_state)
    return _coverage(sides, neighbours(sides, k), k)


def _calibrated(
    name: str,
    title: str,
    reference: NDArray[np.float64],
    queries: NDArray[np.float64],
    details: dict[str, Any],
) -> Result:
    levels, shares = curve(reference, queries)
    grid = np.linspace(0.05, 1.0, 20)
    breakdown = pd.DataFrame({title: grid, "share": np.interp(grid, levels, shares)})
    return Result(
        name, agreement(levels, shares), breakdown=breakdown, reference=_ALAA, details=details
    )


def _alpha_precision(sides: Sides) -> Result:
    if len(sides.reference) < 2:
        return _too_few("alpha_precision", _ALAA, sides, 2)
    radii = centre_distances(sides.reference, sides.reference)
    queries = centre_distances(sides.made, sides.reference)
    details = sides.details | {"outside_of_all": float((queries > radii.max()).mean())}
    return _calibrated("alpha_precision", "alpha", radii, queries, details)


def _beta_recall(sides: Sides, found: Neighbours | None, k: int) -> Result:
    if found is None:
        return _too_few("beta_recall", _ALAA, sides, k + 1)
    radii = centre_distances(sides.made, sides.made)
    queries = np.where(found.covered, radii[found.nearest], np.inf)
    return _calibrated("beta_recall", "beta", radii, queries, sides.details | {"k": k})


def _density(sides: Sides, found: Neighbours | None, k: int) -> Result:
    if found is None:
        return _too_few("density", _NAEEM, sides, k + 1)
    return Result(
        "density",
        float(found.density.mean()),
        breakdown=_by_level(sides, 2, found.density, "density"),
        reference=_NAEEM,
        details=sides.details
        | {"k": k, "outside_of_all": float((found.density == 0).mean()), "ideal": 1.0},
    )


def _coverage(sides: Sides, found: Neighbours | None, k: int) -> Result:
    if found is None:
        return _too_few("coverage", _NAEEM, sides, k + 1)
    return Result(
        "coverage",
        float(found.covered.mean()),
        breakdown=_by_level(sides, 1, found.covered.astype(np.float64), "coverage"),
        reference=_NAEEM,
        details=sides.details | {"k": k},
    )


def _too_few(name: str, reference: str, sides: Sides, needed: int) -> Result:
    reason = f"{needed} rows are needed on both sides, there are {len(sides.reference)}"
    details = sides.details | {"not_applicable": reason}
    return Result(name, None, reference=reference, details=details)


def _by_level(sides: Sides, side: int, scores: NDArray[np.float64], title: str) -> pd.DataFrame:
    """Return the mean score of the rows at every level of every column, lowest first."""
    levels = discretize(sides.frames, sides.roles)
    parts: dict[str, list[Any]] = {
        name: [] for name in ("column", "level", title, "rows", "real", "synthetic")
    }
    for at, (name, labels) in enumerate(zip(levels.names, levels.labels, strict=True)):
        counts = [np.bincount(codes[at], minlength=len(labels)) for codes in levels.codes[1:]]
        totals = np.bincount(levels.codes[side][at], weights=scores, minlength=len(labels))
        for level in np.flatnonzero(counts[side - 1] >= min(_LEVEL_ROWS, len(scores) // 4)):
            rows = int(counts[side - 1][level])
            if not rows:
                continue
            parts["column"].append(name)
            parts["level"].append(labels[level])
            parts[title].append(float(totals[level] / rows))
            parts["rows"].append(rows)
            parts["real"].append(float(counts[0][level] / len(sides.reference)))
            parts["synthetic"].append(float(counts[1][level] / len(sides.made)))
    columns = {
        key: pd.Series(values, dtype=object if key == "column" else None)
        for key, values in parts.items()
    }
    return pd.DataFrame(columns).sort_values(title, kind="stable", ignore_index=True)
