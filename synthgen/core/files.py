"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def umask() -> int:
    """Return which permissions new files do not get."""
    current = os.umask(0)
    os.umask(current)
    return current


def make_staging(target: Path) -> Path:
    """Make a hidden folder beside a target, with the permissions of any new folder."""
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    # Folders that are made for a moment are their owner's only.
    staging.chmod(0o777 & ~umask())
    return staging


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


def replace_directory(staging: Path, target: Path, last: str) -> None:
    """Put a folder in the place of another, which comes back if that fails.

    Parameters
    ----------
    staging : pathlib.Path
        The new one, on the same file system.
    target : pathlib.Path
        Nothing, an empty folder, which stays the same folder, or one to be replaced.
    last : str
        The file without which the others are nothing yet; it is moved into an empty folder last.
    """
    if not target.exists():
        staging.rename(target)
        return
    if not any(target.iterdir()):
        # Somebody may stand in it.
        try:
            for file in sorted(staging.iterdir(), key=lambda own: own.name == last):
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
