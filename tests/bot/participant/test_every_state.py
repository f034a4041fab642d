"""In every state, a participant who reads only the last message knows what to do next."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.participant.form_state import Purpose
from bot.participant.views.buttons import CANCEL, FINISH, FROM_HERE, HISTORY, NEW
from bot.participant.views.typed_configuration import TYPED, Typed
from bot.study.invitations import Invitation
from storage.queries.due import CALL_HOLDS
from storage.schema.states import SessionState, TrialState
from storage.schema.tables import Participant, Session
from storage.transitions import studies
from tests.bot.participant.statuses import BY_ITSELF
from tests.bot.scripted_workers import ScriptedWorkers
from training.trial import Ending
from training.workers import Failed

PATIENCE = 30.0
BACKGROUND = {
    "Months of deep-learning experience": "3",
    "Highest education": "Doctorate",
    "Years of programming experience": "10",
    "Months of machine-learning experience, deep learning aside": "2",
    "How skilled are you at training neural networks?": "2",
}


@dataclass
class Walk:
    """Somebody's way through the study, and the one who looks at every step of it."""

    house: object
    workers: ScriptedWorkers
    person: object
    seen: list[str] = field(default_factory=list)

    @property
    def newest(self):
        said = (each for each in self.person.messages() if each.bot and not each.deleted)
        return max(said, key=lambda each: each.ts, default=None)

    def check(self, state, words, way=None):
        """The newest message has these words, and one way on: this button, or none where it goes on by itself."""
        newest = self.person.wait_until(
            lambda: (message := self.newest) and (words in message.text_of_everything) and message,
            PATIENCE,
            lambda: f"{state}: {words!r}, not {self.newest and self.newest.text_of_everything!r}",
        )
        assert ways(newest) == ([] if way is None else [way]), state
        if way is None:
            assert any(each in newest.text_of_everything for each in BY_ITSELF), f"{state}: {newest.text_of_everything}"
        self.check_home(state)
        self.seen.append(state)
        return newest

    def check_home(self, state):
        """The Home tab has one way on too."""
        self.person.open_home()
        home = self.person.wait_for_home("Your status")
        primary = ways(home)
        assert len(primary) <= 1, state
        if not primary:
            assert any(each in home.text_of_everything for each in BY_ITSELF), f"{state}: {home.text_of_everything}"

    def check_answer(self, state):
        """So has the answer to anything that is written."""
        said = self.person.say("what now?")
        answer = self.person.wait_for(lambda _: True, PATIENCE, after=said)
        assert len(ways(answer)) == 1 or any(each in answer.text_of_everything for each in BY_ITSELF), state

    def check_root(self, root, state, words, buttons):
        """The root of the thread offers nothing that does not work now."""

        def as_it_should_be():
            message = self.person.message(root.ts)
            return words in message.text_of_everything and message.buttons == buttons

        self.person.wait_until(as_it_should_be, PATIENCE, lambda: f"{state}: {self.person.message(root.ts).buttons}")

    def leave(self, time):
        """Set how much of the session's time is left, and sweep."""
        with self.house.store.write() as transaction:
            transaction.need(Session, self.session().id).deadline = datetime.now(UTC) + time
        self.house.running.sweep.run()

    def go_on(self, modal=None):
        """Press the one way on of the newest message."""
        (way,) = ways(self.newest)
        self.person.press(self.newest, way)
        if modal is not None:
            self.person.wait_for_modal(modal, PATIENCE)

    def look_in(self, modal):
        """The same, only to see that it opens what it should."""
        self.go_on(modal)
        self.person.close(everything=True)

    def submit(self, **values):
        self.person.fill({"Epochs": "3", "Batch size": "512", "Loss function": "L1 loss", "Optimizer": "SGD", **values})
        self.house.wait_for_fields(self.person, "SGD")
        assert self.person.submit() == {}

    def session(self):
        return self.house.session(self.person)

    def wait_for_trial(self, state):
        self.person.wait_until(lambda: self.session().trials[-1].state is state, PATIENCE, lambda: f"{state}")


def ways(shown):
    """The buttons that stand out: the way on."""
    return [each.label for each in shown.elements if each.definition.get("style") == "primary"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory, open_alone):
    with open_alone(tmp_path_factory.mktemp("states"), start=False, slots=1) as house:
        workers = ScriptedWorkers()
        house.open(workers, open_now=False)
        yield house, workers


