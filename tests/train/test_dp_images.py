from typing import Any

import numpy as np
import pytest
import torch

from synthgen.dp.embedding import Embedding
from synthgen.dp.noise import TestNoise
from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.public_features import PublicFeatures
from synthgen.train.dp_images import EMBEDDING_RECIPE, EmbeddedImages, feature_batches
from synthgen.train.dp_loader import PoissonRows
from synthgen.train.embedding_term import EmbeddingMatch
from synthgen.train.terms import Generated
from synthgen.train.trainer import Budget, Trainer
from tests.train.image_tasks import digits

FEATURES = PublicFeatures(Geometry(1, 8, 8), n_waves=50)


def unit_digits() -> tuple[np.ndarray, np.ndarray]:
    X, y = digits()
    images = (X.reshape(-1, 1, 8, 8) / X.max() * 2 - 1).astype(np.float32)
    return images, y.astype(np.int64)


def embedding(noise: float = 1.0) -> Embedding:
    images, y = unit_digits()
    vectors, codes = zip(*feature_batches(images, y, FEATURES, torch.device("cpu")), strict=True)
    every, places = np.concatenate(vectors), np.concatenate(codes)
    means = np.stack([every[places == k].mean(0) for k in range(10)])
    return Embedding(means, np.bincount(places, minlength=10).astype(float), noise)


def task(**changes: Any) -> EmbeddedImages:
    recipe = EMBEDDING_RECIPE.replace(width=8, critic_width=8, batch_size=80, **changes)
    return EmbeddedImages(
        np.empty((0, 1, 8, 8), dtype=np.float32),
        np.empty((0, 1), dtype=np.int64),
        (10,),
        recipe,
        device=torch.device("cpu"),
        released=embedding(),
        features=FEATURES,
    )


def match(vectors: torch.Tensor, classes: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    targets = {"embedding": wanted, "embedding_weights": torch.ones(len(wanted))}
    generated = Generated(vectors=vectors, classes=classes)
    value, state = EmbeddingMatch()(generated, targets, {})
    assert state == {}
    return value


def test_the_loss_is_the_product_of_the_halves_gaps() -> None:
    vectors = torch.tensor([[1.0], [3.0], [2.0], [5.0]])
    classes = torch.zeros(4, dtype=torch.int64)
    # Halves have the means 1.5 and 4; the wanted mean is 1.
    value = match(vectors, classes, torch.tensor([[1.0]]))
    torch.testing.assert_close(value, torch.full((4,), 0.5 * 3.0))


def test_the_loss_has_no_bias_by_the_spread_of_a_batch() -> None:
    rng = torch.Generator().manual_seed(0)
    classes = torch.arange(8) // 4
    wanted = torch.tensor([[0.5], [0.0]])
    losses = [
        match(torch.randn(8, 1, generator=rng) + wanted[classes], classes, wanted)[0]
        for _ in range(4_000)
    ]
    spread = float(torch.stack(losses).std()) / np.sqrt(4_000)
    assert abs(float(torch.stack(losses).mean())) < 4 * spread
    assert spread < 0.02


def test_a_class_that_a_half_lacks_counts_for_nothing() -> None:
    vectors = torch.tensor([[1.0], [1.0], [9.0], [1.0]])
    classes = torch.tensor([0, 0, 1, 0])
    value = match(vectors, classes, torch.zeros(2, 1))
    torch.testing.assert_close(value[0], torch.tensor(1.0))


def test_generated_classes_are_in_both_halves() -> None:
    own = task()
    fake = own.fake(40, None, torch.Generator().manual_seed(0), adversarial=False)
    classes = fake.view.classes
    assert classes is not None
    assert set(classes[::2].tolist()) == set(classes[1::2].tolist()) == set(range(10))
    hot = fake.records[:, 64:]
    assert torch.equal(hot.argmax(1), classes)


def test_classes_beside_a_critic_are_as_frequent_as_released() -> None:
    released = embedding()
    counts = np.array([900.0, 100.0] + [0.0] * 8)
    own = task()
    own._shares = torch.as_tensor(Embedding(released.means, counts, 1.0).shares)
    fake = own.fake(2_000, None, torch.Generator().manual_seed(0))
    assert fake.view.classes is not None
    found = np.bincount(fake.view.classes.numpy(), minlength=10) / 2_000
    np.testing.assert_allclose(found[:2], [0.9, 0.1], atol=0.03)


def test_training_comes_nearer_to_what_was_released() -> None:
    own = task(generator_rate=3e-3)

    def gap() -> float:
        with torch.enable_grad():
            fake = own.fake(1_000, None, torch.Generator().manual_seed(9), adversarial=False)
        value, _ = EmbeddingMatch()(fake.view, own.targets, {})
        return float(value[0].detach())

    before = gap()
    recipe = own.recipe.replace(steps=60)
    Trainer(own, recipe, Budget(60), seed=0).run()
    assert gap() < 0.4 * before


def test_the_term_wants_features() -> None:
    with pytest.raises(ValueError, match="no features"):
        EmbeddingMatch()(Generated(), {}, {})


def test_fewer_images_than_a_batch_are_drawn_from_what_there_is() -> None:
    images, y = unit_digits()
    few = EmbeddedImages(
        images[:50],
        y[:50, None],
        (10,),
        EMBEDDING_RECIPE.replace(width=8, critic_width=8, batch_size=80),
        device=torch.device("cpu"),
        released=embedding(),
        features=FEATURES,
    )
    assert (few.n_rows, few.n_private) == (80, 50)
    rows = PoissonRows(few.n_private, 1.0, TestNoise(0)).batch()
    assert len(few.real(torch.as_tensor(rows), None)) == 50
