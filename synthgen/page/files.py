"""Reports on the disk: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from synthgen.core.files import replace_file
from synthgen.errors import InvalidParameterError


def write_report(path: Any, text: str) -> None:
    """Write a report to a file if there is a path; a crash leaves the old file.

    Raises
    ------
    InvalidParameterError
        If the path is none.
    OSError
        If the file cannot be written.
    """
    if path is None:
        return
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidParameterError(f"path must be the path of a file or None, got {path!r}.")
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"'{target}' is a folder; name a file in it.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder '{target.parent}' for '{target.name}'.")
    replace_file(target, text.encode())
