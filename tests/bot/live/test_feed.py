"""The live feed in a local workspace that enforces Slack's limits: what is sent, in which order, and how it ends."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackObjectFormationError

from bot.live.feed import LiveFeed, Priority, Rendering
from reports.figures.loss_plot import LossCurves, loss_curves

Stage = Any
OpenStage = Callable[..., Stage]
"""As the fixture of this folder opens it."""


def curves(batches: int) -> LossCurves:
    """The curves of a trial that has seen so many batches."""
    return loss_curves([2.3 / (1 + n) for n in range(batches)], [], epoch=1, epochs_planned=5, batches_per_epoch=1000)


def batches_shown(stage: Stage, subject: str) -> int:
    """The number of batches in the chart of a message; 0 without one."""
    charts = [block for block in stage.message(subject).blocks if block["type"] == "data_visualization"]
    return int(charts[0]["chart"]["axis_config"]["categories"][-1]) if charts else 0


def test_a_running_trial_shows_its_losses_as_slacks_charts_and_uploads_nothing(open_stage: OpenStage) -> None:
    stage = open_stage()
    stage.post("trial-1")

    two = loss_curves([2.0, 1.5], [2.2, 1.9], epoch=3, epochs_planned=5, batches_per_epoch=10)
    stage.change("trial-1", "Training", two)
    stage.wait_for(lambda: batches_shown(stage, "trial-1") == 2)

    titles = [block["title"] for block in stage.message("trial-1").blocks[1:]]
    assert titles == ["Batch losses, epoch 3 of 5", "Loss after each epoch"]
    assert stage.message("trial-1").text == "Training"
    assert stage.board.failures == []
    assert stage.statuses("files.getUploadURLExternal") == []
    stage.wait_for(lambda: stage.feed.counters.frames == 1)
    assert stage.feed.counters.fallbacks == 0


def test_the_newest_state_wins_however_often_a_subject_was_touched(open_stage: OpenStage) -> None:
    stage = open_stage(start=False)
    stage.post("trial-1")

    for batch in range(1, 101):
        stage.change("trial-1", f"{batch} batches", curves(batch))
    stage.feed.start()
    stage.wait_for(lambda: batches_shown(stage, "trial-1") == 100 and stage.feed._queue._is_idle())

    assert stage.message("trial-1").text == "100 batches"
    assert stage.statuses("chat.update") == ["ok"]


def test_a_result_is_sent_before_every_frame_that_waits(open_stage: OpenStage) -> None:
    stage = open_stage(limits={"chat.update": 4}, start=False)
    subjects = [f"trial-{n}" for n in range(8)]
    for subject in subjects:
        stage.post(subject)
        stage.change(subject, "Training", curves(3))
    stage.change("trial-7", "Validation accuracy 91.1%", curves(5), Priority.RESULT)
    stage.feed.start()

    stage.wait_for(lambda: stage.feed.counters.results == 1)
    assert stage.message("trial-7").text == "Validation accuracy 91.1%"
    updated = [entry.detail for entry in stage.workspace.traffic("chat.update")]
    assert stage.board.renderings["trial-7"].address.ts in updated[:2]  # one frame may have begun at that moment


def test_a_frame_that_was_drawn_before_a_result_is_never_sent_after_it(
    open_stage: OpenStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = open_stage()
    stage.post("trial-1")
    drawn, result_sent = threading.Event(), threading.Event()
    update = LiveFeed._update

    def wait_for_the_result(feed: LiveFeed, subject: Any, priority: Priority, *given: Any) -> Any:
        if priority is Priority.FRAME:
            drawn.set()
            assert result_sent.wait(20)
            return update(feed, subject, priority, *given)
        sent = update(feed, subject, priority, *given)
        result_sent.set()
        time.sleep(0.5)  # this thread has to wait for the processor, and the frame's goes on
        return sent

    monkeypatch.setattr(LiveFeed, "_update", wait_for_the_result)
    stage.change("trial-1", "Training", None)
    assert drawn.wait(20)
    stage.change("trial-1", "Cancelled", None, Priority.RESULT)
    stage.wait_for(lambda: stage.feed.counters.results == 1 and stage.feed._queue._is_idle())
    assert stage.message("trial-1").text == "Cancelled"
    assert stage.feed.counters.frames == 0


def test_everybody_gets_frames_in_turn_and_slack_refuses_none(open_stage: OpenStage) -> None:
    stage = open_stage(limits={"chat.update": 10})
    subjects = [f"trial-{n}" for n in range(5)]
    for subject in subjects:
        stage.post(subject)

    sent: dict[str, set[str]] = {subject: set() for subject in subjects}
    until = time.monotonic() + 2.2 * 4
    batch = 0
    while time.monotonic() < until:
        batch += 1
        for subject in subjects:
            stage.change(subject, f"{batch} batches", curves(batch))
            sent[subject].add(stage.message(subject).text)
        time.sleep(0.05)

    frames = [len(texts) for texts in sent.values()]
    assert max(frames) - min(frames) <= 1
    assert sum(frames) >= 18  # ten a window would be 22
    assert set(stage.statuses("chat.update")) == {"ok"}
    assert stage.board.failures == []


def test_a_render_that_fails_is_told_and_the_others_go_on(open_stage: OpenStage) -> None:
    stage = open_stage(start=False)
    stage.post("trial-1")
    stage.post("trial-2")
    broken = threading.Event()
    broken.set()
    whole = stage.board.render

    def render(subject: str) -> Rendering | None:
        if subject == "trial-1" and broken.is_set():
            raise ZeroDivisionError("no batches")
        return whole(subject)

    stage.board.render = render
    feed = stage.new_feed()
    feed.start()
    stage.board.write("trial-1", "Result one")
    stage.board.write("trial-2", "Result two")
    for subject in ("trial-1", "trial-2"):
        feed.touch(subject, Priority.RESULT)
    stage.wait_for(lambda: stage.message("trial-2").text == "Result two")
    stage.wait_for(lambda: bool(stage.board.failures))
    broken.clear()
    stage.wait_for(lambda: stage.message("trial-1").text == "Result one")  # tried again without another touch
    feed.close(1)

    assert [(subject, type(error)) for subject, error in stage.board.failures] == [("trial-1", ZeroDivisionError)]


def test_a_message_whose_blocks_slack_refuses_still_says_its_text(open_stage: OpenStage) -> None:
    stage = open_stage()
    stage.post("trial-1")

    stage.change("trial-1", "x" * 3001, None, Priority.RESULT)
    stage.wait_for(lambda: stage.message("trial-1").text == "x" * 3001)
    stage.wait_for(lambda: bool(stage.board.failures))

    ((subject, error),) = stage.board.failures
    assert subject == "trial-1"
    assert isinstance(error, SlackObjectFormationError)  # the SDK knows this limit of Slack's


def test_a_message_that_was_deleted_is_forgotten_quietly(open_stage: OpenStage) -> None:
    stage = open_stage()
    stage.post("trial-1")
    address = stage.board.renderings["trial-1"].address
    stage.client.chat_delete(channel=address.channel, ts=address.ts)

    stage.change("trial-1", "Cancelled", curves(4), Priority.RESULT)
    stage.wait_for(lambda: stage.statuses("chat.update") == ["message_not_found"] and stage.feed._queue._is_idle())

    assert stage.board.failures == []


def test_closing_sends_the_results_that_wait_and_drops_the_frames(open_stage: OpenStage) -> None:
    stage = open_stage(limits={"chat.update": 6}, start=False)
    for n in range(6):
        stage.post(f"trial-{n}")
    for n in range(4):
        stage.change(f"trial-{n}", "Training", curves(3))
    for n in (4, 5):
        stage.change(f"trial-{n}", "Interrupted", None, Priority.RESULT)

    stage.feed._queue.close()
    stage.feed.start()
    stage.feed.close(5)

    assert [stage.message(f"trial-{n}").text for n in range(6)] == [
        *(f"trial-{n} waits" for n in range(4)), "Interrupted", "Interrupted",
    ]  # fmt: skip
    stage.wait_for(lambda: not any(thread.is_alive() for thread in stage.feed._threads))
    stage.change("trial-0", "Too late", None, Priority.RESULT)
    assert stage.message("trial-0").text == "trial-0 waits"


@pytest.mark.parametrize("priority", Priority)
def test_messages_without_curves_are_updated_without_any_file(open_stage: OpenStage, priority: Priority) -> None:
    stage = open_stage()
    stage.post("session-1")

    stage.change("session-1", "Best so far: 88%", None, priority)
    stage.wait_for(lambda: stage.message("session-1").text == "Best so far: 88%")

    assert stage.statuses("files.getUploadURLExternal") == []
    assert stage.feed.counters.fallbacks == 0


def test_where_charts_are_refused_the_numbers_come_and_a_picture_is_posted_anew(open_stage: OpenStage) -> None:
    stage = open_stage(refuse_charts=True)
    stage.post("trial-1")
    for batch in (4, 5, 6, 7):
        stage.change("trial-1", f"{batch} batches", curves(batch))
        stage.wait_for(lambda batch=batch: f"Batch {batch} of" in stage.message("trial-1").text_of_everything)

    assert stage.message("trial-1").blocks[-1]["type"] == "section"
    # Three times in a row, as one odd chart is no reason; then charts are not tried for some time.
    assert stage.statuses("chat.update") == ["invalid_blocks", "ok"] * 3 + ["ok"]
    stage.wait_for(lambda: stage.feed.counters.frames == 4)
    assert stage.board.reposted == ["trial-1"]  # the next one some time later
    ((_, error),) = stage.board.failures
    assert "invalid_blocks" in str(error)
