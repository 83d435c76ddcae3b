"""Baselines with the interface of the synthesizer: what a network has to beat.

Both see the same schema and encoding as :class:`~synthgen.models.tabular.GANSynthesizer`, so
marginal distributions, gaps, types, conditions and constraints are treated alike and a difference
in quality is one of the dependence among columns.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from synthgen.core.random import generator
from synthgen.core.serialize import Artifact
from synthgen.data.schema import Schema
from synthgen.encode.table import TableEncoder
from synthgen.encode.wanted import Wanted, in_words
from synthgen.errors import ConditionError
from synthgen.models.encoded import EncodedSynthesizer, fit_encoder
from synthgen.sample.baseline import CopulaCompleter, CopulaRequest, CopulaSampler
from synthgen.sample.copula import CopulaSource
from synthgen.train.copula import latent_correlation


class _CopulaSynthesizer(EncodedSynthesizer):
    """A synthesizer whose dependence among columns is one correlation matrix, or none."""

    sampler_: CopulaSampler

    #: Whether there is a correlation matrix.
    _dependent: ClassVar[bool]

    def __init__(self, *, schema: Schema | None = None, random_state: Any = None) -> None:
        self.schema = schema
        self.random_state = random_state

    def _check_parameters(self) -> None:
        """Nothing to check: ``fit`` checks the schema and the random state."""

    def _learn(
        self,
        frame: pd.DataFrame,
        schema: Schema,
        target: Any,
        seed: int,
    ) -> None:
        encoder = fit_encoder(frame, schema)
        correlation = None
        if self._dependent:
            table = encoder.transform(frame, generator(seed, "encode"))
            correlation = latent_correlation(encoder.layout, table, generator(seed, "train"))
        self.sampler_ = CopulaSampler(encoder, CopulaSource(encoder.layout, correlation))

    def _request(self, wanted: dict[Any, Wanted], seed: int, on_rare: str) -> CopulaRequest:
        condition = self.sampler_.encoder.condition(wanted)
        source = self.sampler_.source.restrict(condition)
        chance = source.log_probability(generator(seed, "conditions"))
        if on_rare == "error" and chance < math.log(CopulaCompleter.least_probability):
            raise ConditionError(
                f"The condition {in_words(wanted)} is impossible under the model. Relax it, or "
                "pass on_rare='approximate' to get rows that obey it all the same."
            )
        return CopulaRequest(wanted, source, math.exp(chance))

    def _rowwise(self) -> CopulaCompleter:
        return CopulaCompleter(self.sampler_)

    def _state(self) -> Artifact:
        facts, arrays = self.sampler_.encoder.to_state()
        correlation = self.sampler_.source.correlation
        if correlation is not None:
            arrays["correlation"] = correlation
        return Artifact({"encoders": facts}, {}, arrays)

    def _restore(self, artifact: Artifact) -> None:
        facts, arrays = artifact.config["encoders"], artifact.arrays
        correlation = arrays["correlation"] if self._dependent else None
        encoder = TableEncoder.from_state(self.schema_, facts, arrays)
        source = CopulaSource(encoder.layout, correlation)
        if correlation is not None and correlation.shape != (source.width, source.width):
            raise ValueError(f"correlations of shape {correlation.shape} for {source.width} scores")
        self.sampler_ = CopulaSampler(encoder, source)


class IndependentColumns(_CopulaSynthesizer):
    """Draws each column by its own distribution, independently of the others.

    Every column on its own is as in the training table; whatever columns have to do with each other
    is lost, unless a constraint keeps them together. Useful as the floor in comparisons.

    Parameters
    ----------
    schema : Schema, optional
        What the columns mean; inferred by default.
    random_state : None, int, numpy RandomState or Generator
        An integer makes ``fit`` repeatable.

    Attributes
    ----------
    schema_ : Schema
    n_features_in_ : int
    feature_names_in_ : numpy.ndarray of str

    Examples
    --------
    >>> import pandas as pd
    >>> from synthgen import IndependentColumns
    >>> df = pd.DataFrame({"size": ["S", "M", "L", "M"] * 50, "price": [1.5, 2.5, 3.0, 2.0] * 50})
    >>> IndependentColumns().fit(df).sample(3, conditions={"size": "S"})["size"].tolist()
    ['S', 'S', 'S']
    """

    _dependent = False


class GaussianCopula(_CopulaSynthesizer):
    """Draws rows whose ranks depend on each other like those of a multivariate normal.

    Each column has a latent normal score: a number's rank among the training values, or a range of
    scores for each category. The correlations of the latent scores are those that explain the
    dependence of each pair of columns; everything beyond pairs, and any dependence that is not
    monotone, is lost.

    Parameters
    ----------
    schema : Schema, optional
        What the columns mean; inferred by default.
    random_state : None, int, numpy RandomState or Generator
        An integer makes ``fit`` repeatable.

    Attributes
    ----------
    correlation_ : numpy.ndarray of shape (k, k)
        Correlations of the latent scores.
    schema_ : Schema
    n_features_in_ : int
    feature_names_in_ : numpy.ndarray of str

    References
    ----------
    Nelsen, "An Introduction to Copulas", Springer 2006. Patki, Wedge & Veeramachaneni, "The
    Synthetic Data Vault", DSAA 2016.

    Examples
    --------
    >>> import pandas as pd
    >>> from synthgen import GaussianCopula
    >>> df = pd.DataFrame({"size": ["S", "M", "L", "M"] * 50, "price": [1.5, 2.5, 3.0, 2.0] * 50})
    >>> GaussianCopula(random_state=0).fit(df).sample(3, random_state=1).shape
    (3, 2)
    """

    _dependent = True

    @property
    def correlation_(self) -> np.ndarray:
        """Correlations of the latent scores, (k, k)."""
        correlation = self.sampler_.source.correlation
        return np.empty((0, 0)) if correlation is None else correlation
