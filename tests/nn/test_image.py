from __future__ import annotations

from typing import Any

import pytest
import torch

from synthgen.nn.image.build import build_image_critic, build_image_generator
from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.growing import GrowingTrunk, Stage
from synthgen.nn.image.layers import (
    ConditionalNorm,
    MinibatchDiscrimination,
    MinibatchStd,
    SelfAttention,
    normalise_spectra,
)
from synthgen.nn.image.plain import Bottleneck
from synthgen.nn.image.style import StyledConv, StyleGenerator

ARCHITECTURES = ("dense", "strided", "residual", "style", "style2", "plain", "skip")
SIZES = [(1, 8, 8), (3, 28, 28), (2, 9, 33), (4, 64, 40)]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def generator_of(architecture: str, geometry: Geometry, condition: int = 0, **options: Any) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return build_image_generator(
            architecture, geometry, latent=16, width=8, condition=condition, **options
        )


def critic_of(architecture: str, geometry: Geometry, **options: Any) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return build_image_critic(architecture, geometry, width=8, **options)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_any_size_and_number_of_channels(architecture: str, size: tuple[int, int, int]) -> None:
    geometry = Geometry(*size)
    net = generator_of(architecture, geometry, condition=3)
    z, condition = torch.randn(4, 16, generator=rng()), torch.eye(3)[[0, 1, 2, 0]]
    images = net(z, condition, rng())
    assert images.shape == (4, *size)
    assert images.abs().max() <= 1
    critic = critic_of(architecture, geometry, label_sizes=(3,), conditioning="projection")
    scores = critic(torch.cat([images.flatten(1), condition], dim=1))
    assert scores.shape == (4,)
    scores.sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name


def test_geometry() -> None:
    assert Geometry(1, 32, 32).halvings == 3
    assert Geometry(1, 28, 28).widths(32) == [128, 64, 32]
    assert Geometry(1, 8, 200).grid(1) == (8, 200)
    images = torch.arange(16.0).view(1, 1, 4, 4)
    assert Geometry(1, 2, 4).crop(images)[0, 0, :, 0].tolist() == [4.0, 8.0]


