"""Workers that train nothing: they say what a test says, when it says so."""

import queue
from dataclasses import dataclass, field

from training.trial import BatchLosses, Ending, Environment, EpochEnd, Outcome, Part
from training.workers import Failed, Lost, Ready, Started, WorkerEvent

ENVIRONMENT = Environment("cpu", "a processor", "AVX2", "2", "0", "3", None, "float32", 1)


@dataclass
class ScriptedWorkers:
    """Workers that do what the test says, so that every state lasts until it was looked at."""

    slots: int = 1
    events: queue.Queue[WorkerEvent] = field(default_factory=queue.Queue)
    running: str = ""

    def start(self):
        pass  # not ready: what is submitted waits

    def ready(self):
        self.events.put(WorkerEvent(0, None, Ready(ENVIRONMENT)))

    def submit(self, slot, job, request):
        if request.part is Part.EVALUATION:
            self.say(Outcome(Ending.COMPLETE, 50.0, 1, 1.0, 1.0, ENVIRONMENT), job)
        else:
            self.running = job
            self.say(Started())

    def stop(self, job):
        pass  # is being stopped, until the test says that it is

    def say(self, *messages):
        job = messages[-1] if isinstance(messages[-1], str) else self.running
        for each in messages:
            if not isinstance(each, str):
                self.events.put(WorkerEvent(0, job, each))

    def epoch(self, number):
        self.say(BatchLosses(number, 0, (2.0, 1.0)), EpochEnd(number, 1.5, 30.0, 0.1))

    def end(self, ending, accuracy=None, *, seconds=1.0):
        self.say(Outcome(ending, accuracy, 1, seconds, 1.0, ENVIRONMENT))

    def killed(self, reason, fault):
        """The process is gone, and the trial has failed with it: so a pool tells of one that took all memory."""
        gone = "The worker of slot 0 is gone: it was killed."
        self.events.put(WorkerEvent(0, None, Lost(gone)))
        self.say(Failed(reason, gone, fault))

    def next_event(self, timeout):
        try:
            return self.events.get(timeout=timeout)
        except queue.Empty:
            return None

    def close(self):
        pass
