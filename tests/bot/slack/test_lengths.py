"""What grows with the data stays within what Slack accepts as one message, and says what it leaves out.

Each message is made as long as it can become: every number with all its digits, every text with characters that are
escaped, more trials, sessions and alerts than a study has.
"""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.admin.alert_kinds import error_while
from bot.admin.views import alerts, announcements, baselines, digests, final_report, participant_results
from bot.admin.views.announcements import Signed
from bot.live.line_chart import as_chart_blocks, as_text_block
from bot.participant.time_estimate import TimeEstimate
from bot.participant.views import answers, onboarding, session_thread, trial
from bot.researcher.views import answers as researcher_answers
from bot.researcher.views import invitations, people, status
from bot.researcher.views.confirmations import Action, Question, question_message
from bot.runner.running_jobs import Progress
from bot.sandbox.surfaces.messages import with_ids
from bot.sandbox.validation.blocks import characters
from bot.sandbox.validation.strictness import Rules
from bot.slack import block_kit
from bot.slack.block_kit import MESSAGE_CHARACTERS, UPDATED_TEXT_BYTES, Message
from bot.study.invitations import Invitation, Invited
from bot.study.participant_status import ParticipantStatus
from reports.figures.loss_plot import loss_curves
from storage.queries.baseline_status import BaselineStatus
from storage.queries.history import ChoiceView, SessionLine, SessionView, Status, TrialView
from storage.queries.people import ParticipantLine
from storage.schema.comments import Comment, Remark
from storage.schema.states import Chooser, ParticipantState, Searcher, SessionState, StudyState, TrialState
from storage.schema.tables import Alert, Participant
from storage.transitions.evaluations import EvaluationSummary
from tests.bot.slack.anything import NOW
from training.hyperparameters import HYPERPARAMETERS, Configuration, Optimizer
from training.tasks import TaskFacts

DIGITS = 0.012345678901234567
ANDS = "&" * 5000
NAME = "&" * 80
MANY = 1000


def configuration(optimizer: Optimizer) -> Configuration:
    """Every setting of an optimizer with all the digits that it can have."""
    values: dict[str, object] = {each.name: DIGITS for each in HYPERPARAMETERS if not each.choices}
    values |= {"epochs": 2**31 - 1, "batch_size": 1437, "loss": "cross_entropy", "optimizer": optimizer}
    return Configuration.create({name: value for name, value in values.items() if _is_valid(name, value)})


def _is_valid(name: str, value: object) -> bool:
    setting = next(each for each in HYPERPARAMETERS if each.name == name)
    return bool(setting.choices) or float(str(value)) in setting.taken


LONGEST = max((configuration(each) for each in Optimizer), key=lambda each: len(each.summary()))


def trial_view(number: int, state: TrialState) -> TrialView:
    return TrialView(
        id=10**9 + number,
        session_id=10**9,
        number=number,
        configuration=LONGEST,
        comments={each.name: Remark(Comment.OTHER, ANDS) for each in HYPERPARAMETERS},
        state=state,
        validation_accuracy=61.234567 if state is TrialState.COMPLETE else None,
        submitted_at=NOW,
        started_at=NOW,
        ended_at=NOW if state.is_finished else None,
        cancel_requested_at=None,
        reason=ANDS if state is TrialState.FAILED else None,
        attempts=3,
        seconds=123456.0,
        images_per_second=1.0,
        epoch_losses=(1.0,) * 1000,
    )


def session_view(state: SessionState) -> SessionView:
    kinds = [TrialState.COMPLETE, TrialState.FAILED, TrialState.DIVERGED]
    chosen = ChoiceView(1, LONGEST, None, Chooser.CLOCK, NOW) if state is SessionState.FINISHED else None
    return SessionView(
        id=10**9,
        participant_id=10**9,
        participant="P12345",
        task="t" * 60,
        seed=10,
        state=state,
        started_at=NOW - timedelta(hours=3),
        deadline=NOW,
        grace_ends_at=NOW,
        finished_at=NOW if state is SessionState.FINISHED else None,
        given_back=timedelta(minutes=1),
        trials=tuple(trial_view(number, kinds[number % 3]) for number in range(1, MANY)),
        choice=chosen,
    )


SESSIONS = [session_view(each) for each in SessionState]
SUMMARY = EvaluationSummary(1, MANY, MANY, MANY, MANY, MANY, (12.345678,) * MANY, 12.345678, 1.0)


def fits(message: Message) -> Message:
    """Fails where Slack would refuse a message: by the bot's count, and by the workspace's own."""
    blocks = with_ids(json.loads(json.dumps([block.to_dict() for block in message.blocks])))
    assert characters(message.text, blocks) <= Rules().message_characters
    assert characters(message.text, blocks) <= block_kit.characters(message), "the bot must not count less than Slack"
    assert block_kit.characters(message) <= MESSAGE_CHARACTERS
    assert len(message.blocks) <= 50
    return message


def says(message: Message, words: str) -> None:
    assert words in json.dumps([block.to_dict() for block in message.blocks], ensure_ascii=False)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda each: each.state)
