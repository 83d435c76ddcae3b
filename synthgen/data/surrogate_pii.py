"""Personal data made up anew with Faker, as a function of the row number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.data.column import Column
from synthgen.data.shuffle import draw, hash_texts, key_of, pack, unpack
from synthgen.data.values import cast_values
from synthgen.errors import InvalidDataError, MissingExtraError

_POOL: Final = 2_048
_TRIES: Final = 20
#: Which method of Faker makes values of which type; the others are put together from these.
_PROVIDERS: Final = {
    "first_name": "first_name", "last_name": "last_name", "street": "street_name", "city": "city",
    "postcode": "postcode", "country": "country", "state": "state", "iban": "iban",
    "credit_card": "credit_card_number", "ssn": "ssn", "company": "company", "url": "url",
}  # fmt: skip
_PARTS: Final = {
    "name": ("first_name", "last_name"),
    "email": ("first_name", "last_name"),
    "username": ("first_name", "last_name"),
    "address": ("street", "city", "state", "postcode"),
    "phone": (),
    "ip": (),
}
#: Types whose values many people share, so that meeting a real one says nothing.
_SHARED: Final = frozenset(
    ["name", "first_name", "last_name", "city", "postcode", "country", "state", "company"]
)
_DOMAINS: Final = ("example.com", "example.org", "example.net")
_DIGITS_ONLY: Final = frozenset({"phone", "credit_card", "ssn", "postcode"})


@dataclass(frozen=True, eq=False)
class PersonalData:
    """Invented personal data of one type.

    Parameters
    ----------
    pii : str
        The type, one of ``synthgen.data.column.PII_TYPES``.
    unique : bool
        Whether the real values are distinct; then e-mail addresses and user names are as well.
    templates : tuple of str
        Usual forms of phone numbers with ``#`` for a digit.
    real : numpy.ndarray of uint64
        Sorted hashes of the real values, to leave them out; empty for names and the like.
    dtype : str
    key : int
    """

    pii: str
    unique: bool
    templates: tuple[str, ...]
    real: np.ndarray
    dtype: str
    key: int

    def generate(self, rows: np.ndarray, rng: np.random.Generator) -> pd.Series:
        """Make values for the row numbers; see :class:`synthgen.data.surrogate.Surrogate`."""
        del rng
        texts = self._texts(rows, self.key)
        clash = np.flatnonzero(np.isin(hash_texts(texts), self.real))
        for attempt in range(_TRIES):
            if not len(clash):
                break
            texts[clash] = self._texts(rows[clash], key_of(self.key, attempt))
            clash = clash[np.isin(hash_texts(texts[clash]), self.real)]
        if len(clash):
            raise InvalidDataError(
                f"No {self.pii} could be invented that is not a real one: too few are possible."
            )
        if self.templates and not self.dtype.startswith(("object", "str", "category")):
            return cast_values(np.array([int(text) for text in texts]), self.dtype)
        return cast_values(texts, self.dtype)

    def _texts(self, rows: np.ndarray, key: int) -> np.ndarray:
        if self.templates:
            return _fill_templates(rows, self.templates, key)
        if self.pii == "ip":
            return _addresses(rows, key)
        names = _PARTS.get(self.pii, (self.pii,))
        parts = [_pool(name)[draw(rows, _POOL, key_of(key, name))] for name in names]
        return _JOINS.get(self.pii, _join_plain)(parts, rows, key, self.unique)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {
            "type": "personal_data",
            "pii": self.pii,
            "unique": self.unique,
            "templates": list(self.templates),
            "real": pack(self.real),
            "dtype": self.dtype,
            "key": self.key,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> PersonalData:
        """Read a document written by :meth:`to_json`."""
        return cls(
            pii=document["pii"],
            unique=document["unique"],
            templates=tuple(document["templates"]),
            real=unpack(document["real"], "<u8"),
            dtype=document["dtype"],
            key=document["key"],
        )


def fit_personal_data(present: pd.Series, column: Column) -> PersonalData:
    """Learn the form of personal data; the values themselves are only hashed.

    Parameters
    ----------
    present : pandas.Series
        Real values, none missing.
    column : Column

    Raises
    ------
    MissingExtraError
        If Faker is not installed but needed.
    """
    pii = str(column.pii)
    numbers = present.dtype.kind in "iuf"
    texts = np.array([str(int(v)) if numbers else str(v) for v in present], dtype=object)
    templates: tuple[str, ...] = ()
    if pii == "phone" or (numbers and pii in _DIGITS_ONLY):
        templates = _learn_templates(texts)
    elif pii != "ip":
        _require_faker()
    if numbers and not templates:
        raise InvalidDataError(
            f"Column {column.name!r}: {pii} cannot be made up as numbers; convert it to text."
        )
    real = np.empty(0, dtype=np.uint64)
    if pii not in _SHARED:
        real = np.unique(hash_texts(texts))
    unique = len(np.unique(texts)) == len(texts)
    return PersonalData(pii, unique, templates, real, column.dtype, key_of("pii", column.name))


def _learn_templates(texts: np.ndarray) -> tuple[str, ...]:
    forms = Counter(re.sub(r"\d", "#", text) for text in texts)
    # Letters may be part of a name or an extension; digits and separators cannot identify anyone.
    plain = [form for form, _ in forms.most_common(20) if not re.search(r"[^\W_]", form)]
    return tuple(plain[:8]) or ("(###) ###-####",)


def _fill_templates(rows: np.ndarray, templates: tuple[str, ...], key: int) -> np.ndarray:
    texts = np.empty(len(rows), dtype=object)
    chosen = draw(rows, len(templates), key_of(key, "template"))
    for k, template in enumerate(templates):
        mine = np.flatnonzero(chosen == k)
        columns = []
        for place, character in enumerate(template):
            if character != "#":
                columns.append(np.full(len(mine), character))
                continue
            first = "#" not in template[:place]
            codes = draw(rows[mine], 9 if first else 10, key_of(key, place)) + first
            columns.append(np.array(list("0123456789"))[codes])
        matrix = np.ascontiguousarray(np.stack(columns, axis=1).astype("U1"))
        texts[mine] = matrix.view(f"U{len(template)}")[:, 0].astype(object)
    return texts


def _addresses(rows: np.ndarray, key: int) -> np.ndarray:
    bytes_ = [draw(rows, 254, key_of(key, place)) + 1 for place in range(4)]
    texts = np.empty(len(rows), dtype=object)
    texts[:] = [".".join(map(str, four)) for four in zip(*bytes_, strict=True)]
    return texts


def _join_plain(parts: list[Any], rows: np.ndarray, key: int, unique: bool) -> np.ndarray:
    del rows, key, unique
    result = parts[0]
    for part in parts[1:]:
        result = result + " " + part
    return np.asarray(result, dtype=object)


def _join_street(parts: list[Any], rows: np.ndarray, key: int, unique: bool) -> np.ndarray:
    del unique
    numbers = (draw(rows, 9_899, key_of(key, "number")) + 101).astype(str).astype(object)
    return np.asarray(numbers + " " + parts[0], dtype=object)


def _join_address(parts: list[Any], rows: np.ndarray, key: int, unique: bool) -> np.ndarray:
    street = _join_street(parts, rows, key, unique)
    return np.asarray(street + ", " + parts[1] + ", " + parts[2] + " " + parts[3], dtype=object)


def _join_username(parts: list[Any], rows: np.ndarray, key: int, unique: bool) -> np.ndarray:
    numbers = rows if unique else draw(rows, 100, key_of(key, "number"))
    lower = np.array([f"{a}.{b}".lower() for a, b in zip(*parts, strict=True)], dtype=object)
    return np.asarray(lower + numbers.astype(str).astype(object), dtype=object)


def _join_email(parts: list[Any], rows: np.ndarray, key: int, unique: bool) -> np.ndarray:
    domains = np.array(_DOMAINS, dtype=object)[draw(rows, len(_DOMAINS), key_of(key, "domain"))]
    return np.asarray(_join_username(parts, rows, key, unique) + "@" + domains, dtype=object)


_JOINS: Final[dict[str, Callable[[list[Any], np.ndarray, int, bool], np.ndarray]]] = {
    "street": _join_street,
    "address": _join_address,
    "username": _join_username,
    "email": _join_email,
}


def _require_faker() -> Any:
    try:
        import faker
    except ImportError as error:
        raise MissingExtraError("Making up personal data", "faker", "pii") from error
    return faker


@cache
def _pool(kind: str) -> np.ndarray:
    """Return values by Faker, the same in every process that has the same version of it."""
    fake = _require_faker().Faker("en_US")
    fake.seed_instance(key_of("faker", kind))
    make = getattr(fake, _PROVIDERS[kind])
    pool = np.empty(_POOL, dtype=object)
    pool[:] = [str(make()).replace("\n", ", ") for _ in range(_POOL)]
    return pool
