"""Generated rows and images for training: over-sampling, classifiers, data sets, imputation.

Start with :func:`augmentation_report`: it says whether generated rows help on your data at all,
next to class weights, a tuned threshold and SMOTE.

>>> from sklearn.datasets import make_classification
>>> from synthgen import GaussianCopula
>>> from synthgen.augment import SyntheticResampler
>>> X, y = make_classification(200, weights=[0.9], random_state=0)
>>> X_more, y_more = SyntheticResampler(GaussianCopula(), random_state=0).fit_resample(X, y)
>>> bool((y_more == 0).sum() == (y_more == 1).sum())
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from synthgen.augment.classifier import AugmentedClassifier
from synthgen.augment.counterfactuals import counterfactuals
from synthgen.augment.imputer import SyntheticImputer
from synthgen.augment.pooling import PooledEstimate, pool
from synthgen.augment.report import AugmentationReport, augmentation_report
from synthgen.augment.resampler import SyntheticResampler
from synthgen.augment.transforms import Albumentations, SyntheticMix, as_albumentations

if TYPE_CHECKING:
    from synthgen.augment.datasets import MixedDataset as MixedDataset
    from synthgen.augment.datasets import SyntheticDataset as SyntheticDataset

#: Loaded on first use, since they import torch.
_TORCH: Final = ("MixedDataset", "SyntheticDataset")

__all__ = [
    "Albumentations",
    "AugmentationReport",
    "AugmentedClassifier",
    "MixedDataset",
    "PooledEstimate",
    "SyntheticDataset",
    "SyntheticImputer",
    "SyntheticMix",
    "SyntheticResampler",
    "as_albumentations",
    "augmentation_report",
    "counterfactuals",
    "pool",
]


def __getattr__(name: str) -> object:
    """Import a data set of torch on first use (PEP 562)."""
    if name not in _TORCH:
        raise AttributeError(f"module 'synthgen.augment' has no attribute {name!r}")
    value: object = getattr(import_module("synthgen.augment.datasets"), name)
    globals()[name] = value
    return value