def test_what_participants_read(session):
    status = ParticipantStatus(StudyState.OPEN, 10**9, ParticipantState.DESCRIBED, None, session=session)
    says(fits(answers.trials_made(status)), "older ones")
    says(fits(answers.trials_made_in_sections(status)), "older ones")
    fits(answers.about_settings([each.name for each in HYPERPARAMETERS], status))
    fits(answers.help_with(status))
    fits(answers.not_understood(ANDS, status))
    fits(session_thread.thanks(True, LONGEST.summary(), 10**6))
    root = fits(session_thread.session_message(session))
    assert len(root.text.encode()) <= UPDATED_TEXT_BYTES
    curves = loss_curves([DIGITS] * 40, [DIGITS] * 1000, epoch=999, epochs_planned=1000, batches_per_epoch=1437)
    estimate = TimeEstimate(timedelta(days=9), timedelta(days=9))
    for state in TrialState:
        for plot in ((), as_chart_blocks(curves), (as_text_block(curves),)):
            progress = Progress(1000, (DIGITS,), (DIGITS,) * 999)
            shown = fits(trial.trial_message(trial_view(999, state), session, progress, plot, estimate))
            assert len(shown.text.encode()) <= UPDATED_TEXT_BYTES


def test_the_way_in():
    fits(onboarding.briefing(TaskFacts(*[10**12] * 5), 123456.789))
    longest = "word " * ((MESSAGE_CHARACTERS - 1300) // 5)
    fits(onboarding.greeting(longest))


@pytest.mark.parametrize("session", SESSIONS, ids=lambda each: each.state)
def test_what_researchers_read(session):
    person = Participant(
        id=1,
        study_id=1,
        code="P12345",
        state=ParticipantState.DESCRIBED,
        invited_at=NOW,
        months=DIGITS,
        education="&" * 200,
        answers={f"{number:041}": ANDS for number in range(20)},
        task="&" * 60,
    )
    details = people.ParticipantDetails(person, True, "medium", session, SUMMARY)
    for number in (1, 2, MANY // people.TRIALS_ON_PAGE):
        page = people.participant_page(details, number, note="n" * 300)
        says(fits(page.message()), "Trial ")
    line = ParticipantLine(
        1, "P12345", ParticipantState.DESCRIBED, True, 1e300, "medium", "t" * 60, 1, SessionState.FINISHED,
        tries=10**6, best_validation_accuracy=12.345678, final_chosen=True, evaluations_done=10**6,
        evaluations_total=10**6, mean_test_accuracy=12.345678,
    )  # fmt: skip
    fits(people.participants_page([line] * MANY, {"P12345": "medium"}).message())
    fits(status.status_page(crowded(), 256, 256, NOW).message())
    effects = ("&amp;" * 1000,) * 6
    fits(question_message(Question(Action.CLOSE, "&amp;" * 80, effects, "Yes", ("known",)), again=True))
    says(fits(researcher_answers.baselines([baseline_status()] * MANY)), "older ones")
    fits(researcher_answers.misspelt(ANDS, []))
    fits(researcher_answers.not_sent("The report", ANDS))
    invited = [Invited("U0123456789", each, f"{number}&" * 20) for each in Invitation for number in range(100)]
    told = [fits(each) for each in invitations.invited(invited, [ANDS] * MANY)]
    assert len(told) > 1
    everybody = "".join(json.dumps([block.to_dict() for block in message.blocks]) for message in told)
    assert everybody.count("<@U0123456789>") == len(invited), "nobody is left out"


def crowded() -> Status:
    return Status(
        NAME,
        StudyState.PAUSED,
        *(dict.fromkeys(kind, 10**6) for kind in (ParticipantState, SessionState, TrialState, TrialState)),
        in_queue=("P12345",) * MANY,
        running=tuple(SessionLine(n, "P12345", SessionState.ACTIVE, NOW, 999, 99.9) for n in range(MANY)),
        baselines=(baseline_status(),) * MANY,
        trials_last_hour=10**6,
    )


def baseline_status() -> BaselineStatus:
    return BaselineStatus(1, "T12-345", Searcher.TPE, "t" * 60, 10_000, 1000, 9999, 9999, 256, False, (12.345678,) * 3)


def alert() -> Alert:
    kind = error_while("doing what takes many words " * 9)
    return Alert(id=10**9, kind=kind, latest=ANDS, count=10**6, first_at=NOW, last_at=NOW)


def test_what_admins_read():
    signed = Signed("researcher-12345", NOW)
    day = digests.Digest(
        since=NOW - timedelta(days=99),
        until=NOW,
        status=crowded(),
        finished=(digests.Finished("P12345", "medium", True, 12.345678),) * MANY,
        joined=10**6,
        submitted=10**6,
        groups=tuple(
            digests.GroupFigures(group, MANY, (12.345678,) * MANY) for group in ("novice", "medium", "expert")
        ),
        alerts=(alert(),) * MANY,
    )
    for each in (day, replace(day, changed_at=NOW)):
        says(fits(digests.digest_post(each)), f"and {MANY - 40} more")
    lines = [f"{number}: {ANDS}" for number in range(MANY)]
    says(fits(final_report.final_report("&" * 150, lines, no_files=ANDS[:60])), "more, which the page has")
    fits(alerts.alert_post(alert()))
    fits(alerts.unrecorded_alert(alert().kind, ANDS))
    fits(announcements.study_amended(NAME, ANDS, ANDS, "0" * 64, signed))
    fits(baselines.baseline_ended(baseline_status()))
    for session in SESSIONS:
        fits(participant_results.participant_finished(session, SUMMARY, "medium"))
