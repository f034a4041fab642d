"""The page with all participants, one line each, and the pages of one participant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.models.blocks import Block, SectionBlock

from bot.researcher.views.pages import TURN, Page, Place, Subject, pages, within
from bot.slack.block_kit import actions, button, context, duration, escape, percent, section, shorten
from storage.queries.history import SessionView, TrialView
from storage.queries.people import ParticipantLine
from storage.schema.states import Chooser, ParticipantState, SessionEnd, SessionState, TrialState
from storage.schema.tables import Participant
from storage.transitions.evaluations import EvaluationSummary
from training.hyperparameters import BY_NAME

PLOTS = "research_plots"
"""Sends the loss plots of a page's trials; its value is the page's :class:`Place`."""

TRIALS_ON_PAGE = 5
_PEOPLE_ON_PAGE = 20
_REASON_CHARACTERS = 160
_ANSWER_CHARACTERS = 200
_REASONS_CHARACTERS = 1500
_MOST_ACCURACIES = 40


_AGAIN = "had left before, was let in again"

_ENDS: Mapping[SessionEnd | None, str] = {
    SessionEnd.EMPTY: "nothing was submitted",
    SessionEnd.WITHDRAWN: "by leaving the study",
    SessionEnd.CANCELLED: "by a researcher",
}
"""How a session without a final choice ended."""


@dataclass(frozen=True)
class ParticipantDetails:
    """All that a researcher may see of a participant.

    Attributes:
        participant: The participant.
        greeted: Whether the bot has written to them; false while they were only invited.
        group: novice, medium or expert; empty before the participant described their experience.
        session: The session, running or finished; none before it starts.
        summary: The evaluations of the final choice; accuracies are test accuracies in percent.
        again: Whether they had left the study before, and were let in again.
        hidden: Whether test results are hidden until the study is closed.
    """

    participant: Participant
    greeted: bool
    group: str
    session: SessionView | None
    summary: EvaluationSummary | None
    again: bool = False
    hidden: bool = False


def participants_page(
    people: Sequence[ParticipantLine],
    groups: Mapping[str, str],
    number: int = 1,
    *,
    again: Collection[str] = (),
    hidden: bool = False,
) -> Page:
    """All participants, a line each.

    Args:
        people: In the order of their codes.
        groups: novice, medium or expert by code.
        number: The page.
        again: The codes of people who had left the study before, and were let in again.
        hidden: Whether test results are hidden until the study is closed.
    """
    of = pages(len(people), _PEOPLE_ON_PAGE)
    number = within(number, of)
    shown = people[(number - 1) * _PEOPLE_ON_PAGE : number * _PEOPLE_ON_PAGE]
    blocks: list[Block] = [
        _person(each, groups.get(each.code, ""), again=each.code in again, hidden=hidden) for each in shown
    ]
    if not people:
        blocks.append(section("Nobody takes part yet. `/study invite @somebody` invites people."))
    return Page(Place(Subject.PARTICIPANTS, number), of, "Participants", tuple(blocks))


def _person(line: ParticipantLine, group: str, *, again: bool, hidden: bool) -> SectionBlock:
    parts = [
        f"*{line.code}*",
        *([group] if group else []),
        _status(line.state, line.greeted, line.session_state, line.final_chosen),
        *([_AGAIN] if again else []),
    ]
    if line.tries:
        best = line.best_validation_accuracy
        trials = f"{line.tries} {'trial' if line.tries == 1 else 'trials'}"
        parts.append(f"{trials}, best {percent(best)}" if best is not None else trials)
    if line.evaluations_total:
        tested = f"{line.evaluations_done} of {line.evaluations_total} evaluations"
        mean = None if hidden else line.mean_test_accuracy
        parts.append(f"{tested}, test {percent(mean)}" if mean is not None else tested)
    show = button("Show", f"{TURN}.down", Place(Subject.PARTICIPANT, 1, line.code))
    return section(" · ".join(parts), accessory=show)


def _status(state: ParticipantState, greeted: bool, session: SessionState | None, chosen: bool) -> str:
    if state is ParticipantState.WITHDRAWN:
        return "has left"
    if state is ParticipantState.INVITED and not greeted:
        return "not reached yet"
    match session:
        case SessionState.ACTIVE:
            return "tuning"
        case SessionState.CHOOSING:
            return "choosing"
        case SessionState.FINISHED:
            return "finished" if chosen else "ended without a final choice"
        case None:
            return "has not started" if state is ParticipantState.DESCRIBED else str(state)


def trials_on(session: SessionView | None, number: int) -> Sequence[TrialView]:
    """The trials on a page of a participant."""
    trials = session.trials if session is not None else ()
    return trials[(number - 1) * TRIALS_ON_PAGE : number * TRIALS_ON_PAGE]


def participant_page(details: ParticipantDetails, number: int = 1, note: str = "") -> Page:
    """One participant: who they are by their answers, and their trials with accuracies, five on a page.

    Args:
        details: The participant.
        number: The page.
        note: A sentence about what was just done.
    """
    person, session = details.participant, details.session
    of = pages(len(session.trials) if session is not None else 0, TRIALS_ON_PAGE)
    number = within(number, of)
    blocks = _about(details) if number == 1 else []
    shown = trials_on(session, number)
    for trial in shown:
        blocks.append(section(_trial(trial)))
        if reasons := _reasons(trial):
            blocks.append(context(reasons))
    if session is not None and not session.trials:
        blocks.append(section("No trials yet."))
    place = Place(Subject.PARTICIPANT, number, person.code)
    if any(trial.state not in (TrialState.WAITING, TrialState.RUNNING) for trial in shown):
        blocks.append(actions([button("Send me these loss plots", PLOTS, place)], block_id="plots"))
    return Page(place, of, f"Participant {person.code}", tuple(blocks), note)


def _about(details: ParticipantDetails) -> list[Block]:
    person, session = details.participant, details.session
    chosen = session is not None and session.choice is not None
    status = _status(person.state, details.greeted, session.state if session is not None else None, chosen)
    facts = [f"*{person.code}*", status, *([_AGAIN] if details.again else [])]
    if person.months is not None:
        facts.insert(1, f"{details.group}, {person.months:g} months of deep learning")
    if person.education:
        facts.append(escape(person.education.replace("_", " ")))
    if person.task:
        facts.append(f"task `{escape(person.task)}`")
    if person.arm:
        facts.append(f"arm `{escape(person.arm)}`")
    blocks: list[Block] = [section(" · ".join(facts))]
    if answers := _answers(person.answers):
        blocks.append(context(answers))
    if session is not None:
        blocks.append(section(_session(session)))
        if session.choice is not None:
            blocks.append(section(_choice(session, details.summary, details.hidden)))
    return blocks


def _answers(answers: Mapping[str, Any]) -> str:
    lines = [
        f"{name.replace('_', ' ')}: {escape(shorten(_plain(answer), _ANSWER_CHARACTERS))}"
        for name, answer in answers.items()
    ]
    return shorten(" · ".join(lines), 1900)


def _plain(answer: object) -> str:
    return f"{answer:g}" if isinstance(answer, float) else str(answer)


def _session(session: SessionView) -> str:
    lines = [f"Session: started {_moment(session.started_at)}"]
    if session.state is SessionState.ACTIVE:
        lines.append(f"runs until {_moment(session.deadline)}")
    elif session.finished_at is not None:
        lines.append(f"ended {_moment(session.finished_at)}")
    else:
        lines.append("the time is up, there is no final choice yet")
    if session.given_back > timedelta(0):
        lines.append(f"{duration(session.given_back)} given back")
    if session.extended > timedelta(0):
        lines.append(f"extended by {duration(session.extended)}")
    if session.ended_as in _ENDS:
        lines.append(_ENDS[session.ended_as])
    trials = len(session.trials)
    return f"{', '.join(lines)}. {trials} {'trial' if trials == 1 else 'trials'}."


def _choice(session: SessionView, summary: EvaluationSummary | None, hidden: bool) -> str:
    choice = session.choice
    if choice is None:
        return ""
    by = "the clock" if choice.chosen_by is Chooser.CLOCK else "the participant"
    which = f"trial {choice.trial_number}" if choice.trial_number is not None else "new values"
    text = f"*Final choice:* {which}, made by {by}\n{choice.configuration.summary()}"
    if summary is not None:
        text += f"\n{tested(summary, hidden=hidden)}"
    return text


def tested(summary: EvaluationSummary, *, hidden: bool) -> str:
    """The evaluations of a final choice, in a line; without test accuracies while these are hidden."""
    text = f"{summary.done} of {summary.total} evaluations have ended"
    if summary.cancelled:
        text += f" ({summary.cancelled} cancelled)"
    if hidden:
        return f"{text}. Test results are hidden until the study is closed."
    if summary.mean is None:
        return f"{text}."
    spread = f" ± {summary.sd:.1f}" if summary.sd is not None else ""
    accuracies = ", ".join(f"{accuracy:.1f}" for accuracy in summary.accuracies[:_MOST_ACCURACIES])
    return f"{text}: test accuracy *{summary.mean:.1f}{spread} %* ({accuracies})."


def trial_title(trial: TrialView) -> str:
    """A trial's number, and its accuracy or its state."""
    if trial.validation_accuracy is not None:
        return f"Trial {trial.number} · validation accuracy {percent(trial.validation_accuracy)}"
    return f"Trial {trial.number} · {trial.state}"


def _trial(trial: TrialView) -> str:
    lines = [f"*{trial_title(trial)}*", trial.configuration.summary()]
    if trial.seconds is not None:
        lines[0] += f" · trained for {duration(timedelta(seconds=trial.seconds))}"
    if trial.reason:
        lines.append(escape(shorten(trial.reason, 400)))
    return "\n".join(lines)


def _reasons(trial: TrialView) -> str:
    """The reasons for values, in the words of the paper's figure 9; a participant's own words stand in quotes."""
    chosen: dict[str, list[str]] = {}
    for name, remark in trial.comments.items():
        why = f"“{escape(shorten(remark.text, _REASON_CHARACTERS))}”" if remark.text else str(remark.comment)
        chosen.setdefault(why, []).append(BY_NAME[name].label.lower())
    reasons = [f"{why}: {', '.join(names)}" for why, names in chosen.items()]
    return shorten("💬 " + " · ".join(reasons), _REASONS_CHARACTERS) if reasons else ""


def _moment(moment: datetime) -> str:
    fallback = f"{moment:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"
