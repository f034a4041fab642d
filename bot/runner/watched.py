"""What the watchdog watches: the threads that have to live, and the work that has to go on."""

from collections.abc import Callable, Iterable

from bot.runner.dispatcher import Dispatcher
from bot.runner.scheduler import Pulse, Scheduler
from bot.runner.watchdog import Threads
from bot.slack.connections import Hearing
from bot.slack.lasting_thread import LastingThread
from training.workers import LocalWorkers, Workers

SWEEPING, BEATING = "doing what is due", "noting that the bot is alive"
"""What the scheduler has to do, as it is told to the admins."""

_JOBS = "the loop of the jobs"
_NEEDED = frozenset({"the scheduler", SWEEPING, BEATING, _JOBS})
"""What the bot is of no use without."""

_JOBS_SECONDS = 120.0
"""Seconds in which the loop of the jobs has to go on."""


def watched(
    scheduler: Scheduler,
    dispatcher: Dispatcher,
    workers: Workers,
    hearing: Hearing,
    more: Callable[[], Iterable[LastingThread]],
) -> Threads:
    """What is to be watched of these parts of the bot.

    Args:
        scheduler: Calls what is due; :data:`SWEEPING` and :data:`BEATING` are among it.
        dispatcher: The loop of the jobs.
        workers: Where trials run.
        hearing: The connection to Slack.
        more: Returns the other threads that may be started again.
    """

    def lasting() -> Iterable[LastingThread]:
        return scheduler.thread, dispatcher.thread, *more()

    def pulses() -> dict[str, Pulse]:
        return {**scheduler.pulses(), _JOBS: Pulse(dispatcher.turns, _JOBS_SECONDS)}

    def others() -> dict[str, bool]:
        alive = {"a thread of the connection to Slack": hearing.is_alive()}
        if isinstance(workers, LocalWorkers):
            alive["the thread that looks after the workers"] = workers.are_supervised
        return alive

    return Threads(lasting, pulses, _NEEDED, others)
