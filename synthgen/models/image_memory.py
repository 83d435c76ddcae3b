"""How much memory a fit to images will take, said before it starts."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import nn

from synthgen.core.random import isolated_torch_rng
from synthgen.data.images import ImageData
from synthgen.errors import ResourceError
from synthgen.models.memory import available_memory
from synthgen.nn.image.geometry import Geometry
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.images import critic_of, generator_of

#: What Python, torch and the other libraries take, in bytes.
_LIBRARIES: Final = 450_000_000
#: Copies of a weight: value, gradient, two of Adam, average, best, last good state twice.
_COPIES: Final = 9


def estimate_image_memory(data: ImageData, recipe: ImageRecipe) -> int:
    """Return the estimated peak memory of training, in bytes.

    Parameters
    ----------
    data : ImageData
    recipe : ImageRecipe
    """
    geometry = Geometry(*data.spec.shape)
    sizes = () if data.labels is None else data.labels.sizes
    with isolated_torch_rng(0, "weights"):
        generator = generator_of(recipe, geometry, sizes)
        critic = critic_of(recipe, geometry, sizes)
    weights = sum(p.numel() for net in (generator, critic) for p in net.parameters())
    condition = sum(sizes) + sum(recipe.codes)
    z, labels = torch.zeros(2, recipe.latent), torch.zeros(2, condition)
    made = _outputs(generator.eval(), z, labels if condition else None)
    seen = _outputs(critic.eval(), torch.zeros(2, geometry.n_pixels + condition))
    if "path_length" in recipe.term_names:
        # Half a batch more, whose gradient is differentiated.
        made *= 2
    # The critic's tensors exist for real and fake images, and again in gradient penalties.
    batch = recipe.part_size * (made + 4 * seen) // 2
    if recipe.accumulate > 1:
        batch += recipe.batch_size * (geometry.n_pixels + condition)
    return _LIBRARIES + 3 * data.images.nbytes + 4 * (_COPIES * weights + 2 * batch)


def check_image_memory(data: ImageData, recipe: ImageRecipe) -> None:
    """Check that training fits into the free memory.

    Raises
    ------
    ResourceError
        With the estimate and what to do.
    """
    free = available_memory()
    # The libraries are loaded already.
    needed = estimate_image_memory(data, recipe) - _LIBRARIES
    if free is not None and needed > free:
        raise ResourceError(
            f"Training {recipe.name!r} on {len(data)} images of {data.spec.shape} needs about "
            f"{needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free. Use a smaller batch_size, a "
            "recipe with accumulate=2 or more, one of smaller width, or smaller images."
        )


def _outputs(module: nn.Module, *inputs: Any) -> int:
    """Return how many numbers the layers of a network put out."""
    total = 0

    def count(_: nn.Module, __: Any, out: Any) -> None:
        nonlocal total
        total += out.numel() if isinstance(out, torch.Tensor) else 0

    hooks = [
        child.register_forward_hook(count)
        for child in module.modules()
        if not any(True for _ in child.children())
    ]
    with torch.inference_mode():
        module(*inputs)
    for hook in hooks:
        hook.remove()
    return total
