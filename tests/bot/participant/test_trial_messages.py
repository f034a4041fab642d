"""What a participant sees of a trial in Slack as it is: charts while it runs, and a result that is posted."""

import threading
from dataclasses import replace
from itertools import count

import pytest
from slack_sdk.errors import SlackApiError

from bot.live.feed import Priority
from bot.participant.trial_messages import TrialMessages
from bot.slack.client import PacedClient, Slack
from storage import posts
from storage.database import Store
from storage.schema.states import NoticeKind, TrialState
from storage.transitions import notices
from tests.bot.rules import RULES
from tests.bot.scripted_workers import ScriptedWorkers
from training.trial import Ending

PATIENCE = 60.0
NAMES = (f"Person {number}" for number in count(1))


@pytest.fixture
def trial(open_house):
    """A house with one seat, and somebody whose trials end when the test says so."""

    def begin(*, ready=True, refuse_charts=False, refuse_files=False, **settings):
        rules = replace(RULES, refuse_charts=refuse_charts, refuse_files=refuse_files)
        house, workers = open_house(rules, start=False, slots=1, **settings), ScriptedWorkers()
        house.open(workers)
        if ready:
            workers.ready()
        return Trial(house, workers, house.seated(next(NAMES)))

    return begin


class Trial:
    """A person and their trials."""

    def __init__(self, house, workers, person):
        self.house, self.workers, self.person = house, workers, person

    def run(self, *epochs):
        """Submit a configuration, and let these epochs end."""
        self.house.submit(self.person, Epochs="50")
        self.number = len(self.house.session(self.person).trials)
        self.person.wait_until(lambda: self.shown.state is TrialState.RUNNING, PATIENCE)
        for epoch in epochs:
            self.workers.epoch(epoch)
        live = self.house.trial(self.person, self.number, "training, epoch", button="Show as picture")
        self.ts = live.ts
        return live

    @property
    def shown(self):
        return self.house.session(self.person).trials[-1]

    @property
    def live(self):
        return self.person.message(self.ts)

    def end(self, ending=Ending.COMPLETE, accuracy=61.2, words="validation accuracy 61.2"):
        """End the trial, and wait for its result."""
        self.workers.end(ending, accuracy)
        return self.result(words)

    def result(self, words="validation accuracy 61.2"):
        def fits(message):
            return (
                message.ts != self.ts and message.text.startswith(f"Trial {self.number} · ") and words in message.text
            )

        return self.person.wait_for(fits, PATIENCE)

    def has_shrunk(self):
        self.person.wait_until(lambda: self.live.text.startswith(f"Trial {self.number} has ended"), PATIENCE)
        assert self.live.buttons == ()
        assert len(self.live.blocks) == 1


def results_pending(house):
    return sum(each.kind is NoticeKind.TRIAL_ENDED for each in notices.pending(house.store))


def charts(message):
    return [block["title"] for block in message.blocks if block["type"] == "data_visualization"]


def test_while_it_runs_charts_come_in_place_and_nothing_is_uploaded(trial):
    tuned = trial()
    live = tuned.run(1, 2)
    assert tuned.person.wait_until(lambda: charts(tuned.live)[1:], PATIENCE) == ["Loss after each epoch"]
    assert live.buttons == ("Cancel", "Show as picture")
    assert tuned.house.pictures == []


def test_the_result_is_posted_with_its_picture_and_what_can_be_done_next(trial):
    tuned = trial()
    tuned.run(1, 2)
    tuned.person.read()
    result = tuned.end()
    assert result.thread_ts == tuned.house.root(tuned.person).ts
    assert result.broadcast  # it is shown in the conversation, too
    assert result.broken_images == 0
    (png,) = tuned.person.pictures(result)
    assert png.startswith(b"\x89PNG")
    assert result.buttons == ("Tune from here", "New configuration", "History", "Finish")
    tuned.has_shrunk()
    (conversation,) = [each for each in tuned.person.conversations() if each.kind == "dm"]
    assert conversation.unread == 1


def test_until_the_result_is_posted_the_message_stays_as_it_is(trial, monkeypatch):
    tuned = trial()
    tuned.run(1)
    held, let_go = threading.Event(), threading.Event()
    post = TrialMessages._post_result

    def wait_first(messages, *given):
        held.set()
        assert let_go.wait(PATIENCE)
        post(messages, *given)

    monkeypatch.setattr(TrialMessages, "_post_result", wait_first)
    feed = tuned.house.running.feed
    tuned.workers.end(Ending.COMPLETE, 61.2)
    assert held.wait(PATIENCE)
    before = tuned.live
    feed.touch(tuned.shown.subject, Priority.FRAME)  # as a frame that was on its way when the trial ended
    tuned.person.wait_until(feed._queue._is_idle, PATIENCE)
    assert tuned.live == before
    let_go.set()
    tuned.result()
    tuned.has_shrunk()


