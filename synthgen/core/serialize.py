"""Models on disk: a directory of JSON, safetensors and plain text files, and never a pickle.

A directory is written to a temporary sibling and renamed into place, so a crash or a full disk
leaves either the old model or none. ``config.json`` carries the format version, the SHA-256 of
every other file and that of its own content; a truncated or edited directory is refused before
anything in it is used. The checksums find accidents, not forgers: who can write them can make them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from synthgen.core.documents import dump_json
from synthgen.core.files import make_staging, replace_directory, write_synced
from synthgen.errors import ArtifactError

FORMAT: Final = 1

#: ``MIGRATIONS[k]`` turns the configuration of format k into that of format k + 1.
MIGRATIONS: Final[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}

_CONFIG = "config.json"
_TENSORS = "weights.safetensors"
_CHECKSUM = "checksum"


@dataclass(frozen=True)
class Artifact:
    """What a saved model consists of.

    Parameters
    ----------
    config : dict
        JSON facts: class, parameters, sizes.
    documents : dict of str to dict
        Further JSON files, by file stem (``"schema"`` is stored as ``schema.json``).
    arrays : dict of str to numpy.ndarray
        Everything numeric, stored in ``weights.safetensors``.
    texts : dict of str to str
        Plain text files, by file name.
    """

    config: dict[str, Any]
    documents: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def save_artifact(path: str | os.PathLike[str], artifact: Artifact) -> Path:
    """Write `artifact` to the directory `path`, replacing a model that is already there.

    Returns
    -------
    pathlib.Path
        The directory.

    Raises
    ------
    ArtifactError
        If `path` exists and is not a saved model and nothing else, or if writing fails. What was
        there stays.
    """
    target = check_target(path)
    staging: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = make_staging(target)
        _write_files(staging, artifact)
        replace_directory(staging, target, last=_CONFIG)
    except OSError as error:
        raise ArtifactError(
            f"The model could not be written to '{target}': {error}. Nothing was changed there."
        ) from error
    finally:
        if staging is not None and staging.exists():
            shutil.rmtree(staging, ignore_errors=True)
    return target


def _real_path(path: Any) -> Path:
    """Return where a path leads.

    Raises
    ------
    ArtifactError
        If it is none.
    """
    try:
        return Path(os.path.realpath(path))
    except (TypeError, ValueError, OSError) as error:
        raise ArtifactError(f"A model is a folder; {path!r} is no path: {error}.") from error


def check_target(path: str | os.PathLike[str]) -> Path:
    """Check that a model may be written somewhere: nothing, an empty folder, or a model.

    Returns
    -------
    pathlib.Path
        Where it leads.

    Raises
    ------
    ArtifactError
        If something else is there, or files of others are among those of a model.
    """
    # Through links, which stay, and with a name of its own even if it is ".".
    target = _real_path(path)
    try:
        above = next(own for own in target.parents if own.exists())
        if not above.is_dir():
            raise ArtifactError(f"'{above}' is a file, in which '{target}' cannot be a folder.")
        names = {own.name for own in target.iterdir()} if target.is_dir() else set()
        if not target.exists() or (target.is_dir() and not names):
            return target
        own = _files_of_model(target)
    except OSError as error:
        raise ArtifactError(f"'{target}' cannot be written to: {error}.") from error
    if not own:
        raise ArtifactError(
            f"'{target}' exists and is not a saved synthgen model; choose another path."
        )
    strangers = sorted(names - own)
    if strangers:
        raise ArtifactError(
            f"'{target}' holds a model and files that are no part of it, for instance "
            f"{strangers[0]!r}, which would be lost; move them or choose another path."
        )
    return target


def holds_model(folder: Path) -> bool:
    """Return whether there is a saved model in a folder, damaged or not."""
    return bool(_files_of_model(folder))


def _files_of_model(folder: Path) -> set[str]:
    """Return the names of the files of a model; none if it is something else."""
    try:
        config = json.loads(_to_text((folder / _CONFIG).read_bytes()))
    except (OSError, ValueError):
        return set()
    # Many programs have a config.json.
    ours = isinstance(config, dict) and isinstance(config.get("format"), int)
    if not ours or not isinstance(config.get("files"), dict):
        return set()
    return {_CONFIG, *config["files"]}


def load_artifact(path: str | os.PathLike[str]) -> Artifact:
    """Read a directory written by :func:`save_artifact`.

    Raises
    ------
    ArtifactError
        If the directory is missing, incomplete, altered or written by a newer version.
    """
    source = _real_path(path)
    config = _read_config(source)
    contents: dict[str, bytes] = {}
    for name, digest in config.pop("files").items():
        contents[name] = _read_checked(source, name, digest)
    while config["format"] < FORMAT:
        config = MIGRATIONS[config["format"]](config)
    try:
        documents = {
            name.removesuffix(".json"): json.loads(_to_text(raw))
            for name, raw in contents.items()
            if name.endswith(".json")
        }
        texts = {
            name: _to_text(raw)
            for name, raw in contents.items()
            if not name.endswith((".json", ".safetensors"))
        }
    except ValueError as error:
        raise ArtifactError(f"A file in '{source}' cannot be read: {error}.") from error
    return Artifact(config, documents, _unpack_arrays(contents.get(_TENSORS)), texts)


def _write_files(folder: Path, artifact: Artifact) -> None:
    from safetensors.numpy import save as pack

    files: dict[str, bytes] = {
        f"{stem}.json": _to_bytes(dump_json(document))
        for stem, document in artifact.documents.items()
    }
    files |= {name: _to_bytes(text) for name, text in artifact.texts.items()}
    files[_TENSORS] = pack({k: np.ascontiguousarray(v) for k, v in artifact.arrays.items()})
    digests = {name: _digest(raw) for name, raw in files.items()}
    config = {"format": FORMAT, **artifact.config, "files": digests}
    checksum = _digest(_to_bytes(dump_json(config)))
    files[_CONFIG] = _to_bytes(dump_json(config | {_CHECKSUM: checksum}))
    for name, raw in files.items():
        write_synced(folder / name, raw)


def _to_bytes(text: str) -> bytes:
    """Encode text, that of broken files included, whose bytes stand in it as lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


