"""The examples of the user guide's page about images run, on less data and for two steps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import synthgen
from synthgen import list_image_presets

PAGE = Path(synthgen.__file__).parent.parent / "docs" / "user_guide" / "images.md"


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.mark.filterwarnings("ignore::synthgen.errors.TrainingWarning")
def test_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    smaller = {
        "load_digits().images,": "load_digits().images[:500],",
        "load_digits().target ": "load_digits().target[:500] ",
        "max_minutes=10": "max_steps=2",
        "1000": "300",
        "1200": "350",
    }
    names: dict[str, Any] = {}
    # What needs a package that is not there, or would train for long, is left out.
    examples = [block for block in blocks() if "albumentations" not in block]
    assert len(examples) >= 9
    for example in examples:
        code = example
        for old, new in smaller.items():
            code = code.replace(old, new)
        exec(compile(code, str(PAGE), "exec"), names)
    assert names["images"].shape == (20, 8, 8)
    assert names["threes"].shape == names["clearer"].shape == (20, 8, 8)
    assert (tmp_path / "report.html").stat().st_size > 20_000
    assert names["again"].classes_ == names["synthesizer"].classes_


def test_every_preset_is_in_the_table() -> None:
    table = PAGE.read_text("utf-8").split("<!-- presets -->")[1].split("<!-- end of")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    listed = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert len(listed) == len(set(listed))
    assert set(listed) == set(list_image_presets())


def test_pictures_are_there() -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", PAGE.read_text("utf-8"))
    assert pictures
    for picture in pictures:
        assert (PAGE.parent / picture).is_file()
