"""Tables and images as the detector sees them: reading, taking some, counting."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.anomaly.baselines import BASELINES
from synthgen.anomaly.table import TABLE_METHODS, TableMethods
from synthgen.data.frame import read_frame
from synthgen.data.images import ImageSpec, as_images, read_images
from synthgen.data.infer import infer_columns
from synthgen.data.schema import Schema
from synthgen.errors import InvalidDataError, InvalidParameterError, SchemaMismatchError


class View(Protocol):
    """One kind of data."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the methods."""

    def learn(self, X: Any) -> Any:
        """Read training data and remember what they look like."""

    def read(self, X: Any) -> Any:
        """Read data that should look like those."""

    def take(self, data: Any, rows: NDArray[np.int64]) -> Any:
        """Return some rows."""

    def length(self, data: Any) -> int:
        """Return the number of rows."""

    def methods(self, synthesizer: Any, n_models: int, max_minutes: float, seed: int) -> Any:
        """Return unfitted methods."""


class TableView:
    """Plain frames with the columns of the training table."""

    names = (*TABLE_METHODS, *BASELINES)

    def learn(self, X: Any) -> pd.DataFrame:
        """Read a table and infer what its columns are."""
        frame, _ = read_frame(X)
        if len(frame) < 2:
            raise InvalidDataError(
                "Found 1 sample: at least 2 rows are needed to learn what is normal, and some "
                "hundreds to learn anything of use."
            )
        self._frame = frame.iloc[:0]
        self._schema = Schema(infer_columns(frame), origin="data")
        return frame

    def read(self, X: Any) -> pd.DataFrame:
        """Read a table with the columns of the training table, in any order."""
        frame, spec = read_frame(X)
        names = list(self._frame.columns)
        if spec.container == "numpy" and len(frame.columns) != len(names):
            # In scikit-learn's words, which its checks look for.
            raise SchemaMismatchError(
                f"X has {len(frame.columns)} features, but GANOutlierDetector is expecting "
                f"{len(names)} features as input."
            )
        if spec.container == "numpy":
            # Nothing but the order says which column is which.
            frame.columns = pd.Index(names, tupleize_cols=False)
        lacking = [name for name in names if name not in frame.columns]
        extra = [name for name in frame.columns if name not in names]
        if lacking or extra:
            raise SchemaMismatchError(
                "The table does not have the columns that were expected: "
                f"missing {lacking!r}, extra {extra!r}."
            )
        frame = frame[names]
        self._schema.check(frame)
        return frame

    def take(self, data: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
        """Return some rows."""
        return data.iloc[rows].reset_index(drop=True)

    def length(self, data: pd.DataFrame) -> int:
        """Return the number of rows."""
        return len(data)

    def methods(
        self, synthesizer: Any, n_models: int, max_minutes: float, seed: int
    ) -> TableMethods:
        """Return unfitted methods for tables."""
        from synthgen.models.tabular import GANSynthesizer

        if synthesizer is None:
            # Dependent on all rows, not only those that the generator learns from.
            synthesizer = GANSynthesizer(max_minutes=max_minutes, schema=self._schema)
        _check_kind(synthesizer, GANSynthesizer, "tables")
        return TableMethods(synthesizer, n_models, seed)


class ImageView:
    """Images as float32 (n, channels, height, width) in [-1, 1]."""

    @property
    def names(self) -> tuple[str, ...]:
        """Methods that there are."""
        from synthgen.anomaly.image import IMAGE_METHODS

        return IMAGE_METHODS

    @staticmethod
    def suits(X: Any) -> bool:
        """Return whether these are images: three or four axes."""
        shape = getattr(X, "shape", None)
        if shape is None and isinstance(X, (list, tuple)) and len(X):
            shape = (len(X), *np.shape(X[0]))
        return shape is not None and len(shape) in (3, 4)

    spec: ImageSpec

    def learn(self, X: Any) -> NDArray[np.float32]:
        """Read images and remember their layout."""
        data = read_images(X)
        self.spec = data.spec
        return data.images

    def read(self, X: Any) -> NDArray[np.float32]:
        """Read images of the layout of the training images."""
        return as_images(X, self.spec)

    def take(self, data: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return some images."""
        return data[rows]

    def length(self, data: NDArray[np.float32]) -> int:
        """Return the number of images."""
        return len(data)

    def methods(self, synthesizer: Any, n_models: int, max_minutes: float, seed: int) -> Any:
        """Return unfitted methods for images."""
        from synthgen.anomaly.image import ImageMethods
        from synthgen.models.image import ImageGANSynthesizer

        if synthesizer is None:
            synthesizer = ImageGANSynthesizer(max_minutes=max_minutes)
        _check_kind(synthesizer, ImageGANSynthesizer, "images")
        return ImageMethods(synthesizer, n_models, seed)


def _check_kind(synthesizer: Any, kind: type, data: str) -> None:
    """Refuse what has no critic and no latent space to look into."""
    if not isinstance(synthesizer, kind):
        raise InvalidParameterError(
            f"synthesizer must be None or a {kind.__name__} for {data}, got {synthesizer!r}."
        )
