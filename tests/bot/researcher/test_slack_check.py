"""``/study check``: the connection is checked from within, and a researcher says which numbers they see."""

import pytest

from bot.researcher.views.slack_check import concluded, left_unchecked
from storage import events, slack_checks
from storage.schema.states import EventKind
from storage.schema.tables import SlackCheck
from tests.bot.researcher.asking import PATIENCE, ask, text_of
from tests.bot.researcher.reading import LABELS, answer, check, numbers_before, read

WAYS = ("chart_by_update", "picture_posted", "picture_by_update", "picture_by_update_with_file_ids")
TEAM = "T00000001"


@pytest.fixture
def researcher(house):
    return house.workspace.person("Researcher")


def newest(house):
    found = slack_checks.newest(house.store)
    return tuple(getattr(found, way) for way in WAYS)


def is_clean(house, researcher, question, before):
    """Whether no message of the check, and no file of it, is left."""
    left = {each.ts for each in [*numbers_before(researcher, question), question]}
    gone = not any(researcher.message(ts) for ts in left) and not numbers_before(researcher, question)
    return gone and set(house.pictures) <= before


def test_the_lines_are_those_of_the_doctor_and_nobody_else_reads_them(house, researcher):
    researcher.command("/study", "check", house.reports)
    told = researcher.wait_for("The rest only eyes can tell", PATIENCE, channel=house.reports)
    assert told.ephemeral
    text = text_of(told)
    assert "*Nothing is wrong so far.*" in text
    for line in (
        "✓ *Scopes*: The bot token has all 7 of manifest.yml.",
        "✓ *Clock*: ",
        "✓ *Connections*: No other bot is connected with these tokens.",
        f"✓ *Report channel*: The bot may write into {house.reports}.",
        f"✓ *Researcher {researcher.id}*: ",
        "✓ *Charts*: Slack accepts line charts.",
    ):
        assert line in text
    assert house.workspace.bot_token not in text
    assert house.workspace.app_token not in text
    researcher.wait_until(lambda: house.workspace.connections == 1, PATIENCE)
    question = researcher.wait_for("Which numbers do you see", PATIENCE, after=told.ts)
    researcher.press(question, "I see none")
    researcher.wait_for("Thank you.", PATIENCE, after=question.ts)


def test_the_numbers_that_are_read_are_kept_and_decide_how_plots_are_shown(house, researcher):
    before = set(house.workspace.file_ids())
    question = check(researcher)
    shown = numbers_before(researcher, question)
    numbers = read(researcher, question)
    assert [bool(numbers[label]) for label in LABELS] == [True, True, False, False]
    assert numbers["Number 1"] != numbers["Number 2"]
    assert [each.text for each in shown] == [
        f"Number {place} of 4" for place in range(1, 5)
    ]  # what a notification says
    told = answer(researcher, question, numbers)
    assert newest(house) == (True, True, False, False)  # as Slack is known to be
    assert slack_checks.newest(house.store).team_id == TEAM
    assert "So live plots are Slack's own line charts." in text_of(told)
    assert "✓ a line chart that an update brings\n✓ a picture that is posted\n✗ a picture that an update" in text_of(
        told
    )
    researcher.wait_until(lambda: is_clean(house, researcher, question, before), PATIENCE)
    logged = events.read(house.store, kind=EventKind.COMMANDED)[-1]
    assert logged.details["text"].startswith(f"check {slack_checks.newest(house.store).id}, saw: chart_by_update, ")
    assert logged.actor.startswith("researcher-")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"update_shows_new_files": True}, (True, True, True, True)),
        ({"file_ids_show": True}, (True, True, False, True)),
    ],
)
def test_in_a_workspace_that_shows_more_pictures_more_is_seen(open_house, rules, given, expected):
    house = open_house(rules(**given), live_plots="picture")
    researcher = house.workspace.person("Researcher")
    question = check(researcher)
    told = answer(researcher, question, read(researcher, question))
    assert newest(house) == expected
    assert "So live plots are pictures, and each update brings a new one." in text_of(told)


