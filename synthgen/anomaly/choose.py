"""Which methods speak for ``method="auto"``: a rule that never sees a label.

The *panel* always speaks: three detectors that are hard to beat (Han et al., NeurIPS 2022; Bouman
et al., JMLR 25, 2024), averaged on the common scale. Beside them stand *specialists*, each of
which can overrule the panel: a row is as strange as the strangest of these words. Specialists are
chosen by a test. Calibration rows, which no method learned from, are spoilt in each of several
ways; of each way the generator's or critic's method that tells spoilt rows from others best
becomes a specialist, if it is ahead of every usual detector by more than chance.

A specialist has to find a row twice as rare as the panel does, as Bonferroni asks of the smaller of
two p-values: of many words the largest is large by chance as well.

The maximum, since what a specialist knows is one kind of anomaly: its silence says nothing about
the others, and averaging it in would drown both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

Vector = NDArray[np.float64]

#: Differences of the AUC that are taken for chance.
_TIE: Final = 0.01
PANEL, SPECIALIST = "panel", "specialist"


def detection_table(
    normal: Mapping[str, Vector], planted: Mapping[str, Mapping[str, Vector]]
) -> pd.DataFrame:
    """Return the AUC of each method (rows) against each kind of spoilt rows (columns).

    Parameters
    ----------
    normal : mapping of method to abnormality of calibration rows
    planted : mapping of kind to the same for spoilt rows

    Examples
    --------
    >>> detection_table({"a": np.zeros(2)}, {"k": {"a": np.ones(3)}}).loc["a", "k"]
    np.float64(1.0)
    """
    table = {}
    for kind, scores in planted.items():
        table[kind] = {
            name: float(
                roc_auc_score(
                    np.repeat([0, 1], [len(normal[name]), len(scores[name])]),
                    np.concatenate([normal[name], scores[name]]),
                )
            )
            for name in normal
        }
    return pd.DataFrame(table, index=list(normal))


def roles(table: pd.DataFrame, usual: Sequence[str], panel: Sequence[str]) -> dict[str, str]:
    """Return who speaks: the panel, and the specialists that earned it.

    Parameters
    ----------
    table : pandas.DataFrame
        Of :func:`detection_table`.
    usual : sequence of str
        Detectors without generator or critic, the panel among them.
    panel : sequence of str

    Examples
    --------
    >>> table = pd.DataFrame({"local": [0.9, 0.895], "global": [1, 0.9]}, ["gan", "knn"])
    >>> roles(table, ["knn"], ["knn"])
    {'knn': 'panel', 'gan': 'specialist'}
    >>> roles(table[["local"]], ["knn"], ["knn"])
    {'knn': 'panel'}
    """
    found = dict.fromkeys(panel, PANEL)
    others = table.drop(index=list(usual))
    if others.empty:
        return found
    for kind in table.columns:
        if others[kind].max() > table.loc[list(usual), kind].max() + _TIE:
            found[str(others[kind].idxmax())] = SPECIALIST
    return found


def strangeness(scaled: Mapping[str, Vector], speakers: Mapping[str, str]) -> Vector:
    """Return the panel's mean, or a specialist's word less log 2 where that is more, (rows,).

    Parameters
    ----------
    scaled : mapping of method to abnormality on the common scale
    speakers : mapping of method to role

    Examples
    --------
    >>> strangeness({"a": np.array([1.0, 1.0]), "b": np.array([0.0, 3.0])},
    ...             {"a": "panel", "b": "specialist"})
    array([1.        , 2.30685282])
    """
    panel = [scaled[name] for name, role in speakers.items() if role == PANEL]
    special = [scaled[name] - np.log(2.0) for name, role in speakers.items() if role == SPECIALIST]
    return np.asarray(np.maximum.reduce([np.mean(panel, axis=0), *special]))
