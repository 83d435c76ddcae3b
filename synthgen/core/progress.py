"""A progress bar on a terminal: rate, time left and current quality; silent in pipes."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self


class ProgressBar:
    """Context manager around a bar that runs from 0 to 100 %.

    Parameters
    ----------
    label : str
    enabled : bool
        If not, or if standard error is no terminal, nothing is shown.
    """

    def __init__(self, label: str, *, enabled: bool) -> None:
        self._label = label
        self._enabled = enabled and sys.stderr.isatty()
        self._bar: Any = None
        self._steps = 0

    def __enter__(self) -> Self:
        if self._enabled:
            from tqdm import tqdm

            form = "{desc} {percentage:3.0f}% |{bar}| {elapsed}, {remaining} left{postfix}"
            self._bar = tqdm(total=1.0, desc=self._label, bar_format=form, file=sys.stderr)
        return self

    def update(self, share: float, step: int, figures: dict[str, float]) -> None:
        """Move the bar to `share` in [0, 1] and show the latest figures."""
        if self._bar is None:
            return
        self._bar.n = share
        elapsed = self._bar.format_dict["elapsed"] or 1e-9
        words = [f"{step / elapsed:.0f} steps/s"]
        words += [f"{name} {value:.3f}" for name, value in figures.items() if name != "score"]
        self._bar.set_postfix_str(", ".join(words), refresh=False)
        self._bar.update(0)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
