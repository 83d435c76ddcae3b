"""Is the synthetic data any good? Metrics on any two tables, whoever made them.

>>> import pandas as pd
>>> from synthgen import evaluate
>>> table = pd.DataFrame({"x": range(40), "c": ["a", "b"] * 20})
>>> evaluate.shape(table, table).value
1.0
"""

from synthgen.evaluate.baselines import BaselineFrames, baseline_frames
from synthgen.evaluate.copies import copy_share, membership, nearest_share
from synthgen.evaluate.detection import c2st
from synthgen.evaluate.fidelity import shape, trend
from synthgen.evaluate.result import Result
from synthgen.evaluate.utility import utility

__all__ = [
    "BaselineFrames",
    "Result",
    "baseline_frames",
    "c2st",
    "copy_share",
    "membership",
    "nearest_share",
    "shape",
    "trend",
    "utility",
]
