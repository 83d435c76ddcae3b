"""What if: rows like these, with some columns set to other values."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
from sklearn.utils.validation import check_is_fitted

from synthgen.augment.checks import check_methods
from synthgen.core.params import check_integer
from synthgen.core.random import root_seed
from synthgen.data.frame import read_frame
from synthgen.errors import ConditionError


def counterfactuals(
    synthesizer: Any,
    X: Any,
    changes: Mapping[Hashable, Any],
    *,
    keep: Sequence[Hashable] = (),
    n_samples: int = 1,
    random_state: Any = None,
    on_rare: str = "error",
) -> Any:
    """Draw rows as they might be if some columns had other values.

    Columns in `changes` are set, those in `keep` stay as they are in each row, and all others are
    drawn anew given these. The result answers "what do rows look like that have this value and are
    otherwise like that?" by association: the synthesizer knows what goes together, not what causes
    what. It is a causal what-if only if `keep` holds everything that causes both the changed
    columns and the others, and nothing that the changed columns bring about.

    Parameters
    ----------
    synthesizer : object
        Fitted, of tables; ``sample(conditions=frame)`` gives one row per row.
    X : frame or array of shape (n, k)
        The rows to change, with the columns in `keep` at least.
    changes : mapping of column to value
        None for missing.
    keep : sequence of columns
        Columns of X that stay as they are. By default none.
    n_samples : int, default=1
        Rows drawn for each row of X.
    random_state : None, int, numpy RandomState or Generator
    on_rare : {"error", "approximate"}
        What to do about combinations that are too rare under the model.

    Returns
    -------
    frame
        ``n * n_samples`` rows with all columns of the training table: those for the first row
        first, and so on.

    Raises
    ------
    ConditionError
        If nothing is changed, a column is unknown or both changed and kept, or a combination is too
        rare under the model.

    Examples
    --------
    >>> import pandas as pd
    >>> from synthgen import GaussianCopula
    >>> from synthgen.augment import counterfactuals
    >>> df = pd.DataFrame({"size": ["S", "M", "L", "M"] * 50, "price": [1.5, 2.5, 3.0, 2.0] * 50})
    >>> synth = GaussianCopula(random_state=0).fit(df)
    >>> rows = counterfactuals(synth, df.head(2), {"size": "L"}, keep=["price"], random_state=0)
    >>> rows["size"].tolist(), rows["price"].tolist()
    (['L', 'L'], [1.5, 2.5])
    """
    check_methods("synthesizer", synthesizer, "fit", "sample")
    check_is_fitted(synthesizer)
    n_samples = check_integer("n_samples", n_samples, minimum=1)
    frame, _ = read_frame(X)
    if isinstance(keep, str) or not isinstance(keep, Collection):
        raise ConditionError(f"keep must be a list of columns, got {keep!r}.")
    keep = list(keep)
    _check(changes, keep, frame)
    columns = [frame[label] for label in keep]
    columns += [_constant(value, len(frame)) for value in changes.values()]
    conditions = pd.concat(columns, axis=1)
    conditions.columns = pd.Index([*keep, *changes], tupleize_cols=False)
    repeated = conditions.loc[conditions.index.repeat(n_samples)].reset_index(drop=True)
    return synthesizer.sample(
        conditions=repeated, random_state=root_seed(random_state), on_rare=on_rare
    )


def _check(changes: Mapping[Hashable, Any], keep: list[Hashable], frame: pd.DataFrame) -> None:
    if not isinstance(changes, Mapping) or not changes:
        raise ConditionError(f"changes must map columns to values, got {changes!r}.")
    strange = [label for label in keep if not isinstance(label, Hashable)]
    if strange:
        raise ConditionError(f"keep must be a list of columns; {strange[0]!r} is none.")
    both = [label for label in keep if label in changes]
    if both:
        raise ConditionError(f"The column {both[0]!r} cannot be both changed and kept.")
    unknown = [label for label in keep if label not in frame.columns]
    if unknown:
        raise ConditionError(
            f"keep: X has no column {unknown[0]!r}; its columns are {list(frame.columns)!r}."
        )
    for label, value in changes.items():
        if value is not None and not pd.api.types.is_scalar(value):
            raise ConditionError(
                f"changes: {label!r} must be set to one value, got {value!r}. For ranges use "
                "sample(n, conditions=...)."
            )


def _constant(value: Any, rows: int) -> pd.Series:
    return pd.Series([value] * rows, dtype=object).infer_objects()