def _to_text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _read_config(source: Path) -> dict[str, Any]:
    try:
        config = json.loads(_to_text((source / _CONFIG).read_bytes()))
    except FileNotFoundError:
        raise ArtifactError(f"'{source}' is not a saved synthgen model: no {_CONFIG}.") from None
    except (OSError, ValueError) as error:
        raise ArtifactError(f"'{source / _CONFIG}' cannot be read: {error}.") from error
    if not isinstance(config, dict) or not isinstance(config.get("files"), dict):
        raise ArtifactError(f"'{source / _CONFIG}' is not the configuration of a saved model.")
    version = config.get("format")
    if not isinstance(version, int) or version < 1:
        raise ArtifactError(f"'{source / _CONFIG}' has no valid format version: {version!r}.")
    if version > FORMAT:
        raise ArtifactError(
            f"'{source}' was written in format {version}; this synthgen reads up to {FORMAT}. "
            "Upgrade synthgen to load it."
        )
    checksum = config.pop(_CHECKSUM, None)
    if checksum != _digest(_to_bytes(dump_json(config))):
        raise _damaged(source / _CONFIG)
    return config


def _damaged(path: Path) -> ArtifactError:
    return ArtifactError(f"'{path}' is damaged or was changed after saving (its checksum differs).")


def _read_checked(source: Path, name: str, digest: str) -> bytes:
    if Path(name).name != name:
        raise ArtifactError(f"'{source / _CONFIG}' names a file outside the model: {name!r}.")
    try:
        raw = (source / name).read_bytes()
    except (OSError, ValueError) as error:
        raise ArtifactError(f"'{source}' is incomplete: {error}.") from error
    if _digest(raw) != digest:
        raise _damaged(source / name)
    return raw


def _unpack_arrays(raw: bytes | None) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as unpack

    if raw is None:
        return {}
    try:
        return dict(unpack(raw))
    except SafetensorError as error:
        raise ArtifactError(f"The weights cannot be read: {error}.") from error