@pytest.mark.parametrize("conditioning", ["concat", "embedding", "projection"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_condition_reaches_both(architecture: str, conditioning: str) -> None:
    geometry = Geometry(1, 8, 8)
    net = generator_of(architecture, geometry, condition=3)
    z = torch.randn(2, 16, generator=rng())
    one, two = (net(z, torch.eye(3)[[k, k]]) for k in (0, 1))
    assert not torch.allclose(one, two)
    critic = critic_of(architecture, geometry, label_sizes=(3,), conditioning=conditioning)
    images = torch.rand(2, 64, generator=rng())
    one, two = (critic(torch.cat([images, torch.eye(3)[[k, k]]], dim=1)) for k in (0, 1))
    assert not torch.allclose(one, two)


def test_penalties_do_not_see_the_condition() -> None:
    critic = critic_of("strided", Geometry(1, 8, 8), label_sizes=(3,), conditioning="projection")
    records = torch.rand(2, 67, generator=rng()).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(records).sum(), records)
    assert gradient[:, 64:].abs().max() == 0
    assert gradient[:, :64].abs().max() > 0


def test_conditional_norm_starts_near_plain_norm() -> None:
    h, condition = torch.randn(8, 4, 3, 3, generator=rng()), torch.eye(8)
    norm = ConditionalNorm(4, 8)
    plain = torch.nn.functional.batch_norm(h, None, None, training=True)
    torch.testing.assert_close(norm(h, condition), plain, atol=0.3, rtol=0.3)


def test_minibatch_layers_stay_within_groups() -> None:
    h = torch.randn(8, 5, 2, 2, generator=rng())
    other = torch.cat([h[:4], torch.zeros(4, 5, 2, 2)])
    layer = MinibatchStd(4)
    assert torch.equal(layer(h)[:4], layer(other)[:4])
    assert layer(other)[4:, 5].abs().max() < 1e-3
    assert layer(h).shape == (8, 6, 2, 2)
    assert layer(h[:3])[:, 5].abs().max() == 0
    flat = torch.randn(32, 6, generator=rng())
    compare = MinibatchDiscrimination(6, kernels=3, dimensions=2, group=16)
    changed = torch.cat([flat[:16], torch.zeros(16, 6)])
    assert torch.equal(compare(flat)[:16], compare(changed)[:16])
    torch.testing.assert_close(compare(changed)[16:, 6:], torch.full((16, 3), 15.0))


def test_attention_starts_as_nothing() -> None:
    h = torch.randn(2, 16, 4, 4, generator=rng())
    layer = SelfAttention(16)
    assert torch.equal(layer(h), h)
    torch.nn.init.ones_(layer.gain)
    assert not torch.allclose(layer(h), h)


def test_bottlenecks_start_as_nothing() -> None:
    h = torch.randn(2, 14, 4, 4, generator=rng())
    assert torch.equal(Bottleneck(14, group=16, depth=3)(h), h)


def test_spectral_norm_reaches_convolutions_and_spares_gains() -> None:
    net = generator_of("strided", Geometry(1, 8, 8), condition=3)
    normalise_spectra(net)
    net(torch.randn(4, 16, generator=rng()), torch.eye(3)[[0, 1, 2, 0]])
    names = {name.split(".parametrizations")[0] for name, _ in net.named_parameters()}
    assert {"first", "last", "convs.0"} <= names
    assert "norms.0.affine.weight" in dict(net.named_parameters())
    # One power iteration a pass; 300 are enough whatever the weights that were drawn.
    for _ in range(300):
        net(torch.randn(4, 16, generator=rng()), torch.eye(3)[[0, 1, 2, 0]])
    assert torch.linalg.matrix_norm(net.first.weight, 2).item() == pytest.approx(1.0, abs=0.02)


def test_modulated_convolutions_keep_the_spread() -> None:
    conv = StyledConv(32, 32, 8, modulated=True)
    torch.nn.init.normal_(conv.style.weight, std=1.0)
    h = torch.randn(16, 32, 8, 8, generator=rng())
    out = conv(h, torch.randn(16, 8, generator=rng()), None)
    assert 0.7 < out.std().item() < 1.5


def test_adaptive_instance_norm_sets_mean_and_spread() -> None:
    conv = StyledConv(4, 4, 8, modulated=False)
    torch.nn.init.zeros_(conv.style.weight)
    with torch.no_grad():
        conv.style.bias[:4], conv.style.bias[4:] = 2.0, 5.0
    out = conv(torch.randn(3, 4, 8, 8, generator=rng()), torch.zeros(3, 8), None)
    torch.testing.assert_close(out.mean((2, 3)), torch.full((3, 4), 5.0), atol=1e-3, rtol=0)
    torch.testing.assert_close(out.std((2, 3)), torch.full((3, 4), 2.0), atol=0.1, rtol=0)


def test_style_generators_keep_a_centre_and_mix() -> None:
    net: StyleGenerator = generator_of("style", Geometry(1, 16, 16))
    z = torch.randn(8, 16, generator=rng())
    net.eval()
    net(z, None, rng())
    assert net.centre.abs().max() == 0
    net.train()
    net(z, None, rng())
    assert net.centre.abs().max() > 0
    net.mixing = 1.0
    mixed = net._mixed(net.map(z)[:, None].expand(-1, net.n_layers, -1), z, None, rng(1))
    assert torch.equal(mixed[:, 0], net.map(z))
    assert not torch.equal(mixed[:, -1], net.map(z))
    net.eval()
    assert torch.equal(net.map(z, psi=0.0), net.centre.expand(8, -1))
    assert torch.equal(net(z), net(z))


def test_further_outputs_of_a_critic() -> None:
    critic = critic_of(
        "strided",
        Geometry(2, 8, 8),
        label_sizes=(3, 2),
        conditioning="none",
        codes=(4, 2),
        class_head=True,
        decoder=True,
    )
    labels = torch.cat([torch.eye(3), torch.eye(2)[[0, 1, 0]]], dim=1)
    records = torch.cat([torch.rand(3, 128, generator=rng()), labels, torch.zeros(3, 6)], dim=1)
    torch.nn.init.zeros_(critic.classes.weight)
    torch.nn.init.zeros_(critic.classes.bias)
    expected = torch.full((3,), torch.log(torch.tensor(6.0)).item())
    torch.testing.assert_close(critic.class_loss(records), expected)
    assert critic.code_loss(records).shape == (3,)
    assert critic.redraw_error(records).shape == (3,)
    bare = critic_of("strided", Geometry(2, 8, 8))
    for name in ("class_loss", "code_loss", "redraw_error"):
        with pytest.raises(ValueError, match="This critic"):
            getattr(bare, name)(records)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_convolutions_have_channels_last_and_the_same_images(architecture: str) -> None:
    geometry = Geometry(3, 12, 16)
    net = generator_of(architecture, geometry, condition=2).eval()
    weights = [p for p in net.parameters() if p.ndim == 4 and min(p.shape[1:]) > 1]
    for weight in weights:
        assert weight.is_contiguous(memory_format=torch.channels_last)
    z, condition = torch.randn(4, 16, generator=rng()), torch.eye(2)[[0, 1, 0, 1]]
    with torch.no_grad():
        images = net(z, condition, rng())
        plain = net.to(memory_format=torch.contiguous_format)(z, condition, rng())
    torch.testing.assert_close(images, plain, atol=1e-5, rtol=1e-4)


def test_a_stem_sees_a_pattern_of_two_pixels_from_its_first_layer_on() -> None:
    geometry = Geometry(1, 16, 16)
    bare = critic_of("strided", geometry)
    stemmed = critic_of("strided", geometry, stem=True)
    first = stemmed.trunk.layers[0]
    assert (first.stride, first.out_channels) == ((1, 1), 4)
    assert bare.trunk.layers[0].stride == (2, 2)
    assert stemmed.trunk.features == bare.trunk.features
    assert stemmed(torch.zeros(2, 256)).shape == (2,)


@pytest.mark.parametrize("size", [(1, 8, 8), (3, 28, 28), (2, 9, 33), (1, 30, 64)])
@pytest.mark.parametrize("architecture", ["style", "style2"])
def test_networks_of_every_size_on_the_way(architecture: str, size: tuple[int, int, int]) -> None:
    geometry = Geometry(*size)
    net = generator_of(architecture, geometry, condition=3, growing=True)
    critic = critic_of(
        architecture, geometry, label_sizes=(3,), conditioning="projection", growing=True
    )
    assert isinstance(critic.trunk, GrowingTrunk)
    z, condition = torch.randn(4, 16, generator=rng()), torch.eye(3)[[0, 1, 2, 0]]
    for grown in (*(k / 2 for k in range(2 * geometry.halvings)), float(geometry.halvings)):
        for part in (net, critic.trunk):
            part.grown.fill_(grown)
        images = net(z, condition, rng())
        assert images.shape == (4, *size)
        assert images.abs().max() <= 1
        scores = critic(torch.cat([images.flatten(1), condition], dim=1))
        assert scores.shape == (4,)
    scores.sum().backward()
    for name, parameter in net.named_parameters():
        coarse = architecture == "style" and name.startswith("outputs.")
        if not coarse or name.startswith(f"outputs.{geometry.halvings}"):
            assert parameter.grad is not None, name


@pytest.mark.parametrize("architecture", ["style", "style2"])
def test_growth_has_no_jumps(architecture: str) -> None:
    """A grid that is about to fade in draws, and is judged, as if it were not there."""
    geometry = Geometry(1, 16, 16)
    net = generator_of(architecture, geometry, growing=True).eval()
    trunk = critic_of(architecture, geometry, growing=True).trunk
    z = torch.randn(4, 16, generator=rng())
    for level in (0, 1):
        results = []
        for grown in (level, level + 1e-6, level + 1.0):
            net.grown.fill_(grown)
            trunk.grown.fill_(grown)
            results.append((net(z), trunk(net(z))))
        torch.testing.assert_close(results[0], results[1], atol=1e-4, rtol=1e-4)
        assert not torch.allclose(results[0][0], results[2][0], atol=1e-3)


def test_stages_coarsen_images() -> None:
    images = torch.arange(36.0).view(1, 1, 6, 6)
    whole = Stage.of(2.0).coarsened(images, 2)
    assert torch.equal(whole, images)
    half = Stage.of(1.0).coarsened(images, 2)
    assert torch.equal(half[0, 0, :2, :2], torch.full((2, 2), 3.5))
    torch.testing.assert_close(Stage.of(1.5).coarsened(images, 2), (whole + half) / 2)
    odd = Stage.of(0.0).coarsened(images[:, :, :5, :5], 1)
    assert odd.shape == (1, 1, 5, 5)
    assert odd[0, 0, 4, 4].item() == images[0, 0, 4, 4].item()


def test_a_full_grown_network_draws_as_one_that_never_grew() -> None:
    geometry = Geometry(3, 12, 16)
    plain = generator_of("style2", geometry).eval()
    growing = generator_of("style2", geometry, growing=True).eval()
    z = torch.randn(4, 16, generator=rng())
    assert torch.equal(plain(z), growing(z))
    assert "grown" not in plain.state_dict()


def test_styles_are_mixed_among_layers_in_use() -> None:
    net = generator_of("style", Geometry(1, 32, 32), growing=True)
    net.grown.zero_()
    z = torch.randn(64, 16, generator=rng())
    mixed = net._mixed(net.map(z)[:, None].expand(-1, net.n_layers, -1), z, None, rng(1))
    assert (mixed[:, 1] != net.map(z)).any(1).all()
