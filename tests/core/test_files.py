from __future__ import annotations

import os
from pathlib import Path

import pytest

from synthgen.core.files import replace_directory, replace_file, write_synced


def test_written_bytes_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_size))
    write_synced(tmp_path / "file", b"12345")
    assert synced == [5]


def test_a_file_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file"
    replace_file(target, b"old")

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(target, b"new and longer")
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    replace_file(target, b"new")
    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("existing", [None, [], ["a", "old"]])
def test_a_folder_takes_the_place(tmp_path: Path, existing: list[str] | None) -> None:
    staging, target = tmp_path / "staging", tmp_path / "target"
    staging.mkdir()
    for name in ("a", "b"):
        (staging / name).write_text("new")
    if existing is not None:
        target.mkdir()
        for name in existing:
            (target / name).write_text("old")
    replace_directory(staging, target, last="a")
    assert sorted(path.name for path in target.iterdir()) == ["a", "b"]
    assert (target / "a").read_text() == "new"


def test_the_last_file_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    staging, target = tmp_path / "staging", tmp_path / "target"
    for folder in (staging, target):
        folder.mkdir()
    for name in "abc":
        (staging / name).write_text(name)
    moved = []
    rename = Path.rename

    def noted(self: Path, to: Path) -> Path:
        moved.append(self.name)
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", noted)
    replace_directory(staging, target, last="b")
    assert sorted(moved) == ["a", "b", "c"]
    assert moved[-1] == "b"
