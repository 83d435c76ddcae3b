from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthgen import GANSynthesizer
from synthgen.core.serialize import Artifact, save_artifact
from synthgen.errors import ArtifactError
from synthgen.sample.shards import ShardPlan, write_shards


def rows_from(seed: int, start: int, stop: int) -> Iterator[pd.DataFrame]:
    for first in range(start, stop, 4):
        rows = np.arange(first, min(first + 4, stop))
        yield pd.DataFrame({"row": rows, "seed": seed, "text": rows.astype(str)})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_files_hold_the_rows_of_the_plan(tmp_path: Path) -> None:
    told: list[int] = []
    plan = write_shards(tmp_path, ShardPlan(25, 10, 7), rows_from, told.append)
    assert plan.n_files == 3
    names = [f"part-{k:06d}.parquet" for k in range(3)]
    assert sorted(contents(tmp_path)) == ["_manifest.json", "_plan.json", *names]
    frames = [pd.read_parquet(tmp_path / name) for name in names]
    assert [len(frame) for frame in frames] == [10, 10, 5]
    assert pd.concat(frames)["row"].tolist() == list(range(25))
    assert sum(told) == 25
    manifest = json.loads((tmp_path / "_manifest.json").read_text())
    assert (manifest["n_samples"], manifest["seed"]) == (25, 7)
    for entry in manifest["files"]:
        raw = (tmp_path / entry["file"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_in_the_middle_is_made_good_by_a_second_call(
    error: BaseException, tmp_path: Path
) -> None:
    plan = ShardPlan(25, 10, 7)
    write_shards(tmp_path / "whole", plan, rows_from)

    def fail(seed: int, start: int, stop: int) -> Iterator[pd.DataFrame]:
        for frame in rows_from(seed, start, stop):
            if frame["row"].iloc[0] >= 14:
                raise error
            yield frame

    with pytest.raises((ArtifactError, KeyboardInterrupt)):
        write_shards(tmp_path / "cut", plan, fail)
    assert sorted(contents(tmp_path / "cut")) == ["_plan.json", "part-000000.parquet"]
    asked: list[int] = []

    def count(seed: int, start: int, stop: int) -> Iterator[pd.DataFrame]:
        asked.append(start)
        return rows_from(seed, start, stop)

    write_shards(tmp_path / "cut", plan, count)
    # The model is known by its first rows, and the types of all files come from there; the first
    # file itself is not made again.
    assert asked == [0, 0, 10, 20]
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_rows_never_go_into_the_folder_of_a_model(tmp_path: Path) -> None:
    save_artifact(tmp_path / "model", Artifact({"class": "Thing"}))
    before = contents(tmp_path / "model")
    with pytest.raises(ArtifactError, match="holds a saved model"):
        write_shards(tmp_path / "model", ShardPlan(25, 10, 7), rows_from)
    assert contents(tmp_path / "model") == before


def test_another_plan_is_refused(tmp_path: Path) -> None:
    write_shards(tmp_path, ShardPlan(25, 10, 7), rows_from)
    before = contents(tmp_path)
    for other in (ShardPlan(26, 10, 7), ShardPlan(25, 5, 7), ShardPlan(25, 10, 8)):
        with pytest.raises(ArtifactError, match="rows of another plan"):
            write_shards(tmp_path, other, rows_from)
    assert contents(tmp_path) == before
    assert write_shards(tmp_path, ShardPlan(25, 10, None), rows_from).seed == 7


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "part-000000.parquet").write_bytes(b"mine")
    with pytest.raises(ArtifactError, match="something else"):
        write_shards(tmp_path, ShardPlan(5, 5, 0), rows_from)
    (tmp_path / "_plan.json").write_text("{")
    with pytest.raises(ArtifactError, match=r"_plan.json' is damaged"):
        write_shards(tmp_path, ShardPlan(5, 5, 0), rows_from)
    assert (tmp_path / "part-000000.parquet").read_bytes() == b"mine"


def test_no_rows_are_no_files(tmp_path: Path) -> None:
    write_shards(tmp_path, ShardPlan(0, 5, 0), rows_from)
    assert sorted(contents(tmp_path)) == ["_manifest.json", "_plan.json"]


def test_a_models_files_are_the_head_of_its_endless_table(
    gan: GANSynthesizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = gan.sample_to(tmp_path / "a", 20_000, rows_per_file=9_000, random_state=5)
    assert plan.seed == 5
    files = sorted((tmp_path / "a").glob("*.parquet"))
    rows = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    expected = gan.sample(20_000, random_state=5)
    pd.testing.assert_frame_equal(rows, expected, check_dtype=False)
    decode, calls = type(gan.sampler_.encoder).inverse, []

    def fail(self: object, *args: object, **options: object) -> pd.DataFrame:
        calls.append(1)
        if len(calls) > 2:
            raise OSError("the disk is gone")
        return decode(self, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr("synthgen.encode.table.TableEncoder.inverse", fail)
        with pytest.raises(ArtifactError, match="the disk is gone"):
            gan.sample_to(tmp_path / "b", 20_000, rows_per_file=9_000, random_state=5)
    assert not list((tmp_path / "b").glob(".*"))
    gan.sample_to(tmp_path / "b", 20_000, rows_per_file=9_000, random_state=5)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_rows_of_another_model_are_not_kept(tmp_path: Path) -> None:
    def other(seed: int, start: int, stop: int) -> Iterator[pd.DataFrame]:
        for frame in rows_from(seed, start, stop):
            yield frame.assign(row=frame["row"] + 1)

    write_shards(tmp_path, ShardPlan(25, 10, 7), rows_from)
    before = contents(tmp_path)
    with pytest.raises(ArtifactError, match="rows of another model"):
        write_shards(tmp_path, ShardPlan(25, 10, 7), other)
    assert contents(tmp_path) == before


def test_a_damaged_file_is_found(tmp_path: Path) -> None:
    write_shards(tmp_path, ShardPlan(25, 10, 7), rows_from)
    (tmp_path / "part-000001.parquet").write_bytes(b"broken")
    with pytest.raises(ArtifactError, match=r"part-000001.parquet' is damaged"):
        write_shards(tmp_path, ShardPlan(25, 10, 7), rows_from)


def test_the_folder_is_read_as_one_table(tmp_path: Path) -> None:
    write_shards(tmp_path, ShardPlan(25, 10, 7), rows_from)
    assert len(pd.read_parquet(tmp_path)) == 25
