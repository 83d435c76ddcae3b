"""What synthesizers of encoded rows share: conditions, row numbers, gaps and likelihoods."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from synthgen.core.params import check_choice
from synthgen.core.random import root_seed
from synthgen.data.frame import read_frame, write_rows
from synthgen.data.schema import Schema
from synthgen.encode.base import Resolution
from synthgen.encode.table import TableEncoder
from synthgen.encode.wanted import Wanted, parse_wanted
from synthgen.errors import ConditionError, InvalidDataError
from synthgen.models.base import BaseSynthesizer
from synthgen.sample.completer import RowCompleter
from synthgen.sample.mixture import Demand, Mixture, alternatives
from synthgen.sample.sampler import RowBlocks

logger = logging.getLogger(__name__)


class EncodedSynthesizer(BaseSynthesizer):
    """Base class of synthesizers that draw encoded rows.

    A subclass sets ``sampler_`` in ``_learn`` and ``_restore``, prepares conditions in ``_request``
    and says in ``_rowwise`` what completes single rows.
    """

    sampler_: RowBlocks[Any]

    @abstractmethod
    def _request(self, wanted: dict[Any, Wanted], seed: int, on_rare: str) -> Demand:
        """Return what ``sampler_`` needs to draw rows under conditions."""

    @abstractmethod
    def _rowwise(self) -> RowCompleter:
        """Return what completes single rows."""

    def _generate(
        self, n_samples: int | None, seed: int, conditions: Any, on_rare: str
    ) -> Iterator[pd.DataFrame]:
        check_choice("on_rare", on_rare, ["error", "approximate"])
        if conditions is None or (isinstance(conditions, dict) and not conditions):
            if n_samples is not None:
                yield from self.sampler_.frames(n_samples, seed)
        elif isinstance(conditions, dict):
            request = self._asked(conditions, seed, on_rare)
            yield from self.sampler_.frames(int(n_samples or 0), seed, request)
        else:
            frame, _ = read_frame(conditions)
            if n_samples is not None and n_samples != len(frame):
                raise ConditionError(
                    f"conditions has {len(frame)} rows, one for each row to generate, but "
                    f"n_samples is {n_samples}. Leave n_samples out."
                )
            yield self._rowwise().complete(frame, seed, on_rare)

    def _asked(self, conditions: dict[Any, Any], seed: int, on_rare: str) -> Any:
        """Return what ``sampler_`` needs, a mixture where a number may be one of several."""
        wanted = {name: parse_wanted(name, value) for name, value in conditions.items()}
        ways = alternatives(self.sampler_.encoder, wanted)
        if len(ways) == 1:
            return self._request(ways[0], seed, on_rare)
        parts, error = [], None
        for way in ways:
            try:
                parts.append(self._request(way, seed, on_rare))
            except ConditionError as reason:
                logger.warning("No row is drawn of one of the values asked for. %s", reason)
                error = reason
        if not parts and error is not None:
            raise error
        return Mixture(wanted, tuple(parts))

    def _rows_from(self, seed: int, start: int, stop: int) -> Iterator[pd.DataFrame]:
        yield from self.sampler_.rows(seed, start, stop)

    def impute(self, X: Any, *, random_state: Any = None) -> Any:
        """Fill missing cells with draws from their distribution given the row's other cells.

        Parameters
        ----------
        X : frame
            Rows with the columns of the training table.
        random_state : None, int, numpy RandomState or Generator

        Returns
        -------
        frame
            The same rows in the same container, with the same index; cells that were present are as
            they were.

        Raises
        ------
        SchemaMismatchError
            If columns differ from those seen in ``fit``.
        """
        check_is_fitted(self)
        frame, spec = read_frame(X)
        self.schema_.check(frame)
        filled = self._rowwise().impute(frame, root_seed(random_state))
        # A column without any value says nothing of its type.
        learned = dict(zip(self._spec.columns, self._spec.dtypes, strict=True))
        dtypes = [
            learned.get(name, own) if frame[name].isna().all() else own
            for name, own in zip(spec.columns, spec.dtypes, strict=True)
        ]
        return write_rows(filled, replace(spec, dtypes=tuple(dtypes)), X)

    def score_samples(self, X: Any, *, random_state: Any = 0) -> np.ndarray:
        """Return the log-likelihood of rows under the model.

        Parameters
        ----------
        X : frame
            Rows with the columns of the training table; the column that was given to ``fit`` as
            y may be left out and then does not count.
        random_state : None, int, numpy RandomState or Generator
            Of the Monte-Carlo integration over latent variables.

        Returns
        -------
        numpy.ndarray of shape (n,)
            Nats per row. Categories count by probability, continuous cells by density over their
            ranks in the training rows, so that independent columns have 0 there. Categories never
            seen have probability 1e-12.

        Raises
        ------
        SchemaMismatchError
            If columns differ from those seen in ``fit``.
        """
        check_is_fitted(self)
        frame, _ = read_frame(X)
        target = self._spec.columns[self.n_features_in_ :]
        if not set(target) & set(frame.columns):
            frame_schema = Schema(tuple(c for c in self.schema_.columns if c.name not in target))
            frame_schema.check(frame)
        else:
            self.schema_.check(frame)
        return self._rowwise().score(frame, root_seed(random_state))


def fit_encoder(frame: pd.DataFrame, schema: Schema) -> TableEncoder:
    """Learn the encoding of `frame` at the resolution that its size supports.

    Raises
    ------
    InvalidDataError
        If no column can be learned.
    """
    encoder = TableEncoder.fit(frame, schema, Resolution.for_table(len(frame), frame.shape[1]))
    if encoder.layout.n_cells == 0:
        kinds = ", ".join(sorted({column.kind for column in schema.columns}))
        raise InvalidDataError(
            f"There is nothing to learn: all columns are of kind {kinds}, which are "
            "regenerated. Give a column another kind with schema.with_column(...)."
        )
    return encoder
