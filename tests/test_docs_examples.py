"""The worked examples of the guide run, with far too little training to be of use."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("script", "options", "said"),
    [
        (
            "rare_customers.py",
            ["--rows", "500", "--steps", "3"],
            ["% positive", "gan_soft", "tstr"],
        ),
        ("faulty_prints.py", ["--steps", "5"], ["blot", "gap", "The map is largest", "knn"]),
        ("clinical_gaps.py", ["--steps", "3"], ["gan pooled", "iterative", "copula, best"]),
    ],
)
def test_examples_run(
    script: str,
    options: list[str],
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", [script, *options])
    runpy.run_path(str(EXAMPLES / script), run_name="__main__")
    printed = capsys.readouterr().out
    for words in said:
        assert words in printed
