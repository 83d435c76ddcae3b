"""Generated rows and images as data sets of torch, made when they are asked for."""

from __future__ import annotations

import inspect
import operator
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch.utils.data import Dataset

from synthgen.augment.checks import check_callable, check_methods
from synthgen.augment.features import FrameNumbers
from synthgen.core.params import check_integer, check_real
from synthgen.core.random import generator, root_seed
from synthgen.data.frame import read_frame
from synthgen.errors import InvalidDataError, InvalidParameterError

#: Rows or images generated at a time.
BLOCK: Final = 1_024
#: Blocks that a data set keeps in memory.
_KEPT: Final = 4


class SyntheticDataset(Dataset[Any]):
    """As many generated rows or images as wanted, as a map-style data set of torch.

    Item k is always the same for a given seed, whichever worker of a ``DataLoader`` makes it and in
    whatever order, since each block of rows has a seed of its own. Blocks are made when one of
    their items is asked for, and a few are kept. Leave ``shuffle`` off: the rows are in random
    order as they are, and jumping among blocks would make each of them again and again.

    Parameters
    ----------
    synthesizer : object
        Fitted; of tables or images.
    length : int
        Number of items; any.
    label : object, optional
        For tables the column that is the label; items are then pairs of features and label. For
        images: True for pairs of an image and its label.
    conditions : dict, optional
        For tables: conditions that all rows obey. For images: ``{"y": label}``.
    encode : callable, optional
        From a frame of features, or an array of images, to an array with one entry per item. By
        default numbers stay, categories become codes and dates seconds, all float32, as learned
        from the first block; images become float32.
    classes : sequence, optional
        The labels in the order of their codes. By default numbers stay as they are, and
        other labels are numbered as found in the first block.
    random_state : None, int, numpy RandomState or Generator
        None draws a seed once, when the data set is made.
    block_size : int, default=1024

    Examples
    --------
    >>> import pandas as pd
    >>> from torch.utils.data import DataLoader
    >>> from synthgen import IndependentColumns
    >>> from synthgen.augment import SyntheticDataset
    >>> df = pd.DataFrame({"x": [0.5, 1.5] * 25, "c": ["a", "b"] * 25})
    >>> rows = SyntheticDataset(IndependentColumns().fit(df), 300, label="c", random_state=0)
    >>> features, label = next(iter(DataLoader(rows, batch_size=32)))
    >>> tuple(features.shape), tuple(label.shape)
    ((32, 1), (32,))
    """

    def __init__(
        self,
        synthesizer: Any,
        length: int,
        *,
        label: Any = None,
        conditions: dict[str, Any] | None = None,
        encode: Callable[[Any], Any] | None = None,
        classes: Sequence[Any] | None = None,
        random_state: Any = None,
        block_size: int = BLOCK,
    ) -> None:
        check_methods("synthesizer", synthesizer, "sample")
        _check_options(label, conditions, classes)
        if _makes_images(synthesizer):
            _check_image_options(synthesizer, label, conditions)
        self.synthesizer = synthesizer
        self.length: int = check_integer("length", length, minimum=0)
        self.block_size = check_integer("block_size", block_size, minimum=1)
        self.label = label
        self.conditions = dict(conditions or {})
        self.encode = check_callable("encode", encode, optional=True)
        self.classes = None if classes is None else list(classes)
        self.seed = root_seed(random_state)
        self.epoch = 0
        self._blocks: OrderedDict[int, tuple[Any, Any]] = OrderedDict()
        self._numbers: FrameNumbers | None = None
        self._levels: dict[Any, int] | None = None

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, place: int) -> Any:
        number, offset = divmod(_place(place, self.length), self.block_size)
        features, labels = self._block(number)
        return features[offset] if labels is None else (features[offset], labels[offset])

    def refresh(self, epoch: int) -> None:
        """Make other items from now on: those of this epoch.

        Call it before iterating; with persistent workers they keep the items of the first epoch.
        """
        self.epoch = check_integer("epoch", epoch, minimum=0)
        self._blocks.clear()

    def _block(self, number: int) -> tuple[Any, Any]:
        if number not in self._blocks:
            self._blocks[number] = self._make(number)
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _make(self, number: int) -> tuple[Any, Any]:
        drawn = self._draw(self.epoch, number)
        if isinstance(drawn, tuple):
            images, labels = drawn
            return self._images(images), self._codes(pd.Series(np.asarray(labels)))
        if isinstance(drawn, np.ndarray) and drawn.ndim > 2:
            return self._images(drawn), None
        return self._table(drawn)

    def _draw(self, epoch: int, number: int) -> Any:
        state = int(generator(self.seed, "augment", 8, epoch, number).integers(2**62))
        options: dict[str, Any] = {"random_state": state}
        if "y" in self.conditions and _makes_images(self.synthesizer):
            options["y"] = [self.conditions["y"]] * self.block_size
        elif self.conditions:
            options["conditions"] = self.conditions
        if self.label is not None and _makes_images(self.synthesizer):
            options["return_labels"] = True
        return self.synthesizer.sample(self.block_size, **options)

    def _images(self, images: NDArray[Any]) -> Any:
        if self.encode is not None:
            return _encoded(self.encode(images), len(images))
        return np.asarray(images, dtype=np.float32)

    def _table(self, drawn: Any) -> tuple[Any, Any]:
        frame, labels = self._split(drawn)
        codes = None if labels is None else self._codes(labels)
        if self.encode is not None:
            return _encoded(self.encode(frame), len(frame)), codes
        if self._numbers is None:
            # Always from the first block, so that codes mean the same in every worker.
            self._numbers = FrameNumbers().fit(self._split(self._draw(0, 0))[0])
        return self._numbers.transform(frame).astype(np.float32), codes

    def _split(self, drawn: Any) -> tuple[pd.DataFrame, pd.Series | None]:
        frame, _ = read_frame(drawn)
        if self.label is None:
            return frame, None
        if self.label not in frame.columns:
            raise InvalidParameterError(
                f"label: the synthesizer has no column {self.label!r}; its columns are "
                f"{list(frame.columns)!r}."
            )
        return frame.drop(columns=[self.label]), frame[self.label]

    def _codes(self, labels: pd.Series) -> NDArray[Any]:
        """Return numbers as they are, and places among the classes for everything else."""
        if labels.isna().any():
            raise InvalidDataError(
                f"The label {self.label!r} is missing in some generated rows, as it is in the "
                "table. Fit the synthesizer to rows that have it."
            )
        if self.classes is None and pd.api.types.is_numeric_dtype(labels.dtype):
            types = pd.api.types
            whole = types.is_integer_dtype(labels.dtype) or types.is_bool_dtype(labels.dtype)
            return labels.to_numpy(dtype=np.int64 if whole else np.float32)
        if self._levels is None:
            known = self.classes
            if known is None:
                drawn = self._draw(0, 0)
                first = drawn[1] if isinstance(drawn, tuple) else self._split(drawn)[1]
                known = sorted(pd.Series(first).dropna().unique(), key=str)
            self._levels = {level: code for code, level in enumerate(known)}
        codes = labels.map(self._levels)
        if codes.isna().any():
            stranger = labels[codes.isna()].iloc[0]
            raise InvalidDataError(
                f"The label {stranger!r} is not among the classes {list(self._levels)!r}. Pass "
                "classes=[...] with all of them."
            )
        return codes.to_numpy(dtype=np.int64)


