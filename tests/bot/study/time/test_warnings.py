"""A warning offers what makes sense in the time that is left: it looks at what trials take."""

from datetime import timedelta

import pytest

from bot.participant.time_estimate import TimeEstimate
from bot.participant.views import final_choice, session_thread
from reports.wording import in_words
from storage.schema.states import SessionState, TrialState
from tests.bot.participant.statuses import session, trial


def offered(message):
    """The words of a message, the button that stands out, and the others."""
    elements = message.blocks[-1].elements
    ways = [each.text.text for each in elements if each.style == "primary"]
    return message.text, ways, [each.text.text for each in elements if each.style != "primary"]


RUNNING = trial(2, TrialState.RUNNING)
SHORT, LONG = trial(1, accuracy=61.2, seconds=80), trial(1, accuracy=61.2, seconds=100)
BETTER_AND_LONG = trial(3, accuracy=70.0, seconds=400)


@pytest.mark.parametrize(
    ("trials", "minutes", "words", "ways", "others"),
    [
        ((LONG,), 30, "You can go on", ["New configuration"], ["Finish"]),
        ((SHORT,), 2, "there is time to tune it once more", ["Tune from here"], ["Finish"]),
        ((LONG,), 2, "would not end in time", ["Finish"], ["New configuration"]),
        ((SHORT, BETTER_AND_LONG), 5, "like your best one so far, trial 3,", ["Finish"], ["New configuration"]),
        ((), 5, "A short trial may still end in time", ["New configuration"], ["Finish"]),
        (
            (trial(1, TrialState.DIVERGED),),
            5,
            "A short trial may still end in time",
            ["New configuration"],
            ["Finish"],
        ),
    ],
)
def test_a_warning_offers_another_trial_only_when_it_would_end_in_time(trials, minutes, words, ways, others):
    told, *buttons = offered(session_thread.warning(minutes, session(*trials)))

    assert words in told
    assert buttons == [ways, others]


@pytest.mark.parametrize(
    ("minutes", "left", "words", "ways"),
    [
        (2, timedelta(seconds=70), "Trial 2 is in progress. Its result appears in the thread by itself. It needs", []),
        (2, timedelta(minutes=3), "Trial 2 needs about 3 min more, so it would be stopped before its end", ["Finish"]),
        (30, timedelta(hours=1), "Cancel it to try something shorter", []),
        (2, None, "If it is still training when your time is up, it is stopped", []),
    ],
)
def test_a_warning_tells_whether_the_trial_that_trains_will_end_in_time(minutes, left, words, ways):
    told, way, others = offered(
        session_thread.warning(minutes, session(SHORT, RUNNING), TimeEstimate(timedelta(seconds=9), left))
    )

    assert words in told
    assert way == ways
    assert "Cancel" in others
    assert "New configuration" not in others


@pytest.mark.parametrize(
    ("added", "words"),
    [
        (timedelta(minutes=10), "You have 10 more minutes. "),
        (timedelta(minutes=1), "You have 1 more minute. "),
        (timedelta(seconds=90), "You have 90 s more. "),
        (timedelta(hours=1, minutes=30), "You have 90 more minutes. "),
    ],
)
def test_an_extension_is_told_in_minutes_and_leads_on(added, words):
    told, ways, _ = offered(session_thread.time_extended(session(SHORT), added))
    assert words in told
    assert ways == ["New configuration"]

    told, ways, others = offered(session_thread.time_extended(session(RUNNING), added))
    assert "Its result appears in the thread by itself" in told
    assert (ways, others) == ([], ["History"])

    _, ways, _ = offered(session_thread.time_extended(session(SHORT, state=SessionState.CHOOSING), added))
    assert ways == ["Choose"]


@pytest.mark.parametrize(
    ("seeds", "words"),
    [(1, "once more"), (2, "two more times"), (10, "ten more times"), (12, "twelve more times"), (13, "13 more times")],
)
def test_thanks_and_the_final_form_say_how_often_the_choice_is_trained(seeds, words):
    assert (
        f"We train it {words} and test it"
        in session_thread.thanks(by_clock=False, summary="Adam", evaluations=seeds).text
    )
    assert f"It is trained {words} and tested" in final_choice.final_form(session(SHORT), seeds).blocks[0].text.text


def test_counts_beyond_twelve_are_written_in_digits():
    assert [in_words(count) for count in (1, 9, 12, 13, 1000)] == ["one", "nine", "twelve", "13", "1,000"]