def test_its_buttons_follow_the_session_and_its_picture_stays(trial):
    tuned = trial()
    tuned.run(1)
    result = tuned.end()
    tuned.house.finish(tuned.person)
    shown = tuned.person.wait_until(
        lambda: (now := tuned.person.message(result.ts)).buttons == () and now, PATIENCE, lambda: "no buttons"
    )
    assert shown.broken_images == 0
    assert tuned.person.pictures(shown) == tuned.person.pictures(result)


def test_a_trial_that_was_cancelled_gets_a_result_too(trial):
    tuned = trial()
    live = tuned.run(1)
    tuned.person.press(live, "Cancel")
    tuned.person.wait_until(lambda: "is being cancelled" in tuned.live.text, PATIENCE)
    result = tuned.end(Ending.STOPPED, None, "· cancelled")
    assert result.broadcast
    assert len(tuned.person.pictures(result)) == 1
    tuned.has_shrunk()


def test_a_trial_that_was_cancelled_before_it_ran_has_no_picture(trial):
    tuned = trial(ready=False)
    person, waiting = tuned.person, tuned.house.submit(tuned.person)
    person.press(waiting, "Cancel")
    result = person.wait_for("Trial 1 · cancelled", PATIENCE)
    assert result.ts != waiting.ts
    assert result.image_urls == ()
    assert "Tune from here" in result.buttons


def test_show_as_picture_posts_the_present_plot_and_the_next_one_takes_its_place(trial):
    tuned = trial()
    live = tuned.run(1)
    tuned.person.press(live, "Show as picture")
    first = tuned.person.wait_for("epoch 1 of 50: its losses until now", PATIENCE)
    assert first.thread_ts == live.thread_ts
    assert not first.broadcast
    assert len(tuned.person.pictures(first)) == 1
    tuned.workers.epoch(2)
    tuned.person.wait_until(lambda: "epoch 2 of" in tuned.live.text, PATIENCE)
    tuned.person.press(tuned.live, "Show as picture")
    second = tuned.person.wait_for("epoch 2 of 50: its losses until now", PATIENCE)
    tuned.person.wait_until(lambda: tuned.person.message(first.ts) is None, PATIENCE)
    result = tuned.end()
    tuned.person.wait_until(lambda: tuned.person.message(second.ts) is None, PATIENCE)
    tuned.person.wait_until(lambda: len(tuned.house.pictures) == 1, PATIENCE)
    assert tuned.house.pictures[0] in result.image_urls[0]


def test_after_the_end_the_button_leads_to_the_result(trial):
    tuned = trial()
    live = tuned.run(1)
    tuned.end()
    tuned.has_shrunk()
    with pytest.raises(Exception, match="not there any more"):
        tuned.person.press(live, "Show as picture")  # the message has shrunk, so Slack says it
    with pytest.raises(Exception, match="The picture of its losses is in its result"):
        tuned.house.running.study.show_plot(tuned.person.id, tuned.shown.id)


def test_where_charts_are_refused_a_picture_is_posted_anew(trial):
    tuned = trial(refuse_charts=True)
    tuned.run(1)
    for epoch in (2, 3, 4):
        tuned.workers.epoch(epoch)
        tuned.person.wait_until(lambda epoch=epoch: f"epoch {epoch} of" in tuned.live.text, PATIENCE)
    plot = tuned.person.wait_for("its losses until now", PATIENCE)
    assert len(tuned.person.pictures(plot)) == 1
    tuned.end()
    tuned.person.wait_until(lambda: tuned.person.message(plot.ts) is None, PATIENCE)


def test_where_no_file_can_be_uploaded_the_result_comes_with_charts(trial):
    tuned = trial(refuse_files=True)
    tuned.run(1, 2)
    result = tuned.end()
    assert charts(result)[-1] == "Loss after each epoch"
    assert "Tune from here" in result.buttons
    tuned.has_shrunk()


