"""The live feed in a local workspace that enforces Slack's limits."""

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackObjectFormationError

from bot.live.feed import LiveFeed, Priority, Rendering
from bot.live.queue import FeedQueue
from reports.figures.loss_plot import LossCurves, loss_curves
from storage import posts
from storage.database import Store

Stage = Any
OpenStage = Callable[..., Stage]
"""As the fixture of this folder opens it."""


def curves(batches: int) -> LossCurves:
    """The curves of a trial that has seen so many batches."""
    return loss_curves([2.3 / (1 + n) for n in range(batches)], [], epoch=1, epochs_planned=5, batches_per_epoch=1000)


def shows_picture(stage: Stage, subject: str) -> bool:
    return bool(stage.message(subject).image_urls)


def test_a_running_trial_shows_its_plot_and_the_numbers_in_its_alt_text(open_stage: OpenStage) -> None:
    stage = open_stage()
    stage.post("trial-1")

    stage.change("trial-1", "Training", curves(7))
    stage.wait_for(lambda: shows_picture(stage, "trial-1"))

    message = stage.message("trial-1")
    (png,) = stage.person.pictures(message)
    assert png.startswith(b"\x89PNG")
    assert "Batch 7 of 1000" in message.text_of_everything
    assert message.text == "Training"
    assert stage.board.failures == []
    stage.wait_for(lambda: stage.feed.counters.frames == 1)
    assert stage.feed.counters.pictures == 1


def test_the_newest_state_wins_however_often_a_subject_was_touched(open_stage: OpenStage) -> None:
    stage = open_stage()
    stage.post("trial-1")

    for batch in range(1, 101):
        stage.change("trial-1", f"{batch} batches", curves(batch))
    stage.wait_for(lambda: "Batch 100 of" in stage.message("trial-1").text_of_everything)

    assert stage.message("trial-1").text == "100 batches"
    assert len(stage.statuses("chat.update")) <= 3


