"""Where images come from and go to: folders with a subfolder per class, and numpy's files."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from synthgen.core.files import make_staging
from synthgen.errors import ArtifactError, InvalidDataError, InvalidParameterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ARRAYS: Final = (".npz", ".npy")

#: Names that arrays in a .npz file may have.
_IMAGES: Final = ("images", "X", "x", "data")
_LABELS: Final = ("labels", "y", "label", "target")

#: What a folder's name may not have on some system.
_UNSAFE: Final = re.compile(r"[^\w .()+,=@-]|^[. ]+|[. ]+$")


def holds_images(path: Path) -> bool:
    """Return whether a path stands for images rather than for a table.

    Examples
    --------
    >>> holds_images(Path("digits.npz")), holds_images(Path("rows.csv"))
    (True, False)
    """
    return path.is_dir() or path.suffix.lower() in ARRAYS


def read_image_file(path: Path) -> tuple[NDArray[Any], Any]:
    """Read images and their labels, which are None without any.

    Parameters
    ----------
    path : Path
        A folder; a .npy file of images; or a .npz file with ``images`` and, optionally, ``labels``.

    Raises
    ------
    InvalidDataError
        If it holds no images.
    """
    if path.is_dir():
        from synthgen.data.image_folder import read_folder

        return read_folder(path)
    import numpy as np

    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded, None
        with loaded:
            images, labels = _entry(loaded, _IMAGES), _entry(loaded, _LABELS)
            names = list(loaded.files)
    except FileNotFoundError:
        raise
    # What numpy raises for files that are damaged, or hold Python objects.
    except (OSError, ValueError, EOFError, KeyError, SyntaxError) as error:
        raise InvalidDataError(f"'{path}' cannot be read as numpy's arrays: {error}.") from error
    if images is None:
        raise InvalidDataError(
            f"'{path}' needs an array named {_IMAGES[0]!r} (and {_LABELS[0]!r} for classes), it "
            f"has {', '.join(names) or 'none'}."
        )
    return images, labels


def _entry(loaded: Any, names: Iterable[str]) -> Any:
    return next((loaded[name] for name in names if name in loaded.files), None)


def check_image_target(path: Path, channels: int) -> None:
    """Check, before images are made, that they can be written to `path`.

    Raises
    ------
    ArtifactError
        If something is there.
    InvalidParameterError
        If they cannot be PNG files, or the name stands for no known format.
    """
    if path.suffix.lower() in ARRAYS:
        return
    if path.suffix and not path.is_dir():
        raise InvalidParameterError(
            f"--out must be a folder for PNG files, or end in {' or '.join(ARRAYS)}, got '{path}'; "
            "for one picture of many images use --grid."
        )
    if channels not in (1, 3, 4):
        raise InvalidParameterError(
            f"Images of {channels} channels cannot be PNG files; write them to a .npz file."
        )
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ArtifactError(f"'{path}' exists and is not an empty folder; choose another.")


def write_arrays(path: Path, images: NDArray[Any], labels: NDArray[Any] | None) -> None:
    """Write a .npz or .npy file; a crash leaves what was there."""
    import numpy as np

    from synthgen.core.files import replace_file

    buffer = io.BytesIO()
    if path.suffix.lower() == ".npy":
        np.save(buffer, images, allow_pickle=False)
    else:
        named = {"images": images}
        if labels is not None:
            # Labels of several types become text: files of Python objects are refused on reading.
            named["labels"] = np.asarray(labels.tolist())
        np.savez_compressed(buffer, allow_pickle=False, **named)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, buffer.getvalue())


class PngFolder:
    """A folder of PNG files that appears when all of them are written.

    Parameters
    ----------
    path : Path
        The folder; missing or empty.
    labels : iterable
        All labels that may come; each gets a subfolder. None for images without labels.
    total : int
        How many images will come.
    """

    def __init__(self, path: Path, labels: Iterable[str] | None, total: int) -> None:
        self.path, self._digits, self._count = path, len(str(max(total - 1, 0))), 0
        self._folders = None if labels is None else folder_names(labels)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._staging = make_staging(path)

    def __enter__(self) -> PngFolder:
        return self

    def __exit__(self, kind: Any, *_details: Any) -> None:
        if kind is None:
            if self.path.exists():
                self.path.rmdir()
            self._staging.rename(self.path)
        else:
            shutil.rmtree(self._staging, ignore_errors=True)

    def write(self, pixels: NDArray[np.uint8], labels: list[str] | None) -> None:
        """Write images (n, H, W, C), one file each."""
        from synthgen.core.png import encode_png

        for at, image in enumerate(pixels):
            folder = self._staging
            if self._folders is not None and labels is not None:
                folder = folder / self._folders[labels[at]]
                folder.mkdir(exist_ok=True)
            name = f"{self._count:0{self._digits}d}.png"
            (folder / name).write_bytes(encode_png(image))
            self._count += 1


def folder_names(labels: Iterable[str]) -> dict[str, str]:
    """Return a name for the folder of each label, safe on every system and different for each.

    Examples
    --------
    >>> folder_names(["cat", "a/b", "a:b", "..", "CAT"])
    {'cat': 'cat', 'a/b': 'a_b', 'a:b': 'a_b~2', '..': '_', 'CAT': 'CAT~2'}
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for label in labels:
        base = _UNSAFE.sub("_", label)[:100] or "_"
        name, number = base, 1
        # Some systems take small and capital letters for the same.
        while name.lower() in taken:
            number += 1
            name = f"{base}~{number}"
        taken.add(name.lower())
        names[label] = name
    return names