class MixedDataset(Dataset[Any]):
    """Real items and generated ones in one map-style data set of torch.

    Parameters
    ----------
    real : sequence or torch Dataset
        Items as the synthetic data set has them: features, or pairs of features and label.
    synthetic : SyntheticDataset
    p : float, optional
        None: all real items, then all generated ones. A number in [0, 1]: as many items as there
        are real ones, each replaced by a generated one with this probability, anew in each epoch
        (see :meth:`refresh`).
    transform : callable, optional
        Applied to the features of real items only: the place of classic augmentation, see
        :class:`~synthgen.augment.Albumentations`.

    Examples
    --------
    >>> import pandas as pd
    >>> from synthgen import IndependentColumns
    >>> from synthgen.augment import MixedDataset, SyntheticDataset
    >>> df = pd.DataFrame({"x": [0.5, 1.5] * 25, "y": [0, 1] * 25})
    >>> made = SyntheticDataset(IndependentColumns().fit(df), 30, label="y", random_state=0)
    >>> real = [([float(x)], y) for x, y in df.itertuples(index=False)]
    >>> len(MixedDataset(real, made)), len(MixedDataset(real, made, p=0.5))
    (80, 50)
    """

    def __init__(
        self,
        real: Any,
        synthetic: SyntheticDataset,
        *,
        p: float | None = None,
        transform: Callable[[Any], Any] | None = None,
    ) -> None:
        check_methods("real", real, "__len__", "__getitem__")
        if isinstance(real, pd.DataFrame):
            raise InvalidParameterError(
                "real must give one item for each place, and a frame gives columns; pass an array, "
                "or a list of pairs of features and label."
            )
        if not isinstance(synthetic, SyntheticDataset):
            raise InvalidParameterError(f"synthetic must be a SyntheticDataset, got {synthetic!r}.")
        self.real = real
        self.synthetic = synthetic
        self.p = None if p is None else check_real("p", p, low=0.0, high=1.0)
        self.transform = check_callable("transform", transform, optional=True)
        if self.p and not len(synthetic):
            raise InvalidParameterError("p > 0 needs a synthetic data set with items, got none.")
        self.refresh(0)

    def refresh(self, epoch: int) -> None:
        """Choose other real items to replace, and make other generated ones."""
        self.synthetic.refresh(epoch)
        n = len(self.real)
        self._replaced = np.zeros(n, dtype=bool)
        if self.p is not None:
            rng = generator(self.synthetic.seed, "augment", 9, epoch)
            self._replaced = rng.random(n) < self.p

    def __len__(self) -> int:
        return len(self.real) + (len(self.synthetic) if self.p is None else 0)

    def __getitem__(self, place: int) -> Any:
        place = _place(place, len(self))
        if place >= len(self.real):
            return self.synthetic[place - len(self.real)]
        if self._replaced[place]:
            return self.synthetic[place % len(self.synthetic)]
        item = self.real[place]
        if self.transform is None:
            return item
        if isinstance(item, tuple):
            return (self.transform(item[0]), *item[1:])
        return self.transform(item)


