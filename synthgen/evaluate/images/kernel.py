"""Kernel distance: the unbiased squared mean discrepancy of a cubic kernel, in blocks."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError
from synthgen.evaluate.images.compared import compared
from synthgen.evaluate.images.extractors import INCEPTION
from synthgen.evaluate.images.pictures import MAX_IMAGES
from synthgen.evaluate.result import Result

REFERENCE: Final = "Binkowski, Sutherland, Arbel & Gretton (2018), arXiv:1801.01401"

#: Rows of a block, at most.
_BLOCK: Final = 1_000

#: Blocks that an interval needs, and rows that each of them needs.
_LEAST_BLOCKS: Final = 5
_LEAST_ROWS: Final = 20

_ORDER: Final = 66


def kernel_distance(first: ArrayLike, second: ArrayLike) -> float:
    """Return the unbiased estimate of the squared maximum mean discrepancy.

    The kernel is ``(x y / d + 1)^3``.

    Parameters
    ----------
    first, second : array-like of shape (n, d) and (m, d)
        At least two rows each.

    Returns
    -------
    float
        About 0 for rows of the same source, and as often below as above it.

    Raises
    ------
    InvalidDataError
        If there are fewer rows.

    Examples
    --------
    >>> kernel_distance([[0.0], [0.0]], [[1.0], [1.0]])  # 1 + 8 - 2 * 1
    7.0
    """
    x, y = (np.asarray(rows, dtype=np.float64) for rows in (first, second))
    if min(len(x), len(y)) < 2:
        raise InvalidDataError("A kernel distance needs two rows on both sides.")
    within = _mean_of_pairs(x) + _mean_of_pairs(y)
    return float(within - 2 * _kernel(x, y).mean())


def _kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = (x @ y.T / x.shape[1] + 1) ** 3
    return result


def _mean_of_pairs(x: NDArray[np.float64]) -> float:
    own = ((x**2).sum(axis=1) / x.shape[1] + 1) ** 3
    return float((_kernel(x, x).sum() - own.sum()) / (len(x) * (len(x) - 1)))


def kernel_features(
    reference: ArrayLike,
    made: ArrayLike,
    fresh: ArrayLike | None = None,
    scrambled: ArrayLike | None = None,
    *,
    block: int = _BLOCK,
    extractor: str = "features",
    random_state: Any = 0,
) -> Result:
    """Return the kernel distance between features, averaged over separate blocks of rows.

    Parameters
    ----------
    reference, made : array-like of shape (n, d) and (m, d)
        Features of real and of synthetic images.
    fresh : array-like of shape (m, d), optional
        Features of other real images, as many as synthetic ones; they give the ceiling.
    scrambled : array-like of shape (m, d), optional
        Features of images of independent pixels; they give the floor.
    block : int, default=1000
        Rows of a block at most; smaller ones are used to have five blocks or more.
    extractor : str, default="features"
        Where the features come from.
    random_state : int, Generator or None, default=0
        Seed of the division into blocks.

    Returns
    -------
    Result
        Lower is better, and it can be negative. No row is in two blocks, so that the blocks are
        independent and the interval of their mean (Student's t) is honest; it is None with fewer
        than five blocks.
    """
    block = check_integer("block", block, minimum=2)
    own, other = (np.asarray(rows, dtype=np.float64) for rows in (reference, made))
    name = "KID" if extractor == INCEPTION else f"KD[{extractor}]"
    size = min(len(own), len(other))
    if size < 2:
        reason = f"2 images are needed on both sides, there are {size}"
        return Result(name, None, "lower", reference=REFERENCE, details={"not_applicable": reason})
    n_blocks = max(-(-size // block), min(_LEAST_BLOCKS, size // _LEAST_ROWS), 1)
    n_blocks = min(n_blocks, size // 2)
    seed = root_seed(random_state)
    values = _block_values(own, other, n_blocks, seed)
    floor, ceiling = (
        None
        if rows is None
        else float(_block_values(own, np.asarray(rows, dtype=np.float64), n_blocks, seed).mean())
        for rows in (scrambled, fresh)
    )
    return Result(
        name,
        float(values.mean()),
        "lower",
        interval=_interval(values),
        floor=floor,
        ceiling=ceiling,
        reference=REFERENCE,
        details={"blocks": n_blocks, "rows_per_block": size // n_blocks},
    )


def _block_values(
    own: NDArray[np.float64], other: NDArray[np.float64], n_blocks: int, seed: int
) -> NDArray[np.float64]:
    sides = [
        np.array_split(generator(seed, "score", _ORDER, side).permutation(len(rows)), n_blocks)
        for side, rows in enumerate((own, other))
    ]
    return np.array(
        [kernel_distance(own[mine], other[theirs]) for mine, theirs in zip(*sides, strict=True)]
    )


def _interval(values: NDArray[np.float64]) -> tuple[float, float] | None:
    if len(values) < _LEAST_BLOCKS:
        return None
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def kernel(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    labels: Any = None,
    extractor: Any = "auto",
    block: int = _BLOCK,
    layout: str = "auto",
    max_images: int = MAX_IMAGES,
    random_state: Any = 0,
) -> Result:
    """Return the kernel distance between synthetic and real images' features.

    Unlike the Frechet distance it is unbiased, so that it can be trusted with few images.

    Parameters
    ----------
    real, synthetic, holdout, labels, extractor, layout, max_images, random_state
        As in :func:`~synthgen.evaluate.images.frechet.frechet`.
    block : int, default=1000
        Rows of a block at most.

    Returns
    -------
    Result
        Named ``KD[extractor]``, and ``KID`` only with Inception weights. Lower is better, about 0
        is best.

    References
    ----------
    Binkowski, Sutherland, Arbel & Gretton (2018), Demystifying MMD GANs, arXiv:1801.01401.
    """
    seed = root_seed(random_state)
    found = compared(real, synthetic, holdout, labels, extractor, layout, max_images, seed)
    result = kernel_features(
        *found.features, block=block, extractor=found.extractor.name, random_state=seed
    )
    return found.described(result)
