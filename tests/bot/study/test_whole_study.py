"""One participant goes through the whole study, up to the report: everything is kept, and test results stay secret."""

import math
import re
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import inspect, text

from bot.sandbox.client.screen import Message
from storage import events
from storage.queries import history
from storage.schema.comments import Comment
from storage.schema.states import Chooser, EventKind, JobKind, ParticipantState, SessionState, TrialState
from storage.transitions import evaluations, participants
from tests.bot.rules import RULES
from tests.storage.reading import evaluations_of
from tests.warm_workers import FEW_IMAGES

SECRET = re.compile(r"digit|squeeze|scikit|sklearn|mnist|imagenet|resnet|torch|test.accuracy", re.IGNORECASE)
"""What would tell the task, or how well somebody did on it."""


@dataclass
class Played:
    """A study that somebody has played, and what they saw of it."""

    house: object
    person: object
    seen: set[str]
    report: Message
    form: dict[str, tuple[str, ...]]
    reopened: dict[str, str]
    result: Message
    cancelled: Message
    history: str
    thanks: Message


@pytest.fixture(scope="module")
def played(tmp_path_factory, open_alone, watch):
    """The whole study, played once; the tests look at different sides of it."""
    folder = tmp_path_factory.mktemp("whole-study")
    as_on_slack = replace(RULES, ack_seconds=3.0, trigger_seconds=3.0)
    with open_alone(folder, as_on_slack, evaluation_seeds=list(range(1, 11))) as house:
        yield play(house, watch)


def play(house, watch):
    person = house.newcomer("Somebody new")
    witness = watch(person)
    person.open_home()
    person.press(person.wait_for("I agree"), "I agree")
    person.press(person.wait_for("Tell us about you"), "Tell us about you")
    about = person.wait_for_modal("About you")
    person.fill({each.label: "0" for each in about.fields if not each.options})
    person.fill({each.label: each.options[-1] for each in about.fields if each.options})
    assert person.submit() == {}
    task = person.wait_for("Your task")
    person.press(task, "What do the settings do?")
    person.wait_for_modal("The 15 settings")
    person.close()
    person.press(task, "Start")

    first = person.wait_for_modal("New configuration")
    person.fill({"Epochs": "2", "Batch size": "256", "Loss function": "Cross entropy", "Optimizer": "Adam"})
    house.wait_for_fields(person, "Adam")
    person.fill({"Learning rate": "3e-3", "Beta1": ".8"})
    person.fill({"Optimizer": "SGD"})
    form = house.wait_for_fields(person, "SGD")
    kept = [form.field("Epochs").value, form.field("Batch size").value, form.field("Learning rate").value]
    assert kept == ["2", "256", "3e-3"]
    person.fill({"Momentum": "0,9"})
    house.give_reason(person, "Learning rate", "It is just a guess.")
    house.give_reason(person, "Momentum", "Other", "A colleague <swears> by it & me too")
    assert person.submit() == {}
    house.trial(person, 1, "validation accuracy")
    result = person.wait_for(lambda message: message.text.startswith("Trial 1 ·") and message.image_urls, 30)

    person.press(house.root(person), "New configuration")
    reopened = {each.label: each.value for each in person.wait_for_modal("New configuration").fields}
    person.fill({"Epochs": "1000"})
    assert person.submit() == {}
    person.press(house.trial(person, 2, "training, epoch", button="Cancel"), "Cancel")
    cancelled = house.trial(person, 2, "· cancelled")

    person.press(result, "Tune from here")
    assert person.wait_for_modal("New configuration").field("Epochs").value == "2"
    person.fill({"Epochs": "1", "Batch size": "512"})
    assert person.submit() == {}
    house.trial(person, 3, "validation accuracy")
    person.say("time")
    person.wait_for("Your session runs until")
    person.press(house.root(person), "History")
    shown = person.wait_for_modal("Your trials").text_of_everything
    person.close()
    thanks = house.finish(person)
    report = house.admin.wait_for("P001 has finished", 120, channel=house.reports)
    for word in ("help", "start", "tune", "time", "history", "cancel", "finish"):
        person.wait_for("You have taken part already", after=person.say(word))
    return Played(
        house,
        person,
        witness.close(),
        report,
        {each.label: each.options for each in first.fields},
        reopened,
        result,
        cancelled,
        shown,
        thanks,
    )