def _check_options(label: Any, conditions: Any, classes: Any) -> None:
    if not isinstance(label, Hashable):
        raise InvalidParameterError(f"label must be the name of one column, got {label!r}.")
    if conditions is not None and not isinstance(conditions, Mapping):
        raise InvalidParameterError(
            f"conditions must be a dict of columns to values, got {conditions!r}."
        )
    if classes is not None and (isinstance(classes, str) or not isinstance(classes, Iterable)):
        raise InvalidParameterError(f"classes must be a list of labels, got {classes!r}.")


def _check_image_options(synthesizer: Any, label: Any, conditions: Any) -> None:
    unknown = sorted(map(repr, set(conditions or ()) - {"y"}))
    if unknown:
        raise InvalidParameterError(
            f"conditions for images are {{'y': label}}, got {', '.join(unknown)}."
        )
    attributes = len(getattr(synthesizer, "classes_", ()))
    if label is not None and attributes > 1 and hasattr(synthesizer, "spec_"):
        raise InvalidParameterError(
            f"label=True needs one label for each image; this model has {attributes} attributes. "
            "Leave label out, or fit a model on one of them."
        )


def _encoded(items: Any, length: int) -> Any:
    """Check what the user's ``encode`` returns: something with one entry per item."""
    if isinstance(items, (pd.DataFrame, pd.Series)):
        items = items.to_numpy()
    if not hasattr(items, "__getitem__") or not hasattr(items, "__len__") or len(items) != length:
        found = f"{len(items)} of them" if hasattr(items, "__len__") else type(items).__name__
        raise InvalidDataError(
            f"encode must return an array with one entry for each of {length} items, got {found}."
        )
    return items


def _place(place: Any, length: int) -> int:
    """Return where an item stands, counting from the end if negative, as lists do."""
    number = operator.index(place)
    if not -length <= number < length:
        raise IndexError(f"item {place} of a data set of {length}")
    return number % length


def _makes_images(synthesizer: Any) -> bool:
    """Whether ``sample`` takes labels rather than conditions."""
    parameters = inspect.signature(synthesizer.sample).parameters
    return "y" in parameters and "conditions" not in parameters
