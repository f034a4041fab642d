"""The environment variables that a worker gets from the bot: those that it needs, and never a credential."""

from collections.abc import Mapping
from pathlib import Path

import training

_NEEDED = frozenset({"PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT", "XDG_CACHE_HOME", "USER"})
_NEEDED_PREFIXES = ("LC_", "LD_", "DYLD_", "PYTHON", "CUDA", "NVIDIA_", "OMP_", "MKL_", "KMP_", "GOMP_", "TORCH")
_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "KEY", "URL", "DSN")

_KEEP_MEMORY = str(2**40)
"""Bytes below which glibc keeps what was freed for the next step. Otherwise it gives large blocks back to the system
at every step and gets new pages for the next step."""


def worker_environment(variables: Mapping[str, str], threads: int) -> dict[str, str]:
    """The environment variables a worker is started with.

    Only known names pass, so a credential under an unknown name does not. The process never had the other variables,
    so they cannot be read from the system's tables either.
    """
    passed = {name: value for name, value in variables.items() if _may_pass(name)}
    here = str(Path(training.__file__).resolve().parent.parent)
    passed["PYTHONPATH"] = f"{here}:{passed['PYTHONPATH']}" if passed.get("PYTHONPATH") else here
    return passed | {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "MALLOC_MMAP_THRESHOLD_": _KEEP_MEMORY,
        "MALLOC_TRIM_THRESHOLD_": _KEEP_MEMORY,
    }


def _may_pass(name: str) -> bool:
    known = name in _NEEDED or name.startswith(_NEEDED_PREFIXES)
    return known and not any(word in name.upper() for word in _SECRET_WORDS)