def test_wrong_numbers_and_empty_fields_count_as_not_seen(house, researcher):
    question = check(researcher)
    numbers = read(researcher, question)
    swapped = {**dict.fromkeys(LABELS, ""), "Number 1": numbers["Number 2"], "Number 2": f"  {numbers['Number 2']} "}
    told = answer(researcher, question, swapped)
    assert newest(house) == (False, True, False, False)
    assert "So live plots are pictures that are posted anew from time to time." in text_of(told)


def test_one_who_sees_none_presses_one_button(house, researcher):
    before = set(house.workspace.file_ids())
    question = check(researcher)
    researcher.press(question, "I see none")
    told = researcher.wait_for("Thank you.", PATIENCE, after=question.ts)
    assert newest(house) == (False, False, False, False)
    assert "Participants would not see the loss plots of their results" in text_of(told)
    researcher.wait_until(lambda: is_clean(house, researcher, question, before), PATIENCE)


def test_an_answer_counts_once(house, researcher, at_once):
    before = set(house.workspace.file_ids())
    question = check(researcher)
    last = slack_checks.newest(house.store)
    outcomes = at_once(*[lambda: researcher.press(question, "I see none")] * 2)
    assert outcomes.count(None) >= 1  # the other press may find the question gone
    researcher.wait_for("Thank you.", PATIENCE, after=question.ts)
    researcher.wait_until(lambda: is_clean(house, researcher, question, before), PATIENCE)
    assert slack_checks.newest(house.store).id == (last.id if last else 0) + 1
    assert sum("Thank you." in each.text for each in researcher.messages() if each.ts > question.ts) == 1


def test_every_check_shows_other_numbers(house, researcher):
    first = check(researcher)
    numbers = read(researcher, first)
    second = check(researcher)
    assert read(researcher, second) != numbers
    for question in (first, second):
        begin = max(each.ts for each in researcher.messages())
        researcher.press(question, "I see none")
        researcher.wait_for("Thank you.", PATIENCE, after=begin)


@pytest.mark.long
def test_a_question_outlives_a_restart_of_the_bot(open_house):
    house = open_house()
    researcher = house.workspace.person("Researcher")
    question = check(researcher)
    numbers = read(researcher, question)
    house.close()
    house.open()
    answer(researcher, question, numbers)
    assert newest(house)[:2] == (True, True)
    researcher.wait_until(lambda: is_clean(house, researcher, question, set()), PATIENCE)


def test_what_slack_refuses_nobody_sees(open_house, rules):
    house = open_house(rules(refuse_charts=True, refuse_files=True))
    researcher = house.workspace.person("Researcher")
    researcher.command("/study", "check")
    told = researcher.wait_for("Thank you.", PATIENCE)
    assert newest(house) == (False, False, False, False)
    assert "✗ a picture that is posted" in text_of(told)
    lines = text_of(researcher.wait_for("The rest only eyes can tell", PATIENCE))
    assert "*One thing is wrong.*" in lines
    assert "✗ *Charts*: Slack refuses line charts in this workspace." in lines
    researcher.wait_until(lambda: not numbers_before(researcher, told), PATIENCE)


def test_of_a_workspace_without_charts_the_pictures_are_asked_for(open_house, rules):
    house = open_house(rules(refuse_charts=True))
    researcher = house.workspace.person("Researcher")
    question = check(researcher)
    first, *_ = numbers_before(researcher, question)
    assert first.text == "Number 1 of 4 could not be shown."
    researcher.press(question, "Type the numbers")
    form = researcher.wait_for_modal("The numbers you see", PATIENCE)
    assert [each.label for each in form.fields] == list(LABELS[1:])
    numbers = read(researcher, question)
    researcher.fill({"Number 2": numbers["Number 2"]})
    assert researcher.submit() == {}
    told = researcher.wait_for("Thank you.", PATIENCE, after=question.ts)
    assert newest(house) == (False, True, False, False)
    assert "pictures that are posted anew" in text_of(told)


def test_where_the_bot_cannot_write_to_people_that_is_said_and_nothing_is_kept(open_house):
    house = open_house()
    researcher = house.workspace.person("Researcher")
    house.workspace.refuse("chat.postMessage", "messages_tab_disabled", channel=researcher.direct_channel)
    researcher.command("/study", "check", house.reports)
    told = researcher.wait_for("I cannot write to you, so I cannot show", PATIENCE, channel=house.reports)
    assert "Slack answers “messages_tab_disabled”" in text_of(told)
    assert slack_checks.newest(house.store) is None


