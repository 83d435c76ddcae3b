"""Floor and ceiling of every score, computed on the table at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError
from synthgen.measure.columns import align


@dataclass(frozen=True)
class BaselineFrames:
    """Frames to score in the place of a synthetic table.

    Parameters
    ----------
    independent : pandas.DataFrame of len(train) rows
        *Floor*: the training rows with every column permuted on its own: perfect columns, no
        relation between them.
    real : pandas.DataFrame of len(train) rows
        *Ceiling* of every score against the holdout: the training rows themselves, in random order,
        which are fresh real rows from the holdout's point of view.
    members, fresh : pandas.DataFrame of len(train) // 2 rows each
        *Ceiling* of the scores that look for traces of the training rows (copies, membership,
        nearest neighbours): two halves of the training rows; `fresh` is the synthetic table of an
        ideal generator that was trained on `members`.
    """

    independent: pd.DataFrame
    real: pd.DataFrame
    members: pd.DataFrame
    fresh: pd.DataFrame


def baseline_frames(train: Any, holdout: Any, random_state: Any = 0) -> BaselineFrames:
    """Build the frames that give floor and ceiling.

    Parameters
    ----------
    train, holdout : table
        Two samples of real rows with the same columns. No row of `holdout` is used: it is checked
        only.
    random_state : int, Generator or None, default=0
        Seed.

    Returns
    -------
    BaselineFrames

    Raises
    ------
    InvalidDataError
        If there are fewer than two training rows.
    SchemaMismatchError
        If the columns differ.

    Examples
    --------
    >>> train = pd.DataFrame({"x": range(6), "c": list("aabbcc")})
    >>> frames = baseline_frames(train, train)
    >>> sorted(frames.independent["x"]), len(frames.fresh)
    ([0, 1, 2, 3, 4, 5], 3)
    """
    first = align(train, holdout)[0]
    if len(first) < 2:
        raise InvalidDataError("Floor and ceiling need at least two training rows, got 1.")
    rng = generator(root_seed(random_state), "split", 1)
    order = rng.permutation(len(first))
    half = len(first) // 2
    real = first.iloc[order].reset_index(drop=True)
    return BaselineFrames(
        independent=_permuted(first, rng),
        real=real,
        members=real.iloc[:half].reset_index(drop=True),
        fresh=real.iloc[half : 2 * half].reset_index(drop=True),
    )


def _permuted(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Permute every column on its own; dtypes stay."""
    columns = [
        frame.iloc[:, [place]].iloc[rng.permutation(len(frame))].reset_index(drop=True)
        for place in range(frame.shape[1])
    ]
    return pd.concat(columns, axis=1)
