"""The process that trains is killed: the trial runs again by itself, the admins are told, no time is lost."""

import os
import re
import signal
from datetime import timedelta
from pathlib import Path

from storage import events
from storage.schema.states import EventKind


def worker_processes():
    """The processes of this program's workers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, parent = (
                (folder / "cmdline").read_bytes(),
                (folder / "stat").read_text().rsplit(")", 1)[1].split()[1],
            )
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == os.getpid() and b"training.workers.process" in command:
            found.append(int(folder.name))
    return found


def test_a_trial_whose_worker_is_killed_runs_again(house):
    house.wait_for_machines()
    person = house.seated("Trains on bad luck")
    house.submit(person, epochs="12", batch_size="64")
    message = house.trial(person, 1, "training, epoch", button="Cancel")
    before = house.session(person)

    for process in worker_processes():
        os.kill(process, signal.SIGKILL)

    # The other worker may have been lost with an evaluation: both are gathered in one post, and the later is shown.
    assert re.search(r"was lost with (trial|evaluation):\d+ of P\d{3}", house.reported("was lost with").text)
    house.trial(person, 1, "validation accuracy")
    session = house.session(person)
    assert person.message(message.ts).text.startswith("Trial 1 · validation accuracy")
    assert session.trials[0].attempts in (2, 3)  # it may have been given to the other worker a moment before that died
    assert session.deadline - before.deadline == session.given_back > timedelta(0)
    assert events.read(house.store, kind=EventKind.LOST, subject=session.trials[0].subject)
    person.wait_until(lambda: f"<!date^{int(session.deadline.timestamp())}^" in house.root(person).text, 30)
