"""Every message of a participant is answered once, and always with the next step."""

from datetime import UTC, datetime

import pytest

from bot.sandbox.validation.blocks import ALLOWED
from storage.schema.states import TrialState
from storage.schema.tables import Session

PATIENCE = 30.0


def answer(person, text, words="", **where):
    """Write something, and get the answer."""
    said = person.say(text, **where)
    return person.wait_for(words, PATIENCE, after=said)


@pytest.fixture(scope="module")
def tuner(tmp_path_factory, open_alone):
    """Somebody with one trial made, in a house of their own."""
    with open_alone(tmp_path_factory.mktemp("words")) as house:
        person = house.seated("Writes")
        house.trained(person)
        yield house, person


def test_help_says_what_it_is_about_and_which_words_there_are(tuner):
    _, person = tuner
    told = answer(person, "help")
    for word in ("help", "tune", "time", "history", "cancel", "finish", "withdraw"):
        assert f"*{word}*" in told.text_of_everything
    assert "New configuration" in told.buttons


def test_tune_offers_the_form(tuner):
    _, person = tuner
    person.press(answer(person, "tune", "in one line"), "New configuration")
    person.wait_for_modal("New configuration", PATIENCE)
    person.close()


def test_start_in_a_session_says_that_it_has_begun(tuner):
    _, person = tuner
    assert "New configuration" in answer(person, "start", "You have started already").buttons


def test_time_tells_the_deadline_and_what_is_left_in_the_readers_own_zone(tuner):
    house, person = tuner
    told = answer(person, "how much time is left?")
    assert f"<!date^{int(house.session(person).deadline.timestamp())}^{{time}}|" in told.text
    assert "are left" in told.text


def test_history_is_a_table_in_the_conversation(tuner):
    house, person = tuner
    told = answer(person, "histroy", "Your trials")
    (table,) = (block for block in told.blocks if block["type"] == "table")
    cells = [[cell["text"] for cell in row] for row in table["rows"]]
    best = house.session(person).best
    assert cells[0][:3] == ["Trial", "Accuracy", "Optimizer"]
    assert cells[1][:3] == ["1", f"{best.validation_accuracy:.1f} %", "SGD"]


def test_a_workspace_that_refuses_tables_gets_the_history_in_sections(tuner, monkeypatch):
    house, person = tuner
    monkeypatch.setitem(ALLOWED, "message", ALLOWED["message"] - {"table"})
    told = answer(person, "history", "Your trials")
    assert {block["type"] for block in told.blocks} <= {"section", "actions", "context"}
    assert house.session(person).trials[0].configuration.summary() in told.text_of_everything


def test_finish_says_what_it_means_and_offers_it(tuner):
    _, person = tuner
    person.press(answer(person, "I am done", "Finishing ends your session"), "Finish")
    person.wait_for_modal("Your final choice", PATIENCE)
    person.close()


def test_anything_else_is_said_not_to_be_understood_with_the_way_on(tuner):
    _, person = tuner
    told = answer(person, "<b>blah</b> & blah", "I do not understand")
    assert "&lt;b&gt;blah&lt;/b&gt; &amp; blah" in told.text_of_everything
    assert "New configuration" in told.buttons


def test_a_question_about_a_setting_is_answered_with_its_help(tuner):
    _, person = tuner
    assert "How much of the previous update is added" in answer(person, "what does momentum do?", "Momentum").text


def test_a_word_in_the_thread_is_answered_in_the_thread(tuner):
    house, person = tuner
    root = house.trial(person, 1).thread_ts
    assert answer(person, "time", thread_ts=root).thread_ts == root


def test_a_configuration_in_one_line_opens_the_form_filled_in(tuner):
    house, person = tuner
    told = answer(person, "adam lr 3e-4, 20 epochs, batch 64, foo", "I understood")
    assert "epochs 20 · batch size 64 · optimizer Adam · learning rate 0.0003" in told.text
    assert "I did not understand “foo”." in told.text
    assert "as in your last trial" in told.text
    person.press(told, "Open the form, filled in")
    form = person.wait_for_modal("New configuration", PATIENCE)
    values = {each.label: each.value for each in form.fields if not each.label.endswith("?")}
    assert values["Loss function"] == "Cross entropy"  # of the last trial
    assert [values[label] for label in ("Epochs", "Batch size", "Optimizer", "Learning rate", "Beta1")] == [
        "20",
        "64",
        "Adam",
        "0.0003",
        "0.9",
    ]
    person.fill({"Epochs": "1", "Batch size": "512"})
    assert person.submit() == {}
    assert "Adam" in house.trial(person, 2, "validation accuracy").text


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("adam momentum 0.9 lr 0.1", "Adam does not use Momentum."),
        ("sgd batch 99999 lr 0.1", "A batch of 99999 is larger than the training set, which has about 1,400 images."),
        ("sgd lr 1,000", "could mean 1.0 or 1000"),
        ("sgd with momentum", "Momentum: the value is missing."),
    ],
)
def test_the_unusable_part_of_a_line_is_reported(tuner, line, told):
    _, person = tuner
    assert told in answer(person, line, "I understood").text


