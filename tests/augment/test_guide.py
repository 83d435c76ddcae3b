"""The first example of the user guide runs and ends in a comparison."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

_GUIDE = Path(__file__).parents[2] / "docs" / "user_guide" / "augmentation.md"


@pytest.mark.slow
def test_first_example() -> None:
    (code, *_) = re.findall(r"```python\n(.*?)```", _GUIDE.read_text(), flags=re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(_GUIDE), "exec"), {})
    table = printed.getvalue()
    for method in ("none", "class_weights", "tuned_threshold", "random_over", "gan_soft", "tstr"):
        assert method in table
    assert "PR-AUC" in table.splitlines()[0]
