"""Slack accepts everything that the bot shows: every block and view passes the SDK's models and Slack's limits."""

import inspect
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.admin.views import (
    alerts,
    announcements,
    baselines,
    controls,
    digests,
    final_report,
    participant_results,
    preregistrations,
)
from bot.admin.views.announcements import Signed
from bot.checks import numbers
from bot.checks.findings import Finding, Verdict
from bot.participant.form_state import Content, FormMemory, Purpose
from bot.participant.parse_configuration import read_line
from bot.participant.time_estimate import TimeEstimate
from bot.participant.views import (
    answers,
    configuration_form,
    final_choice,
    home_tab,
    next_step,
    onboarding,
    session_thread,
    trial,
    typed_configuration,
)
from bot.researcher import home_section as researcher_home
from bot.researcher.listeners import COMMANDS
from bot.researcher.views import answers as researcher_answers
from bot.researcher.views import confirmations as asking
from bot.researcher.views import invitations, people, slack_check, status
from bot.researcher.views.pages import Page
from bot.runner.running_jobs import Progress
from bot.sandbox.surfaces.messages import with_ids
from bot.sandbox.validation.block_elements import Findings
from bot.sandbox.validation.blocks import characters, check_blocks, check_view, too_large
from bot.slack import block_kit as pieces
from bot.slack.block_kit import Message
from bot.study.invitations import Invitation, Invited
from bot.study.reach import Unreachable
from storage.queries.history import SessionLine, Status
from storage.queries.people import ParticipantLine
from storage.schema.comments import Comment
from storage.schema.states import ParticipantState, SessionState, StudyState, TrialState
from storage.schema.tables import SlackCheck
from storage.transitions.evaluations import EvaluationSummary
from tests.bot.slack.anything import (
    NOW,
    any_alerts,
    any_text,
    baseline_statuses,
    configurations,
    consents,
    facts,
    known_participants,
    lines,
    plots,
    questions,
    session_views,
    statuses,
    trial_views,
)
from training.hyperparameters import HYPERPARAMETERS

MODULES = (
    answers,
    final_choice,
    configuration_form,
    home_tab,
    next_step,
    session_thread,
    trial,
    typed_configuration,
    onboarding,
)
MODULES += (
    researcher_answers,
    invitations,
    people,
    slack_check,
    asking,
    status,
    alerts,
    digests,
    participant_results,
    baselines,
    announcements,
    final_report,
    preregistrations,
)
MANY = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def checked(shown, surface="message"):
    """Fails with Slack's own sentences if Slack would refuse it."""
    findings = Findings(file_kind=lambda _: "image/png")
    if isinstance(shown, Page):
        checked(shown.modal())
        checked(shown.message())
        return
    if isinstance(shown, View):
        shown.validate_json()
        surface, view = shown.type, json.loads(json.dumps(shown.to_dict()))
        assert check_view(view, surface, findings) == []
        assert not too_large(view)
        return
    assert isinstance(shown, Message)
    assert shown.text.strip(), "a message without text says nothing to a screen reader"
    for block in shown.blocks:
        assert isinstance(block, Block)
        block.validate_json()
    written = json.loads(json.dumps([block.to_dict() for block in shown.blocks]))
    assert check_blocks(written, surface, findings, least=1) == []
    if surface == "message":
        kept = characters(shown.text, with_ids(written))  # as the workspace counts them
        assert kept <= pieces.characters(shown), "the bot must not count less than Slack"
        assert pieces.characters(shown) <= pieces.MESSAGE_CHARACTERS


COVERED: set[str] = set()


def show(function, *given, **named):
    """Call a view and check what it shows."""
    COVERED.add(f"{function.__module__}.{function.__name__}")
    checked(function(*given, **named))


# The views


@MANY
@given(consents, facts, st.floats(0.01, 1e6), st.integers(1, 10**6))
def test_the_way_in(consent, task, limit, place):
    if pieces.fits(onboarding.greeting(consent)):  # others are refused when the bot starts
        show(onboarding.greeting, consent)
    show(onboarding.ask_background)
    show(onboarding.described)
    show(onboarding.briefing, task, limit)
    show(onboarding.greeting, "Short.", "Done.")
    show(onboarding.briefing, task, limit, "Done.")
    show(onboarding.start_pressed, "Done.")
    show(onboarding.in_queue, place)
    show(onboarding.in_queue, place, late=True)
    show(onboarding.called, NOW)
    show(onboarding.guide)


