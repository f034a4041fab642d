"""The harness finds what is planted: each check fires on its own fault, and on nothing that is in order."""

from dataclasses import replace

import pytest

from storage.schema.states import SessionEnd, TrialState
from tests.soak.books import Answer, Books, Outage, Submission, covered
from tests.soak.checks import check, dead_threads, unexpected_errors
from tests.soak.plan import Fault
from tests.soak.record import Record, Result, StoredSession, StoredTrial

SEEDS = (1, 2)
RATE = 0.001
EVALUATED = {1: TrialState.COMPLETE, 2: TrialState.DIVERGED}

TRIAL = StoredTrial(1, session=1, number=1, rate=RATE, state=TrialState.COMPLETE, submitted_at=1010, ended_at=1012)
SESSION = StoredSession(
    1,
    started_at=1000,
    limit=180,
    deadline=1180,
    given_back=0,
    expired_at=1180,
    grace_ends_at=1240,
    finished_at=1190,
    ended_as=SessionEnd.CHOSEN,
    has_choice=True,
    evaluations=EVALUATED,
)
SENT = Submission("U1", "V1", RATE, Answer.ACCEPTED, at=1010, answered_at=1010.5)
CHOSEN = Submission("U1", "V2", None, Answer.ACCEPTED, at=1189.5, answered_at=1190.1)
RESULT = Result("U1", RATE, at=1013)


@pytest.fixture
def books():
    return Books(submissions=[SENT, CHOSEN])


@pytest.fixture
def record():
    return Record([TRIAL], [SESSION], [RESULT], {"U1": [1181.0]}, 0, "")


def kinds(books, record):
    """What is found, by kind."""
    found = check(books, record, SEEDS)
    return {kind: sentences for kind in ("lost", "doubled", "late", "other") if (sentences := getattr(found, kind))}


def only(kind, books, record):
    """The one sentence that is found, of this kind."""
    found = kinds(books, record)
    assert list(found) == [kind], found
    (sentence,) = found[kind]
    return sentence


def test_nothing_is_found_where_everything_is_in_order(books, record):
    assert kinds(books, record) == {}
    assert check(books, record, SEEDS).nothing


def test_an_accepted_form_that_is_no_trial_is_lost(books, record):
    assert "is no trial" in only("lost", books, replace(record, trials=[], results=[]))


@pytest.mark.parametrize("answer", [Answer.REFUSED, Answer.UNANSWERED])
def test_a_form_that_was_not_accepted_may_be_no_trial(books, record, answer):
    books.submissions[0] = replace(SENT, answer=answer)
    assert kinds(books, replace(record, trials=[], results=[])) == {}


def test_a_form_without_an_answer_may_be_a_trial(books, record):
    books.submissions[0] = replace(SENT, answer=Answer.UNANSWERED)
    assert kinds(books, record) == {}


def test_a_form_that_is_two_trials_is_doubled(books, record):
    books.submissions.insert(0, replace(SENT, answer=Answer.UNANSWERED))
    twice = replace(record, trials=[TRIAL, replace(TRIAL, id=2, number=2)])
    assert "(unanswered, accepted) is 2 trials" in only("doubled", books, twice)


def test_a_refused_form_that_is_a_trial_is_doubled(books, record):
    books.submissions[0] = replace(SENT, answer=Answer.REFUSED)
    assert "was refused and is a trial" in only("doubled", books, record)


def test_a_trial_that_nobody_sent_is_doubled(books, record):
    del books.submissions[0]
    assert "was never sent" in only("doubled", books, record)


def test_an_accepted_final_choice_that_was_not_kept_is_lost(books, record):
    by_clock = replace(SESSION, ended_as=SessionEnd.CLOCK, finished_at=1240)
    assert "final choice of U1" in only("lost", books, replace(record, sessions=[by_clock]))


def test_a_trial_without_a_result_is_lost(books, record):
    assert "no reply with its result" in only("lost", books, replace(record, results=[]))


def test_somebody_who_has_left_needs_no_result(books, record):
    gone = replace(SESSION, ended_as=SessionEnd.WITHDRAWN, has_choice=False, evaluations={})
    del books.submissions[1]
    assert kinds(books, replace(record, sessions=[gone], results=[])) == {}


def test_a_result_that_was_posted_twice_is_doubled(books, record):
    assert "2 replies" in only("doubled", books, replace(record, results=[RESULT, replace(RESULT, at=1014)]))


def test_time_that_was_up_too_late_is_late_unless_a_fault_prevented_it(books, record):
    late = replace(record, sessions=[replace(SESSION, expired_at=1188.0)], told_up={"U1": [1188.5]})
    assert "session 1: the time was up 8.0 s too late" in only("late", books, late)
    books.outages.append(Outage(Fault.LOCK, 1179, 1184))
    assert kinds(books, late) == {}


def test_a_fault_excuses_only_the_time_that_it_took(books, record):
    books.outages.append(Outage(Fault.LOCK, 1179, 1184))
    later = replace(record, sessions=[replace(SESSION, expired_at=1192, finished_at=1195)], told_up={"U1": [1193]})
    books.submissions[1] = replace(CHOSEN, at=1194.8, answered_at=1195.2)
    assert "7.0 s too late" in only("late", books, later)


def test_time_that_was_up_too_early_is_late_too(books, record):
    early = replace(record, sessions=[replace(SESSION, expired_at=1170)], told_up={"U1": [1171]})
    assert "10.0 s too early" in only("late", books, early)


