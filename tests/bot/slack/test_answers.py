"""Answers appear where the person looked. What cannot be asked for again stays when Slack reloads."""

import pytest

from bot.slack.interactions import Interaction, Surface
from tests.bot.researcher.asking import PATIENCE, ask, text_of


@pytest.fixture
def researcher(house):
    return house.workspace.person("Researcher")


def newest(person, channel=None):
    return max((each.ts for each in person.messages(channel)), default="")


def answered(person, words, after, channel=None):
    return person.wait_for(lambda message: words in message.text, PATIENCE, after=after, channel=channel)


def test_a_press_that_is_refused_is_answered_by_a_message_that_stays(house):
    person = house.agree("Presses twice")
    study, questions = house.running.study, person.wait_for("Tell us about you", PATIENCE)
    study.describe(person.id, months=3.0, education="master", answers={})
    after = newest(person)
    person.press(questions, "Tell us about you")
    told = answered(person, "You have answered these questions already", after)
    assert not told.ephemeral
    assert told.thread_ts is None
    assert "Start" in told.buttons


def test_an_answer_appears_in_the_thread_in_which_somebody_pressed(house, repost):
    house.wait_for_machines()
    person = house.seated("Presses in a thread")
    trial, root = house.trained(person), house.root(person)
    house.finish(person)
    old = repost(house, person, trial, thread_ts=root.ts)
    after = newest(person)
    person.press(old, "Tune from here")
    told = answered(person, "This session is over", after)
    assert not told.ephemeral
    assert told.thread_ts == root.ts


def test_what_is_written_in_a_thread_is_answered_there(house):
    house.wait_for_machines()
    person = house.seated("Writes in a thread")
    house.training(person)
    root = house.root(person)
    person.say("cancel", thread_ts=root.ts)
    told = person.wait_for("Trial 1 is cancelled", PATIENCE)
    assert told.thread_ts == root.ts
    assert not told.ephemeral


def test_somebody_who_cannot_join_yet_is_told_once_however_often_they_look(open_house):
    house = open_house(start=False, slots=1)
    house.open(open_now=False)
    person = house.newcomer("Looks every day")
    for _ in range(3):
        person.open_messages()
    person.wait_for("has not opened yet", PATIENCE)
    person.say("hello")  # what is written is answered each time
    person.wait_until(lambda: len(person.messages()) == 3, PATIENCE)
    assert [each.ephemeral for each in person.messages()] == [False, False, False]


def test_a_researchers_answers_stay_in_the_direct_messages(house, researcher):
    for text in ("status", "pause", "nonsense", "extend P999 10m", "evaluate"):
        told = ask(researcher, text)
        assert not told.ephemeral
        assert told.thread_ts is None


def test_in_a_channel_only_the_researcher_sees_an_answer_and_outcomes_are_kept(house, researcher):
    channel = house.reports
    for text in ("status", "help", "pause", "extend P999 10m"):
        assert ask(researcher, text, channel).ephemeral

    after = newest(researcher)
    pointer = ask(researcher, "evaluate", channel)
    assert pointer.ephemeral
    assert text_of(pointer).endswith("I have answered in your direct messages with me.")
    outcome = answered(researcher, "There is nothing to do: no evaluation has failed", after)
    assert not outcome.ephemeral

    person = house.newcomer("Is invited from a channel")
    pointer = ask(researcher, f"invite @{person.id}", channel)
    assert text_of(pointer).endswith("I have answered in your direct messages with me.")
    answered(researcher, "Invitations: 1 of 1 people were reached.", after)
    for words in ("evaluation has failed", "Is invited", "I have answered", "slots are ready"):
        assert not [each for each in house.admin.messages(channel) if words in each.text_of_everything]


def test_in_a_channel_the_outcome_of_a_confirmed_action_is_kept_and_the_question_is_gone(house, researcher):
    house.wait_for_machines()
    person = house.seated("Is stopped from a channel")
    code, after = house.participant(person).code, newest(researcher)
    question = ask(researcher, f"cancel {code}", house.reports)
    researcher.press(question, "Yes, end it")
    outcome = answered(researcher, f"✅ The session of {code} has ended.", after)
    assert not outcome.ephemeral
    pointer = researcher.wait_until(
        lambda: (found := researcher.message(question.ts, house.reports)) and "I have answered" in found.text and found,
        PATIENCE,
    )
    assert pointer.ephemeral
    assert pointer.buttons == ()


def test_in_a_channel_what_went_wrong_is_kept_with_its_code(house, researcher, monkeypatch):
    monkeypatch.setattr(house.running.actions, "evaluate", lambda _: 1 / 0)
    after = newest(researcher)
    researcher.command("/study", "evaluate", house.reports)
    assert not answered(researcher, "Something went wrong on our side", after).ephemeral


def test_where_there_are_no_direct_messages_the_outcome_is_told_in_the_channel(house, researcher):
    house.workspace.refuse("chat.postMessage", "restricted_action", channel=researcher.direct_channel)
    told = ask(researcher, "evaluate", house.reports)
    house.workspace.refuse("chat.postMessage", "", channel=researcher.direct_channel)
    assert told.ephemeral
    assert "There is nothing to do: no evaluation has failed" in text_of(told)


def test_a_conversation_of_two_people_is_not_taken_for_the_direct_messages_with_the_bot(house, researcher):
    slack = house.running.slack
    with_bot = Interaction(slack, researcher.id, "", "", Surface.COMMAND, channel=researcher.direct_channel)
    with_somebody = Interaction(slack, researcher.id, "", "", Surface.COMMAND, channel="D0ELSEWHERE")
    in_channel = Interaction(slack, researcher.id, "", "", Surface.COMMAND, channel=house.reports)
    assert with_bot.is_direct
    assert not with_somebody.is_direct
    assert not in_channel.is_direct
