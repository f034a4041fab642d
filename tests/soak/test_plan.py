"""The plan of faults: the same seed gives the same, and an hour has enough of each."""

from collections import Counter

from tests.soak.plan import LONG_RUN, Fault, plan

HOUR = 3600.0


def test_the_same_seed_gives_the_same_plan_and_another_one_another():
    assert plan(600, 7) == plan(600, 7)
    assert plan(600, 7) != plan(600, 8)


def test_an_hour_has_more_than_two_hundred_kills_of_each_kind_and_every_other_fault():
    counted = Counter(each.fault for each in plan(HOUR, 1))
    assert counted[Fault.KILL_BOT] > 220
    assert counted[Fault.KILL_WORKER] > 220
    assert min(counted[fault] for fault in Fault) > 30


def test_faults_come_in_order_and_end_within_the_run():
    planned = plan(600, 3)
    assert [each.at for each in planned] == sorted(each.at for each in planned)
    assert max(each.at + each.seconds for each in planned) <= 600


def test_slack_refuses_everything_for_ten_minutes_in_a_long_run_alone():
    assert max(each.seconds for each in plan(HOUR, 1)) == 600
    assert max(each.seconds for each in plan(LONG_RUN - 1, 1)) < 60
