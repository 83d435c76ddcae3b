"""Real tables that need no download."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Any, Final

import pandas as pd

from synthgen.core.params import check_choice

_SCIKIT_LEARN: Final = ("iris", "wine", "breast_cancer", "diabetes", "digits")


def load_adult(split: str = "train") -> pd.DataFrame:
    """Load the Adult table: who earned more than 50,000 dollars in the US census of 1994.

    Parameters
    ----------
    split : {"train", "test", "all"}, default="train"
        The split of the source: 32,561 and 16,281 rows.

    Returns
    -------
    pandas.DataFrame of shape (n, 15)
        The target is ``income``. ``?`` is kept as a category.

    Raises
    ------
    InvalidParameterError
        If `split` is anything else.

    References
    ----------
    Becker, B. and Kohavi, R. (1996). Adult. UCI Machine Learning Repository, doi:10.24432/C5XW20.
    Licence: CC BY 4.0.

    Examples
    --------
    >>> load_adult("test").shape
    (16281, 15)
    """
    check_choice("split", split, ["train", "test", "all"])
    parts = ["train", "test"] if split == "all" else [split]
    return pd.concat([_read(f"adult_{part}.csv.gz") for part in parts], ignore_index=True)


def load_frame(name: str) -> pd.DataFrame:
    """Load a table that comes with scikit-learn, the target as the last column.

    Parameters
    ----------
    name : {"iris", "wine", "breast_cancer", "diabetes", "digits"}

    Returns
    -------
    pandas.DataFrame
        The column ``target`` holds names of classes, or numbers for ``diabetes`` and ``digits``.

    Raises
    ------
    InvalidParameterError
        If `name` is anything else.

    Examples
    --------
    >>> load_frame("iris").shape
    (150, 5)
    """
    from sklearn import datasets

    check_choice("name", name, _SCIKIT_LEARN)
    loaders: dict[str, Callable[..., Any]] = {
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "breast_cancer": datasets.load_breast_cancer,
        "diabetes": datasets.load_diabetes,
        "digits": datasets.load_digits,
    }
    bunch = loaders[name](as_frame=True)
    frame: pd.DataFrame = bunch.frame
    if name in ("iris", "wine", "breast_cancer"):
        labels = [str(label) for label in bunch.target_names]
        frame = frame.assign(target=[labels[code] for code in bunch.target])
    return frame


def _read(name: str) -> pd.DataFrame:
    source = resources.files("synthgen.data").joinpath("files", name)
    with resources.as_file(source) as path:
        return pd.read_csv(path)
