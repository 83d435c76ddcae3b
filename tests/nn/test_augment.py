from __future__ import annotations

import pytest
import torch

from synthgen.errors import InvalidParameterError
from synthgen.nn.augment import (
    POLICIES,
    augment,
    has_flat_background,
    policy_for,
    reflect,
    resample,
)

ALL = tuple(POLICIES)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int = 6, channels: int = 3, height: int = 9, width: int = 12) -> torch.Tensor:
    return torch.rand(n, channels, height, width, generator=generator(9)) * 2 - 1


@pytest.mark.parametrize("name", ALL)
def test_nothing_changes_with_probability_zero_and_all_with_one(name: str) -> None:
    images = pictures(40)
    assert torch.equal(augment(images, (name,), generator(), p=0.0), images)
    changed = (augment(images, (name,), generator()) != images).flatten(1).any(dim=1)
    assert changed.float().mean() > 0.8  # a shift may be by no pixel
    some = (augment(images, (name,), generator(), p=0.5) != images).flatten(1).any(dim=1)
    assert 5 <= some.sum() <= 33


def test_an_empty_policy_changes_nothing() -> None:
    assert torch.equal(augment(pictures(), (), generator()), pictures())


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (3, 4, 7, 13), (2, 3, 1, 5), (2, 1, 28, 28)])
def test_any_shape_and_channel_count(shape: tuple[int, ...]) -> None:
    images = torch.rand(shape, generator=generator()) * 2 - 1
    made = augment(images, ALL, generator())
    assert made.shape == shape
    assert torch.isfinite(made).all()


def test_the_generator_decides() -> None:
    images = pictures()
    first = augment(images, ALL, generator(1), p=0.7)
    assert torch.equal(first, augment(images, ALL, generator(1), p=0.7))
    assert not torch.equal(first, augment(images, ALL, generator(2), p=0.7))


def test_the_order_of_names_does_not_matter() -> None:
    images = pictures()
    forward, backward = (augment(images, names, generator()) for names in (ALL, ALL[::-1]))
    assert torch.equal(forward, backward)


def test_real_and_generated_images_of_other_values_get_the_same_change() -> None:
    """Two equal generators treat two batches alike: a pair can be augmented jointly."""
    names = ("rotation", "scale", "translation", "cutout")
    one = augment(pictures(), names, generator(3))
    two = augment(2 * pictures(), names, generator(3))
    assert torch.allclose(two, 2 * one, atol=1e-6)


def test_translation_moves_by_whole_pixels_and_reflects() -> None:
    row = torch.arange(16.0).expand(200, 1, 3, 16).clone()
    moved = augment(row, ("translation",), generator())
    seen = set()
    for image in moved:
        assert torch.equal(image[0, 0], image[0, 1])  # rows are equal, whatever moved vertically
        shift = int((image[0, 0, 8] - 8).item())
        seen.add(shift)
        places = (torch.arange(16) + shift).abs()
        places = torch.where(places > 15, 30 - places, places)
        assert torch.equal(image[0, 0], row[0, 0, 0][places])
    assert seen == {-2, -1, 0, 1, 2}  # an eighth of 16


def test_cutout_zeroes_one_rectangle_of_half_the_sides() -> None:
    holes = augment(torch.ones(300, 2, 8, 12), ("cutout",), generator()) == 0
    assert torch.equal(holes[:, 0], holes[:, 1])
    heights = holes[:, 0].any(dim=2).sum(dim=1)
    widths = holes[:, 0].any(dim=1).sum(dim=1)
    assert torch.equal(heights * widths, holes[:, 0].sum(dim=(1, 2)))
    assert (int(heights.max()), int(widths.max())) == (4, 6)
    # Centres lie anywhere, so that some rectangles are cut off by the rim.
    assert (int(heights.min()), int(widths.min())) == (2, 3)


