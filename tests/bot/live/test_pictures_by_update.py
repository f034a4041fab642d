"""Plots as pictures that an update brings, for workspaces that show them: what is uploaded, shown and deleted."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.live.feed import Priority
from bot.live.forms import LivePlots
from reports.figures.loss_plot import LossCurves, loss_curves
from storage import posts
from storage.database import Store

Stage = Any
OpenStage = Callable[..., Stage]


@pytest.fixture
def open_pictures(open_stage: OpenStage) -> OpenStage:
    """Open a stage whose feed brings pictures by updates, in a workspace that shows them."""
    return partial(open_stage, live_plots=LivePlots("picture"), update_shows_new_files=True)


def curves(batches: int) -> LossCurves:
    """The curves of a trial that has seen so many batches."""
    return loss_curves([2.3 / (1 + n) for n in range(batches)], [], epoch=1, epochs_planned=5, batches_per_epoch=1000)


def shows_picture(stage: Stage, subject: str, batch: int) -> bool:
    message = stage.message(subject)
    return bool(message.image_urls) and f"Batch {batch} of" in message.text_of_everything


def change(stage: Stage, batch: int, priority: Priority = Priority.FRAME) -> None:
    """Change what a trial shows, and wait until its picture does."""
    stage.change("trial-1", f"{batch} batches", curves(batch), priority)
    stage.wait_for(lambda: shows_picture(stage, "trial-1", batch))


def test_a_running_trial_shows_its_plot_and_the_numbers_in_its_alt_text(open_pictures: OpenStage) -> None:
    stage = open_pictures()
    stage.post("trial-1")

    change(stage, 7)

    message = stage.message("trial-1")
    (png,) = stage.person.pictures(message)
    assert png.startswith(b"\x89PNG")
    assert message.text == "7 batches"
    assert stage.board.failures == []
    stage.wait_for(lambda: stage.feed.counters.frames == 1)
    assert (stage.feed.counters.pictures, stage.feed.counters.fallbacks) == (1, 0)


def test_in_a_workspace_that_shows_no_picture_brought_by_an_update_it_is_broken(open_stage: OpenStage) -> None:
    stage = open_stage(live_plots=LivePlots("picture"))
    stage.post("trial-1")

    stage.change("trial-1", "Training", curves(3))
    stage.wait_for(lambda: stage.message("trial-1").broken_images == 1)

    assert stage.statuses("chat.update") == ["ok"]  # which is why only a person's eyes can tell
    assert stage.board.failures == []


def test_file_ids_are_sent_where_they_make_the_workspace_show_it(open_stage: OpenStage) -> None:
    stage = open_stage(live_plots=LivePlots("picture", file_ids=True), file_ids_show=True)
    stage.post("trial-1")

    change(stage, 3)

    assert stage.message("trial-1").broken_images == 0


def test_superseded_pictures_are_deleted_and_the_shown_one_is_kept(open_pictures: OpenStage) -> None:
    stage = open_pictures()
    stage.post("trial-1")

    for batch in (1, 2, 3):
        change(stage, batch)
    stage.wait_for(lambda: stage.feed.counters.deletes == 2)

    (kept,) = stage.workspace.file_ids()
    assert kept in stage.message("trial-1").image_urls[0]


def test_after_a_restart_the_picture_of_before_is_deleted_when_the_next_one_is_there(
    open_pictures: OpenStage, tmp_path: Path
) -> None:
    stage = open_pictures(start=False)
    stage.post("trial-1")
    store = Store(f"sqlite:///{tmp_path / 'study.db'}")
    store.migrate()
    posts.remember(store, "trial-1", ts=stage.board.renderings["trial-1"].address.ts)

    def run_and_show(batches: int) -> str:
        """One life of the bot, in which the trial's plot is brought up to date."""
        stage.feed = stage.new_feed(note_picture=partial(posts.show_file, store))
        stage.feed.start()
        change(stage, batches)
        stage.feed.close(5)
        (url,) = stage.message("trial-1").image_urls
        return url

    first, second = run_and_show(3), run_and_show(4)

    (kept,) = stage.workspace.file_ids()
    assert kept in second
    assert kept not in first
    assert stage.board.failures == []
    store.close()


def test_a_picture_that_cannot_be_noted_is_shown_all_the_same(open_pictures: OpenStage) -> None:
    stage = open_pictures(start=False)
    stage.post("trial-1")

    def disk_full(subject: str, file_id: str | None) -> str | None:
        raise OSError(28, "No space left on device")

    stage.feed = stage.new_feed(note_picture=disk_full)
    stage.feed.start()
    change(stage, 3)
    stage.wait_for(lambda: bool(stage.board.failures))
    stage.feed.close(1)

    ((subject, error),) = stage.board.failures
    assert (subject, type(error)) == ("trial-1", OSError)


def test_every_picture_comes_under_a_new_block_id(open_pictures: OpenStage) -> None:
    stage = open_pictures()
    stage.post("trial-1")
    seen = set()

    for batch in (1, 2):
        change(stage, batch)
        seen.add(stage.message("trial-1").blocks[-1]["block_id"])

    assert len(seen) == 2


def test_a_frame_under_way_never_takes_a_result_back(open_pictures: OpenStage) -> None:
    stage = open_pictures(file_processing_seconds=0.8)
    stage.post("trial-1")
    stage.change("trial-1", "Training", curves(3))
    stage.wait_for(lambda: bool(stage.workspace.file_ids()))  # its picture is being processed

    stage.change("trial-1", "Cancelled", None, Priority.RESULT)
    stage.wait_for(lambda: stage.message("trial-1").text == "Cancelled")
    stage.wait_for(lambda: stage.workspace.file_ids() == [])

    assert stage.message("trial-1").text == "Cancelled"


