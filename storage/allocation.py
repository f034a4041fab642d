"""Allocation sequences: which task or arm the next participant of a stratum is assigned, as it follows from a secret.

A sequence consists of permuted blocks. A block has each option once, twice or three times, and its order is random, so
nobody can foresee an assignment from those before it. Everything follows from the secret of the study by HMAC-SHA256
(RFC 2104), which every language has. The secret is published when the study is closed. Its SHA-256 is public before,
so everybody can check then that the assignments were not changed:

- The key of every HMAC is the secret, as its 64 hexadecimal digits in ASCII.
- Block *b* (from 0) of the sequence *s* has each option *m* times. *m* is 1 plus the remainder of
  ``HMAC("s|b|size")``, a big-endian whole number, when it is divided by 3.
- The entries of the block are numbered from 0. Entry *i* is the option whose position is *i* modulo the number of
  options. The entries come in the order of ``HMAC("s|b|i")``.
"""

import hashlib
import hmac
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from secrets import token_hex

_SECRET_BYTES = 32
MOST_OF_EACH = 3
"""A block has each option so many times at most."""


def new_secret() -> str:
    """A random secret of 256 bits, in hexadecimal."""
    return token_hex(_SECRET_BYTES)


def is_secret(text: str) -> bool:
    """Whether this is how a secret is written: 64 hexadecimal digits in lower case."""
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None


def commitment_of(secret: str) -> str:
    """SHA-256 of the secret's hexadecimal digits, in hexadecimal: what may be published before the secret."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


@dataclass(frozen=True)
class Stratum:
    """People who share one allocation sequence, such as the novices.

    Attributes:
        what: What is assigned: ``task`` or ``arm``.
        of: Whom it is assigned to: the group, and for arms the task, too.
        options: The names of the tasks or arms, in the order of the rules.
    """

    what: str
    of: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def sequence(self) -> str:
        """The name of its sequence, such as ``arm/novice/digits-squeezenet: control, hints``."""
        return f"{'/'.join((self.what, *self.of))}: {', '.join(self.options)}"

    @classmethod
    def read(cls, sequence: str) -> "Stratum":
        """The stratum of a sequence.

        Raises:
            ValueError: It is not the name of a sequence.
        """
        head, colon, options = sequence.partition(": ")
        what, *of = head.split("/")
        stratum = cls(what, tuple(of), tuple(options.split(", ")))
        if not colon or not of or "" in (what, *of, *stratum.options):
            raise ValueError(f"“{sequence}” is not the name of a sequence, such as “task/novice: one, another”.")
        return stratum


@dataclass(frozen=True)
class Assigned:
    """One line of an assignment list: the participant who came as ``number`` (from 1) in a sequence got ``option``."""

    sequence: str
    number: int
    option: str


def allocation(secret: str, stratum: Stratum) -> Iterator[str]:
    """The options of a stratum, one participant after another, without an end.

    Raises:
        ValueError: There are no options, or one twice.
    """
    options = stratum.options
    if not options or len(set(options)) != len(options):
        raise ValueError(f"There must be something to assign, and nothing twice: {list(options)}.")
    for block in count():
        named = f"{stratum.sequence}|{block}"
        of_each = 1 + int.from_bytes(_digest(secret, f"{named}|size")) % MOST_OF_EACH
        entries = sorted(range(of_each * len(options)), key=lambda entry: _digest(secret, f"{named}|{entry}"))
        yield from (options[entry % len(options)] for entry in entries)


def allocated(secret: str, stratum: Stratum, number: int) -> str:
    """What the participant who comes as ``number`` (from 1) in a stratum is assigned."""
    return next(islice(allocation(secret, stratum), number - 1, None))


def disagreements(assigned: Iterable[Assigned], secret: str) -> list[str]:
    """Check an assignment list against the secret.

    Args:
        assigned: All lines of the list, in any order.
        secret: The secret of the study.

    Returns:
        One sentence for each line that does not follow from the secret, and for each number that is missing or there
        twice. An empty list: the assignments are those of the secret.
    """
    by_sequence: dict[str, dict[int, str]] = defaultdict(dict)
    found = []
    for each in assigned:
        if each.number in by_sequence[each.sequence]:
            found.append(f"{each.sequence}: number {each.number} is there twice.")
        by_sequence[each.sequence][each.number] = each.option
    for sequence, options in sorted(by_sequence.items()):
        expected = list(islice(allocation(secret, Stratum.read(sequence)), max(options)))
        for number, option in enumerate(expected, start=1):
            given = options.get(number)
            if given is None:
                found.append(f"{sequence}: number {number} is missing.")
            elif given != option:
                found.append(f"{sequence}: number {number} was assigned {given}, and the secret gives {option}.")
        found += [f"{sequence}: a sequence has no number {number}." for number in sorted(options) if number < 1]
    return found


def counts_disagree(counted: Mapping[str, Mapping[str, int]], secret: str, *, unknown: int = 0) -> list[str]:
    """Check how many people of each stratum were assigned what, where nobody knows in which order they came.

    Args:
        counted: For each sequence, how many people were assigned each option.
        secret: The secret of the study.
        unknown: How many more people there were, whose strata are not known because their data was deleted.

    Returns:
        One sentence for each stratum whose counts do not follow from the secret; an empty list if all can follow.
    """
    found = []
    needed = 0
    for sequence, counts in sorted(counted.items()):
        people = sum(counts.values())
        options = allocation(secret, Stratum.read(sequence))
        seen = Counter(islice(options, people))
        more = 0
        while any(seen[option] < number for option, number in counts.items()) and more < unknown:
            seen[next(options)] += 1
            more += 1
        if any(seen[option] < number for option, number in counts.items()):
            found.append(f"{sequence}: {_told(counts)} were assigned, and the secret gives {_told(seen)}.")
        needed += more
    if not found and needed > unknown:
        found.append(f"{needed} people without data are needed to explain the counts, and there are {unknown}.")
    return found


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {option}" for option, number in sorted(counts.items()) if number)


def _digest(secret: str, message: str) -> bytes:
    return hmac.new(secret.encode("ascii"), message.encode(), hashlib.sha256).digest()


def sequences_of(
    group: str, tasks: Sequence[str], arms: Sequence[str], task: str
) -> tuple[Stratum | None, Stratum | None]:
    """The strata of a participant for their task and their arm; none for what is not drawn.

    Args:
        group: The participant's group.
        tasks, arms: The study's, in the order of the rules.
        task: The participant's task, which arms are drawn within.
    """
    of_tasks = Stratum("task", (group,), tuple(tasks)) if len(tasks) > 1 else None
    return of_tasks, Stratum("arm", (group, task), tuple(arms)) if arms else None
