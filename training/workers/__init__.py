"""Where trials run: one warm process per slot, without credentials and without a database."""

from training.workers.local import LocalWorkers
from training.workers.protocol import (
    Failed,
    Lost,
    Message,
    Ready,
    Resumed,
    Started,
    Suspended,
    WorkerEvent,
    Workers,
)

__all__ = [
    "Failed",
    "LocalWorkers",
    "Lost",
    "Message",
    "Ready",
    "Resumed",
    "Started",
    "Suspended",
    "WorkerEvent",
    "Workers",
]
