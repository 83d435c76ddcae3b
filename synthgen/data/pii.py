"""Personal data, found by the label of a column and confirmed by its contents."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from synthgen.data.naming import word_list, words_of

_LOOKED_AT: Final = 1_000
_MOST: Final = 0.8
_SOME: Final = 0.3

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_PHONE: Final = re.compile(r"\+?[\d\s().\-/]{7,22}(?:(?:x|ext\.?) ?\d{1,6})?")
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?")
_SSN: Final = re.compile(r"\d{3}-\d{2}-\d{4}")
_PERSON: Final = re.compile(r"[^\W\d_][^\W\d_]*(?:[ '.\-&]+[^\W\d_]+){0,4}\.?")
_STREET: Final = re.compile(
    r"\d+[A-Za-z]?,? .*\b(?:st|str|street|ave|avenue|rd|road|blvd|boulevard|ln|lane|dr|drive|way|"
    r"court|ct|plaza|pl|square|sq|highway|hwy|terrace|apt)\b|.*(?:straße|strasse|str\.) ?\d+.*|"
    r"\d+,? (?:rue|avenue|boulevard|place) .*",
    re.IGNORECASE,
)

#: Words before "name" that make it the name of a person.
_PERSON_WORDS: Final = frozenset(
    word_list(
        "full customer client patient person host guest owner employee contact author student "
        "teacher member user applicant borrower driver passenger doctor physician manager "
        "agent nurse child parent mother father spouse maiden middle nick holder cardholder "
        "recipient sender"
    )
)
_FIRST_WORDS: Final = frozenset(["first", "given", "fore", "christian"])
_LAST_WORDS: Final = frozenset(["last", "family", "sur"])
_WHOLE_LABELS: Final = {
    "firstname": "first_name", "forename": "first_name", "fname": "first_name",
    "lastname": "last_name", "surname": "last_name", "lname": "last_name",
    "fullname": "name", "username": "username", "login": "username",
}  # fmt: skip
_COMMON_FIRST_NAMES: Final = frozenset(
    word_list(
        "james mary robert patricia john jennifer michael linda david elizabeth william "
        "barbara richard susan joseph jessica thomas sarah charles karen christopher lisa "
        "daniel nancy matthew betty anthony margaret mark sandra donald ashley steven "
        "kimberly paul emily andrew donna joshua michelle kenneth carol kevin amanda brian "
        "dorothy george melissa timothy deborah ronald stephanie edward rebecca jason sharon "
        "jeffrey laura ryan cynthia jacob kathleen gary amy nicholas angela eric shirley "
        "jonathan anna stephen brenda larry pamela justin emma scott nicole brandon helen "
        "benjamin samantha samuel katherine gregory christine alexander debra patrick rachel "
        "frank carolyn raymond janet jack catherine dennis maria jerry heather tyler diane "
        "aaron ruth jose julie adam olivia nathan joyce henry virginia zachary victoria "
        "douglas kelly peter lauren kyle christina noah joan ethan evelyn jeremy judith "
        "walter megan christian andrea keith cheryl roger hannah terry jacqueline harry "
        "martha ralph gloria sean teresa jesse ann roy sara louis madison billy frances bruce "
        "kathryn eugene janice philip jean bryan abigail alan alice juan julia wayne judy ana "
        "luis carlos antonio jorge pedro sofia elena carmen isabel marta hans klaus karl "
        "fritz anja petra monika sabine ingrid pierre jacques marie claire sophie giovanni "
        "marco paolo giulia francesca ivan olga natalia dmitri mohammed ahmed fatima ali omar "
        "wei li ming hiroshi yuki kenji raj priya anil sunita tom jim joe bob bill mike dave "
        "dan steve chris matt ben sam alex max leo tim nick tony jenny kate katie beth sue "
        "liz meg carla gina eva lena nina clara rosa hal ted ray ron don ken"
    )
)


@dataclass(frozen=True)
class PiiFinding:
    """What kind of personal data a column holds, and how that was noticed."""

    kind: str
    reason: str


def find_pii(name: Hashable, values: np.ndarray) -> PiiFinding | None:
    """Look for personal data.

    Parameters
    ----------
    name : hashable
        Label of the column.
    values : numpy.ndarray of object
        Values that are not missing: strings, or whole numbers.

    Returns
    -------
    PiiFinding or None

    Examples
    --------
    >>> find_pii("contact", np.array(["ann@example.org", "bob@example.org"], dtype=object)).kind
    'email'
    """
    step = max(1, len(values) // _LOOKED_AT)
    looked = values[::step]
    if not len(looked):
        return None
    if not isinstance(looked[0], str):
        return _number_pii(name, looked)
    texts = [text.strip() for text in looked if text.strip()]
    if not texts:
        return None
    return _by_content(texts) or _by_label(name, texts)


def _by_content(texts: list[str]) -> PiiFinding | None:
    checks: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
        ("email", "e-mail addresses", lambda text: bool(_EMAIL.fullmatch(text))),
        ("iban", "bank account numbers (IBAN)", _is_iban),
        ("credit_card", "payment card numbers", _is_card),
        ("ip", "IP addresses", _is_ip),
        ("ssn", "social security numbers", lambda text: bool(_SSN.fullmatch(text))),
    )
    for kind, meaning, check in checks:
        if check(texts[0]) or check(texts[-1]):
            share = _share(texts, check)
            if share >= _MOST:
                return PiiFinding(kind, f"{share:.0%} of the values are {meaning}")
    share = _share(texts, lambda text: bool(_STREET.fullmatch(text)))
    if share >= _MOST and len(set(texts)) > 0.2 * len(texts):
        return PiiFinding("street", f"{share:.0%} of the values are street addresses")
    return None


def _by_label(name: Hashable, texts: list[str]) -> PiiFinding | None:
    kind = _labelled(name)
    if kind is None:
        return None
    check, needed = _CONFIRM[kind]
    if kind == "name" and words_of(name) == ("name",):
        share = _share(texts, _starts_with_first_name)
        needed = _SOME
        if _share(texts, _is_person) < _MOST:
            return None
    else:
        share = _share(texts, check)
    if share < needed:
        return None
    if kind == "name" and _share(texts, lambda text: " " not in text) >= _MOST:
        kind = "first_name"
    return PiiFinding(kind, f"named {str(name)!r} and the values look like it ({share:.0%})")


#: Words of what is measured about phones.
_MEASURES: Final = frozenset({
    "bytes", "data", "usage", "traffic", "minutes", "seconds", "duration", "count", "total", "sum",
    "amount", "cost", "price", "charge", "charges", "spend", "revenue", "sales", "share", "rate",
    "score", "age", "days", "months", "users", "visits", "calls",
})  # fmt: skip


def _labelled(name: Hashable) -> str | None:
    """Say which personal data the label promises."""
    words = words_of(name)
    joined = "".join(words)
    if joined in _WHOLE_LABELS:
        return _WHOLE_LABELS[joined]
    if not words:
        return None
    last, before = words[-1], set(words[:-1])
    if last == "name":
        return _name_label(before)
    if set(words) & {"phone", "telephone", "fax", "mobile", "cellphone"}:
        return None if set(words) & _MEASURES else "phone"
    if last in ("address", "street", "addr") and not before & {"ip", "mac", "email", "web"}:
        return "street"
    if "ssn" in words:
        return "ssn"
    return None


def _name_label(before: set[str]) -> str | None:
    if before & _FIRST_WORDS:
        return "first_name"
    if before & _LAST_WORDS:
        return "last_name"
    if not before or before & _PERSON_WORDS:
        return "username" if "user" in before else "name"
    return None


def _number_pii(name: Hashable, values: np.ndarray) -> PiiFinding | None:
    """Phones, cards and social security numbers that are stored as whole numbers."""
    numbers = [str(int(value)) for value in values]
    if all(len(text) >= 15 for text in numbers):
        share = _share(numbers, _is_card)
        if share >= 0.95 and not isinstance(values[0], float):
            return PiiFinding("credit_card", f"{share:.0%} of the values are payment card numbers")
    kind = _labelled(name)
    lengths = {"phone": range(7, 16), "ssn": range(9, 10)}
    if kind not in lengths:
        return None
    share = _share(numbers, lambda text: len(text) in lengths[str(kind)])
    if share < _MOST:
        return None
    return PiiFinding(str(kind), f"named {str(name)!r} and the numbers have that length")


def _share(texts: list[str], check: Callable[[str], Any]) -> float:
    return sum(bool(check(text)) for text in texts) / len(texts)


def _is_iban(text: str) -> bool:
    """Check the form and the two check digits (ISO 7064 mod 97-10)."""
    if not _IBAN.fullmatch(text):
        return False
    plain = text.replace(" ", "")
    digits = "".join(str(int(character, 36)) for character in plain[4:] + plain[:4])
    return int(digits) % 97 == 1


def _is_card(text: str) -> bool:
    """Check the length and the Luhn check digit (ISO/IEC 7812-1)."""
    plain = text.replace(" ", "").replace("-", "")
    if not (plain.isascii() and plain.isdigit() and 13 <= len(plain) <= 19):
        return False
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(plain))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _is_ip(text: str) -> bool:
    if text.count(".") != 3 and text.count(":") < 2:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_person(text: str) -> bool:
    return bool(_PERSON.fullmatch(text)) and text[0].isupper() and len(text) <= 40


def _starts_with_first_name(text: str) -> bool:
    return text.replace(",", " ").split()[0].lower() in _COMMON_FIRST_NAMES


def _is_phone(text: str) -> bool:
    return bool(_PHONE.fullmatch(text)) and sum(c.isdigit() for c in text) >= 7


def _is_address(text: str) -> bool:
    """Whether it has words and is neither a mere code nor a sentence."""
    return sum(c.isalpha() for c in text) >= 3 and (" " in text or any(c.isdigit() for c in text))


_CONFIRM: Final[dict[str, tuple[Callable[[str], bool], float]]] = {
    "name": (_is_person, _MOST),
    "first_name": (_is_person, _MOST),
    "last_name": (_is_person, _MOST),
    "username": (lambda text: " " not in text and len(text) <= 40, _MOST),
    "phone": (_is_phone, _MOST),
    "street": (_is_address, _MOST),
    "ssn": (lambda text: sum(c.isdigit() for c in text) == 9, _MOST),
}