def test_colour_keeps_shape_and_is_affine_per_image() -> None:
    images = pictures(50, channels=1)
    made = augment(images, ("colour",), generator())
    slopes = []
    for old, new in zip(images.flatten(1), made.flatten(1), strict=True):
        slope = float((new[1] - new[0]) / (old[1] - old[0]))
        assert torch.allclose(new - new.mean(), slope * (old - old.mean()), atol=1e-4)
        slopes.append(slope)
    assert 0.49 < min(slopes) < 0.7
    assert 1.3 < max(slopes) < 1.51
    moved = (made - images).mean(dim=(1, 2, 3))
    assert 0.3 < float(moved.abs().max()) <= 0.5


def test_saturation_is_for_colours_only() -> None:
    grey = pictures(20, channels=1).expand(-1, 3, -1, -1)
    made = augment(grey, ("colour",), generator())
    assert torch.allclose(made[:, 0], made[:, 2], atol=1e-6)
    alone = augment(grey[:, :1], ("colour",), generator())
    assert torch.allclose(made[:, :1], alone, atol=1e-6)
    coloured = pictures(20)
    spread = augment(coloured, ("colour",), generator()).var(dim=1).mean(dim=(1, 2))
    assert spread.min() < 0.1 * coloured.var(dim=1).mean()


def test_rotation_by_a_right_angle_is_exact() -> None:
    image = torch.arange(9.0).view(1, 1, 3, 3)
    quarter = torch.tensor([[[0.0, -1.0], [1.0, 0.0]]])
    assert torch.allclose(resample(image, quarter), image.rot90(-1, (2, 3)), atol=1e-5)
    assert torch.allclose(resample(image, torch.eye(2)[None]), image)


def test_scale_enlarges_about_the_centre() -> None:
    image = torch.arange(5.0).expand(1, 1, 5, 5).clone()
    doubled = resample(image, torch.eye(2)[None] / 2)
    assert doubled[0, 0, 2].tolist() == [1.0, 1.5, 2.0, 2.5, 3.0]
    halved = resample(image, torch.eye(2)[None] * 2)
    assert halved[0, 0, 2].tolist() == [2.0, 0.0, 2.0, 4.0, 2.0]  # mirrors at both ends


def test_a_symmetric_disc_survives_rotation() -> None:
    axis = torch.linspace(-1, 1, 32)
    disc = torch.exp(-4 * (axis[:, None] ** 2 + axis[None, :] ** 2)).expand(8, 1, 32, 32).clone()
    turned = augment(disc, ("rotation",), generator())
    assert float((turned - disc)[..., 8:24, 8:24].abs().max()) < 0.01


def test_reflect_never_leaves_the_image() -> None:
    places = torch.arange(-50, 50)
    for size in (1, 2, 5):
        folded = reflect(places, size)
        assert int(folded.min()) >= 0
        assert int(folded.max()) == size - 1
    assert torch.equal(reflect(torch.arange(5), 5), torch.arange(5))


@pytest.mark.parametrize("name", ALL)
def test_gradients_are_right_twice(name: str) -> None:
    images = pictures(2, 2, 4, 5).double().requires_grad_()

    def changed(pixels: torch.Tensor) -> torch.Tensor:
        return augment(pixels, (name,), generator(4), p=0.9)

    assert torch.autograd.gradcheck(changed, images)
    assert torch.autograd.gradgradcheck(lambda pixels: changed(pixels) ** 2, images)


def test_wrong_use_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="policy must be one of 'colour'"):
        augment(pictures(), ("flip",), generator())
    with pytest.raises(InvalidParameterError, match="p must be"):
        augment(pictures(), ("colour",), generator(), p=1.5)
    with pytest.raises(InvalidParameterError, match="n_images"):
        policy_for(0)


def test_policies_grow_as_images_get_fewer() -> None:
    assert policy_for(50_000) == ()
    assert policy_for(5_000) == ("colour", "translation")
    assert policy_for(4_999) == ("colour", "translation", "cutout")
    assert "colour" not in policy_for(100, flat_background=True)
    assert set(policy_for(1)) <= set(ALL)


def test_flat_backgrounds_are_seen() -> None:
    assert not has_flat_background(pictures())
    assert not has_flat_background(torch.zeros(3, 1, 8, 8))
    digits = torch.zeros(3, 1, 8, 8)
    digits[:, :, 3:5, 3:5] = 1.0
    assert has_flat_background(digits)
    assert has_flat_background(1 - digits)
