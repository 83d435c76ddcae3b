"""Synthetic tables and images from generative adversarial networks.

``GANSynthesizer().fit(df).sample(n)`` learns a table and returns as many new rows as wanted, with
the same columns, types and gaps. At run time the data goes round once::

    frame --data.schema--> Schema --encode--> codes + Layout --nn--> generator, critic
                                                                          | train
    frame <--data.frame-- columns <--encode.inverse-- codes <--sample-- weights

Each layer imports only from those to its left::

    errors < core < data < { measure | page } < dp < encode < nn < train < sample
           < models < { privacy | evaluate | augment | anomaly } < cli

The public names below are loaded on first use, so that ``import synthgen`` stays fast and does not
import torch.

Examples
--------
>>> import synthgen
>>> synthgen.Schema.__name__
'Schema'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from synthgen import anomaly as anomaly
    from synthgen import augment as augment
    from synthgen import errors as errors
    from synthgen import evaluate as evaluate
    from synthgen import privacy as privacy
    from synthgen.anomaly.detector import GANOutlierDetector as GANOutlierDetector
    from synthgen.augment.classifier import AugmentedClassifier as AugmentedClassifier
    from synthgen.augment.imputer import SyntheticImputer as SyntheticImputer
    from synthgen.augment.resampler import SyntheticResampler as SyntheticResampler
    from synthgen.data import datasets as datasets
    from synthgen.data.column import Column as Column
    from synthgen.data.constraints import FixedCombinations as FixedCombinations
    from synthgen.data.constraints import Inequality as Inequality
    from synthgen.data.constraints import Lookup as Lookup
    from synthgen.data.constraints import OneHot as OneHot
    from synthgen.data.constraints import Predicate as Predicate
    from synthgen.data.constraints import Range as Range
    from synthgen.data.constraints import Sum as Sum
    from synthgen.data.constraints import Unique as Unique
    from synthgen.data.schema import Schema as Schema
    from synthgen.dp.budget import DPEmbedding as DPEmbedding
    from synthgen.dp.budget import DPMarginals as DPMarginals
    from synthgen.dp.sgd_budget import DPSGD as DPSGD
    from synthgen.encode.wanted import Between as Between
    from synthgen.models.baseline import GaussianCopula as GaussianCopula
    from synthgen.models.baseline import IndependentColumns as IndependentColumns
    from synthgen.models.image import ImageGANSynthesizer as ImageGANSynthesizer
    from synthgen.models.image_presets import list_image_presets as list_image_presets
    from synthgen.models.registry import load_synthesizer as load
    from synthgen.models.tabular import GANSynthesizer as GANSynthesizer

__version__ = "0.1.0"

#: Public name -> (module, attribute); an attribute of None means the module itself.
_PUBLIC: Final[dict[str, tuple[str, str | None]]] = {
    "AugmentedClassifier": ("synthgen.augment.classifier", "AugmentedClassifier"),
    "Between": ("synthgen.encode.wanted", "Between"),
    "Column": ("synthgen.data.column", "Column"),
    "DPEmbedding": ("synthgen.dp.budget", "DPEmbedding"),
    "DPMarginals": ("synthgen.dp.budget", "DPMarginals"),
    "DPSGD": ("synthgen.dp.sgd_budget", "DPSGD"),
    "FixedCombinations": ("synthgen.data.constraints", "FixedCombinations"),
    "GANOutlierDetector": ("synthgen.anomaly.detector", "GANOutlierDetector"),
    "GANSynthesizer": ("synthgen.models.tabular", "GANSynthesizer"),
    "GaussianCopula": ("synthgen.models.baseline", "GaussianCopula"),
    "ImageGANSynthesizer": ("synthgen.models.image", "ImageGANSynthesizer"),
    "IndependentColumns": ("synthgen.models.baseline", "IndependentColumns"),
    "Inequality": ("synthgen.data.constraints", "Inequality"),
    "Lookup": ("synthgen.data.constraints", "Lookup"),
    "OneHot": ("synthgen.data.constraints", "OneHot"),
    "Predicate": ("synthgen.data.constraints", "Predicate"),
    "Range": ("synthgen.data.constraints", "Range"),
    "Schema": ("synthgen.data.schema", "Schema"),
    "Sum": ("synthgen.data.constraints", "Sum"),
    "SyntheticImputer": ("synthgen.augment.imputer", "SyntheticImputer"),
    "SyntheticResampler": ("synthgen.augment.resampler", "SyntheticResampler"),
    "Unique": ("synthgen.data.constraints", "Unique"),
    "anomaly": ("synthgen.anomaly", None),
    "augment": ("synthgen.augment", None),
    "datasets": ("synthgen.data.datasets", None),
    "errors": ("synthgen.errors", None),
    "evaluate": ("synthgen.evaluate", None),
    "list_image_presets": ("synthgen.models.image_presets", "list_image_presets"),
    "load": ("synthgen.models.registry", "load_synthesizer"),
    "privacy": ("synthgen.privacy", None),
}

__all__ = [
    "DPSGD",
    "AugmentedClassifier",
    "Between",
    "Column",
    "DPEmbedding",
    "DPMarginals",
    "FixedCombinations",
    "GANOutlierDetector",
    "GANSynthesizer",
    "GaussianCopula",
    "ImageGANSynthesizer",
    "IndependentColumns",
    "Inequality",
    "Lookup",
    "OneHot",
    "Predicate",
    "Range",
    "Schema",
    "Sum",
    "SyntheticImputer",
    "SyntheticResampler",
    "Unique",
    "__version__",
    "anomaly",
    "augment",
    "datasets",
    "errors",
    "evaluate",
    "list_image_presets",
    "load",
    "privacy",
]


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'synthgen' has no attribute {name!r}")
    module_name, attribute = _PUBLIC[name]
    module = import_module(module_name)
    value = module if attribute is None else getattr(module, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_PUBLIC))
