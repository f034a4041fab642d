import pytest

from storage import alerts, events
from storage.refusals import Reason, Refused
from storage.schema.states import EventKind


def again(lab, kind="worker_lost", text="The worker in slot 1 was lost."):
    return alerts.raise_alert(lab.store, kind=kind, text=text, now=lab.now)


def acknowledge(lab, alert, actor="researcher-1"):
    return alerts.acknowledge(lab.store, alert.id, actor=actor, now=lab.now)


def test_what_breaks_again_is_counted_and_not_repeated(lab):
    first = again(lab)
    assert (first.count, first.first_at, first.last_at) == (1, lab.now, lab.now)
    second = again(lab, text="The worker in slot 2 was lost.")
    assert (second.id, second.count, second.latest) == (first.id, 2, "The worker in slot 2 was lost.")
    other = again(lab, kind="disk_full")
    assert (other.count, other.subject) == (1, f"alert:{other.id}")
    assert [(each.kind, each.count) for each in alerts.unacknowledged(lab.store)] == [
        ("worker_lost", 2),
        ("disk_full", 1),
    ]


def test_once_acknowledged_the_next_one_is_new(lab):
    first = again(lab)
    seen = acknowledge(lab, first)
    assert (seen.acknowledged_at, seen.acknowledged_by) == (lab.now, "researcher-1")
    assert alerts.unacknowledged(lab.store) == []
    second = again(lab)
    assert (second.id != first.id, second.count) == (True, 1)
    (event,) = events.read(lab.store, kind=EventKind.ALERT_ACKNOWLEDGED)
    assert (event.actor, event.subject, event.details) == (
        "researcher-1",
        first.subject,
        {"alert": "worker_lost", "count": 1},
    )


def test_the_second_who_acknowledges_is_told_of_the_first(lab, at_once):
    alert = again(lab)
    acknowledge(lab, alert)
    with pytest.raises(Refused, match="researcher-1 has acknowledged") as refused:
        acknowledge(lab, alert, "researcher-2")
    assert refused.value.reason is Reason.ALREADY_ACKNOWLEDGED
    assert alerts.get(lab.store, alert.id).acknowledged_by == "researcher-1"


def test_what_breaks_many_times_at_once_is_one_alert(lab, at_once):
    raised = at_once(*[lambda: again(lab)] * 5)
    assert {each.id for each in raised} == {raised[0].id}
    assert sorted(each.count for each in raised) == [1, 2, 3, 4, 5]


def test_there_is_no_alert_that_was_never_raised(lab):
    with pytest.raises(Refused) as refused:
        alerts.acknowledge(lab.store, 7, actor="researcher-1", now=lab.now)
    assert refused.value.reason is Reason.UNKNOWN
