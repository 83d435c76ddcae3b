"""Work with latent vectors: ways between images, sums of them, mixed styles, and the way back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.core.random import root_seed, torch_generator
from synthgen.data.images import ImageSpec, as_images
from synthgen.errors import InvalidParameterError
from synthgen.models.image_wishes import wanted_places
from synthgen.nn.image.style import StyleGenerator
from synthgen.sample.images import ImageSampler

#: Weight of the distance from typical latent vectors in inversions.
_PRIOR = 1e-3


class LatentWork:
    """Methods of fitted models that take and give latent vectors."""

    sampler_: ImageSampler
    spec_: ImageSpec

    def latents(self, n: int, random_state: Any = None) -> np.ndarray:
        """Return latent vectors, float32 (n, latent).

        Parameters
        ----------
        n : int
        random_state : None, int, numpy RandomState or Generator
        """
        check_is_fitted(self)
        rng = torch_generator(root_seed(random_state), "sample", 0, 1)
        size = check_integer("n", n, minimum=0), self.sampler_.recipe.latent
        return torch.randn(*size, generator=rng).numpy()

    def decode(self, z: Any, y: Any = None) -> np.ndarray:
        """Return the images of latent vectors.

        Parameters
        ----------
        z : array-like of shape (n, latent)
        y : label or array-like, optional
            Labels; needed by a model with labels.

        Returns
        -------
        numpy.ndarray
            In the layout, type and range of the training images.
        """
        vectors = self._vectors("z", z)
        return self._restored(self._generated(vectors, self._condition(y, len(vectors))))

    def interpolate(
        self, a: Any, b: Any, steps: int = 8, y: Any = None, space: str = "z", mode: str = "slerp"
    ) -> np.ndarray:
        """Return images on the way from one latent vector to another.

        Parameters
        ----------
        a, b : array-like of shape (latent,)
        steps : int
            Images, both ends included.
        y : label, optional
            Of all images.
        space : {"z", "w"}
            In which space to go; "w" for style-based recipes only, where it is straight.
        mode : {"slerp", "linear"}
            Along the great circle, where all vectors are as long as typical ones, or straight.

        Returns
        -------
        numpy.ndarray of shape (steps, ...)
        """
        steps = check_integer("steps", steps, minimum=2)
        check_choice("space", space, ("z", "w"))
        check_choice("mode", mode, ("slerp", "linear"))
        ends = self._vectors("a and b", np.stack([np.asarray(a), np.asarray(b)]))
        shares = torch.linspace(0.0, 1.0, steps, device=ends.device)[:, None]
        if space == "w":
            net = self._style_network("space='w'")
            with torch.inference_mode():
                w = net.map(ends, self._condition(y, 2))
                way = torch.lerp(w[:1], w[1:], shares)
                styles = way[:, None].expand(-1, net.n_layers, -1)
                return self._restored(net.synthesise(styles))
        way = torch.lerp(ends[:1], ends[1:], shares) if mode == "linear" else slerp(ends, shares)
        return self._restored(self._generated(way, self._condition(y, steps)))

    def latent_arithmetic(self, plus: Any, minus: Any = (), y: Any = None) -> np.ndarray:
        """Return the image of a sum of latent vectors, brought to the length of typical ones.

        Parameters
        ----------
        plus, minus : array-like of shape (k, latent)
            For instance means of vectors whose images share something.
        y : label, optional

        Returns
        -------
        numpy.ndarray of shape (1, ...)
        """
        total = self._vectors("plus", plus).sum(0, keepdim=True)
        if len(minus):
            total = total - self._vectors("minus", minus).sum(0, keepdim=True)
        total = total * (total.shape[1] ** 0.5 / total.norm().clamp(min=1e-6))
        return self._restored(self._generated(total, self._condition(y, 1)))

    def style_mix(self, a: Any, b: Any, layers: Any, y: Any = None) -> np.ndarray:
        """Return images with the styles of `b` in some layers and of `a` in the others.

        Parameters
        ----------
        a, b : array-like of shape (n, latent)
        layers : iterable of int
            Layers that take the styles of `b`; the first ones are the coarsest.
        y : label or array-like, optional

        Returns
        -------
        numpy.ndarray of shape (n, ...)
        """
        first, second = self._vectors("a", a), self._vectors("b", b)
        net = self._style_network("style_mix")
        chosen = torch.zeros(net.n_layers, dtype=torch.bool)
        for layer in layers:
            place = check_integer("layers", layer, minimum=0)
            if place >= net.n_layers:
                raise InvalidParameterError(f"There are {net.n_layers} layers, got {place}.")
            chosen[place] = True
        condition = self._condition(y, len(first))
        with torch.inference_mode():
            styles = torch.where(
                chosen.to(first.device)[None, :, None],
                net.map(second, condition)[:, None],
                net.map(first, condition)[:, None],
            )
            return self._restored(net.synthesise(styles))

    def invert(
        self, X: Any, y: Any = None, steps: int = 200, rate: float = 0.05, random_state: Any = 0
    ) -> np.ndarray:
        """Find latent vectors whose images are near to given ones.

        Parameters
        ----------
        X : array-like
            Images of the layout of the training images.
        y : label or array-like, optional
            Their labels; needed by a model with labels.
        steps : int
            Gradient steps.
        rate : float
            Their learning rate.
        random_state : None, int, numpy RandomState or Generator
            Of the start.

        Returns
        -------
        numpy.ndarray of float32, shape (n, latent)
        """
        check_is_fitted(self)
        steps = check_integer("steps", steps, minimum=1)
        rate = check_real("rate", rate, low=0.0, closed="neither")
        device = self.sampler_.device
        wanted = torch.as_tensor(as_images(X, self.spec_)).to(device)
        condition = self._condition(y, len(wanted))
        z = torch.as_tensor(self.latents(len(wanted), random_state)).to(device).requires_grad_()
        optimiser = torch.optim.Adam([z], lr=rate)
        for _ in range(steps):
            error = (self.sampler_.generator(z, condition) - wanted).square().mean((1, 2, 3))
            loss = (error + _PRIOR * z.square().mean(1)).sum()
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimiser.step()
        found: np.ndarray = z.detach().cpu().numpy()
        return found

    def _vectors(self, name: str, z: Any) -> Tensor:
        check_is_fitted(self)
        array = np.atleast_2d(np.asarray(z, dtype=np.float32))
        latent = self.sampler_.recipe.latent
        if array.ndim != 2 or array.shape[1] != latent:
            raise InvalidParameterError(
                f"{name} must be latent vectors of length {latent}, got the shape {array.shape}."
            )
        return torch.as_tensor(array).to(self.sampler_.device)

    def _condition(self, y: Any, n: int) -> Tensor | None:
        places = wanted_places(self.sampler_, y, n)
        if self.sampler_.labels is not None and places is None:
            raise InvalidParameterError("The model was fitted with labels: say which in y.")
        factors = None
        if sum(self.sampler_.recipe.codes):
            factors = np.zeros((n, sum(self.sampler_.recipe.codes)), dtype=np.float32)
            factors[:, 0] = float(self.sampler_.recipe.codes[0] > 0)
        return self.sampler_.condition(places, factors)

    def _generated(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return self.sampler_.generate(z, condition)

    def _restored(self, images: Tensor) -> np.ndarray:
        return self.spec_.restore(images.cpu().numpy())

    def _style_network(self, what: str) -> StyleGenerator:
        check_is_fitted(self)
        network = self.sampler_.generator
        if not isinstance(network, StyleGenerator):
            raise InvalidParameterError(
                f"{what} needs a style-based recipe; {self.sampler_.recipe.name!r} is none."
            )
        return network


def slerp(ends: Tensor, shares: Tensor) -> Tensor:
    """Return vectors on the great circle between two, with lengths in between.

    Parameters
    ----------
    ends : Tensor of shape (2, latent)
    shares : Tensor of shape (steps, 1)
        In [0, 1].
    """
    lengths = ends.norm(dim=1, keepdim=True).clamp(min=1e-6)
    unit = ends / lengths
    cosine = (unit[0] @ unit[1]).clamp(-1.0, 1.0)
    angle = torch.arccos(cosine)
    if float(angle.sin()) < 1e-4:
        return torch.lerp(ends[:1], ends[1:], shares)
    way = ((1 - shares) * angle).sin() * unit[:1] + (shares * angle).sin() * unit[1:]
    bow: Tensor = way / angle.sin() * torch.lerp(lengths[:1], lengths[1:], shares)
    return bow
