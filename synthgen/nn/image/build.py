"""Networks of images by the name of their architecture."""

from __future__ import annotations

from typing import Any

from torch import nn

from synthgen.core.device import channels_last
from synthgen.nn.image.critic import ImageCritic
from synthgen.nn.image.dense import DenseGenerator, DenseTrunk
from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.growing import GrowingTrunk
from synthgen.nn.image.layers import Trunk, initialise, normalise_spectra
from synthgen.nn.image.plain import PlainGenerator, PlainTrunk
from synthgen.nn.image.residual import ResidualGenerator, ResidualTrunk
from synthgen.nn.image.skip import SkipGenerator
from synthgen.nn.image.strided import StridedGenerator, StridedTrunk
from synthgen.nn.image.style import StyleGenerator


def build_image_generator(
    architecture: str,
    geometry: Geometry,
    *,
    latent: int,
    width: int,
    condition: int,
    by_norm: bool = True,
    attention: bool = False,
    chunks: bool = False,
    weights: str = "default",
    spectral: bool = False,
    growing: bool = False,
) -> nn.Module:
    """Return an untrained generator.

    Parameters
    ----------
    architecture : str
        See :class:`~synthgen.train.image_recipe.ImageRecipe`.
    geometry : Geometry
    latent, width, condition : int
        Lengths of z and of the condition vector, and channels of the finest grid.
    by_norm, attention, chunks, spectral, growing : bool
    weights : str
        How convolutions and dense layers are drawn.
    """
    sizes: dict[str, Any] = {"latent": latent, "width": width, "condition": condition}
    net: nn.Module
    if architecture == "dense":
        net = DenseGenerator(geometry, **sizes)
    elif architecture == "strided":
        net = StridedGenerator(geometry, **sizes, by_norm=by_norm)
    elif architecture == "residual":
        net = ResidualGenerator(
            geometry, **sizes, by_norm=by_norm, attention=attention, chunks=chunks
        )
    elif architecture == "skip":
        net = SkipGenerator(geometry, **sizes, by_norm=by_norm)
    elif architecture == "plain":
        net = PlainGenerator(geometry, **sizes)
    else:
        modulated = architecture == "style2"
        net = StyleGenerator(geometry, **sizes, modulated=modulated, growing=growing)
    if architecture not in ("plain", "style", "style2"):
        initialise(net, weights)
    if spectral:
        normalise_spectra(net)
    return channels_last(net)


def build_image_critic(
    architecture: str,
    geometry: Geometry,
    *,
    width: int,
    norm: str = "none",
    attention: bool = False,
    stem: bool = False,
    weights: str = "default",
    spectral: bool = False,
    growing: bool = False,
    label_sizes: tuple[int, ...] = (),
    conditioning: str = "none",
    codes: tuple[int, int] = (0, 0),
    **parts: bool,
) -> ImageCritic:
    """Return an untrained critic.

    Parameters
    ----------
    architecture : str
    geometry : Geometry
    width : int
        Channels of the finest grid.
    norm, weights, conditioning : str
    attention, stem, spectral, growing : bool
    label_sizes, codes : tuple of int
        See :class:`~synthgen.nn.image.critic.ImageCritic`, as for `parts`.
    """
    channels = geometry.channels + ImageCritic.planes(conditioning, sum(label_sizes))
    trunk: Trunk
    if architecture == "dense":
        trunk = DenseTrunk(geometry, channels=channels, width=width)
    elif architecture in ("strided", "skip"):
        trunk = StridedTrunk(geometry, channels=channels, width=width, norm=norm, stem=stem)
    elif architecture == "plain":
        trunk = PlainTrunk(geometry, channels=channels, width=width)
    elif growing:
        trunk = GrowingTrunk(geometry, channels=channels, width=width)
    else:
        trunk = ResidualTrunk(
            geometry, channels=channels, width=width, norm=norm, attention=attention
        )
    if architecture != "plain":
        initialise(trunk, weights)
    critic = ImageCritic(
        geometry,
        trunk,
        label_sizes=label_sizes,
        conditioning=conditioning,
        codes=codes,
        judges_apart=norm == "batch",
        **parts,
    )
    if spectral:
        normalise_spectra(critic)
    return channels_last(critic)
