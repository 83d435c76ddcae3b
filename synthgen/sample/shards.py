"""Rows in files: a plan says which file holds which rows, so that work can stop and go on.

Each file is a function of the model, the seed and its number. It is written under a temporary name
and renamed when it is complete; a file with its final name is never touched again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from synthgen.core.documents import dump_json
from synthgen.core.files import write_synced
from synthgen.core.serialize import holds_model
from synthgen.errors import ArtifactError

logger = logging.getLogger(__name__)

#: Readers of a folder of Parquet files pass over names that begin so.
_PLAN: Final = "_plan.json"
_MANIFEST: Final = "_manifest.json"
#: Rows by which a model is recognised.
_MARKED: Final = 8
#: Rows that the types of the columns are read from.
_LOOK: Final = 10_000

#: Yields the rows from one number to another of the endless table of a seed.
RowsFrom = Callable[[int, int, int], Iterator[pd.DataFrame]]


@dataclass(frozen=True)
class ShardPlan:
    """How rows are spread over files.

    Parameters
    ----------
    n_samples : int
        Rows in total.
    rows_per_file : int
    seed : int or None
        None stands for fresh entropy, or the seed of the plan that is already in the folder.
    model : str
        Digest of some rows of the model.

    Examples
    --------
    >>> ShardPlan(n_samples=25, rows_per_file=10, seed=0).range_of(2)
    (20, 25)
    """

    n_samples: int
    rows_per_file: int
    seed: int | None
    model: str = ""

    @property
    def n_files(self) -> int:
        """Number of files."""
        return -(-self.n_samples // self.rows_per_file)

    def range_of(self, number: int) -> tuple[int, int]:
        """Return the first row of a file and the one after its last."""
        start = number * self.rows_per_file
        return start, min(start + self.rows_per_file, self.n_samples)

    @staticmethod
    def file_name(number: int) -> str:
        """Return the name of a file."""
        return f"part-{number:06d}.parquet"


def write_shards(
    path: str | os.PathLike[str],
    plan: ShardPlan,
    rows_from: RowsFrom,
    listener: Callable[[int], None] | None = None,
) -> ShardPlan:
    """Write all files of a plan that are not there yet, then ``manifest.json``.

    Parameters
    ----------
    path : path-like
        Folder, made if need be.
    plan : ShardPlan
    rows_from : callable
        Makes rows.
    listener : callable, optional
        Told the number of rows of each piece, finished files included.

    Returns
    -------
    ShardPlan
        The plan with its seed.

    Raises
    ------
    ArtifactError
        If the folder holds files of another plan, or cannot be written.
    """
    folder = Path(path)
    try:
        if holds_model(folder):
            raise ArtifactError(f"'{folder}' holds a saved model; choose another folder for rows.")
        folder.mkdir(parents=True, exist_ok=True)
        plan = _settle(folder, replace(plan, model=_mark(rows_from)))
        schema: Any = None
        for number in range(plan.n_files):
            target = folder / plan.file_name(number)
            start, stop = plan.range_of(number)
            if target.exists():
                _check_file(target, stop - start)
                if listener is not None:
                    listener(stop - start)
                continue
            if plan.seed is None:
                raise ArtifactError(f"The plan in '{folder}' has no seed.")
            if schema is None:
                schema = _arrow_schema(rows_from(plan.seed, 0, _LOOK))
            _write_file(target, rows_from(plan.seed, start, stop), schema, listener)
        _write_manifest(folder, plan)
    except OSError as error:
        raise ArtifactError(f"Rows could not be written to '{folder}': {error}.") from error
    return plan


def _settle(folder: Path, plan: ShardPlan) -> ShardPlan:
    """Return the plan with a seed, after agreeing with the one that is in the folder, if any."""
    file = folder / _PLAN
    if not file.exists():
        if any(folder.glob("part-*.parquet")):
            raise ArtifactError(
                f"'{folder}' holds Parquet files of something else; choose another."
            )
        seed = secrets.randbits(63) if plan.seed is None else plan.seed
        plan = replace(plan, seed=seed)
        _write_json(file, asdict(plan))
        return plan
    try:
        found = ShardPlan(**json.loads(file.read_bytes()))
    except (ValueError, TypeError) as error:
        raise ArtifactError(f"'{file}' is damaged: {error}. Delete the folder.") from error
    if plan.seed is None:
        plan = replace(plan, seed=found.seed)
    if found.model != plan.model:
        raise ArtifactError(
            f"'{folder}' holds rows of another model, or of this one fitted anew. Choose another "
            "folder, or delete this one."
        )
    if found != plan:
        raise ArtifactError(
            f"'{folder}' holds rows of another plan: {found}, and you ask for {plan}. Choose "
            "another folder, or repeat the call with the same arguments to continue it."
        )
    return plan


def _mark(rows_from: RowsFrom) -> str:
    """Return a digest of the first rows that a model makes with a seed of 0."""
    digest = hashlib.sha256()
    for frame in rows_from(0, 0, _MARKED):
        digest.update(frame.to_csv(index=False).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _check_file(file: Path, rows: int) -> None:
    """Check that a file which is there already is whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_metadata(file).num_rows
    except pa.ArrowInvalid as error:
        raise ArtifactError(
            f"'{file}' is damaged: {error}. Delete it to have it written again."
        ) from error
    if found != rows:
        raise ArtifactError(
            f"'{file}' has {found} rows, and the plan {rows}. Delete it to have it written again."
        )


def _write_file(
    target: Path,
    frames: Iterator[pd.DataFrame],
    schema: Any,
    listener: Callable[[int], None] | None,
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    staging = target.with_name(f".{target.name}.part")
    writer: Any = None
    try:
        for frame in frames:
            if writer is None:
                writer = pq.ParquetWriter(staging, schema)
            table = pa.Table.from_pandas(_named(frame), schema=schema, preserve_index=False)
            writer.write_table(table)
            if listener is not None:
                listener(len(frame))
        if writer is not None:
            writer.close()
            staging.replace(target)
    finally:
        if writer is not None:
            writer.close()
        staging.unlink(missing_ok=True)


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis([str(name) for name in frame.columns], axis=1)


def _arrow_schema(frames: Iterator[pd.DataFrame]) -> Any:
    """Return the types of all files, from the first rows of the table.

    Types that depend on which values a file happens to hold are made wide enough for any.
    """
    import pyarrow as pa

    schema = pa.Schema.from_pandas(_named(next(frames)), preserve_index=False)
    for place, field in enumerate(schema):
        if pa.types.is_null(field.type):
            schema = schema.set(place, field.with_type(pa.string()))
        elif pa.types.is_decimal(field.type):
            schema = schema.set(place, field.with_type(pa.decimal128(38, field.type.scale)))
    return schema


def _write_manifest(folder: Path, plan: ShardPlan) -> None:
    files = []
    for number in range(plan.n_files):
        start, stop = plan.range_of(number)
        file = folder / plan.file_name(number)
        files.append({"file": file.name, "rows": stop - start, "sha256": _digest(file)})
    _write_json(folder / _MANIFEST, {**asdict(plan), "files": files})


def _write_json(target: Path, document: dict[str, Any]) -> None:
    staging = target.with_name(f".{target.name}.part")
    write_synced(staging, dump_json(document).encode())
    staging.replace(target)


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
