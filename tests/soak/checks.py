"""Compares the books with the record: is anything lost, doubled, late, or out of order?

Each check is a function from data to sentences, one for each thing that is wrong.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from storage.schema.states import SessionEnd
from tests.soak.books import Answer, Books, Outage, Submission, covered
from tests.soak.plan import Fault
from tests.soak.record import Record, StoredSession, StoredTrial

LATE_SECONDS = 5.0
"""How much later than it was due something may happen, beyond the time in which faults prevented it."""

_BEAT_SECONDS = 5.0
"""A bot that is killed loses up to so much of what it knows about the time: it notes that it is alive so often."""

AT_WORK = frozenset({Fault.KILL_BOT, Fault.STOP_BOT, Fault.LOCK, Fault.DISK_FULL})
"""The faults that keep the bot from doing what is due."""

_TELLING = frozenset(Fault) - {Fault.KILL_WORKER, Fault.STOP_WORKER, Fault.STARVE_WORKER, Fault.REFRESH}
"""The faults that keep the bot from telling somebody."""

_EXPECTED_ERRORS = re.compile(
    r"SlackApiError|SlackClient\w*Error|URLError|HTTPError|RemoteDisconnected|TimeoutError|timed out|Connection\w*Error"
    r"|BrokenPipeError|CallNotMade|OperationalError|BadStatusLine|IncompleteRead"
)
"""What faults of Slack, the network and the database may be called. Anything else is an error of ours."""


@dataclass
class Found:
    """What is wrong, one sentence each."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.late or self.other)


def check(books: Books, record: Record, seeds: Sequence[int]) -> Found:
    """Compare everything.

    Args:
        books: The harness's own record.
        record: What the bot has kept, and what people see.
        seeds: The seeds of a final choice's evaluations.
    """
    found = Found()
    found.lost += lost_trials(books, record)
    found.doubled += doubled_trials(books, record)
    found.lost += lost_choices(books, record)
    lost, doubled = results(books, record)
    found.lost += lost
    found.doubled += doubled
    found.late += late_sessions(books, record)
    found.late += late_words(books, record)
    found.late += wrong_credit(books, record)
    found.other += unfinished(record, seeds)
    found.other += [f"somebody cannot go on: {each}" for each in books.stuck]
    found.other += dead_threads(record.log)
    found.other += unexpected_errors(record.log)
    return found


def lost_trials(books: Books, record: Record) -> Iterator[str]:
    """Forms that were accepted and became no trial."""
    kept = {each.rate for each in record.trials}
    for each in books.submissions:
        if each.rate is not None and each.answer is Answer.ACCEPTED and each.rate not in kept:
            yield f"the form with learning rate {each.rate:g}, accepted at {each.answered_at:.1f}, is no trial"


def doubled_trials(books: Books, record: Record) -> Iterator[str]:
    """Forms that became several trials, refused ones that became one, and trials that nobody sent."""
    sent: dict[float, list[Submission]] = {}
    for each in books.submissions:
        if each.rate is not None:
            sent.setdefault(each.rate, []).append(each)
    for rate, count in Counter(each.rate for each in record.trials).items():
        answers = [each.answer for each in sent.get(rate, [])]
        if count > 1:
            yield f"the form with learning rate {rate:g} ({', '.join(answers) or 'never sent'}) is {count} trials"
        elif not answers:
            yield f"the trial with learning rate {rate:g} was never sent"
        elif all(each is Answer.REFUSED for each in answers):
            yield f"the form with learning rate {rate:g} was refused and is a trial"


def lost_choices(books: Books, record: Record) -> Iterator[str]:
    """Final choices that were accepted, and after which no session has ended so."""
    moments = [each.finished_at for each in record.sessions if each.ended_as is SessionEnd.CHOSEN]
    left = sorted(each for each in moments if each is not None)
    accepted = [each for each in books.submissions if each.rate is None and each.answer is Answer.ACCEPTED]
    for each in sorted(accepted, key=lambda submission: submission.answered_at):
        match = next((moment for moment in left if each.at - 1 <= moment <= each.answered_at + 1), None)
        if match is not None:
            left.remove(match)
        elif not any(
            other.person == each.person and other.answer is not Answer.REFUSED and other.at < each.at
            for other in books.submissions
            if other.rate is None
        ):
            yield f"the final choice of {each.person}, accepted at {each.answered_at:.1f}, was not kept"


def results(books: Books, record: Record) -> tuple[list[str], list[str]]:
    """Trials that ended without a reply with the result, and those with several."""
    count = Counter(each.rate for each in record.results)
    withdrawn = {each.id for each in record.sessions if each.ended_as is SessionEnd.WITHDRAWN}
    lost, doubled = [], []
    for trial in record.trials:
        if trial.ended_at is None:
            continue
        replies = count[trial.rate]
        if replies == 0 and trial.session not in withdrawn:
            lost.append(f"{_name(trial)} has no reply with its result")
        elif replies > 1:
            doubled.append(f"{_name(trial)} has {replies} replies with its result")
    return lost, doubled


def late_sessions(books: Books, record: Record) -> Iterator[str]:
    """Sessions that ended later or earlier than they had to."""
    kept_from_work = _outages(books, AT_WORK)
    for session in record.sessions:
        moments = ((session.deadline, session.expired_at, "time was up"),)
        if session.grace_ends_at is not None and session.ended_as in (SessionEnd.CLOCK, SessionEnd.EMPTY):
            moments += ((session.grace_ends_at, session.finished_at, "clock chose"),)
        for due, done, what in moments:
            if done is None:
                continue
            late = done - due - covered(kept_from_work, due, done, recovery=1.0)
            if late > LATE_SECONDS:
                yield f"session {session.id}: the {what} {late:.1f} s too late"
            if done < due - 0.01:
                yield f"session {session.id}: the {what} {due - done:.1f} s too early"


