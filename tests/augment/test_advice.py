"""One sentence that says when not to bother."""

from __future__ import annotations

import pandas as pd
import pytest

from synthgen.augment.advice import advise

_NOISE = [0.0, 0.01, -0.01, 0.0]


def _folds(**means: float) -> pd.DataFrame:
    lines = [
        {"method": name, "fold": fold, "pr_auc": mean + (noise if name == "gan_soft" else 0)}
        for name, mean in means.items()
        for fold, noise in enumerate(_NOISE)
    ]
    return pd.DataFrame(lines)


@pytest.mark.parametrize(
    ("folds", "start"),
    [
        (_folds(none=0.5, gan=0.3, gan_soft=0.6), "Use gan_soft: "),
        (_folds(none=0.5, gan_soft=0.505), "Do not bother yet: "),
        (_folds(none=0.5, class_weights=0.6, gan_soft=0.5), "Do not bother with generated rows"),
        (_folds(none=0.5), "No advice"),
        (_folds(none=0.5, gan_soft=0.6).query("fold == 0"), "No advice"),
    ],
)
def test_verdicts(folds: pd.DataFrame, start: str) -> None:
    assert advise(folds, 0.25).startswith(start)


def test_names_the_best_simple_method() -> None:
    words = advise(_folds(none=0.5, class_weights=0.6, gan_soft=0.5), 0.25)
    assert "use class_weights" in words
    assert "class_weights 0.600" in words


def test_says_if_averaging_alone_does_it() -> None:
    folds = _folds(none=0.5, averaged_real=0.61, gan_soft=0.6)
    assert "averaging two fits to real rows does as well" in advise(folds, 0.25)
