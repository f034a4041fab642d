"""Searchers take part: their trials fill idle slots, end by themselves, and nobody is written to about them."""

from datetime import timedelta

import pytest

from storage import events
from storage.queries import history
from storage.refusals import Reason, Refused
from storage.schema.states import Chooser, EventKind, Searcher, SessionEnd, SessionState, TrialState
from storage.transitions import baselines, evaluations, studies
from training.search import space
from training.search.searchers import Tpe, derived_seed, draw
from training.search.space import Count, PowerOfTwo

IMAGES = 1437
SEED = 10


@pytest.fixture
def trials_of(monkeypatch):
    """Let searchers draw trials of so many epochs."""

    def limit(low, high):
        monkeypatch.setitem(space.SPACE, "epochs", Count(low, high))
        monkeypatch.setitem(space.SPACE, "batch_size", PowerOfTwo(7, 9))

    limit(1, 2)
    return limit


def members(house):
    """The sessions of the only baseline's artificial participants."""
    (baseline,) = baselines.statuses(house.store, 1)
    return baselines.members(house.store, baseline.id)


def status(house):
    (found,) = house.running.searchers.statuses()
    return found


def wait(house, true, seconds=240):
    return house.admin.wait_until(true, seconds)


def settings(view):
    return [trial.configuration for trial in view.trials]


@pytest.mark.long
def test_random_search_runs_to_its_end_and_is_reported_once(open_house, trials_of):
    house = open_house(slots=2)
    searchers = house.running.searchers
    started = searchers.start_random(8, "researcher-1", most_epochs=1)
    assert (started.code, started.wanted, started.seed) == ("R1", 8, SEED)
    with pytest.raises(Refused) as refused:
        searchers.start_random(3, "researcher-1")
    assert refused.value.reason is Reason.BASELINE_RUNNING

    wait(house, lambda: status(house).is_over)
    post = house.reported("Random search R1 is done")
    (view,) = members(house)
    assert settings(view) == draw(8, SEED, training_images=IMAGES, most_epochs=1)
    assert {trial.state for trial in view.trials} <= {TrialState.COMPLETE, TrialState.DIVERGED}
    assert (view.state, view.choice, view.ended_as) == (SessionState.FINISHED, None, SessionEnd.EMPTY)
    found = status(house)
    assert (found.done, found.complete, found.running) == (8, len(found.accuracies), 0)
    assert "8 configurations drawn at random" in post.text
    assert f"accuracy {sum(found.accuracies) / len(found.accuracies):.1f} ± " in post.text
    (begun,) = events.read(house.store, kind=EventKind.BASELINE_STARTED)
    assert (begun.actor, begun.details["wanted"]) == ("researcher-1", 8)
    house.close()
    house.open()
    house.reported("I have started")
    wait(house, lambda: house.running.searchers.statuses())
    assert len([each for each in house.admin.messages(house.reports) if "R1 is done" in each.text]) == 1


@pytest.mark.long
def test_a_person_is_served_while_searchers_fill_all_slots_and_hears_nothing_of_them(open_house, trials_of):
    trials_of(1000, 1000)
    house = open_house(slots=1)
    person = house.seated("Is served first")
    searchers = house.running.searchers
    searchers.start_random(2, "researcher-1")
    wait(house, lambda: status(house).running == 1)

    house.trained(person)
    (view,) = members(house)
    assert [trial.state for trial in view.trials] == [TrialState.RUNNING, TrialState.WAITING]
    house.training(person)
    searchers.stop("researcher-1")  # while it is suspended below the person's trial
    wait(house, lambda: status(house).done == 2)
    assert house.session(person).running is not None
    person.press(house.trial(person, 2, "training, epoch", button="Cancel"), "Cancel")
    house.trial(person, 2, "cancelled")
    house.finish(person)
    house.reported("P001 has finished")
    assert "R1" not in "".join(each.text_of_everything for each in person.messages())
    overview = history.status(house.store, now=house.running.study.now())
    assert overview.sessions[SessionState.FINISHED] == 1, "people's sessions only"


