"""Style-based generators: a mapping network, styles per layer, noise, style mixing.

``adain`` normalises features and gives them the style's mean and spread (Karras, Laine, Aila,
arXiv:1812.04948); ``modulated`` scales the weights of convolutions and normalises their expected
output instead, with summed skip outputs (Karras et al., arXiv:1912.04958). Both can grow during
training (see ``growing.py``). Written from the papers.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.growing import Stage, repeated
from synthgen.nn.image.layers import Features, gain_of_leaky, smoothly_upsample

#: Moving average of w, the centre of truncation.
_CENTRE_DECAY = 0.99


class Mapping(nn.Module):
    """From z and the condition to w.

    Parameters
    ----------
    latent, condition, width, layers : int
    """

    def __init__(self, *, latent: int, condition: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(condition, latent, bias=False) if condition else None
        sizes = [latent * (2 if condition else 1), *[width] * layers]
        layers_made = [nn.Linear(a, b) for a, b in pairwise(sizes)]
        for layer in layers_made:
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            nn.init.zeros_(layer.bias)
        self.layers = nn.ModuleList(layers_made)

    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Return w, (n, width)."""
        h = _unit(z)
        if self.embedding is not None and condition is not None:
            h = torch.cat([h, _unit(self.embedding(condition))], dim=1)
        for layer in self.layers:
            h = nn.functional.leaky_relu(layer(h), 0.2)
        return h


