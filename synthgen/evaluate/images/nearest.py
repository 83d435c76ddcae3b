"""Memorisation: synthetic images that are copies of training images."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.evaluate.images.pictures import Images, as_images, choose, shrink
from synthgen.evaluate.result import Result
from synthgen.measure.stats import share_interval

REFERENCE: Final = (
    "distance to the nearest training image against that of real images; cf. Meehan, Chaudhuri & "
    "Dasgupta (2020), arXiv:2004.05675"
)

#: Share of real images that count as copies of a training image by definition.
TAIL: Final = 0.01

_MAX_IMAGES: Final = 2_000
_MAX_TRAINING: Final = 50_000
_CELLS: Final = 8_000_000
_SIDE: Final = 32
_CHOICE: Final = 72

#: Candidates whose distance is computed anew, without cancellation.
_CANDIDATES: Final = 4


def nearest_rows(
    queries: NDArray[np.float32], references: NDArray[np.float32], *, same: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the nearest reference of every query, and its Euclidean distance.

    Parameters
    ----------
    queries, references : numpy.ndarray of shape (n, d) and (m, d)
    same : bool, default=False
        Whether row i of both is the same image, which is no neighbour of itself.

    Returns
    -------
    rows : numpy.ndarray of int of shape (n,)
    distances : numpy.ndarray of shape (n,)

    Examples
    --------
    >>> nearest_rows(np.array([[1.0], [5.0]]), np.array([[0.0], [5.0], [9.0]]))
    (array([0, 1]), array([1., 0.]))
    """
    rows = np.empty(len(queries), dtype=np.int64)
    distances = np.empty(len(queries))
    # Small numbers lose least in the rough distances, which choose the candidates.
    centre = references.mean(axis=0)
    shifted = references - centre
    lengths = (shifted.astype(np.float64) ** 2).sum(axis=1)
    kept = min(_CANDIDATES, len(references))
    step = max(1, _CELLS // len(references))
    for start in range(0, len(queries), step):
        block = np.arange(start, min(start + step, len(queries)))
        rough = lengths - 2 * ((queries[block] - centre) @ shifted.T)
        if same:
            rough[np.arange(len(block)), block] = np.inf
        found = np.argpartition(rough, kept - 1, axis=1)[:, :kept]
        found.sort(axis=1)  # of equal ones the first wins
        gaps = references[found].astype(np.float64) - queries[block][:, None]
        exact = (gaps**2).sum(axis=2)
        if same:
            exact[found == block[:, None]] = np.inf
        best = exact.argmin(axis=1)
        rows[block] = found[np.arange(len(block)), best]
        distances[block] = np.sqrt(exact[np.arange(len(block)), best])
    return rows, distances


def memorisation(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    layout: str = "auto",
    max_images: int = _MAX_IMAGES,
    random_state: Any = 0,
) -> Result:
    """Return the share of synthetic images that lie closer to a training image than real ones do.

    "Closer than real ones" means closer than all but the closest 1 % of fresh real images lie to
    their nearest training image. The distance is that of pixels, averaged to 32 x 32 at most.

    Parameters
    ----------
    real, synthetic, holdout : array-like
        Training images (all of them), synthetic images, and real images that nothing was trained
        on. Without a holdout, the distances from training images to other training images stand for
        those of fresh ones.
    layout : {"auto", "channels_first", "channels_last"}, default="auto"
        Where the channels stand.
    max_images : int, default=2000
        At most this many random synthetic images, and as many fresh ones, are looked at.
    random_state : int, Generator or None, default=0
        Seed of the choice of images.

    Returns
    -------
    Result
        Value in [0, 1], lower is better; about .01 for fresh real images, and 0 for images that are
        unlike any. The breakdown has the closest pair of every image looked at, the closest first:
        rows of `synthetic` and of `real`, their distance, and that as a multiple of the median
        distance of fresh real images. Passing says little: a copy that is moved or recoloured lies
        far in pixels.

    References
    ----------
    Meehan, Chaudhuri & Dasgupta (2020), A non-parametric test to detect data-copying in generative
    models, arXiv:2004.05675.
    """
    limit = check_integer("max_images", max_images, minimum=1)
    rng = generator(root_seed(random_state), "score", _CHOICE)
    arrays = as_images(real, synthetic, *([] if holdout is None else [holdout]), layout=layout)
    train, made = arrays[:2]
    made_rows = np.sort(rng.permutation(len(made))[:limit])
    train_rows = np.sort(rng.permutation(len(train))[:_MAX_TRAINING])
    flat = _flat(train[train_rows])
    found, distances = nearest_rows(_flat(made[made_rows]), flat)
    usual = _usual(flat, arrays[2:], limit, rng)
    details: dict[str, Any] = {
        "synthetic_images": len(made_rows),
        "training_images": len(train_rows),
        "equal": int((distances == 0).sum()),
        "baseline": "holdout" if holdout is not None else "other training images",
    }
    if not len(usual):
        details["not_applicable"] = "one real image alone has no usual distance"
        return Result("memorised", None, "lower", reference=REFERENCE, details=details)
    threshold, median = (float(q) for q in np.quantile(usual, [TAIL, 0.5]))
    # Equal images are copies, except where equal real images are nothing unusual.
    close = distances < threshold if threshold > 0 else distances == 0
    share = float(close.mean())
    usual_share = float((usual < threshold if threshold > 0 else usual == 0).mean())
    breakdown = pd.DataFrame(
        {
            "synthetic": made_rows,
            "real": train_rows[found],
            "distance": distances,
            "relative": distances / median if median > 0 else np.full(len(distances), np.nan),
        }
    ).sort_values("distance", kind="stable", ignore_index=True)
    return Result(
        "memorised",
        share,
        "lower",
        interval=share_interval(share, len(distances)),
        floor=1.0,
        ceiling=usual_share,
        breakdown=breakdown,
        reference=REFERENCE,
        details=details
        | {
            "threshold": threshold,
            "median_distance": float(np.median(distances)),
            "median_distance_of_real": median,
        },
    )


def _usual(
    flat: NDArray[np.float32], holdout: list[Images], limit: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the distances of fresh real images to their nearest training images."""
    if holdout:
        return nearest_rows(_flat(choose(holdout[0], limit, rng)), flat)[1]
    if len(flat) < 2:
        return np.empty(0)
    # The images looked at come first, so that each knows its own row.
    rows = rng.permutation(len(flat))
    ordered = flat[rows]
    return nearest_rows(ordered[:limit], ordered, same=True)[1]


def _flat(images: Images) -> NDArray[np.float32]:
    return shrink(images, _SIDE).reshape(len(images), -1)
