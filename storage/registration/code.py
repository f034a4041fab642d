"""Which code runs: its version, a hash of its files, and the versions of what it computes with."""

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("bot", "reports", "storage", "training")
_LIBRARIES = ("torch", "torchvision", "numpy", "scipy", "scikit-learn", "optuna")


def code_version() -> str:
    """The version of this program, such as ``0.1.0``; ``unknown`` when it runs without being installed."""
    return _version("black-magic")


def library_versions() -> Mapping[str, str]:
    """The versions of Python and of the libraries that train and compute, by name."""
    return {"python": platform.python_version(), **{name: _version(name) for name in _LIBRARIES}}


@cache
def code_hash() -> str:
    """SHA-256 over all Python files of this program, in the order of their paths, in hexadecimal.

    It tells two states of the code apart that have the same version.
    """
    root = Path(__file__).parents[2]
    files = sorted(file for package in _PACKAGES for file in (root / package).rglob("*.py"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
