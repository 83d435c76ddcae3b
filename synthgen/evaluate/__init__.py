"""Is the synthetic data any good? Metrics on any two tables, whoever made them.

>>> import pandas as pd
>>> from synthgen import evaluate
>>> table = pd.DataFrame({"x": range(40), "c": ["a", "b"] * 20})
>>> evaluate.shape(table, table).value
1.0
"""

from synthgen.evaluate.baselines import BaselineFrames, baseline_frames
from synthgen.evaluate.compare import Comparison, compare
from synthgen.evaluate.copies import copy_share, membership, nearest_share, repeats
from synthgen.evaluate.detection import c2st
from synthgen.evaluate.fidelity import shape, trend
from synthgen.evaluate.global_utility import global_utility
from synthgen.evaluate.granularity import granularity
from synthgen.evaluate.images import ImageReport, image_report
from synthgen.evaluate.information import NmiMatrices, mutual_information, nmi_matrices
from synthgen.evaluate.marginals import marginals
from synthgen.evaluate.missingness import missingness
from synthgen.evaluate.rare import rare_categories
from synthgen.evaluate.report import QualityReport, quality_report
from synthgen.evaluate.result import Result
from synthgen.evaluate.scorer import SynthesizerScorer, make_synthesizer_scorer
from synthgen.evaluate.subgroups import subgroup_fidelity
from synthgen.evaluate.support import alpha_precision, beta_recall, coverage, density, support
from synthgen.evaluate.utility import utility
from synthgen.evaluate.validity import validity

__all__ = [
    "BaselineFrames",
    "Comparison",
    "ImageReport",
    "NmiMatrices",
    "QualityReport",
    "Result",
    "SynthesizerScorer",
    "alpha_precision",
    "baseline_frames",
    "beta_recall",
    "c2st",
    "compare",
    "copy_share",
    "coverage",
    "density",
    "global_utility",
    "granularity",
    "image_report",
    "make_synthesizer_scorer",
    "marginals",
    "membership",
    "missingness",
    "mutual_information",
    "nearest_share",
    "nmi_matrices",
    "quality_report",
    "rare_categories",
    "repeats",
    "shape",
    "subgroup_fidelity",
    "support",
    "trend",
    "utility",
    "validity",
]