def test_a_number_that_fails_for_a_passing_reason_is_not_taken_for_unseen(open_house):
    house = open_house()
    researcher = house.workspace.person("Researcher")
    house.workspace.refuse("files.getUploadURLExternal", "internal_error")
    question = check(researcher)
    told = answer(researcher, question, read(researcher, question))
    assert newest(house) == (True, None, None, None)
    assert "– a picture that is posted" in text_of(told)


def test_the_command_takes_no_words_and_is_for_researchers(house, researcher):
    assert "This command does not take “now”. Write `/study check`." in text_of(ask(researcher, "check now"))
    stranger = house.newcomer("Is no researcher")
    assert "is for the researchers" in text_of(ask(stranger, "check"))


# What follows from a check


def seen(chart=True, posted=True, updated=False, with_ids=False, team=TEAM):
    return SlackCheck(
        team_id=team,
        chart_by_update=chart,
        picture_posted=posted,
        picture_by_update=updated,
        picture_by_update_with_file_ids=with_ids,
    )


@pytest.mark.parametrize(
    ("check", "setting", "said"),
    [
        (seen(), "auto", "Thank you. So live plots are Slack's own line charts."),
        (seen(chart=False), "auto", "Thank you. So live plots are pictures that are posted anew from time to time."),
        (seen(chart=False, updated=True), "auto", "Thank you. So live plots are pictures, and each update brings"),
        (seen(updated=True), "picture", "Thank you. So live plots are pictures, and each update brings a new one."),
        (seen(), "picture", "line charts. (study.toml asks for pictures that updates bring, which you do not see.)"),
        (seen(chart=False), "chart", "study.toml asks for line charts, which you do not see. Set live_plots to “auto”"),
        (seen(posted=False), "auto", "Participants would not see the loss plots of their results"),
    ],
)
def test_what_follows_is_said(check, setting, said):
    assert said in concluded(check, setting).text


@pytest.mark.parametrize(
    ("check", "setting", "said"),
    [
        (None, "auto", "Nobody has checked yet which plots people see"),
        (seen(team="T2"), "auto", "was checked in another workspace, and not in this one"),
        (seen(chart=False), "auto", "The last check did not see line charts: "),
        (seen(chart=None), "chart", "The last check did not see line charts: "),
        (seen(chart=False, posted=False), "auto", "did not see line charts and pictures that are posted: "),
        (seen(), "picture", "did not see pictures that updates bring: "),
        (seen(), "auto", ""),
        (seen(), "chart", ""),
        (seen(chart=False), "repost", ""),
        (seen(with_ids=True), "picture", ""),
    ],
)
def test_what_was_not_seen_is_said_before_the_study_opens(check, setting, said):
    text = left_unchecked(check, TEAM, setting)
    assert said in text
    assert bool(text) == bool(said)
    assert "`/study check` takes two minutes." in text or not text


def opening(house, researcher):
    return text_of(ask(researcher, "open"))


def test_opening_says_what_was_not_checked_and_stays_possible(open_house):
    house = open_house(start=False)
    house.open(open_now=False)
    researcher = house.workspace.person("Researcher")
    assert "Nobody has checked yet which plots people see in this workspace: `/study check` takes two" in opening(
        house, researcher
    )
    question = check(researcher)
    answer(researcher, question, {**read(researcher, question), "Number 1": ""})
    asked = ask(researcher, "open")
    assert "The last check did not see line charts: `/study check` takes two minutes." in text_of(asked)
    question = check(researcher)
    answer(researcher, question, read(researcher, question))
    # Something is known now that was not when it was asked, so it is asked again.
    researcher.press(asked, "Yes, open it")
    again = researcher.wait_until(
        lambda: (found := researcher.message(asked.ts)) and "Something has changed" in found.text and found, PATIENCE
    )
    assert "/study check" not in text_of(again)
    researcher.press(again, "Yes, open it")
    researcher.wait_until(
        lambda: (found := researcher.message(asked.ts)) and "The study is open." in text_of(found), PATIENCE
    )