@pytest.fixture(scope="module")
def walked(stage):
    """One person goes through all of it, alone but for two who have the only seat at first."""
    house, workers = stage
    study = house.running.study
    walk = Walk(house, workers, house.newcomer("Reads the last message"))
    person = walk.person

    person.say("hello")
    walk.check("not open yet", "The study has not opened yet", "Try again")
    walk.go_on()
    told = walk.check("still not open", "The study has not opened yet", "Try again")
    house.running.actions.open("researcher-1")
    first, second = house.seated("Has the seat"), house.described("Gets the next seat")
    person.press(told, "Try again")
    walk.check("invited", "Before you take part", "I agree")
    walk.go_on()
    walk.check("consented", "a few questions about your experience", "Tell us about you")
    walk.check_answer("consented")
    walk.go_on("About you")
    person.fill(BACKGROUND)
    assert person.submit() == {}
    walk.check("described", "Your task", "Start")
    walk.go_on()
    walk.check("in the queue", "you are next")
    walk.check_answer("in the queue")
    study.withdraw(first.id)
    walk.check("called", "A place is free now", "Start")
    walk.check_answer("called")
    with house.store.write() as transaction:
        called = transaction.need(Participant, house.participant(person).id)
        called.called_at -= CALL_HOLDS
    second.press(second.wait_for("Your task", PATIENCE), "Start")
    second.wait_for_modal("New configuration", PATIENCE)
    walk.go_on()
    walk.check("called too late", "went to somebody else")
    walk.check_answer("called too late")
    study.withdraw(second.id)
    walk.check("called again", "A place is free now", "Start")
    walk.go_on("New configuration")
    person.close()
    root = walk.check("active, no trial", "Your session runs until", "New configuration")
    walk.check_answer("active, no trial")

    walk.go_on("New configuration")
    walk.submit()
    walk.check("trial waiting", "starts as soon as a slot is free")
    walk.check_answer("trial waiting")
    walk.check_root(root, "trial waiting", "appears in the thread by itself", ("Cancel", "History", "Finish"))

    workers.ready()
    walk.wait_for_trial(TrialState.RUNNING)
    trial = house.trial(person, 1)
    workers.epoch(1)
    house.trial(person, 1, "training, epoch")
    running = person.message(trial.ts)
    assert ways(running) == []
    assert "Cancel" in running.buttons
    assert "The result appears below by itself" in running.text_of_everything
    walk.seen.append("trial running")
    walk.check_answer("trial running")
    walk.leave(timedelta(minutes=30))
    walk.check("warned while a trial runs", "30 minutes left")
    walk.check_root(root, "trial running", "appears in the thread by itself", ("Cancel", "History", "Finish"))
    prepared = person.wait_for("Prepare the next one", PATIENCE)
    person.press(prepared, "Prepare the next one")
    form = person.wait_for_modal("New configuration", PATIENCE)
    assert "Trial 1 is in progress. You can fill in the next configuration now" in form.text_of_everything
    person.close()
    person.press(running, "Cancel")
    stopping = house.trial(person, 1, "is being cancelled")
    assert "In a moment you can go on" in stopping.text_of_everything
    walk.seen.append("trial being cancelled")
    workers.end(Ending.STOPPED)
    cancelled = house.trial(person, 1, "· cancelled", button="Tune from here")
    assert ways(cancelled) == ["Tune from here"]
    walk.check_home("trial cancelled")
    walk.check_root(root, "trial cancelled", "New configuration", ("New configuration", "History", "Finish"))
    walk.seen.append("trial cancelled")
    person.press(cancelled, "Tune from here")
    person.wait_for_modal("New configuration", PATIENCE)

    for state, words, end in (
        ("trial diverged", "diverged: its loss is no longer a number", lambda: workers.end(Ending.DIVERGED)),
        (
            "trial failed",
            "failed. It needs more memory",
            lambda: workers.say(Failed("It needs more memory.", "-", "configuration")),
        ),
        ("trial complete", "validation accuracy 61.2", lambda: workers.end(Ending.COMPLETE, 61.2)),
    ):
        walk.submit()
        walk.wait_for_trial(TrialState.RUNNING)
        end()
        walk.check(state, words, "Tune from here")
        walk.go_on("New configuration")
    person.close()

    walk.leave(timedelta(minutes=30))
    walk.check("warned", "30 minutes left", "New configuration")
    walk.look_in("New configuration")
    walk.leave(timedelta(minutes=2))
    walk.check("warned at last", "there is time to tune it once more", "Tune from here")
    walk.look_in("New configuration")
    house.running.actions.extend(house.participant(person).code, timedelta(minutes=10), "researcher-1")
    walk.check("time extended", "You have 10 more minutes", "New configuration")
    walk.look_in("New configuration")
    walk.leave(timedelta(0))
    walk.check("choosing", "Your time is up", "Choose")
    walk.check_answer("choosing")
    walk.look_in("Your final choice")
    house.running.actions.extend(house.participant(person).code, timedelta(minutes=1), "researcher-1")
    walk.check("time to choose extended", "You have 1 more minute for your final choice", "Choose")
    walk.look_in("Your final choice")
    walk.go_on("Your final choice")
    house.choose_best(person)
    assert person.submit() == {}
    walk.check("finished", "Thank you for taking part")
    walk.check_answer("finished")
    return walk