@pytest.mark.long
def test_artificial_participants_tune_with_tpe_choose_their_best_and_are_evaluated(open_house, trials_of):
    house = open_house(slots=2, evaluation_seeds=[1, 2])
    house.running.searchers.start_tpe(3, "researcher-2", tries=3)
    wait(house, lambda: status(house).is_over)
    post = house.reported("TPE T1 is done")
    views = members(house)
    assert [view.participant for view in views] == ["T1-01", "T1-02", "T1-03"]
    for number, view in enumerate(views, start=1):
        tpe = Tpe(derived_seed(SEED, number), IMAGES)
        told = [(trial.configuration, trial.validation_accuracy) for trial in view.trials]
        assert settings(view) == [tpe.next(told[:place]) for place in range(3)]
        assert view.choice is not None
        assert view.choice.chosen_by is Chooser.SEARCHER
        assert view.choice.trial_number == view.best.number
        assert view.ended_as is SessionEnd.CHOSEN
    assert "3 artificial participants, 3 with a final choice" in post.text
    wait(house, lambda: all(evaluations.evaluation_summary(house.store, view.choice.id).all_done for view in views))
    for view in views:
        assert evaluations.evaluation_summary(house.store, view.choice.id).complete == 2
    assert not [each for each in house.admin.messages(house.reports) if "T1-0" in each.text]
    assert status(house).searcher is Searcher.TPE


@pytest.mark.long
@pytest.mark.parametrize(("epochs", "ended_as"), [(1, SessionEnd.CHOSEN), (1000, SessionEnd.EMPTY)])
def test_the_time_of_an_artificial_participant_ends(open_house, trials_of, epochs, ended_as):
    trials_of(epochs, epochs)
    house = open_house(slots=1, limit_minutes=0.2, warnings_minutes=[0.01])
    house.running.searchers.start_tpe(1, "researcher-1")
    wait(house, lambda: status(house).is_over)
    (view,) = members(house)
    before, last = [trial.seconds or 0 for trial in view.trials[:-1]], view.trials[-1]
    assert (view.ended_as, view.choice is not None) == (ended_as, ended_as is SessionEnd.CHOSEN)
    assert sum(before) < 12
    assert last.state is TrialState.CANCELLED or sum(before) + last.seconds >= 12
    assert not [each for each in house.log.lines if "ERROR" in each]


MANY = 20
"""So many tries are not over before a test has looked and the bot has stopped, however quick the machine is."""


@pytest.mark.long
def test_a_restart_in_the_middle_changes_nothing(open_house, trials_of):
    house = open_house(slots=1)
    house.running.searchers.start_tpe(1, "researcher-1", tries=MANY)
    wait(house, lambda: members(house) and len(members(house)[0].trials) >= 2)
    house.close()
    assert 2 <= len(members(house)[0].trials) < MANY
    house.open()
    wait(house, lambda: status(house).is_over)
    house.reported("TPE T1 is done")
    (view,) = members(house)
    tpe = Tpe(derived_seed(SEED, 1), IMAGES)
    told = [(trial.configuration, trial.validation_accuracy) for trial in view.trials]
    assert settings(view) == [tpe.next(told[:count]) for count in range(MANY)]
    assert view.given_back == timedelta(0)


def test_stopping_frees_the_slots_and_another_baseline_draws_other_settings(open_house, trials_of):
    house = open_house(slots=1)
    searchers = house.running.searchers
    trials_of(1000, 1000)
    searchers.start_random(40, "researcher-1")
    wait(house, lambda: status(house).running == 1)
    stopped = searchers.stop("researcher-3")
    states = [trial.state for trial in stopped.trials]
    assert states.count(TrialState.RUNNING) == 1
    assert set(states) == {TrialState.RUNNING, TrialState.CANCELLED}
    wait(house, lambda: status(house).done == 40)
    (view,) = members(house)
    assert view.ended_as is SessionEnd.CANCELLED
    with pytest.raises(Refused) as refused:
        searchers.stop("researcher-3")
    assert refused.value.reason is Reason.NO_BASELINE

    trials_of(1, 1)
    second = searchers.start_random(2, "researcher-1")
    assert (second.code, second.seed) == ("R2", SEED + 1)
    assert "R2" in house.reported("Random search R2 is done").text
    assert not [each for each in house.admin.messages(house.reports) if "R1 is done" in each.text]


def test_a_baseline_has_a_size_that_can_be_trained(open_house, trials_of):
    house = open_house(slots=1)
    for wanted in (0, 10_001):
        with pytest.raises(ValueError, match="has 1 to 10,000"):
            house.running.searchers.start_random(wanted, "researcher-1")
        with pytest.raises(ValueError, match="has 1 to 10,000"):
            house.running.searchers.start_tpe(wanted, "researcher-1")
    with pytest.raises(ValueError, match="budget"):
        house.running.searchers.start_tpe(1, "researcher-1", tries=0)
    assert house.running.searchers.statuses() == []
    assert studies.current_study(house.store) is not None