def test_a_frame_that_was_drawn_before_a_result_is_never_sent_after_it(
    open_stage: OpenStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = open_stage()
    stage.post("trial-1")
    drawn, result_sent = threading.Event(), threading.Event()
    update, words_sent = LiveFeed._update, FeedQueue.words_sent

    def wait_for_the_result(feed: LiveFeed, subject: Any, priority: Priority, **given: Any) -> Any:
        if priority is Priority.FRAME:
            drawn.set()
            assert result_sent.wait(20)
        return update(feed, subject, priority, **given)

    def note_later(queue: FeedQueue, subject: Any, *, picture_lags: bool) -> None:
        result_sent.set()
        time.sleep(0.5)  # this thread has to wait for the processor, and the frame's goes on
        words_sent(queue, subject, picture_lags=picture_lags)

    monkeypatch.setattr(LiveFeed, "_update", wait_for_the_result)
    monkeypatch.setattr(FeedQueue, "words_sent", note_later)
    stage.change("trial-1", "Training", None)
    assert drawn.wait(20)
    stage.change("trial-1", "Cancelled", None, Priority.RESULT)
    stage.wait_for(lambda: stage.feed.counters.results == 1 and stage.feed._queue._is_idle())
    assert stage.message("trial-1").text == "Cancelled"


def test_superseded_pictures_are_deleted_and_the_shown_one_is_kept(open_stage: OpenStage) -> None:
    stage = open_stage()
    stage.post("trial-1")

    for batch in (1, 2, 3):
        stage.change("trial-1", "Training", curves(batch))
        stage.wait_for(lambda batch=batch: f"Batch {batch} of" in stage.message("trial-1").text_of_everything)
    stage.wait_for(lambda: stage.feed.counters.deletes == 2)

    (kept,) = stage.workspace.file_ids()
    assert kept in stage.message("trial-1").image_urls[0]


def test_after_a_restart_the_picture_of_before_is_deleted_when_the_next_one_is_there(
    open_stage: OpenStage, tmp_path: Path
) -> None:
    stage = open_stage(start=False)
    stage.post("trial:1")
    store = Store(f"sqlite:///{tmp_path / 'study.db'}")
    store.migrate()
    posts.remember(store, "trial:1", ts=stage.board.renderings["trial:1"].address.ts)

    def run_and_show(batches: int) -> str:
        """One life of the bot, in which the trial's plot is brought up to date."""
        feed = LiveFeed(
            stage.client,
            stage.board.render,
            on_failure=stage.board.failed,
            note_picture=partial(posts.show_file, store),
        )
        feed.start()
        stage.board.write("trial:1", f"{batches} batches", curves(batches))
        feed.touch("trial:1", Priority.RESULT)
        stage.wait_for(lambda: f"Batch {batches} of" in stage.message("trial:1").text_of_everything)
        feed.close(5)
        (url,) = stage.message("trial:1").image_urls
        return url

    first, second = run_and_show(3), run_and_show(4)

    (kept,) = stage.workspace.file_ids()
    assert kept in second
    assert kept not in first
    assert stage.board.failures == []
    store.close()


def test_a_picture_that_cannot_be_noted_is_shown_all_the_same(open_stage: OpenStage) -> None:
    stage = open_stage(start=False)
    stage.post("trial-1")

    def disk_full(subject: str, file_id: str | None) -> str | None:
        raise OSError(28, "No space left on device")

    feed = LiveFeed(
        stage.client,
        stage.board.render,
        on_failure=stage.board.failed,
        note_picture=disk_full,
    )
    feed.start()
    stage.board.write("trial-1", "Training", curves(3))
    feed.touch("trial-1", Priority.FRAME)
    stage.wait_for(lambda: shows_picture(stage, "trial-1"))
    stage.wait_for(lambda: bool(stage.board.failures))
    feed.close(1)

    ((subject, error),) = stage.board.failures
    assert (subject, type(error)) == ("trial-1", OSError)


def test_every_picture_comes_under_a_new_block_id(open_stage: OpenStage) -> None:
    stage = open_stage()
    stage.post("trial-1")
    seen = set()

    for batch in (1, 2):
        stage.change("trial-1", "Training", curves(batch))
        stage.wait_for(lambda batch=batch: f"Batch {batch} of" in stage.message("trial-1").text_of_everything)
        seen.add(stage.message("trial-1").blocks[-1]["block_id"])

    assert len(seen) == 2


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
    assert sum(stage.message(subject).text == "Training" for subject in subjects) <= 1


def test_the_last_picture_follows_its_result(open_stage: OpenStage) -> None:
    stage = open_stage()
    stage.post("trial-1")
    stage.change("trial-1", "Training", curves(3))
    stage.wait_for(lambda: shows_picture(stage, "trial-1"))

    stage.change("trial-1", "Validation accuracy 91.1%", curves(9), Priority.RESULT)
    stage.wait_for(lambda: "Batch 9 of" in stage.message("trial-1").text_of_everything)

    assert stage.message("trial-1").text == "Validation accuracy 91.1%"


def test_a_frame_under_way_never_takes_a_result_back(open_stage: OpenStage) -> None:
    stage = open_stage(file_processing_seconds=0.8)
    stage.post("trial-1")
    stage.change("trial-1", "Training", curves(3))
    stage.wait_for(lambda: bool(stage.workspace.file_ids()))  # its picture is being processed

    stage.change("trial-1", "Cancelled", curves(4), Priority.RESULT)
    stage.wait_for(lambda: "Batch 4 of" in stage.message("trial-1").text_of_everything)
    stage.wait_for(lambda: len(stage.workspace.file_ids()) == 1)

    assert stage.message("trial-1").text == "Cancelled"


def test_everybody_gets_frames_in_turn_and_slack_refuses_none(open_stage: OpenStage) -> None:
    stage = open_stage(limits={"chat.update": 10, "files.delete": 10, "files.info": 20})
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
    assert sum(frames) >= 16  # ten a window would be 22; the first pictures take their time
    for method in ("chat.update", "files.getUploadURLExternal", "files.completeUploadExternal", "files.info"):
        assert set(stage.statuses(method)) == {"ok"}, method
    assert stage.board.failures == []


def test_without_files_write_the_losses_come_as_slacks_own_chart(open_stage: OpenStage) -> None:
    stage = open_stage(refuse_files=True)
    stage.post("trial-1")
    for batch in (5, 6):
        stage.change("trial-1", f"{batch} batches", curves(batch))
        stage.wait_for(lambda batch=batch: stage.message("trial-1").text == f"{batch} batches")

    chart = stage.message("trial-1").blocks[-1]
    assert chart["type"] == "data_visualization"
    assert chart["chart"]["axis_config"]["categories"] == ["1", "2", "3", "4", "5", "6"]
    assert stage.statuses("files.getUploadURLExternal") == ["missing_scope"]  # asked once, then remembered
    ((subject, error),) = stage.board.failures
    assert subject == "trial-1"
    assert "missing_scope" in str(error)
    stage.wait_for(lambda: stage.feed.counters.fallbacks == 2)


def test_where_charts_are_refused_too_the_numbers_come_as_text(open_stage: OpenStage) -> None:
    stage = open_stage(refuse_files=True, refuse_charts=True)
    stage.post("trial-1")
    for batch in (5, 6):
        stage.change("trial-1", f"{batch} batches", curves(batch))
        stage.wait_for(lambda batch=batch: f"Batch {batch} of" in stage.message("trial-1").text_of_everything)

    assert stage.message("trial-1").blocks[-1]["type"] == "section"
    assert stage.statuses("chat.update") == ["invalid_blocks", "ok", "ok"]
    assert len(stage.board.failures) == 2  # no files, no charts: each told once


def test_a_result_arrives_although_somebody_deleted_its_picture_which_is_drawn_again(open_stage: OpenStage) -> None:
    stage = open_stage()
    stage.post("trial-1")
    stage.change("trial-1", "Training", curves(3))
    stage.wait_for(lambda: shows_picture(stage, "trial-1"))
    stage.client.files_delete(file=stage.workspace.file_ids()[0])

    stage.change("trial-1", "Validation accuracy 91.1%", curves(3), Priority.RESULT)
    stage.wait_for(lambda: stage.feed.counters.results == 1)
    stage.wait_for(lambda: bool(stage.workspace.file_ids()) and shows_picture(stage, "trial-1"))  # drawn again

    assert stage.message("trial-1").text == "Validation accuracy 91.1%"
    assert stage.feed.counters.fallbacks == 1
    ((_, error),) = stage.board.failures
    assert "invalid_blocks" in str(error)


def test_a_message_deleted_under_the_feed_is_forgotten_quietly(open_stage: OpenStage) -> None:
    stage = open_stage()
    stage.post("trial-1")
    stage.change("trial-1", "Training", curves(3))
    stage.wait_for(lambda: shows_picture(stage, "trial-1"))
    address = stage.board.renderings["trial-1"].address
    stage.client.chat_delete(channel=address.channel, ts=address.ts)

    stage.change("trial-1", "Cancelled", curves(4), Priority.RESULT)
    stage.wait_for(lambda: stage.workspace.file_ids() == [])

    assert stage.board.failures == []


def test_a_picture_that_is_shown_just_after_its_message_was_deleted_is_deleted_too(open_stage: OpenStage) -> None:
    stage = open_stage(start=False)
    stage.post("trial-1")
    uploaded: list[str | None] = []

    def no_longer_there(subject: str, file_id: str | None) -> str | None:
        uploaded.append(file_id)
        raise LookupError(f"There is no message about {subject}.")

    feed = LiveFeed(stage.client, stage.board.render, on_failure=stage.board.failed, note_picture=no_longer_there)
    feed.start()
    stage.board.write("trial-1", "Training", curves(3))
    feed.touch("trial-1", Priority.FRAME)
    stage.wait_for(lambda: bool(uploaded))
    stage.wait_for(lambda: stage.workspace.file_ids() == [])
    feed.close(1)

    assert uploaded[0] is not None
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

    feed = LiveFeed(stage.client, render, on_failure=stage.board.failed)
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


def test_closing_sends_the_results_that_wait_and_drops_the_frames(open_stage: OpenStage) -> None:
    stage = open_stage(limits={"chat.update": 6}, file_processing_seconds=30)
    for n in range(6):
        stage.post(f"trial-{n}")
    for n in range(4):
        stage.change(f"trial-{n}", "Training", curves(3))
    for n in (4, 5):
        stage.change(f"trial-{n}", "Interrupted", None, Priority.RESULT)

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
