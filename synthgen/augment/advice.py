"""One sentence: whether generated rows are worth the trouble."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthgen.augment.methods import GENERATED, SIMPLE
from synthgen.augment.scores import corrected_interval


def advise(folds: pd.DataFrame, test_share: float) -> str:
    """Compare the best method with generated rows to the best one without, by PR-AUC.

    Parameters
    ----------
    folds : pandas.DataFrame
        Columns method, fold and pr_auc.
    test_share : float
        Test rows divided by training rows.

    Examples
    --------
    >>> folds = pd.DataFrame({"method": ["none"] * 2 + ["gan"] * 2, "fold": [0, 1] * 2,
    ...                       "pr_auc": [0.5, 0.6, 0.4, 0.5]})
    >>> advise(folds, 0.25).startswith("Do not bother")
    True
    """
    wide = folds.pivot_table(index="fold", columns="method", values="pr_auc")
    means = wide.mean()
    simple = [name for name in SIMPLE if name in wide]
    made = [name for name in GENERATED if name in wide]
    if not simple or not made:
        return "No advice: it takes a method with generated rows and one without."
    best, other = str(means[made].idxmax()), str(means[simple].idxmax())
    gaps = (wide[best] - wide[other]).to_numpy(dtype=np.float64)
    gap, ends = float(gaps.mean()), corrected_interval(gaps, test_share)
    against = f"{best} reaches a PR-AUC of {means[best]:.3f}, {other} {means[other]:.3f}"
    if ends is None:
        return f"No advice: one fold says too little ({against})."
    span = f"difference {gap:+.3f}, 95 % interval {ends[0]:+.3f} to {ends[1]:+.3f}"
    if ends[0] > 0:
        return f"Use {best}: {against} without a generator ({span}){_control(wide, best)}."
    verdict = "generated rows do harm here" if ends[1] < 0 else "the difference may be chance"
    if gap > 0:
        return (
            f"Do not bother yet: {against} without a generator, but {verdict} ({span}); more rows "
            f"or more repeats would tell, and until then use {other}."
        )
    return (
        f"Do not bother with generated rows here: {against} without a generator ({span}); "
        f"use {other}, and tune the threshold for decisions."
    )


def _control(wide: pd.DataFrame, best: str) -> str:
    """Say so if averaging two fits to real rows does as well."""
    if best != "gan_soft" or "averaged_real" not in wide:
        return ""
    if wide["averaged_real"].mean() < wide[best].mean():
        return ""
    return ", though averaging two fits to real rows does as well"
