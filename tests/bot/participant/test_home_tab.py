"""The Home tab shows a person's status, follows what happens, and makes no more calls than it needs."""

import pytest
from slack_sdk import WebClient

PATIENCE = 30.0


def published(house):
    return len([each for each in house.workspace.traffic() if each.name == "views.publish"])


@pytest.fixture(scope="module")
def own(tmp_path_factory, open_alone):
    with open_alone(tmp_path_factory.mktemp("home")) as house:
        yield house


@pytest.fixture(scope="module")
def looking(own):
    """Somebody who goes through the study with the Home tab open."""
    person = own.newcomer("Looks at home")
    person.open_home()
    return person


def test_a_newcomer_can_read_and_agree_there_and_go_on_without_the_other_tab(own, looking):
    home = looking.wait_for_home("Before you take part", PATIENCE)
    looking.press(home, "I agree")
    looking.wait_for_modal("About you", PATIENCE)
    looking.close()
    looking.press(looking.wait_for_home("a few questions about your experience", PATIENCE), "Tell us about you")
    form = looking.wait_for_modal("About you", PATIENCE)
    looking.fill({each.label: each.options[0] if each.options else "1" for each in form.fields})
    assert looking.submit() == {}
    assert looking.wait_for_home("when you are ready", PATIENCE).buttons[0] == "Start"


def test_it_shows_the_session_from_its_beginning_and_every_trial_with_its_result(own, looking):
    looking.press(looking.home(), "Start")
    looking.wait_for_modal("New configuration", PATIENCE)
    home = looking.wait_for_home("Your session runs until", PATIENCE)
    assert f"<!date^{int(own.session(looking).deadline.timestamp())}^{{time}}|" in home.text_of_everything
    own.trained(looking)
    accuracy = f"{own.session(looking).best.validation_accuracy:.1f} %"
    home = looking.wait_for_home(f"*1 · {accuracy}*", PATIENCE)
    assert f"*1* trial · best validation accuracy *{accuracy}* (trial 1)" in home.text_of_everything
    looking.press(home, "Tune from here")
    assert looking.wait_for_modal("New configuration", PATIENCE).field("Epochs").value == "1"
    looking.close()
    assert not [block for block in home.blocks if block["type"] == "table"]


def test_a_running_trial_can_be_cancelled_there(own, looking):
    own.training(looking)
    looking.press(looking.wait_for_home("Trial 2 is in progress", PATIENCE), "Cancel")
    looking.wait_for_home("*2 · cancelled*", PATIENCE)


def test_a_running_trial_makes_it_no_busier(own, looking):
    """Losses arrive all the time; the tab tells of trials that begin and end."""
    own.training(looking)
    looking.wait_for_home("Trial 3 is in progress", PATIENCE)
    before = published(own)
    message = own.trial(looking, 3, "training, epoch")
    looking.wait_until(lambda: looking.message(message.ts).text != message.text, PATIENCE)
    assert published(own) == before
    looking.press(looking.message(message.ts), "Cancel")
    looking.wait_for_home("*3 · cancelled*", PATIENCE)


def test_looking_again_without_a_change_costs_no_call(own, looking):
    before = published(own)
    looking.open_home()
    looking.say("time")
    looking.wait_for("are left", PATIENCE)
    assert published(own) == before


def test_a_person_who_does_not_open_it_costs_no_call(own):
    before = published(own)
    person = own.newcomer("Only writes")
    person.open_messages()
    person.press(person.wait_for("I agree", PATIENCE), "I agree")
    person.wait_for("Tell us about you", PATIENCE)
    assert published(own) == before


def test_a_press_that_is_refused_is_answered_where_the_person_looks(own, looking):
    home = looking.home()
    study = own.running.study
    view = {"type": "home", "blocks": [*home.blocks]}
    view["blocks"].append(
        {
            "type": "actions",
            "block_id": "old",
            "elements": [
                {"type": "button", "action_id": "session_start", "text": {"type": "plain_text", "text": "Begin"}}
            ],
        }
    )
    client = WebClient(token=own.workspace.bot_token, base_url=own.workspace.api_url)
    client.views_publish(user_id=looking.id, view=view)
    looking.press(looking.wait_for_home("Begin", PATIENCE), "Begin")
    told = looking.wait_for_modal("Please note", PATIENCE)
    assert "Your session has begun already" in told.text_of_everything
    looking.press(told, "New configuration")
    looking.wait_for_modal("New configuration", PATIENCE)
    looking.close(everything=True)
    assert study.status(looking.id).session is not None


def test_a_researcher_sees_the_running_sessions_and_takes_no_part_by_looking(own, looking):
    researcher = own.workspace.person("Researcher")
    researcher.open_home()
    code = own.participant(looking).code
    home = researcher.wait_for_home(f"• {code}: until", PATIENCE)
    assert "*Black Magic* is open" in home.text_of_everything
    assert looking.id not in home.text_of_everything
    assert own.running.study.person(researcher.id) is None
    researcher.say("hello")
    researcher.wait_for("study on how people tune", PATIENCE)
    assert own.running.study.person(researcher.id) is None


def test_the_researchers_tab_follows_what_happens(own, looking):
    researcher = own.workspace.person("Researcher")
    person = own.seated("Is watched from afar")
    researcher.wait_for_home(f"• {own.participant(person).code}: until", PATIENCE)


def test_the_end_of_the_session_is_shown(own, looking):
    own.finish(looking)
    home = looking.wait_for_home("You have taken part already", PATIENCE)
    assert "Your final choice: trial 1, " in home.text_of_everything
    assert home.buttons == ("History",)


def test_nothing_was_refused(own, looking):
    calls = [each for each in own.workspace.traffic() if each.kind == "call" and each.status != "ok"]
    assert calls == []
    assert [each.text for each in own.admin.messages(own.reports) if "Error" in each.text] == []
