"""The package as somebody installs it: a wheel, built without a network, in a folder of its own."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[3]

_PARTS = ("bot", "training", "storage", "reports")
_FILES = ("pyproject.toml", "README.md", "LICENSE", "study.toml", "consent.md", "manifest.yml")
_OFFLINE = ("--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")


class Installed:
    """The wheel, installed beside the packages that it needs.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        source, wheels, self.target = folder / "source", folder / "wheels", folder / "target"
        for name in _PARTS:
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        for name in _FILES:
            shutil.copy(ROOT / name, source)
        _pip("wheel", *_OFFLINE, "--no-build-isolation", "--wheel-dir", str(wheels), str(source))
        (self.wheel,) = wheels.iterdir()
        _pip("install", *_OFFLINE, "--target", str(self.target), str(self.wheel))
        shutil.rmtree(source)  # nothing of it may be needed

    def names(self) -> set[str]:
        """The files in the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    def run(self, *words: str, folder: Path, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run ``blackmagic`` in a folder, with nothing of the repository on its path."""
        return subprocess.run(
            [sys.executable, str(self.target / "bin" / "blackmagic"), *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(self.target), "TMPDIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def _pip(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "pip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip {words[0]} failed: {done.stderr[-3000:]}")
