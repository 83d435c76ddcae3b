"""Augmentation of real and generated images alike, which gradients pass through.

The critic sees augmented images only, of both kinds, so that it cannot learn few real images by
heart; the generator gets its gradient through the augmentation. Everything works on tensors
``(n, C, H, W)`` in [-1, 1] of any number of channels and any shape, is affine in the pixels, and
can be differentiated twice (a gradient penalty needs that; torch's own ``grid_sample`` cannot).

There is no flip: whether a mirrored image is still one of its class is for the user to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from synthgen.core.params import check_choice, check_integer, check_real

#: Largest share of the height and of the width that an image is moved by.
MAX_SHIFT: Final = 0.125

#: Sides of the rectangle that is cut out, as a share of the image's.
CUT_SHARE: Final = 0.5

#: Largest rotation in degrees: more turns a 6 into a 9.
MAX_ANGLE: Final = 15.0

#: Largest change of size, as a power of two.
MAX_ZOOM: Final = 0.25

#: From this many images on augmentation costs more than it gives; below this many it needs help.
_PLENTY: Final = 50_000
_FEW: Final = 5_000


def augment(
    images: Tensor, policy: tuple[str, ...], rng: torch.Generator, p: float = 1.0
) -> Tensor:
    """Return images changed at random, every kind of change in each image with probability `p`.

    Parameters
    ----------
    images : torch.Tensor of shape (n, C, H, W)
        In [-1, 1].
    policy : tuple of str
        Names from ``POLICIES``, applied in the order of that table: ``"colour"``, ``"scale"``,
        ``"rotation"``, ``"translation"``, ``"cutout"``.
    rng : torch.Generator
        What is drawn depends on it, on the shape and on the policy, not on `p` or the pixels.
    p : float, default=1.0
        Probability of every change. Below 1 the generator keeps seeing what unchanged images look
        like, so that the changes do not leak into what it makes.

    Returns
    -------
    torch.Tensor of shape (n, C, H, W)
        Pixels may leave [-1, 1] after ``"colour"``; clipping them would stop gradients.

    Raises
    ------
    InvalidParameterError
        If a name is unknown, or `p` is no probability.

    References
    ----------
    Zhao, Liu, Lin, Zhu & Han (2020), Differentiable augmentation for data-efficient GAN training,
    arXiv:2006.10738. Karras et al. (2020), Training generative adversarial networks with limited
    data, arXiv:2006.06676.

    Examples
    --------
    >>> rng = torch.Generator().manual_seed(0)
    >>> images = torch.rand(2, 1, 8, 8) * 2 - 1
    >>> augment(images, ("translation", "cutout"), rng).shape
    torch.Size([2, 1, 8, 8])
    >>> bool((augment(images, ("rotation",), rng, p=0.0) == images).all())
    True
    """
    for name in policy:
        check_choice("policy", name, POLICIES)
    p = check_real("p", p, low=0.0, high=1.0)
    for name, change in POLICIES.items():
        if name not in policy:
            continue
        applied = _uniform(images, 1, rng)[:, 0] < p
        changed = change(images, rng)
        images = torch.where(applied[:, None, None, None], changed, images)
    return images


def policy_for(n_images: int, *, flat_background: bool = False) -> tuple[str, ...]:
    """Return the changes that training images of this number need.

    Parameters
    ----------
    n_images : int
        Number of training images.
    flat_background : bool, default=False
        Whether the images stand on a background of one extreme value, see
        :func:`has_flat_background`. A change of brightness then shows all over the background and
        leaks into the generated images, so that small rotations take the place of colours.

    Returns
    -------
    tuple of str
        None from 50,000 images on, where augmentation costs quality; cutout only below 5,000.

    Examples
    --------
    >>> policy_for(60_000), policy_for(20_000), policy_for(1_000, flat_background=True)
    ((), ('colour', 'translation'), ('rotation', 'translation', 'cutout'))
    """
    n_images = check_integer("n_images", n_images, minimum=1)
    if n_images >= _PLENTY:
        return ()
    first = "rotation" if flat_background else "colour"
    return (first, "translation") if n_images >= _FEW else (first, "translation", "cutout")


def has_flat_background(images: Tensor) -> bool:
    """Return whether most pixels on the images' rim have the smallest or the largest value.

    Parameters
    ----------
    images : torch.Tensor of shape (n, C, H, W)

    Examples
    --------
    >>> images = torch.full((4, 1, 8, 8), -1.0)
    >>> images[:, :, 2:6, 2:6] = 0.5
    >>> has_flat_background(images)
    True
    """
    rims = [images[:, :, 0], images[:, :, -1], images[..., 0], images[..., -1]]
    rim = torch.cat([side.flatten() for side in rims])
    low, high = float(images.min()), float(images.max())
    shares = [float((rim == end).double().mean()) for end in (low, high)]
    return low < high and max(shares) > 0.5


def colour(images: Tensor, rng: torch.Generator) -> Tensor:
    """Change brightness, saturation and contrast; with one channel there is no saturation.

    Parameters
    ----------
    images : torch.Tensor of shape (n, C, H, W)
    rng : torch.Generator

    Returns
    -------
    torch.Tensor of shape (n, C, H, W)
    """
    brightness, saturation, contrast = _uniform(images, 3, rng)[:, :, None, None, None].unbind(1)
    images = images + (brightness - 0.5)
    if images.shape[1] > 1:
        grey = images.mean(dim=1, keepdim=True)
        images = grey + (images - grey) * (2 * saturation)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (images - mean) * (0.5 + contrast)


def translation(images: Tensor, rng: torch.Generator) -> Tensor:
    """Move images by whole pixels, up to an eighth of their size; what comes in is a reflection.

    Parameters
    ----------
    images : torch.Tensor of shape (n, C, H, W)
    rng : torch.Generator

    Returns
    -------
    torch.Tensor of shape (n, C, H, W)

    Notes
    -----
    Zeros would be grey bars here (the range is [-1, 1]): a sure sign of an augmented image, and the
    generator learns to draw them. A reflection looks like the image it continues, and is background
    where there is background.
    """
    draws = _uniform(images, 2, rng)
    for axis, size in ((2, images.shape[2]), (3, images.shape[3])):
        # At least one pixel, or small images would never move.
        most = min(size - 1, max(1, round(MAX_SHIFT * size)))
        shift = (draws[:, axis - 2] * (2 * most + 1)).floor().long() - most
        places = torch.arange(size, device=images.device)[None, :] - shift[:, None]
        view = [len(images), 1, 1, 1]
        view[axis] = size
        index = reflect(places, size).view(view)
        images = images.gather(axis, index.expand_as(images))
    return images


def cutout(images: Tensor, rng: torch.Generator) -> Tensor:
    """Set a rectangle of half the sides to 0, centred anywhere in the image.

    Parameters
    ----------
    images : torch.Tensor of shape (n, C, H, W)
    rng : torch.Generator

    Returns
    -------
    torch.Tensor of shape (n, C, H, W)
    """
    draws = _uniform(images, 2, rng)
    inside = []
    for axis, size in ((0, images.shape[2]), (1, images.shape[3])):
        side = max(1, round(CUT_SHARE * size))
        start = (draws[:, axis] * size).floor().long() - side // 2
        places = torch.arange(size, device=images.device)[None, :]
        inside.append((places >= start[:, None]) & (places < start[:, None] + side))
    hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return images * (~hole).to(images.dtype)


def rotation(images: Tensor, rng: torch.Generator) -> Tensor:
    """Rotate images about their centre by up to 15 degrees; the corners are reflections.

    Parameters
    ----------
    images : torch.Tensor of shape (n, C, H, W)
    rng : torch.Generator

    Returns
    -------
    torch.Tensor of shape (n, C, H, W)
    """
    angle = (2 * _uniform(images, 1, rng)[:, 0] - 1) * math.radians(MAX_ANGLE)
    cosine, sine = angle.cos(), angle.sin()
    return resample(images, torch.stack([cosine, -sine, sine, cosine], dim=1).view(-1, 2, 2))


def scale(images: Tensor, rng: torch.Generator) -> Tensor:
    """Enlarge or shrink images about their centre by up to a fifth; the rim is a reflection.

    Parameters
    ----------
    images : torch.Tensor of shape (n, C, H, W)
    rng : torch.Generator

    Returns
    -------
    torch.Tensor of shape (n, C, H, W)
    """
    factor = torch.exp2((2 * _uniform(images, 1, rng)[:, 0] - 1) * MAX_ZOOM)
    return resample(images, factor[:, None, None] * torch.eye(2, device=images.device))


#: Every change by name, in the order of application: cutout last, so that its edges stay straight.
POLICIES: Final[dict[str, Callable[[Tensor, torch.Generator], Tensor]]] = {
    "colour": colour,
    "scale": scale,
    "rotation": rotation,
    "translation": translation,
    "cutout": cutout,
}


def resample(images: Tensor, matrices: Tensor) -> Tensor:
    """Return the images that hold at place ``v`` what was at ``matrix @ v``, between pixels linear.

    Parameters
    ----------
    images : torch.Tensor of shape (n, C, H, W)
    matrices : torch.Tensor of shape (n, 2, 2)
        They act on (row, column) offsets from the image's centre.

    Returns
    -------
    torch.Tensor of shape (n, C, H, W)
        What lies outside is reflected.
    """
    n, channels, height, width = images.shape
    rows = torch.arange(height, device=images.device, dtype=torch.float32) - (height - 1) / 2
    columns = torch.arange(width, device=images.device, dtype=torch.float32) - (width - 1) / 2
    offsets = torch.stack(torch.meshgrid(rows, columns, indexing="ij")).view(2, -1)
    source = matrices.float() @ offsets  # (n, 2, H * W)
    y, x = source[:, 0] + (height - 1) / 2, source[:, 1] + (width - 1) / 2
    top, left = y.floor(), x.floor()
    flat = images.reshape(n, channels, -1)
    result = torch.zeros_like(flat)
    for at_row, row_weight in ((top, top + 1 - y), (top + 1, y - top)):
        for at_column, column_weight in ((left, left + 1 - x), (left + 1, x - left)):
            index = reflect(at_row.long(), height) * width + reflect(at_column.long(), width)
            corner = flat.gather(2, index[:, None].expand(-1, channels, -1))
            result = result + corner * (row_weight * column_weight)[:, None].to(images.dtype)
    return result.view_as(images)


def reflect(places: Tensor, size: int) -> Tensor:
    """Fold whole numbers into 0..size-1 as a row of mirrors at the first and last pixel does.

    Examples
    --------
    >>> reflect(torch.arange(-2, 6), 4).tolist()
    [2, 1, 0, 1, 2, 3, 2, 1]
    """
    if size == 1:
        return torch.zeros_like(places)
    period = 2 * (size - 1)
    folded = places.remainder(period)
    return torch.minimum(folded, period - folded)


def _uniform(images: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Draw numbers in [0, 1) for every image, on the generator's device."""
    drawn = torch.rand(len(images), count, generator=rng, device=rng.device)
    return drawn.to(images.device)
