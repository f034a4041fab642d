"""A worker's process that trains nothing, so it starts in a moment: ``python -m …pretend_worker FD``.

The name of a job says what becomes of it.
"""

import os
import signal
import sys
from multiprocessing.connection import Connection

from training.trial import Ending, Environment, Outcome
from training.workers.commands import Run
from training.workers.protocol import Ready, Started, WorkerEvent

ENVIRONMENT = Environment("cpu", "a processor", "AVX2", "2", "0", "3", None, "float32", 1)


def main(descriptor: int) -> None:
    """Serve a pool until it goes."""
    connection = Connection(descriptor)
    setup = connection.recv()

    def say(job: str | None, message: object) -> None:
        connection.send(WorkerEvent(setup.slot, job, message))  # type: ignore[arg-type]

    say(None, Ready(ENVIRONMENT))
    while True:
        command = connection.recv()
        if not isinstance(command, Run):
            continue
        job = command.job
        say(job, Started())
        if job.startswith("writes nonsense"):
            connection.send_bytes(b"no pickle")
        elif job.startswith("sends a number"):
            connection.send(17)
        elif job.startswith("is killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        elif not job.startswith("waits"):
            say(job, Outcome(Ending.COMPLETE, 50.0, 1, 1.0, 1.0, ENVIRONMENT))


if __name__ == "__main__":
    main(int(sys.argv[1]))
