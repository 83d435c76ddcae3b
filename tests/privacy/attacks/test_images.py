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


def test_the_order_of_the_images_tells_nothing():
    # Class by class, of which one half is dark: the first rows alone know nothing of the other.
    def classes(n, seed):
        own = images(n, seed).astype(float)
        own[n // 2 :] /= 4
        return own.astype(np.uint8)

    members, holdout, reference = classes(300, 0), classes(300, 1), classes(60, 2)
    copies = np.repeat(members, 4, axis=0)
    shuffled = copies[np.random.default_rng(3).permutation(len(copies))]
    areas = []
    for made in (copies, shuffled):
        arena = arena_of_images(made, members, holdout, reference)
        areas.append(image_logan_black_box(arena, n_estimators=30))
    assert areas[0].auc_interval[1] > areas[1].auc > areas[0].auc_interval[0]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.full((20, 1, 4, 4), np.nan), "NaN"),
        ([np.zeros((4, 4)), np.zeros((5, 5))], "one layout"),
        (3, "array of images"),
        (np.full((20, 4, 4), "1"), "array of images"),
    ],
)
def test_what_are_no_images(given, says):
    good = images(20, 0)
    with pytest.raises(InvalidDataError, match=says):
        arena_of_images(given, good, good)
    with pytest.raises(InvalidDataError, match="holdout"):
        arena_of_images(good, good, given)


@pytest.mark.parametrize(
    "features",
    [
        lambda own: np.zeros((3, 2)),
        lambda own: np.full((len(own), 2), "a"),
        lambda own: np.full((len(own), 2), np.nan),
        lambda own: own @ np.zeros(3),
        lambda own: 7,
    ],
)
def test_features_that_make_no_sense(features):
    good = images(20, 0)
    with pytest.raises(InvalidParameterError, match="features must give"):
        arena_of_images(good, good, good, features=features)