def test_every_state_has_one_way_on(walked):
    assert walked.seen == [
        "not open yet",
        "still not open",
        "invited",
        "consented",
        "described",
        "in the queue",
        "called",
        "called too late",
        "called again",
        "active, no trial",
        "trial waiting",
        "trial running",
        "warned while a trial runs",
        "trial being cancelled",
        "trial cancelled",
        "trial diverged",
        "trial failed",
        "trial complete",
        "warned",
        "warned at last",
        "time extended",
        "choosing",
        "time to choose extended",
        "finished",
    ]
    assert walked.session().state is SessionState.FINISHED
    assert {each.state for each in walked.session().trials} >= {each for each in TrialState if each.is_finished}


DONE = {
    "I agree": ("consent_agree", "You have agreed to take part already"),
    "Tell us about you": ("background_open", "You have answered these questions already"),
    "Start": ("session_start", "You have had your session"),
    "New configuration": ("form_new", "This session is over"),
    "Tune from here": ("form_from", "This session is over"),
    "Choose": ("finish_open", "you cannot choose any more"),
    "Cancel": ("trial_cancel", "there is nothing to cancel"),
}
"""Buttons of steps that are over: their ``action_id``, and what is said when they are pressed."""


@dataclass(frozen=True)
class Old:
    """A message with all of them, such as a phone shows that was offline for a week."""

    blocks: tuple[dict, ...]
    text: str = "A week ago"


@pytest.fixture(scope="module")
def old(walked, repost):
    session = walked.session()
    of_trial = {"form_from", "trial_cancel"}
    elements = [
        {
            "type": "button",
            "action_id": action,
            "value": (session.trials[-1] if action in of_trial else session).button_value,
            "text": {"type": "plain_text", "text": button},
        }
        for button, (action, _) in DONE.items()
    ]
    return repost(walked.house, walked.person, Old(({"type": "actions", "block_id": "old", "elements": elements},)))


@pytest.mark.parametrize("button", DONE)
def test_a_button_of_a_step_that_is_done_leads_back(walked, old, button):
    before = walked.session()
    newest = walked.newest.ts
    walked.person.press(old, button)
    told = walked.house.told(walked.person, DONE[button][1], after=newest)
    assert "There is nothing more to do" in told.text_of_everything
    assert told.buttons == ("History",)
    assert walked.session() == before


@pytest.mark.parametrize("button", ["History", "Cancel", "Open the form, filled in"])
def test_a_button_of_an_older_version_leads_back(walked, repost, button):
    """It carries the number of a row, as values did once."""
    session = walked.session()
    action, value = {
        "History": (HISTORY, str(session.id)),
        "Cancel": (CANCEL, str(session.trials[-1].id)),
        "Open the form, filled in": (TYPED, Typed(Purpose.TRY, str(session.id), {"epochs": "3"}).dump()),
    }[button]
    text = {"type": "plain_text", "text": button}
    element = {"type": "button", "action_id": action, "value": value, "text": text}
    older = repost(walked.house, walked.person, Old(({"type": "actions", "block_id": "old", "elements": [element]},)))
    newest = walked.newest.ts
    walked.person.press(older, button)
    told = walked.house.told(walked.person, "from an older version of the bot", after=newest)
    assert "There is nothing more to do" in told.text_of_everything


def test_no_button_of_the_conversation_carries_the_number_of_a_row(walked):
    """Such numbers would lead back from a conversation to a code, after the link is deleted."""
    carried = [
        element["value"]
        for message in walked.person.messages()
        for block in message.blocks
        if block.get("block_id") != "old"
        for element in block.get("elements", ())
        if element.get("type") == "button" and element["action_id"] in (NEW, FROM_HERE, CANCEL, HISTORY, FINISH)
    ]
    assert carried
    assert [value for value in carried if len(value) != 32] == []


