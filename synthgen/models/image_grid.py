"""A picture of what a generator of images makes, kept up to date while it trains."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from synthgen.core.files import replace_file
from synthgen.core.png import encode_png, sheet
from synthgen.errors import InvalidParameterError

logger = logging.getLogger(__name__)

#: Images of a row.
_COLUMNS = 4


def check_grid_path(path: Any) -> None:
    """Check before any work that a picture can be written there.

    Raises
    ------
    InvalidParameterError
        If it is no path of a PNG file in a folder that exists.
    """
    if path is None:
        return
    if not isinstance(path, (str, Path)) or Path(path).suffix.lower() != ".png":
        raise InvalidParameterError(f"grid_path must be a path that ends in .png, got {path!r}.")
    if not Path(path).parent.is_dir():
        raise InvalidParameterError(
            f"grid_path: there is no folder '{Path(path).parent}'; make it first."
        )
    if Path(path).is_dir():
        raise InvalidParameterError(f"grid_path: '{path}' is a folder; name a file.")


@dataclass
class Shown:
    """Small samples from the same latent vectors, one per look; the newest can be watched.

    Parameters
    ----------
    path : path-like or None
        Where the newest sample is kept as a PNG, replaced whole every time.
    """

    path: str | Path | None = None
    images: list[np.ndarray] = field(default_factory=list)

    def add(self, images: np.ndarray) -> None:
        """Keep a sample of shape (n, channels, height, width) in [-1, 1]."""
        self.images.append(images)
        if self.path is None:
            return
        try:
            pixels = ((images + 1) / 2).astype(np.float32)
            replace_file(Path(self.path), encode_png(sheet(pixels, _COLUMNS)))
        except OSError as error:
            # A full disk must not end hours of training.
            logger.warning("No picture at '%s' any more: %s.", self.path, error)
            self.path = None