def late_words(books: Books, record: Record) -> Iterator[str]:
    """Results and ends of the time that people were told too late."""
    kept_from_telling = _outages(books, _TELLING)
    replies = {each.rate: each.at for each in reversed(record.results)}
    for trial in record.trials:
        at = replies.get(trial.rate)
        if at is None or trial.ended_at is None:
            continue
        late = at - trial.ended_at - covered(kept_from_telling, trial.ended_at, at, recovery=LATE_SECONDS)
        if late > LATE_SECONDS:
            yield f"{_name(trial)}: its result was posted {late:.1f} s too late"
    senders = {each.rate: each.person for each in books.submissions}
    people = {each.session: senders.get(each.rate, "") for each in record.trials}
    for session in record.sessions:
        if session.expired_at is None:
            continue
        told = sorted(record.told_up.get(people.get(session.id, ""), []))
        at = next((moment for moment in told if moment >= session.expired_at - 1), None)
        if at is None:
            continue  # it was over before it could be told
        late = at - session.expired_at - covered(kept_from_telling, session.expired_at, at, recovery=LATE_SECONDS)
        still_open = session.finished_at is None or session.finished_at > session.expired_at + LATE_SECONDS
        if late > LATE_SECONDS and still_open and at < (session.finished_at or at + 1):
            yield f"session {session.id}: it was told {late:.1f} s too late that its time was up"


def wrong_credit(books: Books, record: Record) -> Iterator[str]:
    """Sessions whose deadline is not their start, their limit and the time that they lost."""
    down = _outages(books, {Fault.KILL_BOT})
    others = _outages(books, AT_WORK - {Fault.KILL_BOT})
    for session in record.sessions:
        told = session.started_at + session.limit + session.given_back
        if abs(session.deadline - told) > 0.01:
            yield f"session {session.id}: its deadline is {session.deadline - told:+.1f} s off what it was given"
        until = min(session.expired_at or session.deadline, session.finished_at or session.deadline)
        least = covered(down, session.started_at, until)
        losses = [each for each in books.outages if each.fault in (Fault.KILL_BOT, Fault.KILL_WORKER)]
        losses = [
            each
            for each in losses
            if each.overlap(session.started_at, until) or session.started_at < each.begun < until
        ]
        most = covered([*down, *others], session.started_at, until) + LATE_SECONDS
        most += sum(_BEAT_SECONDS + _running_for(session, each, record.trials) for each in losses)
        most += sum(each.ended - each.begun for each in books.outages if each.fault is Fault.STOP_WORKER)
        allowance = LATE_SECONDS * max(1, len([each for each in down if each.overlap(session.started_at, until)]))
        if session.given_back < least - allowance:
            yield f"session {session.id}: it lost {least:.1f} s, and got {session.given_back:.1f} s back"
        if session.given_back > most:
            yield f"session {session.id}: it lost at most {most:.1f} s, and got {session.given_back:.1f} s back"


def unfinished(record: Record, seeds: Sequence[int]) -> Iterator[str]:
    """What has not come to its end although everything was calm."""
    for trial in record.trials:
        if trial.ended_at is None:
            yield f"{_name(trial)} is still {trial.state}"
    for session in record.sessions:
        if session.finished_at is None:
            yield f"session {session.id} is not over"
        elif session.has_choice and set(session.evaluations) != set(seeds):
            yield f"session {session.id} has the evaluations {sorted(session.evaluations)}"
        elif waiting := [seed for seed, state in session.evaluations.items() if not state.is_finished]:
            yield f"session {session.id}: the evaluations {waiting} have not ended"
    if record.notices:
        yield f"{record.notices} notices were never posted"


def dead_threads(log: str) -> Iterator[str]:
    """Threads of the bot that ended with an error."""
    for found in re.findall(r"(?m)^Exception in thread (.+):", log):
        yield f"the thread {found} has died"


def unexpected_errors(log: str) -> Iterator[str]:
    """Errors of ours that were reported to the admins, or that nobody caught."""
    counted: Counter[str] = Counter()
    for block in re.split(r"(?m)^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ )", log):
        head, _, trace = block.partition("\n")
        if " ERROR " not in head or "Traceback" not in trace:
            continue
        raised = re.findall(r"(?m)^(?!\s)([\w.]+(?:Error|Exception|Refused|NotMade|Reset\w*|Disconnected)\b.*)$", trace)
        last = raised[-1] if raised else trace.strip().splitlines()[-1]
        if not _EXPECTED_ERRORS.search(last):
            doing = re.sub(r"^.*? ERROR ", "", head)
            counted[f"{re.sub(r'[0-9A-F]{6} ', '', doing)}: {last}"] += 1
    for text, count in counted.items():
        yield f"{count} × {text}"


def _outages(books: Books, faults: "frozenset[Fault] | set[Fault]") -> list[Outage]:
    return [each for each in books.outages if each.fault in faults]


def _running_for(session: StoredSession, outage: Outage, trials: Sequence[StoredTrial]) -> float:
    """How long the session's trial had been under way when something happened to it."""
    for trial in trials:
        ended = trial.ended_at or outage.ended
        if trial.session == session.id and trial.submitted_at <= outage.begun <= ended:
            return outage.begun - trial.submitted_at
    return 0.0


def _name(trial: StoredTrial) -> str:
    return f"trial {trial.id} (number {trial.number} of session {trial.session}, {trial.state})"


def summary(books: Books) -> Mapping[Fault, int]:
    """How often each fault was made, in the order of their kinds."""
    return {fault: books.counts.get(fault, 0) for fault in Fault}
