"""Anybody who has the secret can compute every assignment again, and nobody can foresee one without it."""

import hashlib
import hmac
from collections import Counter
from itertools import islice, pairwise

import pytest

from storage.allocation import (
    Assigned,
    Stratum,
    allocated,
    allocation,
    commitment_of,
    counts_disagree,
    disagreements,
    new_secret,
)

SECRET = "5a" * 32
NOVICES = Stratum("task", ("novice",), ("digits", "flowers"))
ARMS = Stratum("arm", ("novice", "digits"), ("control", "hints", "short"))


def first(stratum: Stratum, count: int, secret: str = SECRET) -> list[str]:
    return list(islice(allocation(secret, stratum), count))


def listed(stratum: Stratum, count: int, secret: str = SECRET) -> list[Assigned]:
    options = first(stratum, count, secret)
    return [Assigned(stratum.sequence, number, option) for number, option in enumerate(options, start=1)]


def test_the_sequence_is_what_its_description_says():
    """The description is followed here with nothing but HMAC-SHA256, as somebody in another language would."""

    def digest(message: str) -> bytes:
        return hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).digest()

    name = "task/novice: digits, flowers"
    described: list[str] = []
    for block in range(5):
        of_each = int(digest(f"{name}|{block}|size").hex(), 16) % 3 + 1
        entries = [
            (digest(f"{name}|{block}|{entry}"), ("digits", "flowers")[entry % 2]) for entry in range(2 * of_each)
        ]
        described += [option for _, option in sorted(entries)]
    assert NOVICES.sequence == name
    assert first(NOVICES, len(described)) == described


def test_the_sequence_stays_the_same_over_versions():
    assert "".join(option[0] for option in first(NOVICES, 24)) == "ffddfdfdfddfdffdfdfddddf"
    assert "".join(option[0] for option in first(ARMS, 24)) == "chshhscschhcsscchhcshssc"


def test_every_other_secret_and_every_other_stratum_gives_another_order():
    orders = {tuple(first(NOVICES, 24, new_secret())) for _ in range(20)}
    assert len(orders) == 20
    assert first(NOVICES, 24) != first(Stratum("task", ("medium",), NOVICES.options), 24)


def test_options_stay_balanced_and_blocks_vary_in_size():
    sizes = set()
    for _ in range(200):
        counts: Counter[str] = Counter()
        even = [0]
        for place, option in enumerate(first(ARMS, 60, new_secret()), start=1):
            counts[option] += 1
            assert max(counts.values()) - min(counts[each] for each in ARMS.options) <= 3
            if len({counts[each] for each in ARMS.options}) == 1:
                even.append(place)
        sizes |= {after - before for before, after in pairwise(even)}
    assert {3, 6, 9} <= sizes


def test_the_next_assignment_cannot_be_foreseen_from_those_before():
    """Somebody who knows the method guesses the option that has been assigned less often, the usual best guess."""
    right = total = 0
    for _ in range(300):
        counts = Counter(dict.fromkeys(NOVICES.options, 0))
        for option in first(NOVICES, 20, new_secret()):
            fewer = min(counts.values())
            guess = next(each for each in NOVICES.options if counts[each] == fewer)
            right, total = right + (guess == option), total + 1
            counts[option] += 1
    assert 0.5 < right / total < 0.75  # in blocks of two, 0.75 would be known


def test_a_list_is_checked_against_the_secret():
    assert disagreements([*listed(NOVICES, 9), *reversed(listed(ARMS, 7))], SECRET) == []
    changed = listed(NOVICES, 9)
    other = next(each for each in NOVICES.options if each != changed[4].option)
    changed[4] = Assigned(NOVICES.sequence, 5, other)
    assert disagreements(changed, SECRET) == [
        f"{NOVICES.sequence}: number 5 was assigned {other}, and the secret gives {allocated(SECRET, NOVICES, 5)}."
    ]
    gap = [each for each in listed(NOVICES, 9) if each.number != 3]
    assert disagreements(gap, SECRET) == [f"{NOVICES.sequence}: number 3 is missing."]
    twice = [*listed(NOVICES, 2), listed(NOVICES, 2)[1]]
    assert disagreements(twice, SECRET) == [f"{NOVICES.sequence}: number 2 is there twice."]
    assert disagreements(listed(NOVICES, 30), new_secret())


def test_counts_are_checked_where_nobody_knows_the_order():
    counted = {each.sequence: Counter(first(each, 8)) for each in (NOVICES, ARMS)}
    assert counts_disagree(counted, SECRET) == []
    unlikely = {NOVICES.sequence: {"digits": 8, "flowers": 0}}
    assert "8 digits were assigned" in counts_disagree(unlikely, SECRET)[0]
    # Somebody's data was deleted, and nobody knows in which stratum they were.
    deleted = Counter(first(NOVICES, 8))
    deleted[first(NOVICES, 1)[0]] -= 1
    assert counts_disagree({NOVICES.sequence: deleted}, SECRET, unknown=1) == []


def test_a_commitment_is_the_hash_of_what_is_published():
    assert commitment_of(SECRET) == hashlib.sha256(SECRET.encode()).hexdigest()
    assert len(new_secret()) == 64


@pytest.mark.parametrize("name", ["", "task", "task/novice", "task/novice: ", "/novice: a", "task: a, b", "task/: a"])
def test_what_is_no_sequence_is_refused(name):
    with pytest.raises(ValueError, match="not the name of a sequence"):
        Stratum.read(name)


def test_a_sequence_is_read_back():
    assert [Stratum.read(each.sequence) for each in (NOVICES, ARMS)] == [NOVICES, ARMS]


@pytest.mark.parametrize("options", [(), ("a", "a")])
def test_there_is_something_to_assign_and_nothing_twice(options):
    with pytest.raises(ValueError, match="nothing twice"):
        next(allocation(SECRET, Stratum("arm", ("novice",), options)))