@given(consents)
def test_a_consent_text_is_shown_whole(consent):
    shown = " ".join(block.text.text for block in pieces.paragraphs(consent))
    assert "".join(shown.split()) == "".join(consent.split())


@MANY
@given(questions)
def test_the_background_form(asked):
    show(onboarding.background_form, asked, "https://hooks.slack.com/actions/" + "T" * 200)


@MANY
@given(trial_views(), session_views(), plots(), st.booleans(), st.timedeltas(timedelta(0), timedelta(days=9)))
def test_a_trial(shown, session, plot, knows, taken):
    progress = Progress(epoch=1000, batch_losses=(1.0,), epoch_losses=(1.0,) * 999) if knows else None
    estimate = TimeEstimate.of(shown, progress, batches=1, now=NOW + taken)
    show(trial.trial_message, shown, session, progress, plot, estimate)
    show(trial.ended_line, shown)
    show(trial.plot_message, shown, Progress(epoch=1000), plot)


@MANY
@given(session_views(), st.floats(0.01, 1e5), st.booleans(), st.none() | configurations(), st.integers(1, 10**6))
def test_a_session(session, minutes, by_clock, chosen, evaluations):
    left = timedelta(minutes=minutes)
    show(session_thread.session_message, session)
    show(session_thread.warning, minutes, session, None if by_clock else TimeEstimate(left, left))
    show(session_thread.time_is_up, session, 300)
    show(session_thread.thanks, by_clock, chosen.summary() if chosen else None, evaluations)
    show(session_thread.time_given_back, minutes * 60, session)
    show(session_thread.time_extended, session, left)
    show(session_thread.ended_by_researcher, session, 300)
    show(final_choice.history, session)
    show(final_choice.final_form, session, evaluations)


@MANY
@given(statuses(), any_text, st.lists(st.integers(1, 999), max_size=3))
def test_an_answer(status, text, named):
    show(answers.help_with, status)
    show(answers.time_left, status, 120.0, NOW)
    show(answers.trials_made, status)
    show(answers.trials_made_in_sections, status)
    show(answers.form_offered, status)
    show(answers.start_offered, status)
    show(answers.finish_offered, status)
    show(answers.cancelling, 300, status)
    show(answers.cancel_offered, status, named)
    for deletes in (False, True):
        for for_good in (True, False):
            show(answers.leaving_offered, deletes, for_good)
        show(answers.goodbye, deletes)
        show(answers.taken_out, deletes)
    show(answers.left)
    show(answers.about_settings, [each.name for each in HYPERPARAMETERS], status)
    show(answers.not_understood, text, status)
    show(next_step.led_back, "Something.", status)


@MANY
@given(lines, statuses(), st.none() | configurations())
def test_a_configuration_in_one_line(line, status, last):
    shown = None if last is None else FormMemory.new(Purpose.TRY, "1", last).initial
    read = read_line(line)
    if read.is_configuration:
        show(typed_configuration.typed_configuration, read, status, training_images=1437, last=shown)
    else:
        show(answers.not_understood, line, status)
        show(answers.about_settings, read.named or ["epochs"], status)


@MANY
@given(statuses(), consents, st.booleans(), st.integers(0, 300))
def test_the_home_tab(status, consent, researcher, sessions):
    running = tuple(SessionLine(n, "P12345", SessionState.ACTIVE, NOW, 999, 99.9) for n in range(sessions))
    study = Status(
        "n" * 80,
        StudyState.OPEN,
        *(dict.fromkeys(kind, 10**6) for kind in (ParticipantState, SessionState, TrialState, TrialState)),
        in_queue=tuple("P12345" for _ in range(sessions)),
        running=running,
    )
    more = researcher_home.status_blocks(study if sessions else None, 256, 256) if researcher else []
    show(home_tab.home_tab, status, consent, researcher=more)


@MANY
@given(st.sampled_from(list(Purpose)), st.none() | configurations(), configurations(), any_text, st.booleans())
def test_the_form(purpose, base, line, reason, redrawn):
    memory = FormMemory.typed(purpose, "f" * 32, FormMemory.new(purpose, "1", line).initial, base)
    contents = {name: Content.of("1", Comment.OTHER, reason) for name in memory.shown} if redrawn else None
    show(configuration_form.configuration_form, memory, contents, note="A note." if redrawn else None)


@MANY
@given(session_views(), st.none() | st.floats(0, 100), st.none() | st.floats(0, 50), configurations())
def test_a_post_in_the_report_channel(session, mean, sd, chosen):
    summary = EvaluationSummary(
        **{
            name: {"mean": mean, "sd": sd, "accuracies": ()}.get(name, 10)
            for name in inspect.signature(EvaluationSummary).parameters
        }
    )
    show(participant_results.participant_finished, session, summary, "novice")
    show(participant_results.participant_finished, session, summary, "novice", hidden=True)
    show(participant_results.results_deleted)


