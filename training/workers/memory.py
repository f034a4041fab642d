"""The memory of workers: how much each may take, which process the system ends first, and whether it ended one.

All of it is Linux's. Elsewhere a worker has no limit, and nobody can tell why it was killed.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_SHARE = 0.8
"""The part of the machine's memory that its workers have together. The bot and the system need the rest."""

_LEAST = 2**30
"""Bytes. With less, a worker has hardly room for torch and the images."""

_UNLIMITED = 2**60
"""What a control group without a limit says, or more."""

_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_OOM_SCORE = Path("/proc/self/oom_score_adj")
_STATUS = Path("/proc/self/status")
_VMSTAT = Path("/proc/vmstat")


def share(slots: int) -> int | None:
    """The bytes that each worker may take by default; ``None`` where this machine does not say how much it has."""
    memory = machine_memory()
    return None if memory is None else max(int(memory * _SHARE) // slots, _LEAST)


def machine_memory() -> int | None:
    """The bytes of memory that this machine, or the container that we run in, has; ``None`` where it does not say."""
    try:
        sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (ValueError, OSError, AttributeError):
        return None
    for folder in _own_groups():
        for name in ("memory.max", "memory.limit_in_bytes"):
            with suppress(OSError, ValueError):  # without a limit, the text is "max"
                sizes.append(int((folder / name).read_text()))
    return min(size for size in sizes if 0 < size < _UNLIMITED)


def limit_memory(size: int) -> int | None:
    """Let this process take so many bytes, what it has now included. An allocation beyond them fails as any other does.

    The limit is on the data of the process, not on its address space: that has all libraries in it, and CUDA reserves
    more addresses than a machine has memory. Data that was never touched, or was given back, counts for the limit, but
    takes no memory, so the limit is set as far above the data of now as the process may grow.

    Returns:
        The bytes that it may take besides those that it has; ``None`` where there is no limit.

    Raises:
        MemoryError: It has more already.
    """
    try:
        import resource

        status = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    except (ImportError, OSError):  # not Linux
        return None
    taken, data = (1024 * int(status[name].split()[0]) for name in ("VmRSS", "VmData"))
    if size <= taken:
        raise MemoryError(
            f"A worker takes {taken / 2**30:.2f} GiB before it trains, and may take {size / 2**30:.2f} GiB. "
            "Use fewer slots, or set machine.worker_memory."
        )
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = data + size - taken
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
    return size - taken


def give_back_freed() -> None:
    """Give memory that was freed back to the system. Workers keep it for the next step otherwise."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


def be_ended_first() -> None:
    """Let the system end this process before all others when the machine has no memory left."""
    with suppress(OSError):
        _OOM_SCORE.write_text("1000")


def oom_kills() -> int | None:
    """How many processes the system has ended because memory ran out, in our container or control group if it counts.

    Returns:
        The count since the machine or the group began; ``None`` where the system does not count.
    """
    counters = [folder / name for folder in _own_groups() for name in ("memory.events", "memory.oom_control")]
    for file in (*counters, _VMSTAT):
        with suppress(OSError):
            for line in file.read_text().splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill" and count.strip().isdigit():
                    return int(count)
    return None


def _own_groups() -> Iterator[Path]:
    """The folders of the control groups that bound our memory, the innermost first: those of version 2 and version 1.

    In a container, the path that the kernel names may be the host's. Then the container's own group is at the top.
    """
    with suppress(OSError):
        for line in _MEMBERSHIP.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            top = _CGROUPS / "memory" if controllers else _CGROUPS
            inner = top / path.strip("/")
            while inner != top and top in inner.parents:
                yield inner
                inner = inner.parent
            yield top
