"""What of the bot's environment variables a worker may see: what it needs, and never a credential."""

from collections.abc import Mapping
from pathlib import Path

import training

_NEEDED = frozenset({"PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT", "XDG_CACHE_HOME", "USER"})
_NEEDED_PREFIXES = ("LC_", "LD_", "DYLD_", "PYTHON", "CUDA", "NVIDIA_", "OMP_", "MKL_", "KMP_", "GOMP_", "TORCH")
_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "KEY", "URL", "DSN")


def worker_environment(variables: Mapping[str, str], threads: int) -> dict[str, str]:
    """The environment variables a worker is started with.

    Only known names pass, so that a credential nobody thought of does not; and the process never had the others:
    nothing is left of them to read, not by the system's tables either.
    """
    passed = {name: value for name, value in variables.items() if _may_pass(name)}
    here = str(Path(training.__file__).resolve().parent.parent)
    passed["PYTHONPATH"] = f"{here}:{passed['PYTHONPATH']}" if passed.get("PYTHONPATH") else here
    return passed | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}


def _may_pass(name: str) -> bool:
    known = name in _NEEDED or name.startswith(_NEEDED_PREFIXES)
    return known and not any(word in name.upper() for word in _SECRET_WORDS)