@MANY
@given(st.sampled_from(list(StudyState)), st.booleans(), any_text, any_text, baseline_statuses())
def test_the_story_in_the_report_channel(state, some, name, reason, baseline):
    signed, offered = Signed("researcher-12345", NOW), controls.Controls(state, 10**6 if some else 0)
    start = announcements.Start(
        NOW, 10**6 if some else 0, "the study was opened", (("P12345", timedelta(hours=9)),) * 99
    )
    show(announcements.bot_started, "&" * 80, state, "0" * 64, 256, start)
    show(announcements.stopped, reason * 20)
    show(announcements.alone_again)
    show(announcements.study_opened, "&" * 80, "0" * 64, signed, offered)
    show(announcements.study_paused, "&" * 80, signed, offered)
    show(announcements.study_resumed, "&" * 80, signed, offered if some else None)
    show(announcements.study_amended, "&" * 80, name, reason * 20, "0" * 64, signed)
    show(announcements.study_closed, "&" * 80, 10**6 if some else 0, signed)
    show(announcements.participant_left, "P12345", Signed("P12345", NOW) if some else signed, data_deleted=some)
    show(announcements.session_cancelled, "P12345", signed)
    show(announcements.evaluations_cancelled, "P12345", 10**6, signed)
    show(announcements.session_empty, "P12345", signed)
    show(announcements.time_extended, "P12345", timedelta(days=1), signed)
    show(announcements.baseline_started, "T12345", baseline.searcher, 10**6, baseline.tries, signed)
    show(announcements.baseline_stopped, "T12345", signed)
    show(baselines.baseline_ended, baseline)
    show(
        final_report.final_report, "&" * 80 + ": 31 people", [name, reason * 20] * 40, no_files="e" * 60 if some else ""
    )
    show(final_report.final_report, "&" * 80, [reason] * 40, missing=[f"figure-{n}.png" for n in range(10)])
    show(preregistrations.no_files, "e" * 60)


@MANY
@given(
    any_alerts(), st.lists(any_alerts(), max_size=30), st.lists(baseline_statuses(), max_size=30), st.integers(0, 300)
)
def test_alerts_and_the_daily_digest(raised, unacknowledged, baselines, people_now):
    show(alerts.alert_post, raised)
    show(alerts.unrecorded_alert, raised.kind, raised.latest)
    counts = (
        dict.fromkeys(kind, 10**6 * people_now) for kind in (ParticipantState, SessionState, TrialState, TrialState)
    )
    day = digests.Digest(
        since=NOW - timedelta(days=99),
        until=NOW,
        status=Status("&" * 80, StudyState.PAUSED, *counts, (), (), baselines=tuple(baselines)),
        finished=(digests.Finished("P12345", "medium", True, 12.345678 if people_now % 2 else None),) * people_now,
        joined=people_now,
        submitted=10**6,
        groups=tuple(
            digests.GroupFigures(group, people_now, (12.345678,) * people_now)
            for group in ("novice", "medium", "expert")
        ),
        alerts=tuple(unacknowledged),
    )
    show(digests.digest_post, day)
    show(digests.digest_post, replace(day, changed_at=NOW))
    show(digests.digest_post, replace(day, hidden=True))


