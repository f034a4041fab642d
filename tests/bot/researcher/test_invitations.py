"""Invitations reach everybody whom they can, and of everybody else it is said why not and what to do."""

import pytest

from bot.researcher.invitations import LONG_LIST
from bot.researcher.views import invitations as views
from bot.sandbox.state.people import Kind
from bot.study.invitations import Invitation
from storage.queries import people
from storage.schema.states import NoticeKind
from storage.transitions import notices, participants, studies
from tests.bot.researcher.asking import PATIENCE, answer, ask, look, text_of

NOBODY = "U0NOBODY99"


@pytest.fixture
def researcher(house):
    return house.workspace.person("Researcher")


def invite(researcher, *named):
    """Invite people, and read the whole result: everything that came until the last sentence about them."""
    seen = max((each.ts for each in researcher.messages()), default="")
    researcher.command("/study", f"invite {' '.join(named)}")
    result = researcher.wait_for(lambda message: message.text.startswith("Invitations: "), PATIENCE, after=seen)
    return result.text, text_of(result)


def greetings(person):
    return [each for each in person.messages() if "I agree" in each.buttons]


def unwilling(house, name, error="restricted_action"):
    """Somebody to whom Slack does not let the bot write."""
    person = house.newcomer(name)
    house.workspace.refuse("chat.postMessage", error, channel=person.direct_channel)
    return person


def line_of(house, person):
    """What the list of participants knows of somebody."""
    study = studies.current_study(house.store)
    code = house.participant(person).code
    return next(each for each in people.people(house.store, study.id) if each.code == code)


def test_every_kind_of_person_gets_a_sentence_and_nobody_stops_the_others(house, researcher):
    add = house.workspace.add_person
    refused = unwilling(house, "Is not to be written to")
    odd = {kind: add(f"Invited {kind}", kind=kind) for kind in (Kind.BOT, Kind.DEACTIVATED, Kind.STRANGER, Kind.HIDDEN)}
    reached = [add(f"Reached {kind}", kind=kind) for kind in (Kind.MEMBER, Kind.GUEST, Kind.SINGLE_CHANNEL_GUEST)]
    reached.append(add("Reached external", kind=Kind.EXTERNAL))
    known = house.agree("Is in already")
    named = [refused, *odd.values(), known]
    summary, told = invite(
        researcher, f"@{house.workspace.bot_user}", NOBODY, *[f"@{each.id}" for each in [*named, *reached]], "somebody"
    )
    assert summary == "Invitations: 4 of 12 people were reached."
    assert f"✅ I have written to {', '.join(f'<@{each.id}>' for each in reached)}." in told
    for sentence in (
        f"Already in the study: <@{known.id}>. There is nothing to do.",
        f"A bot, so I did not write to it: <@{house.workspace.bot_user}>, <@{odd[Kind.BOT].id}>. Name people only.",
        f"The account is deactivated: <@{odd[Kind.DEACTIVATED].id}>. Ask an admin of the workspace to activate it",
        f"From another organisation, and in no channel with me: <@{odd[Kind.STRANGER].id}>. Add them and me to one",
        f"I am not allowed to see them: <@{odd[Kind.HIDDEN].id}>. Ask an admin of the workspace",
        f"Not in this workspace: <@{NOBODY}>. Check the name",
        f"Slack does not let me write to <@{refused.id}> (“restricted_action”). They are not invited. Ask an admin",
        "Not a person: “somebody”. Write every person as @name; groups and channels do not work.",
    ):
        assert sentence in told
    for person in reached:
        assert len(greetings(person)) == 1
        assert house.participant(person).code not in told
    for person in odd.values():
        assert participants.by_slack_user(house.store, person.id) is None


def test_groups_and_channels_are_named_as_people_write_them(house, researcher):
    person = house.newcomer("Is named beside groups")
    _, told = invite(researcher, f"@{person.id}", "<!subteam^S00000001|@researchers>", "<!here>", "#study-reports")
    assert "Not a person: “@researchers”, “@here”, “#study-reports”. Write every person as @name" in told
    assert f"✅ I have written to <@{person.id}>." in told


def test_a_greeting_that_slack_refused_is_sent_by_the_next_invitation(house, researcher):
    person = unwilling(house, "Was protected for a while")
    summary, _ = invite(researcher, f"@{person.id}")
    assert summary == "Invitations: 0 of 1 people were reached."
    code = house.participant(person).code
    assert not line_of(house, person).greeted
    shown = look(researcher, f"participant {code}", f"Participant {code}")
    assert f"*{code}* · not reached yet" in shown.text_of_everything
    researcher.close()
    house.reported("Error while telling a participant (greeting)")
    assert "(“restricted_action”)" in invite(researcher, f"@{person.id}")[1]

    house.workspace.refuse("chat.postMessage", "", channel=person.direct_channel)
    summary, told = invite(researcher, f"@{person.id}")
    assert summary == "Invitations: 1 of 1 people were reached."
    assert f"✅ I have written to <@{person.id}>." in told
    assert len(greetings(person)) == 1
    assert house.participant(person).code == code
    assert line_of(house, person).greeted
    assert f"Already in the study: <@{person.id}>." in invite(researcher, f"@{person.id}")[1]


