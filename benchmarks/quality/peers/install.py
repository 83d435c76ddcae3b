"""Make one virtual environment per peer from its pinned requirements.

    python -m benchmarks.quality.peers.install            # all of them
    python -m benchmarks.quality.peers.install sdv arfpy

An environment whose requirements are those of the file is left alone; one that was interrupted or
whose file has changed is brought up to date. Needs about 3.5 GB on disk in all.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENVS = HERE / ".venvs"


def peers(folder: Path = HERE) -> list[str]:
    """Return the names of all peers: those that have requirements."""
    prefix, suffix = "requirements-", ".txt"
    found = sorted(folder.glob(f"{prefix}*{suffix}"))
    return [path.name[len(prefix) : -len(suffix)] for path in found]


def requirements(peer: str, folder: Path = HERE) -> Path:
    return folder / f"requirements-{peer}.txt"


def python(peer: str, venvs: Path = VENVS) -> Path:
    """Return the interpreter of a peer's environment."""
    return venvs / peer / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def installed(peer: str, folder: Path = HERE, venvs: Path = VENVS) -> bool:
    """Say whether the environment was finished with just these requirements."""
    stamp = venvs / peer / "requirements.txt"
    return stamp.is_file() and stamp.read_text() == requirements(peer, folder).read_text()


def install(peer: str) -> None:
    """Make the environment where there is none and bring its packages to the pinned versions.

    The file lists all that is needed, so nothing is resolved (``--no-deps``): a free choice of
    torch, made for another package's sake, would be a build of several gigabytes.
    """
    if not python(peer).is_file():
        venv.create(VENVS / peer, with_pip=True)
    (VENVS / ".gitignore").write_text("*\n")
    command = [str(python(peer)), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    command += ["--no-deps", "-r", str(requirements(peer))]
    subprocess.check_call(command)  # noqa: S603  (fixed arguments, a file of ours, no shell)
    (VENVS / peer / "requirements.txt").write_text(requirements(peer).read_text())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peers", nargs="*", help="default: all")
    chosen = parser.parse_args(arguments).peers or peers()
    unknown = sorted(set(chosen) - set(peers()))
    if unknown:
        parser.error(f"unknown {unknown}; there are requirements for {peers()}")
    for peer in chosen:
        start = time.perf_counter()
        if installed(peer):
            print(f"{peer}: already there")
            continue
        print(f"{peer}: installing into {VENVS / peer}", flush=True)
        install(peer)
        print(f"{peer}: done in {time.perf_counter() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
