"""The critic of images: a trunk, and what is read off its features."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from synthgen.nn.blocks import low_precision
from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.layers import MinibatchDiscrimination, MinibatchStd, Trunk
from synthgen.nn.image.skip import Decoder


class ImageCritic(nn.Module):
    """Scores records: rows of pixels, labels (one-hot) and codes.

    Parameters
    ----------
    geometry : Geometry
    trunk : Trunk
        From images, with the condition's planes, to features (n, trunk.features, height, width).
    label_sizes : tuple of int
        Number of values of each attribute; empty without labels.
    conditioning : {"none", "concat", "embedding", "projection"}
        How labels enter the score.
    codes : tuple of int
        Values of the categorical code and number of continuous ones; (0, 0) for none.
    class_head, decoder, minibatch_std, minibatch_discrimination : bool
        Which of these parts there are.
    judges_apart : bool
        Whether real and fake records must not share a pass, because of batch normalisation.
    bfloat16 : bool
        Whether the trunk computes in that precision.
    """

    trunk: Trunk

    def __init__(
        self,
        geometry: Geometry,
        trunk: Trunk,
        *,
        label_sizes: tuple[int, ...],
        conditioning: str,
        codes: tuple[int, int],
        class_head: bool = False,
        decoder: bool = False,
        minibatch_std: bool = False,
        minibatch_discrimination: bool = False,
        judges_apart: bool = False,
        bfloat16: bool = False,
    ) -> None:
        super().__init__()
        self.geometry, self.trunk = geometry, trunk
        self.label_sizes, self.codes = label_sizes, codes
        self.judges_apart, self._in_bfloat16 = judges_apart, bfloat16
        #: Whether the score of a record depends on others.
        self.couples_records = judges_apart or minibatch_std or minibatch_discrimination
        self.n_pixels = geometry.n_pixels
        self.shape = (geometry.channels, geometry.height, geometry.width)
        labels = sum(label_sizes)
        self.n_labels = labels
        self.conditioning = conditioning if labels else "none"
        width = trunk.features + minibatch_std
        self.spread = MinibatchStd() if minibatch_std else None
        self.compare = MinibatchDiscrimination(width) if minibatch_discrimination else None
        self.n_features = width + (self.compare.kernels if self.compare is not None else 0)
        self.score = nn.Linear(self.n_features, 1)
        self.plane = self.projection = self.classes = self.read = self.redraw = None
        if self.conditioning == "embedding":
            self.plane = nn.Linear(labels, geometry.height * geometry.width)
        if self.conditioning == "projection":
            self.projection = nn.Linear(labels, self.n_features, bias=False)
        if class_head and labels:
            self.classes = nn.Linear(self.n_features, labels)
        if sum(codes):
            self.read = nn.Linear(self.n_features, codes[0] + 2 * codes[1])
        if decoder:
            self.redraw = Decoder(trunk.features, geometry.channels)

    @staticmethod
    def planes(conditioning: str, labels: int) -> int:
        """Return how many planes the condition adds to the images."""
        return {"concat": labels, "embedding": min(labels, 1)}.get(conditioning, 0)

    def in_full_precision(self) -> ImageCritic:
        """Compute in float32 from now on; return this critic."""
        self._in_bfloat16 = False
        return self

    def forward(self, records: Tensor) -> Tensor:
        """Return scores, (n,)."""
        features = self.features(records)
        scores: Tensor = self.score(features)[:, 0]
        if self.projection is not None:
            scores = scores + (self.projection(self._labels(records)) * features).sum(1)
        return scores

    def features(self, records: Tensor) -> Tensor:
        """Return features, (n, n_features)."""
        grid = self._grid(records)
        if self.spread is not None:
            grid = self.spread(grid)
        features: Tensor = grid.sum((2, 3))
        if self.compare is not None:
            features = self.compare(features)
        return features

    def class_loss(self, records: Tensor) -> Tensor:
        """Return the cross-entropy of the labels, (n,)."""
        if self.classes is None:
            raise ValueError("This critic has no head for classes.")
        said = self.classes(self.features(records))
        return self._cross_entropy(said, self._labels(records), self.label_sizes)

    def code_loss(self, records: Tensor, continuous_weight: float = 1.0) -> Tensor:
        """Return the negative log-likelihood of the codes, (n,)."""
        if self.read is None:
            raise ValueError("This critic reads no codes.")
        categories, continuous = self.codes
        wanted = records[:, self.n_pixels + self.n_labels :].detach()
        said = self.read(self.features(records))
        total: Tensor = said[:, :0].sum(1)
        if categories:
            total = total + self._cross_entropy(
                said[:, :categories], wanted[:, :categories], (categories,)
            )
        if continuous:
            mean, log_spread = said[:, categories:].chunk(2, dim=1)
            log_spread = log_spread.clamp(-2.0, 2.0)
            error = (wanted[:, categories:] - mean) / log_spread.exp()
            each = 0.5 * error.square() + log_spread + 0.5 * math.log(2 * math.pi)
            total = total + continuous_weight * each.sum(1)
        return total

    def redraw_error(self, records: Tensor) -> Tensor:
        """Return the mean absolute error of images redrawn from their features, (n,)."""
        if self.redraw is None:
            raise ValueError("This critic has no decoder.")
        drawn = self.redraw(self._grid(records))
        images = records[:, : self.n_pixels].reshape(-1, *self.shape)
        wanted = nn.functional.interpolate(images, drawn.shape[2:], mode="area")
        error: Tensor = (drawn - wanted).abs().mean((1, 2, 3))
        return error

    def _grid(self, records: Tensor) -> Tensor:
        images = records[:, : self.n_pixels].reshape(-1, *self.shape)
        labels = self._labels(records)
        if self.conditioning == "concat":
            planes = labels[:, :, None, None].expand(-1, -1, *self.shape[1:])
            images = torch.cat([images, planes], dim=1)
        elif self.plane is not None:
            plane = self.plane(labels).view(-1, 1, *self.shape[1:])
            images = torch.cat([images, plane], dim=1)
        with low_precision(images.device, self._in_bfloat16):
            grid: Tensor = self.trunk(images)
        return grid.float()

    def _labels(self, records: Tensor) -> Tensor:
        # No gradient: a penalty on the critic's slope is about pixels.
        return records[:, self.n_pixels : self.n_pixels + self.n_labels].detach()

    @staticmethod
    def _cross_entropy(logits: Tensor, wanted: Tensor, sizes: tuple[int, ...]) -> Tensor:
        total = logits[:, :0].sum(1)
        parts = (torch.split(tensor, list(sizes), dim=1) for tensor in (logits, wanted))
        for said, hot in zip(*parts, strict=True):
            total = total - (hot * said.log_softmax(1)).sum(1)
        return total