class StyledConv(nn.Module):
    """3x3 convolution, noise, rectifier and style.

    Parameters
    ----------
    channels, out, style : int
    modulated : bool
        Whether the style scales the weights; else it shifts and scales normalised features.
    """

    def __init__(self, channels: int, out: int, style: int, *, modulated: bool) -> None:
        super().__init__()
        self.modulated = modulated
        self.conv = nn.Conv2d(channels, out, 3, 1, 1, bias=False)
        nn.init.kaiming_normal_(self.conv.weight, a=0.2)
        self.bias = nn.Parameter(torch.zeros(out))
        self.noise = nn.Parameter(torch.zeros(out))
        self.style = nn.Linear(style, channels if modulated else 2 * out)
        nn.init.normal_(self.style.weight, std=style**-0.5)
        with torch.no_grad():
            self.style.bias.zero_()
            self.style.bias[: channels if modulated else out] = 1.0

    def forward(self, h: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """Return (n, out, height, width)."""
        style = self.style(w)
        if self.modulated:
            h = self.conv(h * style[:, :, None, None])
            power = style.square() @ self.conv.weight.square().sum((2, 3)).T
            # The expected spread of the output becomes one.
            h = h * (power + 1e-8).rsqrt()[:, :, None, None] * gain_of_leaky()
        else:
            h = self.conv(h)
        if noise is not None:
            h = h + noise * self.noise[:, None, None]
        h = nn.functional.leaky_relu(h + self.bias[:, None, None], 0.2)
        if self.modulated:
            return h
        scale, shift = style.chunk(2, dim=1)
        h = nn.functional.instance_norm(h, eps=1e-4)
        return torch.addcmul(shift[:, :, None, None], h, scale[:, :, None, None])


class StyleGenerator(nn.Module):
    """From z over w to images.

    Parameters
    ----------
    geometry : Geometry
    latent, width, condition : int
    modulated : bool
    mixing : float
        Chance per batch of training that some images get the styles of two w.
    layers : int
        Of the mapping.
    growing : bool
        Whether the number of grids in use can be set.
    """

    def __init__(
        self,
        geometry: Geometry,
        *,
        latent: int,
        width: int,
        condition: int,
        modulated: bool,
        growing: bool = False,
        mixing: float = 0.5,
        layers: int = 4,
    ) -> None:
        super().__init__()
        self.geometry, self.mixing, self.modulated = geometry, mixing, modulated
        widths = geometry.widths(width, most=4)
        size = widths[0]
        self.mapping = Mapping(latent=latent, condition=condition, width=size, layers=layers)
        self.grid = Features(widths[0], *geometry.base)
        pairs = list(zip([widths[0], *widths[:-1]], widths, strict=True))
        self.convs = nn.ModuleList()
        for a, b in pairs:
            self.convs.append(StyledConv(a, b, size, modulated=modulated))
            self.convs.append(StyledConv(b, b, size, modulated=modulated))
        outputs = widths if modulated or growing else widths[-1:]
        self.outputs = nn.ModuleList(nn.Conv2d(w, geometry.channels, 1) for w in outputs)
        self.register_buffer("centre", torch.zeros(size))
        self.centre: Tensor
        self.growing = growing
        if growing:
            #: Doublings that it has grown by; full-grown unless training says otherwise.
            self.register_buffer("grown", torch.tensor(float(geometry.halvings)))
        self.grown: Tensor

    @property
    def n_layers(self) -> int:
        """Number of styles of an image."""
        return len(self.convs)

    def stage(self) -> Stage:
        """Return how far it has grown."""
        grown = float(self.grown) if self.growing else float(self.geometry.halvings)
        return Stage.of(grown)

    def map(self, z: Tensor, condition: Tensor | None = None, psi: float = 1.0) -> Tensor:
        """Return w, drawn towards its mean by the factor `psi`, (n, width)."""
        w: Tensor = self.mapping(z, condition)
        return w if psi == 1.0 else torch.lerp(self.centre, w, psi)

    def synthesise(self, styles: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Return images of styles (n, layers, width)."""
        n = len(styles)
        stage = self.stage()
        h = self.grid(n)
        drawn: list[Tensor] = []
        # Those without skips have an output for the finest grid only, unless they grow.
        silent = self.geometry.halvings + 1 - len(self.outputs)
        for k, conv in enumerate(self.convs[: 2 * stage.level + 2]):
            if k and k % 2 == 0:
                h = smoothly_upsample(h)
            noise = None
            if rng is not None:
                noise = torch.randn(n, 1, *h.shape[2:], generator=rng, device=h.device)
            h = conv(h, styles[:, k], noise)
            if k % 2 and k // 2 >= silent:
                out = self.outputs[k // 2 - silent](h)
                skip = self.modulated and len(drawn) > 0
                drawn.append(smoothly_upsample(drawn[-1]) + out if skip else out)
        return self._whole(drawn, stage)

    def _whole(self, drawn: list[Tensor], stage: Stage) -> Tensor:
        """Return images of full size from what was drawn on each grid."""
        missing = self.geometry.halvings - stage.level
        if not missing and stage.fade == 1.0:
            return self.geometry.crop(drawn[-1]).tanh()
        image = drawn[-1].tanh()
        if stage.fade < 1.0:
            image = torch.lerp(repeated(drawn[-2].tanh(), 1), image, stage.fade)
        return self.geometry.crop(repeated(image, missing))

    def forward(
        self, z: Tensor, condition: Tensor | None = None, rng: torch.Generator | None = None
    ) -> Tensor:
        """Return images (n, channels, height, width) in [-1, 1]."""
        w = self.map(z, condition)
        styles = w[:, None].expand(-1, self.n_layers, -1)
        if self.training and rng is not None:
            with torch.no_grad():
                self.centre.lerp_(w.mean(0).float(), 1.0 - _CENTRE_DECAY)
            if float(torch.rand((), generator=rng, device=z.device)) < self.mixing:
                styles = self._mixed(styles, z, condition, rng)
        return self.synthesise(styles, rng)

    def _mixed(
        self, styles: Tensor, z: Tensor, condition: Tensor | None, rng: torch.Generator
    ) -> Tensor:
        """Return styles of which those after some layer are another w's."""
        other = torch.randn(z.shape, generator=rng, device=z.device)
        active = 2 * self.stage().level + 2
        switch = torch.randint(1, active, (len(z), 1), generator=rng, device=z.device)
        late = torch.arange(self.n_layers, device=z.device)[None] >= switch
        return torch.where(late[:, :, None], self.map(other, condition)[:, None], styles)


def _unit(z: Tensor) -> Tensor:
    """Scale each row to a mean square of one."""
    return z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
