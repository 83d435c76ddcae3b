import numpy as np
import pytest
import torch

from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.public_features import PublicFeatures


def images(geometry: Geometry, n: int = 6, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    shape = (n, geometry.channels, geometry.height, geometry.width)
    return torch.rand(shape, generator=rng) * 2 - 1


@pytest.mark.parametrize(
    "geometry",
    [Geometry(1, 8, 8), Geometry(1, 28, 28), Geometry(3, 12, 20), Geometry(4, 48, 33)],
    ids=str,
)
def test_vectors_have_length_one_at_most_and_gradients(geometry: Geometry) -> None:
    features = PublicFeatures(geometry, n_waves=20)
    pixels = images(geometry)
    # White, black and grey images are the ones with lengths near zero.
    pixels[0], pixels[1], pixels[2] = 1.0, -1.0, 0.0
    pixels.requires_grad_()
    vectors = features(pixels)
    assert vectors.shape == (6, features.length)
    assert (vectors.norm(dim=1) <= 1 + 1e-5).all()
    assert (vectors.norm(dim=1)[3:] > 0.99).all()
    torch.autograd.backward(vectors.square().sum() + vectors.sum())
    assert pixels.grad is not None
    assert torch.isfinite(pixels.grad).all()
    assert (pixels.grad[3:].abs().sum((1, 2, 3)) > 0).all()


def test_features_are_public_and_each_image_is_by_itself() -> None:
    geometry = Geometry(1, 12, 12)
    torch.manual_seed(5)
    first = PublicFeatures(geometry, n_waves=30)
    torch.manual_seed(6)
    again = PublicFeatures(geometry, n_waves=30)
    pixels = images(geometry)
    assert torch.equal(first(pixels), again(pixels))
    alone = torch.cat([first(pixels[k : k + 1]) for k in range(len(pixels))])
    torch.testing.assert_close(alone, first(pixels))


def test_products_of_waves_approximate_a_gaussian_kernel() -> None:
    geometry = Geometry(1, 8, 8)
    features = PublicFeatures(geometry, n_waves=40_000)
    pixels = images(geometry, 5)
    start = geometry.n_pixels + len(features.first)
    waves = features(pixels)[:, start : start + 80_000] / np.sqrt(0.2)
    light = ((pixels + 1) / 2).flatten(1)
    squares = torch.cdist(light, light).square()
    wanted = sum(torch.exp(-squares / (2 * (8 / share) ** 2)) for share in (7.0, 3.5)) / 2
    torch.testing.assert_close(waves @ waves.T, wanted, atol=0.02, rtol=0)


def test_edges_tell_apart_what_covariances_of_pixels_do_not() -> None:
    geometry = Geometry(1, 16, 16)
    features = PublicFeatures(geometry, n_waves=200)
    across = torch.zeros(1, 1, 16, 16)
    across[:, :, ::4] = 1.0
    gaps = features(torch.cat([across, across.transpose(2, 3)]))[:, -400:]
    assert (gaps[0] - gaps[1]).norm() > 0.2