def test_what_changes_while_a_result_is_sent_is_drawn_after_it(
    open_pictures: OpenStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = open_pictures(file_processing_seconds=0.5)
    stage.post("trial-1")
    change(stage, 3)
    update, answers = stage.client.chat_update, threading.Event()

    def answered_late(**given: Any) -> Any:
        answer = update(**given)
        assert answers.wait(20)
        return answer

    monkeypatch.setattr(stage.client, "chat_update", answered_late)
    stage.change("trial-1", "Being cancelled", curves(3), Priority.RESULT)
    stage.wait_for(lambda: stage.message("trial-1").text == "Being cancelled")
    stage.change("trial-1", "4 batches", curves(4))
    # The new picture is uploaded now, and processed for a while.
    stage.wait_for(lambda: len(stage.workspace.file_ids()) == 2)
    answers.set()

    stage.wait_for(lambda: shows_picture(stage, "trial-1", 4))


def test_without_files_write_the_losses_come_as_slacks_own_chart(open_pictures: OpenStage) -> None:
    stage = open_pictures(refuse_files=True)
    stage.post("trial-1")
    for batch in (5, 6):
        stage.change("trial-1", f"{batch} batches", curves(batch))
        stage.wait_for(lambda batch=batch: stage.message("trial-1").text == f"{batch} batches")

    assert stage.message("trial-1").blocks[-1]["type"] == "data_visualization"
    assert stage.statuses("files.getUploadURLExternal") == ["missing_scope"]  # asked once, then remembered
    ((subject, error),) = stage.board.failures
    assert subject == "trial-1"
    assert "missing_scope" in str(error)
    stage.wait_for(lambda: stage.feed.counters.fallbacks == 2)


def test_one_odd_upload_turns_pictures_off_for_nobody(
    open_pictures: OpenStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = open_pictures()
    for subject in ("trial-1", "trial-2"):
        stage.post(subject)
    upload, odd = stage.feed._plots.pictures.upload, ["trial-2.png"]

    def refuse_the_odd(name: str, *given: Any) -> str:
        if name in odd:
            odd.remove(name)
            raise OSError("the address for the upload does not answer")
        return str(upload(name, *given))

    monkeypatch.setattr(stage.feed._plots.pictures, "upload", refuse_the_odd)
    stage.change("trial-2", "Training", curves(4))
    stage.wait_for(lambda: stage.message("trial-2").text == "Training")
    change(stage, 3)
    stage.change("trial-2", "Training on", curves(5))
    stage.wait_for(lambda: shows_picture(stage, "trial-2", 5))


def test_after_some_failures_in_a_row_pictures_rest(open_pictures: OpenStage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = open_pictures()
    stage.post("trial-1")
    tried = []

    def fail(name: str, *_given: Any) -> str:
        tried.append(name)
        raise OSError("no upload arrives")

    monkeypatch.setattr(stage.feed._plots.pictures, "upload", fail)
    for batch in range(1, 6):
        stage.change("trial-1", f"{batch} batches", curves(batch))
        stage.wait_for(lambda batch=batch: stage.message("trial-1").text == f"{batch} batches")

    assert len(tried) == 3
    assert len(stage.board.failures) == 1


def test_where_charts_are_refused_too_the_numbers_come_as_text(open_pictures: OpenStage) -> None:
    stage = open_pictures(refuse_files=True, refuse_charts=True)
    stage.post("trial-1")
    for batch in (5, 6):
        stage.change("trial-1", f"{batch} batches", curves(batch))
        stage.wait_for(lambda batch=batch: f"Batch {batch} of" in stage.message("trial-1").text_of_everything)

    assert stage.message("trial-1").blocks[-1]["type"] == "section"
    assert len(stage.board.failures) == 2  # no files, no charts: each told once


def test_an_update_arrives_although_somebody_deleted_its_picture_which_is_drawn_again(
    open_pictures: OpenStage,
) -> None:
    stage = open_pictures()
    stage.post("trial-1")
    change(stage, 3)
    stage.client.files_delete(file=stage.workspace.file_ids()[0])

    stage.change("trial-1", "Being cancelled", curves(3), Priority.RESULT)
    stage.wait_for(lambda: stage.message("trial-1").text == "Being cancelled")
    assert stage.message("trial-1").image_urls == ()
    change(stage, 4)  # drawn again

    assert stage.feed.counters.fallbacks == 1
    ((_, error),) = stage.board.failures
    assert "invalid_blocks" in str(error)


def test_a_picture_that_is_shown_just_after_its_message_was_deleted_is_deleted_too(open_pictures: OpenStage) -> None:
    stage = open_pictures(start=False)
    stage.post("trial-1")
    uploaded: list[str | None] = []

    def no_longer_there(subject: str, file_id: str | None) -> str | None:
        uploaded.append(file_id)
        raise LookupError(f"There is no message about {subject}.")

    stage.feed = stage.new_feed(note_picture=no_longer_there)
    stage.feed.start()
    stage.change("trial-1", "Training", curves(3))
    stage.wait_for(lambda: bool(uploaded))
    stage.wait_for(lambda: stage.workspace.file_ids() == [])
    stage.feed.close(1)

    assert uploaded[0] is not None
    assert stage.board.failures == []


def test_a_picture_of_a_message_that_was_deleted_is_deleted_too(open_pictures: OpenStage) -> None:
    stage = open_pictures()
    stage.post("trial-1")
    change(stage, 3)
    address = stage.board.renderings["trial-1"].address
    stage.client.chat_delete(channel=address.channel, ts=address.ts)

    stage.change("trial-1", "Cancelled", curves(4), Priority.RESULT)
    stage.wait_for(lambda: stage.workspace.file_ids() == [])

    assert stage.board.failures == []
