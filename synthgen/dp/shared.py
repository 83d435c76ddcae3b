"""One budget for several fits on the same data, kept in a file.

Every fit reserves what it is going to spend before it starts. A reservation is never given back,
also if the fit fails afterwards, since noise may have been seen by then.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from synthgen.core.documents import check_mapping, dump_json
from synthgen.core.files import replace_file
from synthgen.core.params import check_choice, check_real
from synthgen.dp.accounting import Guarantee, guarantee
from synthgen.dp.errors import PrivacyError
from synthgen.dp.events import ADJACENCIES, Event
from synthgen.dp.ledger import check_fits, check_limit
from synthgen.errors import ArtifactError, InvalidParameterError

_FORMAT: Final = 1


class SharedLedger:
    """A file of reservations with a limit that they never exceed together.

    Parameters
    ----------
    path : path-like
        A JSON file. Beside it stands an empty file ``<name>.lock`` that only one process at a time
        may hold; both must be on a disk that supports locks.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise InvalidParameterError(f"path must be that of a file, got {path!r}.")
        # Through links: two names of one file must not become two ledgers.
        self.path = Path(os.path.realpath(path))

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        epsilon: float,
        delta: float,
        adjacency: str = "zero_out",
        data: str = "",
    ) -> SharedLedger:
        """Start the ledger of a data set.

        Parameters
        ----------
        path : path-like
        epsilon, delta : float
            The limit of all fits together.
        adjacency : str
            Which tables are neighbours; all fits must agree.
        data : str
            Name of the data set, for readers.

        Raises
        ------
        PrivacyError
            If there is a file already: a limit is not raised by starting anew.
        """
        check_real("epsilon", epsilon, low=0.0, high=1e6, closed="high")
        check_real("delta", delta, low=0.0, high=1.0, closed="neither")
        check_choice("adjacency", adjacency, ADJACENCIES)
        _check_word("data", data)
        ledger = cls(path)
        document = {
            "format": _FORMAT,
            "data": data,
            "epsilon": float(epsilon),
            "delta": float(delta),
            "adjacency": adjacency,
            "fits": [],
        }
        with ledger._locked(create=True):
            if ledger.path.is_dir():
                raise PrivacyError(f"'{ledger.path}' is a folder; a ledger is a file.")
            if ledger.path.exists():
                raise PrivacyError(f"There is a ledger at '{ledger.path}' already; use that one.")
            replace_file(ledger.path, dump_json(document).encode())
        return ledger

    def reserve(self, events: Sequence[Event], *, adjacency: str, label: str = "") -> Guarantee:
        """Reserve what a fit is going to spend, or nothing.

        Parameters
        ----------
        events : sequence of Event
            At least as telling as everything that the fit will release.
        adjacency : str
            The fit's; it must be the ledger's.
        label : str
            Name of the fit, for readers.

        Returns
        -------
        Guarantee
            Of all fits so far, this one included.

        Raises
        ------
        BudgetExceededError
            If the limit would be exceeded; then the file stays as it is.
        PrivacyError
            If the adjacency is another one, or the file has a second name.
        ArtifactError
            If the file is missing or damaged.
        """
        if not events:
            raise PrivacyError("A fit that reserves nothing cannot release anything.")
        _check_word("label", label)
        for event in events:
            if not isinstance(event, Event):
                raise PrivacyError(f"events must be a list of Event, got {event!r} in it.")
            check_fits(event, adjacency)
        with self._locked():
            document = self._read()
            self._check_single()
            if adjacency != document["adjacency"]:
                raise PrivacyError(
                    f"The ledger '{self.path}' is kept for adjacency {document['adjacency']!r}, "
                    f"not {adjacency!r}; guarantees of different kinds do not add up."
                )
            before = _events(document)
            after = [*before, *events]
            check_limit(after, document["epsilon"], document["delta"], before=before)
            fit = {"label": label, "events": [event.to_json() for event in events]}
            document["fits"].append(fit)
            replace_file(self.path, dump_json(document).encode())
        return guarantee(after, document["delta"])

    def read(self) -> dict[str, Any]:
        """Return the file's content.

        Raises
        ------
        ArtifactError
            If it is missing or damaged.
        """
        with self._locked():
            return self._read()

    def spent(self) -> Guarantee:
        """Return what all fits so far keep together."""
        document = self.read()
        return guarantee(_events(document), document["delta"])

    def _read(self) -> dict[str, Any]:
        try:
            document = json.loads(self.path.read_bytes())
        except (OSError, ValueError) as error:
            raise ArtifactError(
                f"The privacy ledger '{self.path}' cannot be read: {error}. Start one with "
                "SharedLedger.create."
            ) from error
        required = {"format": int, "adjacency": str, "fits": list}
        check_mapping(document, required, f"The ledger '{self.path}'")
        for name, most in (("epsilon", 1e6), ("delta", 1.0)):
            value = document.get(name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ArtifactError(f"The ledger '{self.path}' has no {name}.")
            if not 0.0 < value <= most:
                raise ArtifactError(f"The ledger '{self.path}' is damaged: its {name} is {value}.")
        if document["adjacency"] not in ADJACENCIES or document["format"] < 1:
            raise ArtifactError(
                f"The ledger '{self.path}' is damaged: adjacency {document['adjacency']!r}, format "
                f"{document['format']!r}."
            )
        if document["format"] > _FORMAT:
            raise ArtifactError(f"'{self.path}' was written by a newer synthgen; upgrade it.")
        _events(document)
        return dict(document)

    def _check_single(self) -> None:
        """Refuse a file with a second name, which would stay as it is when this one is written."""
        names = self.path.stat().st_nlink
        if names > 1:
            raise PrivacyError(
                f"The ledger '{self.path}' has {names} names (hard links), and each would become a "
                "ledger of its own. Keep one of them; to keep this one, copy it and move the copy "
                "over it."
            )

    @contextmanager
    def _locked(self, *, create: bool = False) -> Iterator[None]:
        """Hold the lock file; other processes wait."""
        lock = self.path.with_name(f"{self.path.name}.lock")
        if not create and not self.path.exists():
            # Nothing to lock, and no reason to leave a lock file behind.
            yield
            return
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            stream = lock.open("a")
        except OSError as error:
            raise ArtifactError(
                f"The privacy ledger '{self.path}' cannot be kept there: {error}."
            ) from error
        with stream:
            _lock(stream.fileno())
            # Closing the file releases the lock.
            yield


def _check_word(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise InvalidParameterError(f"{name} must be text, got {value!r}.")


def _events(document: dict[str, Any]) -> list[Event]:
    events = []
    for fit in document["fits"]:
        check_mapping(fit, {"label": str, "events": list}, "A fit of the ledger")
        events += [Event.from_json(item) for item in fit["events"]]
    return events


if sys.platform == "win32":

    def _lock(handle: int) -> None:
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)

else:

    def _lock(handle: int) -> None:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)
