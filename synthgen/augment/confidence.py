"""The filter: only generated rows that a classifier of real rows takes for their class.

Generated rows of a rare class are a mixture: some look like the class, some like its neighbours.
The second kind teaches a classifier the wrong border. A judge trained on the real rows, with all
classes weighing the same, gives each generated row the probability of the class it was made for;
rows below the threshold are drawn again.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from synthgen.augment.features import FrameNumbers
from synthgen.augment.labels import Labels
from synthgen.augment.rows import ImageRows, Rows, TableRows, joined
from synthgen.augment.source import Source, TableSource
from synthgen.errors import DataWarning

#: Candidates are drawn in this many rounds at most.
_ROUNDS: Final = 4
#: Most rows that the judge learns from.
_MOST_ROWS: Final = 20_000


@dataclass(frozen=True)
class Judge:
    """A fitted classifier of real rows that looks at generated ones.

    Parameters
    ----------
    encoder : object or None
        Transforms frames; None for images, which are flattened.
    model : object
        With ``predict_proba`` and ``classes_`` (codes).
    """

    encoder: Any
    model: Any

    def confidence(self, generated: Any, code: int) -> NDArray[np.float64]:
        """Return each row's probability of one class, had all classes the same share."""
        shares = self.model.predict_proba(_numbers(self.encoder, generated))
        place = np.flatnonzero(self.model.classes_ == code)
        if not len(place):
            return np.ones(len(shares))
        return np.asarray(shares[:, place[0]])


def fit_judge(rows: Rows, labels: Labels, judge: Any, rng: np.random.Generator) -> Judge:
    """Train the judge on real rows, each class weighing the same.

    Parameters
    ----------
    rows : TableRows or ImageRows
    labels : Labels
    judge : classifier or None
        Takes numbers (frames encoded by :class:`FrameNumbers`). By default boosted trees for
        tables and logistic regression on pixels for images.
    rng : numpy.random.Generator
        Of the choice of rows in a large table.
    """
    codes = labels.codes
    chosen = np.arange(len(codes))
    if len(codes) > _MOST_ROWS:
        chosen = np.sort(_balanced_choice(codes, _MOST_ROWS, rng))
    weights = (1.0 / labels.counts)[codes[chosen]]
    weights *= len(chosen) / weights.sum()
    if isinstance(rows, TableRows):
        part: Any = rows.frame.iloc[chosen]
        encoder = FrameNumbers().fit(part)
    else:
        part, encoder = rows.images[chosen], None
    model = clone(judge) if judge is not None else _default_judge(rows)
    model.fit(_numbers(encoder, part), codes[chosen], sample_weight=weights)
    return Judge(encoder, model)


def draw_confident(
    source: Source, judge: Judge, code: int, n: int, least: float, seed: int
) -> tuple[Any, float]:
    """Draw `n` rows of a class of which the judge is sure enough.

    Parameters
    ----------
    source : TableSource or ImageSource
    judge : Judge
    code : int
        The class.
    n : int
    least : float
        Smallest probability of the class, with all classes equally frequent.
    seed : int

    Returns
    -------
    rows : pandas.DataFrame or numpy.ndarray
        Exactly `n` rows. If too few candidates pass, the best of the others make up the number.
    kept : float
        Share of the candidates that passed.

    Warns
    -----
    DataWarning
        If the others had to make up the number.
    """
    pool: Any = None
    scores = np.empty(0)
    passed = 0
    for attempt in range(_ROUNDS):
        # The share that passes is known after the first round.
        share = max(passed / len(scores), 0.1) if len(scores) else 1.0
        wanted = int(np.ceil(1.1 * (n - passed) / share)) + 8
        fresh: Any = source.draw(code, wanted, seed + attempt)
        pool = fresh if pool is None else joined([pool, fresh])
        scores = np.append(scores, judge.confidence(fresh, code))
        passed = int((scores >= least).sum())
        if passed >= n:
            break
    if passed < n:
        warnings.warn(
            f"Only {passed} of {len(scores)} generated rows of a class pass the filter (at least "
            f"{least:g}), {n} are needed; the most confident of the others make up the number. "
            "Lower the threshold, or ask for fewer rows.",
            DataWarning,
            stacklevel=2,
        )
        best = np.sort(np.argsort(-scores, kind="stable")[:n])
    else:
        best = np.flatnonzero(scores >= least)[:n]
    kept = pool.iloc[best].reset_index(drop=True) if isinstance(source, TableSource) else pool[best]
    return kept, passed / len(scores)


def _default_judge(rows: Rows) -> Any:
    if isinstance(rows, ImageRows):
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=0.1, max_iter=200)
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.1, min_samples_leaf=5, l2_regularization=1.0, random_state=0
    )


def _numbers(encoder: Any, rows: Any) -> NDArray[np.float64]:
    if encoder is not None:
        return np.asarray(encoder.transform(rows))
    flat = np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)
    # The steps of a solver need numbers of about one, whatever the type of the pixels.
    return flat / max(1.0, float(np.abs(flat).max(initial=0.0)))


def _balanced_choice(
    codes: NDArray[np.int64], n: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Choose `n` rows, small classes in full as far as they go."""
    noise = rng.random(len(codes))
    order = np.lexsort((noise, codes))
    starts = np.searchsorted(codes[order], np.arange(codes.max() + 1))
    rank = np.empty(len(codes), dtype=np.int64)
    rank[order] = np.arange(len(codes)) - starts[codes[order]]
    return np.argsort(rank, kind="stable")[:n]
