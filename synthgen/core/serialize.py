"""Models on disk: a directory of JSON, safetensors and plain text files, and never a pickle.

A directory is written to a temporary sibling and renamed into place, so a crash or a full disk
leaves either the old model or none. ``config.json`` carries the format version, the SHA-256 of
every other file and that of its own content; a truncated or edited directory is refused before
anything in it is used. The checksums find accidents, not forgers: who can write them can make them.
"""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

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
        If `path` exists and is not a saved model, or if writing fails. What was there stays.
    """
    # Through links, which stay, and with a name of its own even if it is ".".
    target = _real_path(path)
    if not _is_free(target):
        raise ArtifactError(
            f"'{target}' exists and is not a saved synthgen model; choose another path."
        )
    staging: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        _write_files(staging, artifact)
        _replace_directory(staging, target)
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


def _is_free(target: Path) -> bool:
    """Return whether a model may be written there: nothing, an empty folder, or a model."""
    try:
        if not target.exists() or (target / _CONFIG).is_file():
            return True
        return target.is_dir() and not any(target.iterdir())
    except OSError as error:
        raise ArtifactError(f"'{target}' cannot be written to: {error}.") from error


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


def write_synced(path: Path, raw: bytes) -> None:
    """Write `raw` to `path` and wait until it is on the disk."""
    with path.open("wb") as stream:
        stream.write(raw)
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, raw: bytes) -> None:
    """Write a file so that a crash leaves either the old content or the new one."""
    staging = path.with_name(f".{path.name}.partial")
    try:
        write_synced(staging, raw)
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)


def _replace_directory(staging: Path, target: Path) -> None:
    if not target.exists():
        staging.rename(target)
        return
    if not any(target.iterdir()):
        # Somebody may stand in it. Without its configuration it is no model yet.
        try:
            for file in sorted(staging.iterdir(), key=lambda own: own.name == _CONFIG):
                file.rename(target / file.name)
        except OSError:
            for file in target.iterdir():
                file.unlink()
            raise
        return
    # Two renames, since a non-empty directory cannot be replaced in one step.
    old = target.with_name(f"{staging.name}.old")
    target.rename(old)
    try:
        staging.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


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


def dump_json(document: Any) -> str:
    """Write JSON that stays the same for the same content and refuses unknown types."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain_json(document: Any) -> Any:
    """Return a document as it will read back from JSON: lists for tuples, None for NaN.

    Examples
    --------
    >>> plain_json({"a": (1, float("nan"))})
    {'a': [1, None]}
    """
    if isinstance(document, dict):
        return {str(key): plain_json(value) for key, value in document.items()}
    if isinstance(document, (list, tuple)):
        return [plain_json(value) for value in document]
    if isinstance(document, float) and not math.isfinite(document):
        return None
    return document


def encode_scalar(value: Any) -> Any:
    """Turn a hashable scalar (a column label or a category) into JSON that keeps its type.

    Strings, booleans, integers and None stand for themselves; everything else becomes a
    one-key object such as ``{"float": "nan"}``.

    Raises
    ------
    TypeError
        For a type without a faithful JSON form.

    Examples
    --------
    >>> encode_scalar("a"), encode_scalar((1, 2.5))
    ('a', {'tuple': [1, {'float': '2.5'}]})
    >>> decode_scalar(encode_scalar((1, 2.5)))
    (1, 2.5)
    """
    if isinstance(value, np.generic) and not isinstance(value, (np.datetime64, np.timedelta64)):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return {"float": repr(value) if math.isfinite(value) else str(value)}
    if isinstance(value, tuple):
        return {"tuple": [encode_scalar(item) for item in value]}
    return {type_name(value): _encode_special(value)}


def type_name(value: Any) -> str:
    """Return the tag under which :func:`encode_scalar` stores a value's type."""
    import pandas as pd

    if value is pd.NaT or value is pd.NA:
        return "missing"
    for name, kind in (
        ("timestamp", pd.Timestamp),
        ("timedelta", pd.Timedelta),
        ("interval", pd.Interval),
        ("period", pd.Period),
        ("datetime", dt.datetime),
        ("date", dt.date),
        ("time", dt.time),
        ("decimal", decimal.Decimal),
        ("bytes", bytes),
        ("complex", complex),
    ):
        if isinstance(value, kind):
            return name
    raise TypeError(f"No JSON form for a value of type {type(value).__name__}: {value!r}.")


def _encode_special(value: Any) -> Any:
    import pandas as pd

    if value is pd.NA or value is pd.NaT:
        return "NaT" if value is pd.NaT else "NA"
    if isinstance(value, pd.Timestamp):
        if value.tz is None:
            return [value.isoformat(), None]
        # In UTC, since an hour repeats when clocks go back.
        return [value.tz_convert("UTC").tz_localize(None).isoformat(), str(value.tz)]
    if isinstance(value, pd.Timedelta):
        return int(value.value)
    if isinstance(value, pd.Interval):
        return [encode_scalar(value.left), encode_scalar(value.right), value.closed]
    if isinstance(value, pd.Period):
        return [str(value), value.freqstr]
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def decode_scalar(document: Any) -> Any:
    """Reverse :func:`encode_scalar`.

    Raises
    ------
    ArtifactError
        If the document is not the form of any scalar.
    """
    if not isinstance(document, dict):
        return document
    import pandas as pd

    decoders: dict[str, Callable[[Any], Any]] = {
        "float": float,
        "tuple": lambda items: tuple(decode_scalar(item) for item in items),
        "missing": lambda name: pd.NaT if name == "NaT" else pd.NA,
        "timestamp": _decode_timestamp,
        "timedelta": lambda value: pd.Timedelta(value, unit="ns"),
        "interval": lambda v: pd.Interval(decode_scalar(v[0]), decode_scalar(v[1]), v[2]),
        "period": lambda pair: pd.Period(pair[0], freq=pair[1]),
        "datetime": dt.datetime.fromisoformat,
        "date": dt.date.fromisoformat,
        "time": dt.time.fromisoformat,
        "decimal": decimal.Decimal,
        "bytes": bytes.fromhex,
        "complex": complex,
    }
    try:
        ((name, value),) = document.items()
        return decoders[name](value)
    except (LookupError, ValueError, TypeError, ArithmeticError) as error:
        raise ArtifactError(f"Not the form of a stored value: {document!r}.") from error


def _decode_timestamp(pair: list[Any]) -> Any:
    import pandas as pd

    moment, zone = pair
    if zone is None:
        return pd.Timestamp(moment)
    return pd.Timestamp(moment, tz="UTC").tz_convert(zone)


def check_mapping(
    document: Any, required: Mapping[str, type | tuple[type, ...]], what: str
) -> None:
    """Check that a JSON document is an object with the `required` keys and types.

    Raises
    ------
    ArtifactError
        If it is not; the message names `what` and the key.
    """
    if not isinstance(document, dict):
        raise ArtifactError(f"{what} is not a JSON object.")
    for key, kind in required.items():
        if not isinstance(document.get(key), kind):
            raise ArtifactError(f"{what} has no valid {key!r}: {document.get(key)!r}.")
