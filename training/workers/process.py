"""The process in a slot: ``python -m training.workers.process FD``, started by :mod:`training.workers.local`.

FD is an inherited socket to the pool. The process ends when that socket closes, so it cannot outlive the pool:
a thread listens to it from the first moment, and needs nothing from the thread that trains.
"""

import os
import queue
import sys
import threading
from multiprocessing.connection import Connection

from training.workers.commands import Command, Setup
from training.workers.memory import be_ended_first


def main(descriptor: int) -> None:
    """Serve the pool at the other end of a socket until it closes."""
    be_ended_first()
    connection = Connection(descriptor)
    setup = connection.recv()
    if not isinstance(setup, Setup):
        raise TypeError(f"The first message must be the setup, not {type(setup).__name__}.")
    inbox: queue.SimpleQueue[Command] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, inbox), name="commands", daemon=True).start()
    # Imported only now: it brings torch, and an order to end must be heard while torch is loading.
    from training.workers.service import Service

    Service(setup, connection, inbox).run()


def _listen(connection: Connection, inbox: "queue.SimpleQueue[Command]") -> None:
    while True:
        try:
            inbox.put(connection.recv())
        except (EOFError, OSError):
            os._exit(0)  # there is nobody left to report to, and nothing to save


if __name__ == "__main__":
    main(int(sys.argv[1]))
