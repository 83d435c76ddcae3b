"""What happened during training: one record per check, readable as a frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass
class History:
    """A list of records.

    Parameters
    ----------
    records : list of dict
        Each has ``step``, ``seconds`` and whatever was measured.

    Examples
    --------
    >>> history = History()
    >>> history.add(step=10, seconds=0.5, shape=0.9)
    >>> history.to_frame()["shape"].tolist()
    [0.9]
    """

    records: list[dict[str, Any]] = field(default_factory=list)

    def add(self, **record: Any) -> None:
        """Append a record."""
        self.records.append(record)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per record, in order."""
        return pd.DataFrame.from_records(self.records)
