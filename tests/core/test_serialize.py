from __future__ import annotations

import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthgen.core.documents import dump_json
from synthgen.core.serialize import (
    FORMAT,
    Artifact,
    check_target,
    holds_model,
    load_artifact,
    save_artifact,
)
from synthgen.errors import ArtifactError

ARTIFACT = Artifact(
    config={"class": "Thing", "size": 3, "rate": 0.1, "name": "Zoë"},
    documents={"schema": {"columns": ["ä", 1, None]}, "history": [1, 2]},
    arrays={"a": np.arange(6.0).reshape(2, 3), "b": np.array([True, False])},
    texts={"trees.txt": "tree\nline ü"},
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save_artifact(tmp_path / "model", ARTIFACT)


def other() -> Artifact:
    return Artifact({"class": "Other"}, {}, {"a": np.zeros(2)}, {})


def edit_config(folder: Path, **changes: Any) -> None:
    """Change the configuration as someone would who knows about its checksum."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    del config["checksum"]
    config |= changes
    digest = hashlib.sha256(dump_json(config).encode()).hexdigest()
    (folder / "config.json").write_text(dump_json(config | {"checksum": digest}), "utf-8")


def assert_is_original(folder: Path) -> None:
    loaded = load_artifact(folder)
    assert loaded.config == {"format": FORMAT, **ARTIFACT.config}
    assert loaded.documents == ARTIFACT.documents
    assert loaded.texts == ARTIFACT.texts
    assert set(loaded.arrays) == set(ARTIFACT.arrays)
    for name, array in ARTIFACT.arrays.items():
        assert loaded.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded.arrays[name], array)


def test_what_is_saved_comes_back(saved: Path) -> None:
    assert_is_original(saved)


def test_only_plain_files_are_written(saved: Path) -> None:
    names = {"config.json", "history.json", "schema.json", "trees.txt", "weights.safetensors"}
    assert {path.name for path in saved.iterdir()} == names


def test_the_same_content_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    again = save_artifact(tmp_path / "again", ARTIFACT)
    for path in saved.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_a_model_replaces_a_model(saved: Path) -> None:
    save_artifact(saved, other())
    assert load_artifact(saved).config["class"] == "Other"
    assert not (saved / "trees.txt").exists()
    assert list(saved.parent.iterdir()) == [saved]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    save_artifact(tmp_path / "model", ARTIFACT)
    assert_is_original(tmp_path / "model")


def test_missing_parents_are_made(tmp_path: Path) -> None:
    save_artifact(tmp_path / "a" / "b" / "model", ARTIFACT)
    assert_is_original(tmp_path / "a" / "b" / "model")


def test_something_else_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "cat.jpg").write_bytes(b"meow")
    file = tmp_path / "file"
    file.write_text("text")
    for path in (folder, file):
        with pytest.raises(ArtifactError, match="not a saved synthgen model"):
            save_artifact(path, ARTIFACT)
    assert (folder / "cat.jpg").read_bytes() == b"meow"
    assert file.read_text() == "text"


@pytest.mark.parametrize(
    "config", ["{}", '{"model_type": "bert"}', '{"files": {}}', '{"format": 1, "files": []}', "["]
)
def test_the_configuration_of_another_program_is_no_model(tmp_path: Path, config: str) -> None:
    folder = tmp_path / "bert"
    folder.mkdir()
    (folder / "config.json").write_text(config)
    with pytest.raises(ArtifactError, match="not a saved synthgen model"):
        save_artifact(folder, ARTIFACT)
    assert (folder / "config.json").read_text() == config
    assert not holds_model(folder)


def test_files_beside_those_of_a_model_are_never_lost(saved: Path) -> None:
    (saved / "notes.txt").write_text("mine")
    with pytest.raises(ArtifactError, match=r"'notes\.txt', which would be lost"):
        save_artifact(saved, other())
    assert (saved / "notes.txt").read_text() == "mine"
    assert_is_original(saved)
    assert holds_model(saved)


def test_a_damaged_model_can_be_replaced(saved: Path) -> None:
    (saved / "weights.safetensors").write_bytes(b"")
    save_artifact(saved, other())
    assert load_artifact(saved).config["class"] == other().config["class"]


def test_a_place_below_a_file_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\n1\n")
    with pytest.raises(ArtifactError, match=r"rows\.csv' is a file"):
        check_target(tmp_path / "rows.csv" / "deep" / "model")
    assert check_target(tmp_path / "new" / "model") == tmp_path / "new" / "model"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o755), (0o077, 0o700), (0o002, 0o775)])
def test_a_model_has_the_permissions_of_any_new_folder(
    tmp_path: Path, mask: int, mode: int
) -> None:
    before = os.umask(mask)
    try:
        found = save_artifact(tmp_path / "model", ARTIFACT).stat().st_mode & 0o777
    finally:
        os.umask(before)
    assert found == mode


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("fails_at", [1, 3, 5])
def test_a_full_disk_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: bool, fails_at: int
) -> None:
    target = tmp_path / "model"
    if existing:
        save_artifact(target, ARTIFACT)
    calls = 0

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls >= fails_at:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    artifact = Artifact({"class": "Other"}, ARTIFACT.documents, ARTIFACT.arrays, ARTIFACT.texts)
    with pytest.raises(ArtifactError, match=r"No space left on device.*Nothing was changed"):
        save_artifact(target, artifact)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == ([target] if existing else [])
    if existing:
        assert_is_original(target)


@pytest.mark.parametrize("existing", [False, True])
def test_a_file_that_cannot_be_opened_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    target = tmp_path / "model"
    if existing:
        save_artifact(target, ARTIFACT)
    opened = Path.open

    def refuse(self: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if "w" in mode and self.name == "config.json":
            raise PermissionError(13, "Permission denied")
        return opened(self, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ArtifactError, match="Permission denied"):
        save_artifact(target, other())
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == ([target] if existing else [])
    if existing:
        assert_is_original(target)


def test_the_old_model_comes_back_if_the_new_one_cannot_take_its_place(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if Path(target) == saved and not self.name.endswith(".old"):
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(ArtifactError, match="Input/output error"):
        save_artifact(saved, other())
    monkeypatch.undo()
    assert list(saved.parent.iterdir()) == [saved]
    assert_is_original(saved)


def test_what_has_no_json_form_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save_artifact(tmp_path / "model", Artifact({"rate": math.nan}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["schema.json", "weights.safetensors", "trees.txt"])
@pytest.mark.parametrize("damage", ["truncate", "edit", "empty"])
def test_a_damaged_file_is_refused(saved: Path, name: str, damage: str) -> None:
    raw = (saved / name).read_bytes()
    flipped = bytes([raw[-2] ^ 1])
    damaged = {"truncate": raw[:-1], "edit": raw[:-2] + flipped + raw[-1:], "empty": b""}
    (saved / name).write_bytes(damaged[damage])
    with pytest.raises(ArtifactError, match=rf"{name}' is damaged or was changed"):
        load_artifact(saved)


@pytest.mark.parametrize("name", ["schema.json", "weights.safetensors"])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(ArtifactError, match=rf"incomplete.*{name}"):
        load_artifact(saved)


def test_an_edited_configuration_is_refused(saved: Path) -> None:
    text = (saved / "config.json").read_text("utf-8")
    assert '"size": 3' in text
    (saved / "config.json").write_text(text.replace('"size": 3', '"size": 4'), "utf-8")
    with pytest.raises(ArtifactError, match=r"config\.json' is damaged or was changed"):
        load_artifact(saved)


def test_a_configuration_without_its_checksum_is_refused(saved: Path) -> None:
    config = json.loads((saved / "config.json").read_text("utf-8"))
    del config["checksum"]
    (saved / "config.json").write_text(dump_json(config), "utf-8")
    with pytest.raises(ArtifactError, match="checksum differs"):
        load_artifact(saved)


def test_a_newer_format_says_so(saved: Path) -> None:
    edit_config(saved, format=FORMAT + 1)
    with pytest.raises(ArtifactError, match=rf"format {FORMAT + 1}.*Upgrade synthgen"):
        load_artifact(saved)


@pytest.mark.parametrize("version", [0, -1, "1", None, 1.0])
def test_an_impossible_format_is_refused(saved: Path, version: Any) -> None:
    edit_config(saved, format=version)
    with pytest.raises(ArtifactError, match="no valid format version"):
        load_artifact(saved)


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/hostname", "a/b.txt"])
def test_files_outside_are_never_read(saved: Path, name: str) -> None:
    (saved.parent / "secret.txt").write_text("secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    edit_config(saved, files={name: digest})
    with pytest.raises(ArtifactError, match="names a file outside the model"):
        load_artifact(saved)


@pytest.mark.parametrize("name", ["..", "", "\0"])
def test_names_that_are_no_files_are_refused(saved: Path, name: str) -> None:
    edit_config(saved, files={name: "0"})
    with pytest.raises(ArtifactError, match="incomplete"):
        load_artifact(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": []}', "\x00"])
def test_a_broken_configuration_is_refused(saved: Path, text: str) -> None:
    (saved / "config.json").write_text(text, "utf-8")
    with pytest.raises(ArtifactError, match=r"config\.json"):
        load_artifact(saved)


@pytest.mark.parametrize(
    ("name", "raw"),
    [("weights.safetensors", b"no tensors"), ("note.txt", b"\xff\xfe"), ("more.json", b"{")],
)
def test_files_that_cannot_be_read_are_refused(saved: Path, name: str, raw: bytes) -> None:
    (saved / name).write_bytes(raw)
    edit_config(saved, files={name: hashlib.sha256(raw).hexdigest()})
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_artifact(saved)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"not a saved synthgen model: no config\.json"):
        load_artifact(tmp_path)
    with pytest.raises(ArtifactError, match="not a saved synthgen model"):
        load_artifact(tmp_path / "nothing")


def test_links_are_followed_and_stay(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for value in (1, 2):
        save_artifact(tmp_path / "link", Artifact({"value": value}))
        assert (tmp_path / "link").is_symlink()
        assert load_artifact(tmp_path / "real").config["value"] == value
    assert sorted(found.name for found in tmp_path.iterdir()) == ["link", "real"]


def test_the_folder_that_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    save_artifact(".", Artifact({"value": 1}))
    assert load_artifact(".").config["value"] == 1
    assert [found.name for found in tmp_path.iterdir()] == ["here"]


@pytest.mark.parametrize("path", [None, 5, "a\0b", "x" * 300])
def test_what_is_no_path(path: Any) -> None:
    with pytest.raises(ArtifactError):
        save_artifact(path, Artifact({}))


def test_text_of_broken_files(tmp_path: Path) -> None:
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")
    save_artifact(tmp_path / "m", Artifact({"word": odd}, {"doc": {"k": odd}}, {}, {"t.txt": odd}))
    found = load_artifact(tmp_path / "m")
    assert (found.config["word"], found.documents["doc"]["k"], found.texts["t.txt"]) == (odd,) * 3


def test_an_empty_folder_stays_empty_if_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m").mkdir()
    rename = Path.rename

    def fail(self: Path, target: Any) -> Path:
        if self.name == "config.json":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(ArtifactError, match="could not be written"):
        save_artifact(tmp_path / "m", Artifact({}, {"doc": {}}))
    assert [found.name for found in tmp_path.rglob("*")] == ["m"]