def test_while_slack_takes_no_messages_the_researcher_is_told_so_and_the_greeting_follows(house, researcher):
    person = unwilling(house, "Is reached later", "internal_error")
    _, told = invite(researcher, f"@{person.id}")
    assert f"⏳ Not reached yet: <@{person.id}>. Slack does not accept messages at the moment. I keep trying" in told
    house.workspace.refuse("chat.postMessage", "", channel=person.direct_channel)
    person.wait_for("I agree", PATIENCE)
    researcher.wait_until(lambda: line_of(house, person).greeted, PATIENCE)
    assert len(greetings(person)) == 1


def test_while_slack_opens_no_conversations_nobody_is_invited_and_that_is_said(house, researcher):
    one, other = house.newcomer("Cannot be opened"), house.newcomer("Cannot be opened either")
    house.workspace.refuse("conversations.open", "internal_error")
    seen = max((each.ts for each in researcher.messages()), default="")
    researcher.command("/study", f"invite @{one.id} @{other.id}")
    researcher.wait_until(lambda: len(house.workspace.traffic("conversations.open")) >= 2, PATIENCE)
    researcher.wait_for(
        f"Slack does not answer at the moment, so I did not write to <@{one.id}>, <@{other.id}>. Invite them again",
        PATIENCE,
        after=seen,
    )
    house.workspace.refuse("conversations.open", "")
    assert participants.by_slack_user(house.store, one.id) is None
    assert "2 of 2" in invite(researcher, f"@{one.id}", f"@{other.id}")[0]


@pytest.mark.parametrize("how", ["looks at the messages", "writes"])
def test_who_was_not_reached_and_comes_by_is_greeted(house, researcher, how):
    person = unwilling(house, f"Comes by and {how}")
    invite(researcher, f"@{person.id}")
    house.workspace.refuse("chat.postMessage", "", channel=person.direct_channel)
    if how == "writes":
        person.say("hello")
    else:
        person.open_messages()
    person.press(person.wait_for("I agree", PATIENCE), "I agree")
    person.wait_for("Tell us about you", PATIENCE)
    assert len(greetings(person)) <= 1
    assert not notices.awaits(house.store, house.participant(person).id, NoticeKind.GREETING)


def test_who_was_not_reached_and_agrees_in_the_home_tab_is_not_greeted_afterwards(house, researcher):
    person = unwilling(house, "Agrees in the Home tab")
    invite(researcher, f"@{person.id}")
    person.open_home()
    home = person.wait_until(lambda: (view := person.home()) and "I agree" in view.buttons and view, PATIENCE)
    person.press(home, "I agree")
    person.wait_for_modal("About you", PATIENCE)
    house.workspace.refuse("chat.postMessage", "", channel=person.direct_channel)
    person.wait_until(lambda: line_of(house, person).greeted, PATIENCE)
    assert greetings(person) == []


def test_a_long_list_is_told_while_it_is_gone_through(house, researcher, watch):
    crowd = [house.newcomer(f"One of many, number {number}") for number in range(LONG_LIST + 1)]
    witness = watch(researcher)
    ask(researcher, f"invite {' '.join(f'@{each.id}' for each in crowd)}")
    researcher.wait_for(f"I am writing to {len(crowd)} people. This takes about a minute.", PATIENCE)
    result = researcher.wait_for(f"Invitations: {len(crowd)} of {len(crowd)} people were reached.", PATIENCE)
    progress = researcher.wait_for(f"I have gone through all {len(crowd)} people. The result is below.", PATIENCE)
    assert progress.ts < result.ts
    seen = witness.close()
    assert any(f"I am writing to {len(crowd)} people. {LONG_LIST} are done." in each for each in seen)
    assert all(len(greetings(each)) == 1 for each in crowd)