def test_a_trial_tells_how_far_it_is_what_time_it_takes_and_why_its_values_were_chosen(tuner):
    house, person = tuner
    person.press(house.root(person), "New configuration")
    person.wait_for_modal("New configuration", PATIENCE)
    house.fill(person, {"Optimizer": "SGD", "Epochs": "1000", "Batch size": "64"})
    house.give_reason(person, "Learning rate", "It is just a guess.")
    assert person.submit() == {}
    shown = person.wait_for(
        lambda message: message.text.startswith("Trial 3 ·") and "left" in message.text_of_everything, 60
    )
    assert "training, epoch" in shown.text
    assert " of 1000" in shown.text
    assert " so far, about " in shown.text_of_everything
    assert "💬 Learning rate: It is just a guess." in shown.text_of_everything
    assert "Batch size:" not in shown.text_of_everything


def test_only_a_plain_cancel_cancels(tuner):
    house, person = tuner
    for text, told in (("cancel trial 1", "Only trial 3 is in progress"), ("shall I stop?", "Trial 3 is in progress")):
        asked = answer(person, text, told)
        assert "Cancel" in asked.buttons
    assert house.session(person).unfinished.cancel_requested_at is None
    answer(person, "cancel", "Trial 3 is cancelled")
    house.trial(person, 3, "· cancelled", button="Tune from here")
    assert house.session(person).trials[2].state is TrialState.CANCELLED
    answer(person, "cancel", "There is nothing to cancel")


def test_a_message_that_is_changed_or_deleted_is_not_answered_again(tuner):
    _, person = tuner
    answer(person, "blah", "I do not understand")
    ts = person.say("tune")
    first = person.wait_for("in one line", PATIENCE, after=ts)
    person.edit(ts, "finish")
    person.delete(ts)
    last = answer(person, "time")
    assert [each.text for each in person.messages() if each.bot and first.ts < each.ts < last.ts] == []


def test_before_the_session_every_word_leads_to_start(tuner):
    house, _ = tuner
    person = house.described("Has not started")
    for word, told in (
        ("time", "your time has not started"),
        ("history", "You have made no trials yet"),
        ("tune", "once your session has started"),
        ("cancel", "There is nothing to cancel"),
        ("finish", "There is nothing to finish yet"),
        ("adam lr 1e-3", "write it again then"),
        ("help", "Your task"),
    ):
        assert "Start" in answer(person, word, told).buttons


def test_after_the_time_is_up_a_line_can_still_become_the_final_choice(tuner):
    house, person = tuner
    session = house.session(person)
    with house.store.write() as transaction:
        transaction.need(Session, session.id).deadline = datetime.now(UTC)
    house.running.sweep.run()
    person.wait_for("Your time is up", PATIENCE)
    told = answer(person, "sgd lr 0.1 momentum 0.9", "cannot be tried any more")
    person.press(told, "Open the form, filled in")
    form = person.wait_for_modal("Final configuration", PATIENCE)
    assert form.field("Momentum").value == "0.9"
    assert person.submit() == {}
    person.wait_for("Your final choice is recorded: SGD", PATIENCE)
    assert house.session(person).choice.configuration.momentum == 0.9


def test_an_event_that_is_delivered_twice_is_answered_once(tmp_path_factory, open_alone, rules):
    """The last one: its workspace takes the place of the others'."""
    with open_alone(tmp_path_factory.mktemp("twice"), rules(duplicate_events=True)) as house:
        person = house.described("Is heard twice")
        said = person.say("time")
        person.wait_for("your time has not started", PATIENCE, after=said)
        last = answer(person, "tune", "once your session has started")
        told = [each for each in person.messages() if each.bot and said < each.ts < last.ts]
        assert len(told) == 1