def test_a_result_that_was_not_posted_before_the_bot_stopped_is_posted_once_afterwards(trial, monkeypatch):
    tuned = trial()
    tuned.run(1)
    post = Slack.post

    def away(slack, channel, message, **given):
        if "validation accuracy" in message.text:
            raise OSError("the network is away")
        return post(slack, channel, message, **given)

    with monkeypatch.context() as patched:
        patched.setattr(Slack, "post", away)
        tuned.workers.end(Ending.COMPLETE, 61.2)
        # What cannot be posted is shown in place meanwhile, so that they can go on.
        tuned.person.wait_until(lambda: "validation accuracy 61.2" in tuned.live.text, PATIENCE)
        assert "Tune from here" in tuned.live.buttons
        tuned.house.close()
    assert results_pending(tuned.house) == 1
    tuned.house.open(ScriptedWorkers())
    result = tuned.result()
    assert result.broadcast
    tuned.has_shrunk()
    assert [
        each.ts for each in tuned.person.messages() if "validation accuracy 61.2" in each.text and each.thread_ts
    ] == [result.ts]
    assert results_pending(tuned.house) == 0


def results(tuned):
    """The messages with the result, without the one that showed the trial while it ran."""
    shown = [each for each in tuned.person.messages() if "validation accuracy 61.2" in each.text and each.thread_ts]
    return [each for each in shown if each.ts != tuned.ts]


def test_a_result_that_was_posted_when_its_bot_was_killed_is_not_posted_again(trial, monkeypatch):
    """Slack had it, and the bot came no further: here it cannot note it, however often it tries."""
    tuned = trial()
    tuned.run(1)
    remember, tries = posts.remember_for, []

    def killed(store: Store, session_id: int, subject: str, **given):
        if subject.startswith("result:"):
            tries.append(subject)
            raise OSError("killed")
        return remember(store, session_id, subject, **given)

    with monkeypatch.context() as patched:
        patched.setattr(posts, "remember_for", killed)
        tuned.workers.end(Ending.COMPLETE, 61.2)
        tuned.person.wait_until(lambda: len(tries) >= 2, PATIENCE)
        tuned.house.close()
    assert results_pending(tuned.house) == 1
    tuned.house.open(ScriptedWorkers())
    tuned.has_shrunk()
    tuned.person.wait_until(lambda: results_pending(tuned.house) == 0, PATIENCE)
    (result,) = results(tuned)
    assert result.broadcast
    assert len(tuned.person.pictures(result)) == 1
    post = posts.find(tuned.house.store, posts.result_of(tuned.shown.id))
    assert (post.ts, post.file_id in tuned.house.pictures) == (result.ts, True)


def test_a_result_whose_answer_was_lost_is_not_posted_again(trial, monkeypatch):
    tuned = trial()
    tuned.run(1)
    post, lost = PacedClient.chat_postMessage, []

    def lose_the_answer(client, **given):
        answer = post(client, **given)
        if "validation accuracy" in given["text"] and not lost:
            lost.append(answer["ts"])
            raise OSError("no answer came")
        return answer

    monkeypatch.setattr(PacedClient, "chat_postMessage", lose_the_answer)
    tuned.workers.end(Ending.COMPLETE, 61.2)
    tuned.has_shrunk()
    (result,) = results(tuned)
    assert [result.ts] == lost
    assert len(tuned.person.pictures(result)) == 1


def test_a_result_that_slack_never_takes_is_shown_in_place(trial, monkeypatch):
    tuned = trial()
    tuned.run(1)
    post = Slack.post

    def refuse(slack, channel, message, **given):
        if "validation accuracy" in message.text:
            raise SlackApiError("refused", Refusal())
        return post(slack, channel, message, **given)

    monkeypatch.setattr(Slack, "post", refuse)
    tuned.workers.end(Ending.COMPLETE, 61.2)
    tuned.person.wait_until(lambda: "validation accuracy 61.2" in tuned.live.text, PATIENCE)
    assert charts(tuned.live)
    assert "Tune from here" in tuned.live.buttons


class Refusal(dict):
    """Slack's answer to what it never takes."""

    status_code = 200

    def __init__(self):
        super().__init__(error="restricted_action", ok=False)


def test_a_result_posted_just_when_its_data_is_deleted_is_deleted_too(trial, monkeypatch):
    tuned = trial(withdrawn_data="delete")
    tuned.run(1)
    remember = posts.remember_for

    def leave_first(store: Store, session_id: int, subject: str, **given):
        if subject.startswith("result:"):
            tuned.house.running.study.withdraw(tuned.person.id)
        return remember(store, session_id, subject, **given)

    monkeypatch.setattr(posts, "remember_for", leave_first)
    tuned.workers.end(Ending.COMPLETE, 61.2)
    tuned.person.wait_for("You have left the study", PATIENCE)
    tuned.person.wait_until(
        lambda: (
            not [each for each in tuned.person.messages() if "61.2" in each.text_of_everything and not each.deleted]
        ),
        PATIENCE,
    )
    tuned.person.wait_until(lambda: tuned.house.pictures == [], PATIENCE)