def test_the_form_begins_with_the_settings_that_every_optimizer_uses_and_a_reason_for_each(played):
    settings = ["Epochs", "Batch size", "Loss function", "Optimizer", "Learning rate", "Weight decay"]
    assert list(played.form) == [label for each in settings for label in (each, f"{each}: why?")]


def test_every_reason_is_one_of_the_five_of_table_3(played):
    table_3 = (
        "It is just a guess.",
        "It is a suggested default value.",
        "It is the value that has worked well for me in the past.",
        "It is the value I learnt from previous submissions.",
        "Other",
    )
    assert {options for label, options in played.form.items() if label.endswith(": why?")} == {table_3}


def test_the_form_opens_again_with_what_was_entered_last(played):
    values = {label: value for label, value in played.reopened.items() if not label.endswith("?")}
    assert values == {
        "Epochs": "2",
        "Batch size": "256",
        "Loss function": "Cross entropy",
        "Optimizer": "SGD",
        "Learning rate": "0.003",
        "Weight decay": "0",
        "Momentum": "0.9",
    }


def test_a_result_shows_its_plot_its_reasons_and_what_can_be_done_next(played):
    result = played.result
    assert re.search(r"Trial 1 · validation accuracy \d+\.\d\s%", result.text)
    assert "A colleague &lt;swears&gt; by it &amp; me too" in result.text_of_everything
    assert result.buttons == ("Tune from here", "New configuration", "History", "Finish")
    assert played.person.pictures(played.person.message(result.ts))[0].startswith(b"\x89PNG")


def test_a_cancelled_trial_has_no_accuracy_and_keeps_its_losses(played):
    trial = played.house.session(played.person).trials[1]
    assert (trial.state, trial.validation_accuracy) == (TrialState.CANCELLED, None)
    assert "%" not in played.cancelled.text
    assert history.epochs_of(played.house.store, JobKind.TRIAL, trial.id)


def test_the_history_lists_every_trial_with_its_result(played):
    for trial in played.house.session(played.person).trials:
        said = "cancelled" if trial.validation_accuracy is None else f"{trial.validation_accuracy:.1f} %"
        assert f"*{trial.number} · {said}*\n{trial.configuration.summary()}" in played.history


def test_every_epoch_of_a_trial_is_kept_with_all_its_batch_losses(played):
    trial = played.house.session(played.person).trials[0]
    epochs = history.epochs_of(played.house.store, JobKind.TRIAL, trial.id)
    assert [each.number for each in epochs] == [1, 2]
    assert [len(each.batch_losses) for each in epochs] == [math.ceil(FEW_IMAGES / 256)] * 2
    assert epochs[-1].validation_accuracy == trial.validation_accuracy


def test_comments_are_kept_as_they_were_given(played):
    comments = played.house.session(played.person).trials[0].comments
    assert comments["learning_rate"].comment is Comment.GUESS
    assert comments["momentum"].comment is Comment.OTHER
    assert comments["momentum"].text == "A colleague <swears> by it & me too"
    assert comments.keys() == {"learning_rate", "momentum"}


def test_the_final_choice_is_the_best_trial_and_is_evaluated_with_ten_seeds(played):
    session = played.house.session(played.person)
    assert session.state is SessionState.FINISHED
    assert session.choice.chosen_by is Chooser.PARTICIPANT
    assert session.choice.trial_number == session.best.number
    runs = evaluations_of(played.house.store, session.choice.id)
    assert [each.seed for each in runs] == list(range(1, 11))
    assert {each.state for each in runs} == {TrialState.COMPLETE}


