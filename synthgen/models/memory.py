"""How much memory a fit will take, said before it starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from synthgen.encode.layout import Layout
from synthgen.errors import ResourceError
from synthgen.train.moments import MOST_CELLS
from synthgen.train.recipe import Recipe

#: What Python, torch and the other libraries take, in bytes.
_LIBRARIES: Final = 450_000_000
#: Copies of a weight: value, gradient, two of Adam, average, best, last good state.
_COPIES: Final = 9


def estimate_memory(layout: Layout, n_rows: int, recipe: Recipe) -> int:
    """Return the estimated peak memory of training, in bytes.

    Parameters
    ----------
    layout : Layout
    n_rows : int
    recipe : Recipe
    """
    cells = layout.n_cells
    encoded = n_rows * 4 * (2 * len(layout.blocks) + 2 * len(layout.heads))
    generator = recipe.width * (recipe.latent + 2 * recipe.blocks * recipe.width + cells)
    critic = recipe.critic_width * (
        recipe.pack * (cells + 10 * len(layout.heads))
        + 2 * recipe.critic_blocks * recipe.critic_width
    )
    # About twenty tensors of (batch, cells) live at once in a step.
    batch = 20 * recipe.batch_size * cells
    moments = (
        6 * min(cells, MOST_CELLS) ** 2 if any(t.name == "moments" for t in recipe.terms) else 0
    )
    return _LIBRARIES + encoded + 4 * (_COPIES * (generator + critic) + batch + moments)


def check_memory(layout: Layout, n_rows: int, recipe: Recipe) -> None:
    """Check that training fits into the free memory.

    Raises
    ------
    ResourceError
        With the estimate and what to do.
    """
    free = available_memory()
    need = estimate_memory(layout, n_rows, recipe) - _LIBRARIES
    if free is not None and need > free:
        raise ResourceError(
            f"Training on {n_rows:,} rows with {layout.n_cells:,} cells needs about "
            f"{need / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free. Use fewer rows, mark wide "
            "columns as 'text' or 'id' in the schema, or set a smaller batch_size."
        )


def available_memory() -> int | None:
    """Return the free memory in bytes, or None where the system does not say."""
    try:
        # Linux: what programs can have, caches of files included.
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except (OSError, ValueError):
        pass  # another system
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
