"""Tables in files: CSV (plain or gzip), Parquet and Feather/Arrow, told apart by the suffix."""

from __future__ import annotations

import os
import tempfile
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pandas as pd

from synthgen.core.files import umask
from synthgen.data.arrow import require_pyarrow
from synthgen.errors import InvalidDataError

_FORMATS: Final = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".parquet": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
}


def read_path(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table from a file.

    Parameters
    ----------
    path : path-like
        Ends in .csv, .csv.gz, .parquet, .feather or .arrow.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    InvalidDataError
        If the file is missing, of an unknown kind or unreadable.
    """
    source = Path(path)
    kind = _kind(source)
    if not source.is_file():
        raise InvalidDataError(f"There is no file '{source}'.")
    try:
        if kind == "csv":
            return _with_leading_zeros(source, _read_csv(source))
        require_pyarrow(f"Reading '{source.name}'")
        return pd.read_parquet(source) if kind == "parquet" else pd.read_feather(source)
    except InvalidDataError:
        raise
    except (ValueError, OSError, EOFError, zlib.error) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidDataError(f"'{source}' cannot be read as {kind}: {reason}") from error


def _read_csv(source: Path) -> pd.DataFrame:
    """Read a file whose lines may all end in a comma; its first column is never an index."""
    frame = pd.read_csv(source, low_memory=False)
    if isinstance(frame.index, pd.RangeIndex):
        return _checked_csv(source, frame)
    # With more values than names pandas takes the first ones for names of rows.
    extra = frame.index.nlevels
    if extra == 1 and frame.iloc[:, -1].isna().all():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            return pd.read_csv(source, low_memory=False, index_col=False)
    raise InvalidDataError(
        f"'{source}' has {frame.shape[1]} names of columns and rows of {frame.shape[1] + extra} "
        "values. Give every column a name in the first line."
    )


def _with_leading_zeros(source: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Keep columns such as zip codes as the text they are, where a number would lose zeros."""
    whole = [
        name
        for name, column in frame.items()
        if column.dtype.kind in "iu"
        or (column.dtype.kind == "f" and bool((column.dropna() % 1 == 0).all()))
    ]
    places = [place for place, name in enumerate(frame.columns) if name in whole]
    if not places:
        return frame
    texts = pd.read_csv(source, dtype=str, usecols=places, index_col=False)
    for name, text in texts.items():
        if text.str.match(r"[+-]?0\d", na=False).any():
            frame[name] = text
    return frame


def _checked_csv(source: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Refuse a file whose columns are separated by something else than commas."""
    name = str(frame.columns[0]) if frame.shape[1] == 1 else ""
    found = next((mark for mark in (";", "\t", "|") if mark in name), None)
    if found is not None:
        raise InvalidDataError(
            f"'{source}' has one column named {name!r}: its columns seem to be separated by "
            f"{found!r}. Commas are needed; read it with pandas.read_csv(..., sep={found!r}) and "
            "write it again, or pass that frame to fit."
        )
    return frame


def write_path(df: Any, path: str | os.PathLike[str]) -> None:
    """Write a table to a file, whole or not at all.

    Parameters
    ----------
    df : pandas.DataFrame, polars.DataFrame, pyarrow.Table or numpy.ndarray
    path : path-like
        Ends in .csv, .csv.gz, .parquet, .feather or .arrow. The folder is made if need be.

    Raises
    ------
    InvalidDataError
        If the suffix is unknown.
    OSError
        If the disk is full or not writable; a file that was there before stays as it was.
    """
    target = Path(path)
    write = _writer(df, _kind(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=_suffix(target), dir=target.parent)
    os.close(handle)
    staging = Path(name)
    try:
        write(staging)
        staging.chmod(0o666 & ~umask())
        staging.replace(target)
    finally:
        staging.unlink(missing_ok=True)


def _writer(df: Any, kind: str) -> Callable[[Path], None]:
    if kind == "csv":
        frame = _plain(df)
        return lambda path: frame.to_csv(path, index=False)
    pa = require_pyarrow(f"Writing {kind}")
    table = df if isinstance(df, pa.Table) else _table(df, pa)
    if kind == "parquet":
        import pyarrow.parquet as pq

        return lambda path: pq.write_table(table, path)
    from pyarrow import feather

    return lambda path: feather.write_feather(table, path)


def _plain(df: Any) -> pd.DataFrame:
    if isinstance(df, pd.DataFrame):
        return df
    return df.to_pandas() if hasattr(df, "to_pandas") else pd.DataFrame(df)


def _table(df: Any, pa: Any) -> Any:
    if hasattr(df, "to_arrow"):
        return df.to_arrow()
    frame = df if isinstance(df, pd.DataFrame) else pd.DataFrame(df)
    if not all(isinstance(label, str) for label in frame.columns):
        frame = frame.set_axis([str(label) for label in frame.columns], axis=1)
    return pa.Table.from_pandas(frame, preserve_index=False)


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return next(
        (suffix for suffix in sorted(_FORMATS, key=len, reverse=True) if name.endswith(suffix)),
        path.suffix,
    )


def _kind(path: Path) -> str:
    suffix = _suffix(path)
    if suffix not in _FORMATS:
        raise InvalidDataError(
            f"'{path}' has an unknown kind of file name; use one of {', '.join(_FORMATS)}."
        )
    return _FORMATS[suffix]
