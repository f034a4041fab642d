from storage import events, researchers
from storage.schema.states import EventKind


def test_a_researcher_has_one_name_in_the_log_and_it_is_not_the_slack_id(lab):
    assert researchers.actor_of(lab.store, "UALICE") == "researcher-1"
    assert researchers.actor_of(lab.store, "UBOB") == "researcher-2"
    assert researchers.actor_of(lab.store, "UALICE") == "researcher-1"


def test_two_who_come_at_once_get_two_names_and_one_gets_one(lab, at_once):
    def name(user):
        return lambda: researchers.actor_of(lab.store, user)

    named = at_once(*[name("UALICE")] * 3, name("UBOB"))
    assert named[0] == named[1] == named[2] != named[3]
    assert set(named) == {"researcher-1", "researcher-2"}


def test_what_a_researcher_asked_for_is_in_the_log_with_who_and_when(lab):
    researchers.note_command(lab.store, actor="researcher-1", text="extend P007 10m", now=lab.later(hours=1))
    (event,) = events.read(lab.store, kind=EventKind.COMMANDED)
    assert (event.actor, event.at, event.details) == ("researcher-1", lab.now, {"text": "extend P007 10m"})