@pytest.mark.parametrize(
    ("words", "done", "left"),
    [
        ("Before you take part", "You agreed to take part", ()),
        ("a few questions about your experience", "You told us about yourself", ()),
        ("Your task", "All places were taken, so you are in the queue now", ("What do the settings do?",)),
        ("", "All places were taken", ("What do the settings do?",)),
        ("", "You have started", ("What do the settings do?",)),
    ],
)
def test_the_message_of_a_step_that_is_done_has_lost_its_button(walked, words, done, left):
    shown = (each for each in walked.person.messages() if each.bot)
    message = next(each for each in shown if words in each.text_of_everything and done in each.text_of_everything)
    assert message.buttons == left


def test_a_participant_who_leaves_is_told_goodbye_and_how_to_come_back(stage, walked):
    house, workers = stage
    walk = Walk(house, workers, house.seated("Leaves"))
    walk.person.close()
    before = house.participant(walk.person).code
    root = house.root(walk.person)
    walk.person.say("I want to leave")
    walk.check("leaving", "You may leave the study at any time", "Stay in the study")
    walk.go_on()
    walk.check("stayed", "Here is your status", "New configuration")
    walk.person.press(walk.person.wait_for("Leave the study"), "Leave the study")
    walk.check("withdrawn", "You have left the study. The link between you and your code is deleted")
    walk.person.wait_until(lambda: walk.person.message(root.ts).buttons == (), PATIENCE)
    assert house.reported(f"{before} has left the study")
    walk.check_answer("withdrawn")
    assert "they can let you in again" in walk.person.wait_for_home("You have left the study").text_of_everything
    assert house.running.invitations.invite(walk.person.id, let_in_by="researcher-1").outcome is Invitation.LET_IN_AGAIN
    walk.check("back again", "Before you take part", "I agree")
    assert house.participant(walk.person).code != before


def test_a_participant_who_is_taken_out_is_told_so(stage, walked):
    house, workers = stage
    walk = Walk(house, workers, house.seated("Is taken out"))
    walk.person.close()
    house.running.actions.withdraw(house.participant(walk.person).code, "researcher-1")
    walk.check("taken out", "The researchers have ended your part in the study")


def test_whose_session_is_ended_by_a_researcher_is_told_kindly(stage, walked):
    house, workers = stage
    walk = Walk(house, workers, house.seated("Is stopped"))
    root = house.root(walk.person)
    walk.submit()
    walk.wait_for_trial(TrialState.RUNNING)
    trial = house.trial(walk.person, 1)
    house.running.actions.cancel(house.participant(walk.person).code, "researcher-1")
    walk.check("ended", "The researchers have ended your session. Trial 1 was stopped")
    ended = walk.newest
    walk.check_answer("ended")
    walk.check_root(root, "ended", "The researchers have ended your session", ("History",))
    workers.end(Ending.STOPPED)
    house.trial(walk.person, 1, "· cancelled")
    assert walk.person.message(trial.ts).buttons == ()
    walk.person.press(ended, "History")
    walk.person.wait_for_modal("Your trials", PATIENCE)


def test_a_paused_study_says_so_and_keeps_everybodys_place(stage, walked):
    house, workers = stage
    described = Walk(house, workers, house.described("Has a place"))
    newcomer = Walk(house, workers, house.newcomer("Comes too early"))
    studies.pause_study(house.store, actor="researcher-1", now=datetime.now(UTC))
    try:
        described.go_on()
        told = described.check("paused", "The study is paused at the moment", "Start")
        assert not told.ephemeral
        described.check_answer("paused")
        newcomer.person.say("hello")
        newcomer.check("paused, newcomer", "The study is paused at the moment", "Try again")
    finally:
        studies.resume_study(house.store, actor="researcher-1", now=datetime.now(UTC))
    described.go_on("New configuration")
    described.person.close()
    newcomer.go_on()
    newcomer.check("open again", "Before you take part", "I agree")
    house.end_sessions()


def test_a_closed_study_says_that_there_is_nothing_more_to_do(stage, walked):
    """The last one: nothing opens the study again."""
    house, workers = stage
    described = Walk(house, workers, house.described("Comes too late"))
    newcomer = Walk(house, workers, house.newcomer("Comes much too late"))
    house.end_sessions()
    studies.close_study(house.store, actor="researcher-1", now=datetime.now(UTC))
    described.go_on()
    described.check("closed", "The study is closed")
    described.check_answer("closed")
    newcomer.person.say("hello")
    newcomer.check("closed, newcomer", "The study is closed")
    walked.check_answer("closed, finished")
