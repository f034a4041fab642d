"""After an error of the bot, the person is told that nothing is lost, and the log and the admins get the same code."""

import re

from bot.participant import messages
from bot.participant.views import final_choice
from bot.researcher import pages
from bot.sandbox.state.faults import Faults
from storage.queries import history
from storage.transitions import participants, sessions, trials
from tests.bot.conftest import PATIENCE

DISK_FULL = RuntimeError("the disk is full")
CODE = re.compile(r"this code: ([0-9A-F]{6})")


def break_once(monkeypatch, module, name):
    """The next call of a function fails; those after it work again."""
    works, calls = getattr(module, name), []

    def fails(*args, **options):
        calls.append(name)
        if len(calls) == 1:
            raise DISK_FULL
        return works(*args, **options)

    monkeypatch.setattr(module, name, fails)


def check_code(house, told):
    """The person's code is in the log with the details, and in the report channel without them."""
    assert "What you entered and trained is kept" in told
    code = CODE.search(told)[1]
    post = house.reported(code)
    assert "RuntimeError" in post.text
    assert "the disk is full" not in post.text_of_everything
    (line,) = (each for each in house.log.lines if code in each and "Traceback" in each)
    assert "the disk is full" in line
    people = [member.id for member in house.workspace.people]
    assert [each for each in people if each in post.text_of_everything or each in line] == []


def test_a_form_that_could_not_be_taken_stays_open_and_can_be_sent_again(house, monkeypatch):
    person = house.seated("Meets a full disk")
    house.fill(person, {"Epochs": "1", "Batch size": "512", "Loss function": "L1 loss", "Optimizer": "SGD"})
    before = [each.value for each in person.modal().fields]
    break_once(monkeypatch, trials, "submit")

    (told,) = person.submit().values()
    check_code(house, told)
    assert [each.value for each in person.modal().fields] == before
    assert person.submit() == {}
    assert len(house.session(person).trials) == 1


def test_a_press_that_failed_is_answered_in_private_and_can_be_repeated(house, monkeypatch):
    person = house.seated("Looks back")
    person.close()
    break_once(monkeypatch, final_choice, "history")
    person.press(house.root(person), "History")
    check_code(house, house.told(person, "Something went wrong on our side").text)
    person.press(house.root(person), "History")
    person.wait_for_modal("Your trials")


def test_a_form_that_comes_too_late_for_slack_is_no_error_and_is_asked_for_again(house, monkeypatch):
    person = house.seated("Meets a crowd")
    person.close()
    works = final_choice.history

    def expire():
        for trigger in house.workspace._parts.workspace.triggers.values():
            trigger.expires = 0.0

    def too_late(view):
        monkeypatch.setattr(final_choice, "history", works)
        house.workspace._in_loop(expire)
        return works(view)

    monkeypatch.setattr(final_choice, "history", too_late)
    person.press(house.root(person), "History")
    told = house.told(person, "That took too long just now").text
    assert "What you entered and trained is kept" in told
    assert CODE.search(told) is None
    post = house.reported("while showing a history: views.open came too late")
    assert "An answer came too late" in post.text_of_everything
    person.press(house.root(person), "History")
    person.wait_for_modal("Your trials")


def test_a_start_that_failed_has_not_started_the_clock(house, monkeypatch):
    person = house.described("Starts again")
    break_once(monkeypatch, sessions, "begin")
    task = person.wait_for("Your task")
    person.press(task, "Start")
    check_code(house, house.told(person, "Something went wrong").text)
    assert history.session_of_participant(house.store, house.participant(person).id) is None
    person.press(task, "Start")
    person.wait_for_modal("New configuration")


def test_a_message_that_could_not_be_answered_is_apologised_for(house, monkeypatch):
    person = house.seated("Writes")
    break_once(monkeypatch, messages, "understood")
    person.say("time")
    check_code(house, house.told(person, "Something went wrong").text)


def test_a_command_that_failed_tells_its_researcher(house, monkeypatch):
    researcher = house.workspace.person("Researcher")
    break_once(monkeypatch, pages, "status_page")
    seen = max((each.ts for each in researcher.messages()), default="")
    researcher.command("/study", "status")
    check_code(house, house.told(researcher, "Something went wrong", after=seen).text)


def test_a_background_form_that_could_not_be_taken_stays_open(house, monkeypatch):
    person = house.agree("Describes twice")
    person.press(person.wait_for("Tell us about you"), "Tell us about you")
    about = person.wait_for_modal("About you")
    person.fill({each.label: each.options[0] if each.options else "1" for each in about.fields})
    break_once(monkeypatch, participants, "describe")
    (told,) = person.submit().values()
    check_code(house, told)
    assert person.submit() == {}
    person.wait_for("Your task")


def test_a_press_that_slack_delivers_twice_opens_one_form_and_is_no_error(open_house):
    house = open_house()
    person = house.agree("Is heard twice")
    asked = person.wait_for("Tell us about you", PATIENCE)
    begin = len(person.messages())
    house.workspace.misbehave(Faults(repeats=1))
    person.press(asked, "Tell us about you")
    person.wait_for_modal("About you", PATIENCE)
    person.wait_until(lambda: any("delivered a press twice" in line for line in house.log.lines), PATIENCE)
    assert len(person.messages()) == begin