def test_the_report_gives_code_group_tries_and_minutes_and_no_test_accuracy(played):
    session = played.house.session(played.person)
    summary = evaluations.evaluation_summary(played.house.store, session.choice.id)
    minutes = (session.finished_at - session.started_at).total_seconds() / 60
    text = played.report.text_of_everything
    assert "*P001* (novice): the evaluations are done" in text
    assert f"{summary.mean:.1f}" not in text
    assert f"3 trials in {minutes:.1f} minutes" in text
    assert "10 of 10 evaluations complete" in text
    assert "made by the participant" in text


def test_every_step_is_in_the_event_log_in_its_order(played):
    kinds = [each.kind for each in events.read(played.house.store, participant="P001")]
    steps = [
        EventKind.INVITED,
        EventKind.CONSENTED,
        EventKind.DESCRIBED,
        EventKind.SESSION_BEGUN,
        EventKind.TRIAL_SUBMITTED,
        EventKind.CLAIMED,
        EventKind.ENDED,
        EventKind.TRIAL_SUBMITTED,
        EventKind.CANCEL_REQUESTED,
        EventKind.ENDED,
        EventKind.TRIAL_SUBMITTED,
        EventKind.ENDED,
        EventKind.SESSION_FINISHED,
    ]
    remaining = iter(kinds)
    assert all(step in remaining for step in steps), kinds
    assert kinds.count(EventKind.CONSENTED) == kinds.count(EventKind.SESSION_BEGUN) == 1


def test_experience_and_consent_are_kept_with_the_participant(played):
    participant = participants.get(played.house.store, played.house.participant(played.person).id)
    assert participant.state is ParticipantState.DESCRIBED
    assert (participant.months, participant.education) == (0.0, "doctorate")
    assert participant.answers == {
        "programming_years": 0.0,
        "machine_learning_months": 0.0,
        "self_rated_skill": "5 – very",
    }
    assert participant.consent_hash == played.house.running.settings.consent_hash()


def test_nothing_that_a_participant_sees_tells_the_task(played):
    assert len(played.seen) > 30, "the witness saw too little to prove anything"
    assert [text for text in played.seen if SECRET.search(text)] == []


def test_the_only_accuracies_that_a_participant_sees_are_those_of_their_own_trials(played):
    trials = played.house.session(played.person).trials
    own = {f"{each.validation_accuracy:.1f} %" for each in trials if each.validation_accuracy is not None}
    assert {found for text in played.seen for found in re.findall(r"[\d.,]+ ?%", text)} == own


def test_pictures_that_were_superseded_are_deleted(played):
    house, shown = played.house, [m for m in played.person.messages() if m.image_urls]
    house.admin.wait_until(lambda: len(house.pictures) <= len(shown), 30)
    assert len(shown) >= 2


def test_slack_refused_nothing_and_everything_was_acknowledged_in_time(played):
    traffic = played.house.workspace.traffic()
    assert {each.status for each in traffic if each.kind == "call"} == {"ok"}
    assert [each for each in traffic if each.kind == "ack" and each.status == "timeout"] == []
    assert [each for each in traffic if each.kind == "warning"] == []


def test_no_slack_user_is_in_the_data_base_outside_the_identity_table(played):
    kept = {
        (table, found)
        for table in inspect(played.house.store.engine).get_table_names()
        for found in named(played, _rows(played.house.store, table))
    }
    assert {table for table, _ in kept} == {"identity"}


def test_no_slack_user_is_named_in_the_report_channel_or_the_log(played):
    posts = "\n".join(each.text_of_everything for each in played.house.admin.messages(played.house.reports))
    assert "P001" in posts
    assert named(played, posts) == []
    assert named(played, played.house.log.text) == []


def named(played, text):
    """The people of the workspace, and their conversations, that a text gives away."""
    house = played.house
    ids = [each.id for each in house.workspace.people] + [played.person.direct_channel]
    return [each for each in [*ids, played.person.name] if each in text]


def _rows(store, table):
    with store.engine.connect() as connection:
        return "\n".join(map(repr, connection.execute(text(f'SELECT * FROM "{table}"'))))
