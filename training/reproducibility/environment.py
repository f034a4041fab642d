"""Make a process train the same bits every time, and say what it trains on."""

import os
import platform
import re
import threading
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch

from training.trial import Environment

CUBLAS_WORKSPACE = ":4096:8"
"""One of the two workspaces with which cuBLAS is deterministic (PyTorch's notes on reproducibility)."""

_prepared_thread: int | None = None


def choose_device(slot: int = 0) -> torch.device:
    """The GPU of a slot, in turn when there are more slots than GPUs, or the CPU when there is none."""
    if torch.cuda.is_available():
        return torch.device("cuda", slot % torch.cuda.device_count())
    return torch.device("cpu")


def prepare(device: torch.device, threads: int) -> Environment:
    """Settle everything in this process that the bits of a trial depend on.

    On CUDA every operation that PyTorch knows to be nondeterministic raises an error from then on (its list is in the
    documentation of ``torch.use_deterministic_algorithms``). Three entries look like SqueezeNet's and are not: its
    adaptive average pooling to 1×1 is computed as a mean, its loss is not the two-dimensional ``NLLLoss`` that is
    meant, and its max pooling gathers gradients in NCHW, where no two threads add to one number.

    Call it on the thread that will train, before anything is put on a GPU: some settings belong to the thread.

    Args:
        device: Where trials will run.
        threads: CPU threads of the process. On a CPU the last bits depend on their number (not on the load).

    Returns:
        What the trials of this process run on.
    """
    global _prepared_thread
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = CUBLAS_WORKSPACE
    torch.set_num_threads(threads)
    # The same as torch.use_deterministic_algorithms(True), which imports torch's compiler too and so takes two seconds.
    torch.set_deterministic_debug_mode("error")
    # Deterministic mode also fills fresh memory with NaN, to show reads of it. That costs time and changes no result.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")
    # A network whose units have died leaves running averages that sink below 1e-38, where a CPU is half as fast:
    # everybody would wait longer for nothing.
    torch.set_flush_denormal(True)
    _prepared_thread = threading.get_ident()
    return current_environment(device)


def is_prepared() -> bool:
    """Whether :func:`prepare` was called on this thread."""
    return _prepared_thread == threading.get_ident()


def current_environment(device: torch.device) -> Environment:
    """What a trial on this device would run on now."""
    on_gpu = device.type == "cuda"
    return Environment(
        device=str(device),
        processor=torch.cuda.get_device_name(device) if on_gpu else _cpu_name(),
        instructions=torch.backends.cpu.get_cpu_capability(),
        torch=torch.__version__,
        torchvision=_torchvision_version(),
        python=platform.python_version(),
        cuda=torch.version.cuda if on_gpu else None,
        precision="float32",
        threads=torch.get_num_threads(),
    )


@cache
def _torchvision_version() -> str:
    """What ``torchvision.__version__`` says, such as ``0.20.1+cu124``; importing torchvision would take two seconds."""
    spec = find_spec("torchvision")
    for folder in (spec and spec.submodule_search_locations) or ():
        file = Path(folder) / "version.py"
        if file.exists() and (found := re.search(r"__version__ = '(.+)'", file.read_text(encoding="utf-8"))):
            return found[1]
    return version("torchvision")


@cache
def _cpu_name() -> str:
    table = Path("/proc/cpuinfo")
    if table.exists():
        for line in table.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
