"""What every synthesizer of tables has in common: frames in, frames out, saving and loading."""

from __future__ import annotations

import inspect
import os
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from synthgen import __version__
from synthgen.core.documents import check_mapping
from synthgen.core.params import check_integer
from synthgen.core.random import root_seed
from synthgen.core.serialize import Artifact, load_artifact, save_artifact
from synthgen.data.constraints import (
    Constraint,
    Predicate,
    Unique,
    drop_impossible,
    validate_constraints,
)
from synthgen.data.frame import FrameSpec, read_frame, write_frame
from synthgen.data.schema import Schema
from synthgen.errors import (
    ArtifactError,
    ConstraintError,
    DataWarning,
    InvalidDataError,
    InvalidParameterError,
)
from synthgen.sample.shards import ShardPlan, write_shards

#: Whole numbers up to here are kept to the last digit.
_EXACT: Final = 2**53


class BaseSynthesizer(BaseEstimator):
    """Base class of synthesizers of tables.

    A subclass learns in ``_learn`` and generates in ``_generate``; it gives its state to
    ``_state`` and takes it back in ``_restore``.

    Attributes
    ----------
    schema_ : Schema
        What each column means, as inferred or given.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : numpy.ndarray of str
        Column labels of X, if they are all strings.
    """

    schema_: Schema
    n_features_in_: int
    feature_names_in_: np.ndarray

    #: Constructor parameter, declared by each subclass.
    schema: Schema | None
    random_state: Any

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from a table.

        Parameters
        ----------
        X : pandas.DataFrame, polars.DataFrame, pyarrow.Table or array of shape (n, k)
            The real rows.
        y : array-like of shape (n,), optional
            One more column, appended under its name (or "target").

        Returns
        -------
        self

        Raises
        ------
        InvalidDataError
            If the table cannot be modelled.
        InvalidParameterError
            If a constructor parameter cannot work.
        """
        self._check_parameters()
        frame, spec = read_frame(X, y)
        if len(frame) < 2:
            raise InvalidDataError(
                "Found 1 sample: at least 2 rows are needed to learn from, and some hundreds to "
                "learn anything of use."
            )
        schema = self._resolve_schema(frame)
        frame = drop_impossible(frame, schema.constraints)
        _warn_of_long_numbers(frame, schema)
        target = spec.columns[-1] if y is not None else None
        before = dict(self.__dict__)
        try:
            schema = self._learn(frame, schema, target, root_seed(self.random_state)) or schema
        except BaseException:
            # Whatever was fitted before is as it was.
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        # Only now, so that a fit that fails leaves no half-fitted model.
        features = list(spec.columns)[: len(spec.columns) - (y is not None)]
        self.n_features_in_ = len(features)
        if features and all(isinstance(name, str) for name in features):
            self.feature_names_in_ = np.asarray(features, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self.schema_ = schema
        self._spec = self._described(spec, schema)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether ``fit`` or ``load`` has come to its end."""
        return hasattr(self, "_spec")

    def sample(
        self,
        n_samples: int | None = None,
        *,
        conditions: Any = None,
        random_state: Any = None,
        on_rare: str = "error",
    ) -> Any:
        """Generate rows.

        Parameters
        ----------
        n_samples : int
            Number of rows, >= 0. May be left out if `conditions` is a frame.
        conditions : dict or frame, optional
            A dict gives the same condition to all rows: a value, a list of values,
            ``Between(low, high)``, or None for missing, by column. A frame gives each of its rows
            to one generated row, in order.
        random_state : None, int, numpy RandomState or Generator
            The same integer gives the same rows, and fewer rows are the head of more. None draws
            fresh rows at each call.
        on_rare : {"error", "approximate"}
            What to do about conditions that are too rare under the model.

        Returns
        -------
        frame
            Exactly `n_samples` rows, in the container that was given to ``fit``, with its columns
            and types.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        ConditionError
            If a condition is unknown, impossible or too rare.
        ConstraintError
            If the schema's constraints leave too few rows.
        """
        check_is_fitted(self)
        if n_samples is None:
            if conditions is None or isinstance(conditions, dict):
                raise InvalidParameterError("n_samples is missing: how many rows do you want?")
        else:
            n_samples = check_integer("n_samples", n_samples, minimum=0)
        seed = root_seed(random_state)
        frames = list(self._generate(n_samples, seed, conditions, on_rare))
        frame = pd.concat(frames, ignore_index=True) if len(frames) > 1 else self._one(frames, seed)
        return write_frame(frame, self._spec)

    def _one(self, frames: list[pd.DataFrame], seed: int) -> pd.DataFrame:
        if frames:
            return frames[0]
        # No rows asked for: the head of some, so that the types are right.
        return next(iter(self._generate(1, seed, None, "error"))).iloc[:0]

    def sample_iter(
        self, n_samples: int, *, conditions: Any = None, random_state: Any = None
    ) -> Iterator[Any]:
        """Generate rows in pieces, for more than fit in memory.

        Parameters
        ----------
        n_samples : int
        conditions : dict, optional
        random_state : None, int, numpy RandomState or Generator
            The pieces together are what ``sample`` returns for it.

        Yields
        ------
        frame
            Some thousands of rows.
        """
        check_is_fitted(self)
        n_samples = check_integer("n_samples", n_samples, minimum=0)
        for frame in self._generate(n_samples, root_seed(random_state), conditions, "error"):
            yield write_frame(frame, self._spec)

    def sample_to(
        self,
        path: str | os.PathLike[str],
        n_samples: int,
        *,
        rows_per_file: int = 1_000_000,
        random_state: Any = None,
        listener: Callable[[int], None] | None = None,
    ) -> ShardPlan:
        """Write rows to Parquet files ``part-000000.parquet``, ... in a folder.

        Memory does not grow with `n_samples`. A call that was cut short continues where it
        stopped when it is repeated with the same arguments and an integer `random_state`.

        Parameters
        ----------
        path : path-like
            Folder, made if need be.
        n_samples : int
        rows_per_file : int
        random_state : None, int, numpy RandomState or Generator
        listener : callable, optional
            Told the number of rows of each finished piece.

        Returns
        -------
        ShardPlan
            What was written; also kept in the folder as ``_manifest.json``.

        Raises
        ------
        ArtifactError
            If the folder holds rows of another plan, or cannot be written.
        """
        check_is_fitted(self)
        if any(isinstance(constraint, Unique) for constraint in self.schema_.constraints):
            raise ConstraintError(
                "sample_to writes files independently of each other, so it cannot keep rows unique "
                "across them. Use sample_iter, or drop the constraint Unique."
            )
        plan = ShardPlan(
            n_samples=check_integer("n_samples", n_samples, minimum=0),
            rows_per_file=check_integer("rows_per_file", rows_per_file, minimum=1),
            seed=root_seed(random_state) if random_state is not None else None,
        )
        return write_shards(path, plan, self._rows_from, listener)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to a directory of JSON and safetensors files.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        ArtifactError
            If it cannot be written; whatever was there stays as it was.
        """
        check_is_fitted(self)
        predicates = [c.name for c in self.schema_.constraints if isinstance(c, Predicate)]
        artifact = self._state()
        config = {
            "class": type(self).__name__,
            "synthgen": __version__,
            "parameters": self._json_parameters(),
            "n_features_in": self.n_features_in_,
            "spec": self._spec.to_json(),
            "predicates": predicates,
            **artifact.config,
        }
        documents = {"schema": self.schema_.to_json(), **artifact.documents}
        save_artifact(path, Artifact(config, documents, artifact.arrays, artifact.texts))

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        predicates: dict[str, Callable[[pd.DataFrame], Any]] | None = None,
    ) -> Self:
        """Read a model written by :meth:`save`, on any machine.

        Parameters
        ----------
        path : path-like
        predicates : dict of str to callable, optional
            The functions of the schema's ``Predicate`` constraints by name: code is not saved.

        Raises
        ------
        ArtifactError
            If the directory is no such model, damaged, or written by a newer version.
        """
        return cls.from_artifact(load_artifact(path), predicates=predicates)

    @classmethod
    def from_artifact(
        cls,
        artifact: Artifact,
        *,
        predicates: dict[str, Callable[[pd.DataFrame], Any]] | None = None,
    ) -> Self:
        """Rebuild a model from what :func:`~synthgen.core.serialize.load_artifact` read."""
        config = artifact.config
        if config.get("class") != cls.__name__:
            raise ArtifactError(
                f"The model is a {config.get('class')}, not a {cls.__name__}; use synthgen.load."
            )
        check_mapping(
            config, {"parameters": dict, "spec": dict, "n_features_in": int}, "The configuration"
        )
        known = inspect.signature(cls).parameters
        unknown = sorted(set(config["parameters"]) - set(known))
        if unknown:
            raise ArtifactError(f"{cls.__name__} has no parameter {unknown[0]!r}.")
        try:
            model = cls._from_parameters(config["parameters"])
            model.schema_ = _attach(Schema.from_json(artifact.documents["schema"]), predicates)
            model._spec = FrameSpec.from_json(config["spec"])
            model.n_features_in_ = config["n_features_in"]
            names = list(model._spec.columns)[: model.n_features_in_]
            if all(isinstance(name, str) for name in names):
                model.feature_names_in_ = np.asarray(names, dtype=object)
            model._restore(artifact)
        except (KeyError, TypeError, IndexError, ValueError) as error:
            if isinstance(error, InvalidParameterError):
                raise
            raise ArtifactError(f"The model is incomplete: {error!r}.") from error
        return model

    def _resolve_schema(self, frame: pd.DataFrame) -> Schema:
        if self.schema is None:
            return Schema.infer(frame)
        if not isinstance(self.schema, Schema):
            raise InvalidParameterError(
                f"schema must be a Schema or None, got {type(self.schema).__name__}."
            )
        self.schema.check(frame)
        constraints = validate_constraints(self.schema.constraints, self.schema, frame)
        return replace(self.schema, constraints=tuple(constraints))

    def _described(self, spec: FrameSpec, schema: Schema) -> FrameSpec:
        """Return what is kept of the form of the table."""
        del schema
        return spec

    def _json_parameters(self) -> dict[str, Any]:
        """Return the constructor's parameters that can be saved; the schema has its own file."""
        plain = (str, int, float, bool, type(None))
        parameters = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in self.get_params(deep=False).items()
        }
        return {
            name: value
            for name, value in parameters.items()
            if name != "schema" and isinstance(value, plain)
        }

    @classmethod
    def _from_parameters(cls, parameters: dict[str, Any]) -> Self:
        return cls(**parameters)

    @abstractmethod
    def _rows_from(self, seed: int, start: int, stop: int) -> Iterator[pd.DataFrame]:
        """Yield rows `start` to `stop` of the endless table of `seed`."""

    @abstractmethod
    def _check_parameters(self) -> None:
        """Check the constructor's parameters."""

    @abstractmethod
    def _learn(self, frame: pd.DataFrame, schema: Schema, target: Any, seed: int) -> Schema | None:
        """Learn from rows; return a schema if more is known about the columns than before."""

    @abstractmethod
    def _generate(
        self, n_samples: int | None, seed: int, conditions: Any, on_rare: str
    ) -> Iterator[pd.DataFrame]:
        """Yield frames that together have exactly the rows asked for."""

    @abstractmethod
    def _state(self) -> Artifact:
        """Return what was learned."""

    @abstractmethod
    def _restore(self, artifact: Artifact) -> None:
        """Take back what was learned."""

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: missing values and strings are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _attach(schema: Schema, predicates: dict[str, Callable[[pd.DataFrame], Any]] | None) -> Schema:
    """Give the functions back to the schema's predicates."""
    constraints: list[Constraint] = []
    for constraint in schema.constraints:
        if isinstance(constraint, Predicate):
            function = (predicates or {}).get(constraint.name)
            if function is None:
                raise ArtifactError(
                    f"The model has the constraint Predicate({constraint.name!r}), whose code is "
                    f"not saved: pass load(..., predicates={{{constraint.name!r}: function}})."
                )
            constraints.append(Predicate(function, constraint.name))
        else:
            constraints.append(constraint)
    return replace(schema, constraints=tuple(constraints))


def _warn_of_long_numbers(frame: pd.DataFrame, schema: Schema) -> None:
    """Say which whole numbers have more digits than are kept."""
    for column in schema.columns:
        series = frame[column.name]
        if column.kind != "integer" or not pd.api.types.is_integer_dtype(series.dtype):
            continue
        if len(series.dropna()) and max(int(series.max()), -int(series.min())) > _EXACT:
            warnings.warn(
                f"Column {column.name!r} holds whole numbers above 2**53, of which some 16 digits "
                "are kept: generated ones may occur nowhere in the table. If they are codes, give "
                "the column kind='categorical' or 'id' with schema.with_column(...).",
                DataWarning,
                stacklevel=3,
            )
