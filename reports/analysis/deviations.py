"""Every deviation from what was registered, found in what is stored. Nobody has to remember it."""

import itertools
from collections.abc import Iterator, Sequence

from reports.data.population import final
from reports.data.study_data import ParticipantRow, StudyData
from reports.results.registration import Deviation
from reports.wording import capital, counted, in_words, listed, number, people
from storage.schema.states import SessionEnd, SessionState, TrialState


def deviations(data: StudyData) -> tuple[Deviation, ...]:
    """The deviations, in this order: time, sessions, evaluations, rules, consent, people who came back, looks,
    exclusions, number of people.

    Of people who withdrew there is only the count.
    """
    everybody = data.people()
    present = [row for row in everybody if not row.withdrawn]
    withdrew = len(everybody) - len(present)
    return tuple(
        itertools.chain(
            _times(present),
            _cancelled(present),
            _rules(data),
            _consent(data, present),
            _came_back(present),
            _looks(data),
            _excluded(present),
            _target(data),
            [Deviation("people_withdrew", withdrew, f"{capital(people(withdrew))} withdrew.")] if withdrew else [],
        )
    )


def _times(present: Sequence[ParticipantRow]) -> Iterator[Deviation]:
    extended = [row.extended_seconds / 60 for row in present if row.extended_seconds > 0]
    if extended:
        were = "person was" if len(extended) == 1 else "people were"
        yield Deviation(
            "time_extended",
            len(extended),
            f"{len(extended)} {were} given more time by a researcher: {_minutes(extended)}.",
        )
    given_back = [row.given_back_seconds / 60 for row in present if row.given_back_seconds > 0]
    if given_back:
        got = "person" if len(given_back) == 1 else "people"
        yield Deviation(
            "time_given_back",
            len(given_back),
            f"{len(given_back)} {got} got time back that was lost through a fault of the bot or its machine: "
            f"{_minutes(given_back)}.",
        )


def _minutes(given: Sequence[float]) -> str:
    together = number(sum(given), 1)
    if len(given) == 1:
        return f"{together} minutes"
    return f"{together} minutes together, {number(max(given), 1)} minutes at most for one"


def _cancelled(present: Sequence[ParticipantRow]) -> Iterator[Deviation]:
    sessions = sum(row.ended_as is SessionEnd.CANCELLED for row in present)
    if sessions:
        yield Deviation(
            "sessions_cancelled",
            sessions,
            f"A researcher ended {counted(sessions, 'session')} without a final choice.",
        )
    counts = [sum(each.state is TrialState.CANCELLED for each in row.evaluations) for row in present]
    concerned = sum(count > 0 for count in counts)
    if concerned:
        were = "was" if sum(counts) == 1 else "were"
        yield Deviation(
            "evaluations_cancelled",
            sum(counts),
            f"{capital(counted(sum(counts), 'evaluation'))} of {people(concerned)} {were} cancelled.",
        )


def _rules(data: StudyData) -> Iterator[Deviation]:
    for amendment in data.amendments:
        changes = f" ({'; '.join(amendment.changes)})" if amendment.changes else ""
        reason = f": {amendment.reason.rstrip('.')}" if amendment.reason else ""
        yield Deviation(
            "rules_amended", 1, f"The rules were amended on {amendment.day}, “{amendment.name}”{reason}{changes}."
        )
    registration = data.registration
    if registration is not None and not data.amendments and registration.rules_hash != data.rules_hash:
        yield Deviation(
            "rules_changed",
            1,
            "The rules are not those that were registered, and no amendment is on record.",
        )


def _consent(data: StudyData, present: Sequence[ParticipantRow]) -> Iterator[Deviation]:
    registration = data.registration
    others = [row for row in present if row.consent_hash is not None]
    if registration is None:
        return
    count = sum(row.consent_hash != registration.consent_hash for row in others)
    if count:
        yield Deviation(
            "consent_changed",
            count,
            f"{capital(people(count))} agreed to another consent text than was registered.",
        )


def _came_back(present: Sequence[ParticipantRow]) -> Iterator[Deviation]:
    count = sum(row.let_in_again for row in present)
    if count:
        was = "was" if count == 1 else "were"
        yield Deviation(
            "people_came_back",
            count,
            f"{capital(people(count))} had left the study before, and {was} let in again by a researcher.",
        )


def _looks(data: StudyData) -> Iterator[Deviation]:
    if not data.looks:
        return
    by = [f"{each.who} on {each.day} ({each.what})" for each in data.looks]
    times = "once" if len(by) == 1 else f"{in_words(len(by))} times"
    yield Deviation(
        "interim_looks", len(by), f"Results were looked at {times} before the study was closed: {listed(by)}."
    )


def _excluded(present: Sequence[ParticipantRow]) -> Iterator[Deviation]:
    began = [row for row in present if row.session is not None]
    ended = [row for row in began if row.session is SessionState.FINISHED]
    why = {
        "whose session a researcher ended": sum(row.ended_as is SessionEnd.CANCELLED for row in ended),
        "who submitted nothing": sum(row.ended_as is SessionEnd.EMPTY for row in ended),
        "whose final choice has no test accuracy": sum(_is_without_accuracy(row) for row in ended),
    }
    count = sum(why.values())
    if count:
        parts = listed(f"{people(each)} {reason}" for reason, each in why.items() if each)
        are = "is" if count == 1 else "are"
        yield Deviation(
            "exclusions", count, f"Of {people(len(began))} who began, {in_words(count)} {are} not analysed: {parts}."
        )


def _is_without_accuracy(row: ParticipantRow) -> bool:
    """Whether all evaluations have ended, and none of them counts."""
    return (
        row.is_analysed
        and all(each.state.is_finished for each in row.evaluations)
        and (final(row, lost_count=True) is None)
    )


def _target(data: StudyData) -> Iterator[Deviation]:
    target = None if data.registration is None else data.registration.plan.target_participants
    if target is None or data.is_interim:
        return
    analysed = sum(row.is_analysed for row in data.people())
    if analysed == target:
        return
    how = f"{target - analysed} fewer" if analysed < target else f"{analysed - target} more"
    were = "was" if analysed == 1 else "were"
    yield Deviation(
        "target_participants",
        abs(target - analysed),
        f"{capital(people(target))} were to be analysed, and {analysed} {were}: {how}.",
    )
