"""Where tables come from and go to, with errors found before the work starts."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from synthgen.errors import InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES: Final = (".csv", ".csv.gz", ".parquet", ".feather", ".arrow")


class Target(Enum):
    """What an output path stands for."""

    FILE = "file"
    FOLDER = "folder"


def classify_target(output: str) -> Target:
    """Decide whether rows go to one file or to a folder of Parquet files.

    Raises
    ------
    InvalidParameterError
        If the name ends in a suffix that stands for no known format.

    Examples
    --------
    >>> classify_target("rows.csv.gz"), classify_target("shards/")
    (<Target.FILE: 'file'>, <Target.FOLDER: 'folder'>)
    """
    if not output.strip():
        raise InvalidParameterError("--output is empty; name a file or a folder.")
    if output.endswith("/") or Path(output).is_dir() or not Path(output).suffix:
        return Target.FOLDER
    if output.lower().endswith(SUFFIXES):
        return Target.FILE
    raise InvalidParameterError(
        f"--output must end in {', '.join(SUFFIXES)}, or name a folder (ending in '/'), "
        f"got '{output}'."
    )


def to_pandas(frame: Any) -> pd.DataFrame:
    """Return sampled rows as a pandas frame, whatever container the model was fitted on."""
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        return frame
    from synthgen.data.frame import read_frame

    return read_frame(frame)[0]