def test_while_nobody_can_join_a_researcher_reads_what_opens_the_study(open_house):
    house = open_house(start=False, slots=1)
    house.open(open_now=False)
    researcher, person = house.workspace.person("Researcher"), house.newcomer("Is early")
    bot = house.workspace.add_person("Is no person", kind=Kind.BOT)
    _, told = invite(researcher, f"@{bot.id}", f"@{person.id}")
    assert (
        f"The study has not opened yet. `/study open` opens it. I did not write to <@{bot.id}>, <@{person.id}>." in told
    )
    answer(researcher, ask(researcher, "open"), "Yes, open it", "The study is open.")
    answer(researcher, ask(researcher, "pause"), "Yes, pause it", "The study is paused.")
    assert "The study is paused. `/study resume` ends the pause." in invite(researcher, f"@{person.id}")[1]
    answer(researcher, ask(researcher, "resume"), "Yes, resume it", "The study is open again.")
    _, told = invite(researcher, f"@{bot.id}", f"@{person.id}")
    assert f"✅ I have written to <@{person.id}>." in told
    assert f"A bot, so I did not write to it: <@{bot.id}>." in told


def test_a_bot_that_is_stopped_invites_nobody_else_and_says_whom_it_did_not_invite(open_house):
    house = open_house(slots=1)
    people = [house.newcomer(f"Invited at the end, number {number}") for number in range(3)]
    bot = house.running
    outcomes = [bot.invitations.invite(people[0].id)]
    bot._tasks.close(flush=1)
    outcomes += [bot.invitations.invite(each.id) for each in people[1:]]
    assert [each.outcome for each in outcomes] == [Invitation.WRITTEN, Invitation.STOPPED, Invitation.STOPPED]
    (message,) = views.invited(outcomes, [])
    told = message.blocks[0].text.text
    assert f"I was stopped before I could write to <@{people[1].id}>, <@{people[2].id}>. Invite them again" in told
    assert greetings(people[1]) == []


def begun(house, person):
    """Let somebody's session begin: they agree, answer and start, without a look at the messages."""
    study, channel = house.running.study, person.direct_channel
    study.meet(person.id, channel)
    study.agree(person.id)
    study.describe(person.id, months=3.0, education="master", answers={})
    assert study.begin(person.id) is not None
    told = house.participant(person)
    person.wait_until(
        lambda: told.id not in {notice.participant_id for notice in notices.pending(house.store)}, PATIENCE
    )
    return told.code


TAKES_PART = ["member", "guest", "single_channel_guest", "external", "deactivated later", "not to be written to"]


@pytest.mark.parametrize("who", TAKES_PART)
def test_every_command_about_a_participant_works_whatever_became_of_their_account(house, researcher, who):
    kind = Kind(who) if who in set(Kind) else Kind.MEMBER
    person = house.workspace.add_person(f"Takes part, {who}", kind=kind)
    code, told = begun(house, person), "I tell them."
    if who == "deactivated later":
        house.workspace.deactivate(person.id)
        told = "Their account is deactivated, so I cannot tell them."
    if who == "not to be written to":
        house.workspace.refuse("chat.postMessage", "restricted_action", channel=person.direct_channel)

    shown = look(researcher, f"participant {code}", f"Participant {code}")
    assert f"*{code}*" in shown.text_of_everything
    researcher.close()
    extended = text_of(ask(researcher, f"extend {code} 10m"))
    assert f"✅ {code} has 10 min more to tune, until <!date^" in extended
    assert extended.endswith(told)
    assert f"Already in the study: <@{person.id}>." in invite(researcher, f"@{person.id}")[1]
    question = ask(researcher, f"cancel {code}")
    assert f"{told} Their buttons disappear." in text_of(question)
    answer(researcher, question, "Yes, end it", f"✅ The session of {code} has ended. {told}")
    assert f"{code} is not in a session now." in text_of(ask(researcher, f"extend {code} 10m"))
    question = ask(researcher, f"withdraw {code}")
    assert f"The link between the code and their Slack user is deleted. {told}" in text_of(question)
    answer(researcher, question, "Yes, take them out", f"✅ {code} is out of the study.")
    assert f"Left the study, so I did not write to them: <@{person.id}>." in invite(researcher, f"@{person.id}")[1]
    for text in (f"cancel {code}", f"extend {code} 10m"):
        assert f"{code} is not in a session now. Nothing was changed." in text_of(ask(researcher, text))
    assert f"{code} has left the study already." in text_of(ask(researcher, f"withdraw {code}"))


@pytest.mark.parametrize("kind", list(Kind))
def test_a_command_about_a_participant_names_a_code_and_nobody_by_name(house, researcher, kind):
    person = house.workspace.add_person(f"Is named, {kind}", kind=kind)
    for text in (
        f"participant @{person.id}",
        f"extend @{person.id} 10m",
        f"cancel @{person.id}",
        f"withdraw @{person.id}",
    ):
        told = text_of(ask(researcher, text))
        assert told.startswith("Participants appear under their codes only, so I do not look for a name.")
        assert "`/study participants` lists all." in told
