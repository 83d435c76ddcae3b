import numpy as np
import pytest

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.privacy.attacks.images_logan import image_logan_black_box, image_logan_white_box
from synthgen.privacy.attacks.images_nearest import image_nearest
from synthgen.privacy.attacks.images_space import arena_of_images


def images(n, seed, side=12):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, size=(n, 1, side, side)).astype(np.uint8)


def noisy(own, seed=9):
    noise = np.random.default_rng(seed).normal(0, 8, own.shape)
    return np.clip(own + noise, 0, 255).astype(np.uint8)


def test_noisy_copies_are_found_and_fresh_images_are_not():
    members, holdout, fresh = images(200, 0), images(400, 1), images(200, 2)
    leak = image_nearest(arena_of_images(noisy(members), members, holdout))
    assert leak.auc > 0.99
    assert leak.details["copy_share"] > 0.9
    assert leak.details["copy_share_holdout"] == 0.0
    safe = image_nearest(arena_of_images(fresh, members, holdout))
    assert safe.auc_interval[0] <= 0.5 <= safe.auc_interval[1]


def test_large_images_are_made_small_and_features_can_be_given():
    members, holdout = images(40, 0, side=64), images(80, 1, side=64)
    arena = arena_of_images(members, members, holdout)
    assert arena.synthetic.numbers.shape[1] <= 64
    own = arena_of_images(
        members, members, holdout, features=lambda pictures: pictures.mean(axis=(2, 3))
    )
    assert own.targets.numbers.shape == (80, 1)


def test_a_critic_that_remembers_is_found():
    members, holdout = images(60, 0), images(120, 1)
    known = {own.tobytes() for own in members}
    arena = arena_of_images(images(60, 2), members, holdout)
    result = image_logan_white_box(
        arena, lambda pictures: [own.tobytes() in known for own in pictures]
    )
    assert result.auc == 1.0
    assert result.threat_model == "the critic of the model"


def test_black_box_on_copies_and_on_fresh_images():
    members, holdout = images(200, 0), images(400, 1)
    leak = image_logan_black_box(arena_of_images(members, members, holdout), n_estimators=30)
    assert leak.auc > 0.9
    safe = image_logan_black_box(arena_of_images(images(200, 3), members, holdout), n_estimators=30)
    assert safe.auc < 0.65


def test_bad_images_are_refused():
    with pytest.raises(InvalidDataError, match="one layout"):
        arena_of_images(images(20, 0), images(20, 0, side=8), images(20, 1))
    with pytest.raises(InvalidDataError, match="8 images"):
        arena_of_images(images(20, 0), images(20, 0), images(10, 1))


def test_places_say_where_a_target_stood():
    members, holdout = images(50, 0), images(80, 1)
    arena = arena_of_images(images(60, 2), members, holdout, max_targets=30)
    inside = arena.population.member
    np.testing.assert_array_equal(arena.pictures[inside], members[arena.places[inside]])
    np.testing.assert_array_equal(arena.pictures[~inside], holdout[arena.places[~inside]])
    assert len(arena.places) == len(arena.pictures) == 60


@pytest.mark.parametrize("given", [[1.0], ["a"] * 90, [float("nan")] * 90])
def test_a_critic_that_gives_no_number_for_each_image_is_refused(given):
    arena = arena_of_images(images(60, 2), images(50, 0), images(80, 1))
    with pytest.raises(InvalidParameterError, match="critic must give one number for each of 90"):
        image_logan_white_box(arena, lambda pictures: given)