def test_a_clock_that_chose_too_late_is_late(books, record):
    del books.submissions[1]
    chosen = replace(SESSION, ended_as=SessionEnd.CLOCK, finished_at=1250)
    assert "the clock chose 10.0 s too late" in only("late", books, replace(record, sessions=[chosen]))


def test_a_result_that_was_posted_too_late_is_late_unless_slack_refused_it(books, record):
    late = replace(record, results=[replace(RESULT, at=1030)])
    assert "its result was posted 18.0 s too late" in only("late", books, late)
    books.outages.append(Outage(Fault.LIMITED, 1011, 1020))
    assert kinds(books, late) == {}


def test_somebody_who_was_told_too_late_that_the_time_was_up_was_told_late(books, record):
    late = replace(record, told_up={"U1": [1188]})
    assert "told 8.0 s too late" in only("late", books, late)


def test_a_deadline_that_is_not_what_was_given_is_late(books, record):
    moved = replace(SESSION, deadline=1200, expired_at=1200, finished_at=1205)
    books.submissions[1] = replace(CHOSEN, at=1204.9, answered_at=1205.1)
    assert "+20.0 s off" in only("late", books, replace(record, sessions=[moved], told_up={"U1": [1201]}))


def credited(seconds):
    end = 1180 + seconds
    return replace(
        SESSION, given_back=seconds, deadline=end, expired_at=end, grace_ends_at=end + 60, finished_at=end + 3
    )


@pytest.mark.parametrize(("seconds", "fits"), [(2, False), (20, True), (28, True), (60, False)])
def test_time_that_was_lost_is_given_back_and_no_more(books, record, seconds, fits):
    books.outages.append(Outage(Fault.KILL_BOT, 1100, 1120))
    session = credited(seconds)
    books.submissions[1] = replace(CHOSEN, at=session.finished_at - 0.1, answered_at=session.finished_at + 0.1)
    given = replace(record, sessions=[session], told_up={"U1": [session.expired_at + 1]})
    if fits:
        assert kinds(books, given) == {}
    else:
        assert f"and got {seconds}.0 s back" in only("late", books, given)


def test_a_trial_that_started_over_gets_its_time_back(books, record):
    """Killed after 15 s of training, it has lost them too."""
    books.outages.append(Outage(Fault.KILL_BOT, 1025, 1035))
    session = credited(25)
    books.submissions[1] = replace(CHOSEN, at=session.finished_at - 0.1, answered_at=session.finished_at + 0.1)
    long = replace(TRIAL, ended_at=1050)
    given = replace(
        record, sessions=[session], trials=[long], results=[replace(RESULT, at=1051)], told_up={"U1": [1206]}
    )
    assert kinds(books, given) == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trials": [replace(TRIAL, state=TrialState.WAITING, ended_at=None)], "results": []}, "is still waiting"),
        ({"sessions": [replace(SESSION, evaluations={1: TrialState.COMPLETE})]}, "has the evaluations [1]"),
        (
            {"sessions": [replace(SESSION, evaluations={**EVALUATED, 2: TrialState.RUNNING})]},
            "the evaluations [2] have not ended",
        ),
        ({"notices": 3}, "3 notices were never posted"),
        ({"log": "Exception in thread jobs:\nTraceback …"}, "the thread jobs has died"),
    ],
)
def test_what_has_not_come_to_its_end_is_found(books, record, changes, words):
    assert words in only("other", books, replace(record, **changes))


def test_a_session_that_is_not_over_is_found(books, record):
    del books.submissions[1]
    open_still = replace(SESSION, finished_at=None, ended_as=None, has_choice=False, evaluations={})
    assert "session 1 is not over" in only("other", books, replace(record, sessions=[open_still]))


def test_somebody_who_cannot_go_on_is_found(books, record):
    books.failed("U1 tunes: trial 2 did not come")
    assert "U1 tunes" in only("other", books, record)


LOG = """\
2026-11-30 23:40:08,191 ERROR bot.slack.error_reporting: 1A2B3C while showing trial:17
Traceback (most recent call last):
  File "x.py", line 1, in <module>
{raised}
2026-11-30 23:40:09,000 INFO somebody: all is well
"""


def test_errors_of_ours_are_found_and_those_of_slack_and_the_database_are_not():
    (found,) = unexpected_errors(LOG.format(raised="KeyError: 'trial'"))
    assert found == "1 × bot.slack.error_reporting: while showing trial:17: KeyError: 'trial'"
    for expected in (
        "slack_sdk.errors.SlackApiError: The request to the Slack API failed.",
        "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked",
        "urllib.error.URLError: <urlopen error [Errno 111] Connection refused>",
    ):
        assert list(unexpected_errors(LOG.format(raised=expected))) == []
    assert list(dead_threads(LOG)) == []


def test_outages_that_overlap_count_once():
    outages = [Outage(Fault.LOCK, 10, 20), Outage(Fault.STOP_BOT, 15, 25), Outage(Fault.DROP, 40, 41)]
    assert covered(outages, 12, 60) == 14
    assert covered(outages, 12, 60, recovery=2) == 18
    assert covered(outages, 30, 35) == 0


def test_a_form_keeps_its_learning_rate_and_no_other_form_has_it():
    books = Books()
    rates = [books.rate_of(f"V{number}") for number in range(500)]
    assert len({float(each) for each in rates}) == 500
    assert books.rate_of("V3") == rates[3]
