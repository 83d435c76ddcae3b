"""Detection: how well a classifier tells synthetic rows from real rows.

The two-sample test by a classifier with boosted trees is the most telling single figure: unlike
shape and trend it sees the joint distribution of all columns. The AUC grows with the number of
rows, so that only scores with the same number of rows can be compared.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.core.params import check_choice, check_integer
from synthgen.core.random import generator, root_seed
from synthgen.errors import InvalidDataError
from synthgen.evaluate.result import Result
from synthgen.measure.columns import Matrices, align, column_roles, cut, cut_rows, matrices
from synthgen.measure.stats import auc, auc_interval, roc_curve, stratified_folds
from synthgen.measure.trees import fit_trees

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

_FOLDS: Final = {"trees": 5, "logistic": 3}
#: Number of held-out rows that the columns' importance is measured on.
_IMPORTANCE_ROWS: Final = 2_000
_REFERENCE: Final = {
    "trees": "Lopez-Paz & Oquab (2017), Revisiting Classifier Two-Sample Tests, arXiv:1610.06545",
    "logistic": "sdmetrics 0.32, LogisticDetection",
}


def c2st(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    method: Literal["trees", "logistic"] = "trees",
    schema: Schema | None = None,
    n_splits: int | None = None,
    n_estimators: int = 200,
    max_rows: int | None = None,
    random_state: Any = 0,
    n_jobs: int = 1,
) -> Result:
    """Classify real against synthetic rows by cross-validation.

    Parameters
    ----------
    real : table
        Real rows. Without `holdout`, the rows that are compared: then they should be rows *that the
        generator has not seen*, since among training rows a generator that copies them scores best.
    synthetic : table
        Synthetic rows. The larger of the two tables is cut to the size of the smaller by a random
        choice of rows, so that both classes have the same size.
    holdout : table, optional
        Real rows that nothing was trained on; they are compared in the place of `real`.
    method : {"trees", "logistic"}, default="trees"
        ``"trees"``: LightGBM, categories and missing values as they are; the value is
        ``2 (1 - AUC)`` clipped to [0, 1]. ``"logistic"``: logistic regression on one-hot and
        standardised columns, missing numbers replaced by the mean; the value is one minus the
        mean over folds of ``2 max(AUC, .5) - 1``, as in sdmetrics.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    n_splits : int, optional
        Number of folds; by default 5 for trees and 3 for logistic regression.
    n_estimators : int, default=200
        Number of trees.
    max_rows : int, optional
        Use no more than this many rows of each table.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows, the folds and the model.
    n_jobs : int, default=1
        Threads of the trees; the result does not depend on it.

    Returns
    -------
    Result
        Value in [0, 1]; 1: indistinguishable, 0: told apart every time. ``details["auc"]`` is the
        mean over folds, ``details["roc"]`` the curve (false and true positive rates) over all
        held-out rows. With trees, the breakdown lists the columns by how much they give away:
        the loss of AUC when the column is permuted among held-out rows (of the first fold).

    Raises
    ------
    InvalidDataError
        If a table has fewer rows than folds.
    """
    method = check_choice("method", method, _FOLDS)
    n_splits = _FOLDS[method] if n_splits is None else n_splits
    n_splits = check_integer("n_splits", n_splits, minimum=2)
    seed = root_seed(random_state)
    first, second = align(real if holdout is None else holdout, synthetic)
    roles = column_roles(first, schema)
    n_rows = min(len(first), len(second))
    if max_rows is not None:
        n_rows = min(n_rows, check_integer("max_rows", max_rows, minimum=1))
    if n_rows < n_splits:
        raise InvalidDataError(
            f"{n_splits} folds need {n_splits} rows in each table, got {n_rows}."
        )
    rng = generator(seed, "split")
    first, second = cut(first, n_rows, rng), cut(second, n_rows, rng)
    encoded = matrices([first, second], roles)
    labels = np.repeat(np.array([0, 1]), n_rows)
    folds = stratified_folds(labels, n_splits, rng)
    if method == "trees":
        scores, drops = _tree_scores(encoded, labels, folds, n_estimators, seed, n_jobs)
    else:
        scores, drops = _logistic_scores(encoded, labels, folds), None
    areas = [auc(labels[folds == fold] == 1, scores[folds == fold]) for fold in range(n_splits)]
    area = float(np.mean(areas))
    low, high = auc_interval(area, n_rows, n_rows, n_folds=n_splits)
    return Result(
        f"c2st_{method}",
        _score(areas, method),
        interval=(_clip(2 * (1 - high)), _clip(2 * (1 - low))),
        breakdown=drops,
        reference=_REFERENCE[method],
        details={
            "auc": area,
            "auc_by_fold": areas,
            "auc_interval": (low, high),
            "roc": roc_curve(labels == 1, scores),
            "rows_per_class": n_rows,
            "left_out": {str(name): reason for name, reason in roles.left_out.items()},
        },
    )


def _clip(value: float) -> float:
    return float(min(1.0, max(0.0, value)))


def _score(areas: list[float], method: str) -> float:
    if method == "trees":
        return _clip(2 * (1 - float(np.mean(areas))))
    return float(1 - np.mean([max(0.5, area) * 2 - 1 for area in areas]))


def _tree_scores(
    encoded: Matrices,
    labels: NDArray[np.int64],
    folds: NDArray[np.int64],
    n_estimators: int,
    seed: int,
    n_jobs: int,
) -> tuple[NDArray[np.float64], pd.DataFrame]:
    """Return a score per row when held out, and what columns give away in the first fold."""
    features = np.concatenate(encoded.arrays)
    scores = np.empty(len(features))
    drops = pd.DataFrame()
    for fold in range(int(folds.max()) + 1):
        held_out = folds == fold
        model = fit_trees(
            features[~held_out],
            labels[~held_out],
            objective="binary",
            categorical=encoded.categorical,
            n_estimators=n_estimators,
            seed=seed,
            n_jobs=n_jobs,
        )
        scores[held_out] = model.predict(features[held_out], num_threads=n_jobs)
        if fold == 0:
            rng = generator(seed, "score", 4)
            rows = cut_rows(np.flatnonzero(held_out), _IMPORTANCE_ROWS, rng)
            drops = _drops(model, features[rows], labels[rows] == 1, encoded.names, rng, n_jobs)
    return scores, drops


def _drops(
    model: Any,
    features: NDArray[np.float64],
    positive: NDArray[np.bool_],
    names: list[Hashable],
    rng: np.random.Generator,
    n_jobs: int,
) -> pd.DataFrame:
    """Return the loss of AUC when a column is permuted, the largest first.

    References
    ----------
    Breiman (2001), Random Forests, Machine Learning 45: permutation importance.
    """
    if not 0 < positive.sum() < len(positive):
        return pd.DataFrame({"column": [], "auc_drop": []})
    whole = auc(positive, model.predict(features, num_threads=n_jobs))
    drops = []
    for place in range(features.shape[1]):
        shuffled = features.copy()
        shuffled[:, place] = rng.permutation(features[:, place])
        drops.append(whole - auc(positive, model.predict(shuffled, num_threads=n_jobs)))
    table = pd.DataFrame({"column": pd.Series(names, dtype=object), "auc_drop": drops})
    return table.sort_values("auc_drop", ascending=False, kind="stable", ignore_index=True)


def _logistic_scores(
    encoded: Matrices, labels: NDArray[np.int64], folds: NDArray[np.int64]
) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression

    features = one_hot(encoded)
    scores = np.empty(len(labels))
    for fold in range(int(folds.max()) + 1):
        held_out = folds == fold
        model = LogisticRegression(max_iter=1000)
        model.fit(features[~held_out], labels[~held_out])
        scores[held_out] = model.decision_function(features[held_out])
    return scores


def one_hot(encoded: Matrices) -> Any:
    """Stack the matrices as one sparse matrix of standardised numbers and one-hot categories.

    Missing numbers become the mean; a missing category is a category. Columns are divided by their
    standard deviation; only numbers are centred, which leaves the matrix sparse.

    Returns
    -------
    scipy.sparse.csr_array of shape (rows of all matrices, features)
    """
    from scipy import sparse

    features = np.concatenate(encoded.arrays)
    blocks = []
    for place, levels in enumerate(encoded.n_levels):
        column = features[:, place]
        if levels == 0:
            present = ~np.isnan(column)
            mean = column[present].mean() if present.any() else 0.0
            filled = np.where(present, column, mean) - mean
            block = sparse.csr_array(filled[:, None])
        else:
            codes = np.where(np.isnan(column), levels, column).astype(np.int64)
            rows = np.arange(len(codes))
            ones = np.ones(len(codes))
            block = sparse.csr_array((ones, (rows, codes)), shape=(len(codes), levels + 1))
        spread = _deviation(block)
        blocks.append(block @ sparse.diags_array(1 / np.where(spread > 0, spread, 1.0)))
    return sparse.csr_array(sparse.hstack(blocks))


def _deviation(block: Any) -> NDArray[np.float64]:
    n_rows = block.shape[0]
    mean = np.asarray(block.sum(axis=0)) / n_rows
    square = np.asarray(block.multiply(block).sum(axis=0)) / n_rows
    spread: NDArray[np.float64] = np.sqrt(np.maximum(square - mean**2, 0.0))
    return spread