@MANY
@given(known_participants(), st.integers(-1, 99), st.lists(baseline_statuses(), max_size=50), any_text, st.booleans())
def test_what_researchers_read(known, number, baselines, text, some):
    show(people.participant_page, known, number, note="n" * 300 if some else "")
    line = ParticipantLine(
        id=1,
        code="P12345",
        state=known.participant.state,
        greeted=known.greeted,
        months=1e300,
        group_name="medium",
        task="t" * 60,
        session_id=1,
        session_state=known.session.state if known.session else None,
        tries=10**6 if some else 0,
        best_validation_accuracy=12.345678 if known.summary else None,
        final_chosen=some,
        evaluations_done=10**6,
        evaluations_total=10**6 if some else 0,
        mean_test_accuracy=12.345678 if known.summary else None,
    )
    show(people.participants_page, [line] * (1000 if some else 0), {"P12345": "medium"}, number, hidden=some)
    show(people.participant_page, replace(known, hidden=True), number)
    sessions = tuple(SessionLine(n, "P12345", SessionState.ACTIVE, NOW, 999, 99.9) for n in range(256 if some else 0))
    glance = Status(
        "&" * 80,
        StudyState.OPEN,
        *(dict.fromkeys(kind, 10**6) for kind in (ParticipantState, SessionState, TrialState, TrialState)),
        in_queue=("P12345",) * (1000 if some else 0),
        running=sessions,
        baselines=tuple(baselines),
        trials_last_hour=10**6,
    )
    show(status.status_page, glance, 256, 256, NOW, number)
    checked(pieces.home(researcher_home.status_blocks(glance, 256, 256)))
    action = asking.Action.CLOSE if some else asking.Action.OPEN
    effects = (asking.named(["P12345"] * 1000),) * 6
    name = "&amp;" * 80
    asked = asking.Question(action, f"Close the study “{name}”?", effects, "Yes, close it for good", ("known",))
    show(asking.question_message, asked, again=some)
    usages = [usage for each in COMMANDS.values() for usage in each.usages]
    show(researcher_answers.help_with, usages)
    show(researcher_answers.not_known, text, usages[-1] if some else None)
    show(researcher_answers.misspelt, text * 20, usages)
    show(researcher_answers.not_for_you, "For researchers.", text if some and text.strip() else "")
    show(researcher_answers.nothing_done)
    named = [Invited("U0123456789", each, text) for each in Invitation for _ in range(1000 if some else 1)]
    for message in invitations.invited(named, [text] * 40):
        checked(message)
    show(invitations.inviting, 10 if some else 1000, 1000)
    show(invitations.inviting_begun, 1000, 20 if some else 1)
    for unreachable in (None, *Unreachable):
        show(researcher_answers.extended, "P12345", "23 h 59 min", NOW, unreachable, choosing=some)
    show(researcher_answers.reviewed, 10**6 if some else 0, 10**6 if some else 0)
    show(researcher_answers.random_begun, "R12345", 10**6)
    show(researcher_answers.tpe_begun, "T12345", 10**6, 10**6 if some else None, 1e6)
    show(researcher_answers.baselines_stopped, ["T12345"] * 2)
    show(researcher_answers.baselines, baselines)
    show(researcher_answers.results_hidden, text * 20 or "report --interim")
    show(researcher_answers.sending, "The report")
    show(researcher_answers.sent, "The report")
    show(researcher_answers.not_sent, "The report", text * 20)
    show(researcher_answers.not_shown, "The report", [text * 20] * 10)
    noted = people.participant_page(known, number, note=researcher_answers.plots_not_shown([text] * 10))
    checked(noted)


@MANY
@given(
    any_text,
    st.lists(st.sampled_from(Verdict), max_size=60),
    st.lists(st.none() | st.booleans(), min_size=4, max_size=4),
)
def test_the_check_of_slack(text, verdicts, seen):
    ways = list(slack_check.Way)
    outcomes = [slack_check.Outcome.SHOWN, *slack_check.Outcome]
    attempts = [
        slack_check.Attempt(way, 99, outcome, "1234567890.123456", "F0123456789")
        for way, outcome in zip(ways, outcomes, strict=True)
    ]
    shown, place = slack_check.Shown(tuple(attempts)), slack_check.Place(4, 4)
    assert slack_check.Shown.read(str(shown)) == shown
    show(slack_check.checking)
    show(slack_check.found, [Finding("Report channel", verdict, text * 3) for verdict in verdicts])
    show(slack_check.cannot_write, text)
    show(slack_check.begun)
    show(slack_check.number_message, place, numbers.as_chart(99))
    show(slack_check.not_shown, place)
    show(slack_check.which_numbers, shown)
    show(slack_check.form, shown, "D0123456789", "1234567890.123456")
    show(slack_check.nothing_shown)
    check = SlackCheck(team_id="T1", **dict(zip(ways, seen, strict=True)))
    for setting in ("auto", "chart", "picture", "repost"):
        show(slack_check.concluded, check, setting)


def test_a_message_is_refused_by_these_checks_where_slack_would_refuse_it():
    with pytest.raises(SlackObjectFormationError):
        checked(Message(text="A long label", blocks=(pieces.actions([pieces.button("b" * 76, "id")]),)))
    with pytest.raises(AssertionError, match="no more than 50 items"):
        checked(Message(text="Many blocks", blocks=(pieces.divider(),) * 51))


def test_nothing_that_shows_blocks_was_left_out():
    """Runs last in this file: a new view that no test shows is reported here."""
    views = {
        f"{module.__name__}.{name}"
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation in (Message, View, Page)
    }
    assert views <= COVERED
