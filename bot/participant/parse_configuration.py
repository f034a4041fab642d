"""A configuration typed in one line: ``adam lr 3e-4, 20 epochs, batch 64``.

A value stands before or after its name (``20 epochs``, ``lr=3e-4``); optimizers and loss functions speak for
themselves. What is not understood is kept to be shown, never guessed.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from training.hyperparameters import BY_NAME, HYPERPARAMETERS, LABELS, Loss, Optimizer, format_value

LONGEST_LINE = 600
"""Characters that are read; all 15 values with their full names take less."""

_SHORT_NAMES: Mapping[str, tuple[str, ...]] = {
    "epochs": ("epoch", "ep"),
    "batch_size": ("batch", "batches", "bs", "batchsize"),
    "learning_rate": ("lr", "rate", "step size"),
    "weight_decay": ("wd", "weightdecay"),
    "momentum": ("mom",),
    "rho": ("ρ",),
    "lambd": ("λ",),
    "alpha": ("α",),
    "epsilon": ("eps", "ε"),
    "learning_rate_decay": ("lr decay", "lrd"),
    "initial_accumulator_value": ("initial accumulator", "accumulator"),
    "beta1": ("beta 1", "b1", "β1"),
    "beta2": ("beta 2", "b2", "β2"),
}

_SHORT_CHOICES: Mapping[Loss | Optimizer, tuple[str, ...]] = {
    Loss.CROSS_ENTROPY: ("crossentropy", "xent", "ce"),
    Loss.L1: ("mae", "mean absolute error"),
    Loss.MSE: ("squared error",),
    Loss.NLL: ("log likelihood",),
    Optimizer.ADAM: (),
    Optimizer.ADADELTA: ("ada delta",),
    Optimizer.ADAGRAD: ("ada grad",),
    Optimizer.ASGD: ("averaged sgd",),
    Optimizer.RMSPROP: ("rms prop",),
    Optimizer.SGD: ("stochastic gradient descent",),
}

_MEANINGLESS = """
a an and at be by configuration for i in is it let lets loss me my now of on optimiser optimizer our please run set size
so submit test than the then this to train training trial try tune tuning use using value want with
"""
_FILLERS = frozenset(_MEANINGLESS.split())


class _Kind(Enum):
    NAME = auto()
    CHOICE = auto()
    NUMBER = auto()
    BREAK = auto()
    UNKNOWN = auto()


@dataclass(frozen=True)
class _Piece:
    """A piece of the line. ``name`` is the hyperparameter that it names, or chooses a value for."""

    kind: _Kind
    text: str
    name: str = ""


@dataclass(frozen=True)
class OneLine:
    """What a line says.

    Attributes:
        values: Values as the form shows them, by hyperparameter.
        problems: A sentence for every value that cannot be used.
        unknown: The words and numbers that mean nothing here.
        named: Every hyperparameter that is named, with or without a value.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def is_configuration(self) -> bool:
        """Whether somebody wanted to enter values: a sentence with a number in it is none."""
        meant = len(self.values) + len(self.problems)
        return meant > 0 and meant >= len(self.unknown)


def read_line(text: str) -> OneLine:
    """Read a configuration, or a part of one. Never fails: what cannot be read is told in the answer."""
    reader = _Reader()
    pieces = list(_pieces(_tidy(text)))
    place = 0
    while place < len(pieces):
        piece = pieces[place]
        after = pieces[place + 1] if place + 1 < len(pieces) else None
        pair = {piece.kind, after.kind} if after is not None else set()
        if after is not None and pair == {_Kind.NAME, _Kind.NUMBER}:
            name, number = (piece, after) if piece.kind is _Kind.NAME else (after, piece)
            reader.value(name.name, number.text)
            place += 2
            continue
        if piece.kind is _Kind.CHOICE:
            reader.choice(piece.name, piece.text)
        elif piece.kind is _Kind.NAME:
            reader.name(piece.name)
        elif piece.kind in (_Kind.NUMBER, _Kind.UNKNOWN):
            reader.unknown.append(piece.text)
        place += 1
    return reader.line()


class _Reader:
    """Collects what the pieces come to."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.problems: list[str] = []
        self.unknown: list[str] = []
        self.named: dict[str, None] = {}

    def name(self, name: str) -> None:
        self.named[name] = None

    def value(self, name: str, typed: str) -> None:
        self.name(name)
        hyperparameter = BY_NAME[name]
        try:
            shown = format_value(hyperparameter.parse(typed))
        except ValueError as error:
            # Most of these sentences begin with the field they stand at; here there is none.
            sentence = str(error)
            told = sentence if sentence.startswith(hyperparameter.label) else f"{hyperparameter.label}: {sentence}"
            self.problems.append(told)
        else:
            self._keep(name, shown)

    def choice(self, name: str, choice: str) -> None:
        self.name(name)
        self._keep(name, choice)

    def _keep(self, name: str, shown: str) -> None:
        before = self.values.get(name)
        if before is not None and before != shown:
            label = BY_NAME[name].label
            self.problems.append(f"{label} is there twice; I took {format_value(shown)}, not {format_value(before)}.")
        self.values[name] = shown

    def line(self) -> OneLine:
        in_order = {each.name: self.values[each.name] for each in HYPERPARAMETERS if each.name in self.values}
        return OneLine(in_order, tuple(self.problems), tuple(self.unknown), tuple(self.named))


def _tidy(text: str) -> str:
    """One way of writing: lower case, no formatting marks."""
    text = unicodedata.normalize("NFKC", text[:LONGEST_LINE]).lower()
    text = text.replace("\N{MINUS SIGN}", "-").replace("\N{GREEK SMALL LETTER FINAL SIGMA}", "σ")
    return re.sub(r"[`*~\"'“”‘’()\[\]{}?!]", " ", text)


def _spoken() -> dict[str, tuple[_Kind, str, str]]:
    """Everything that names a hyperparameter or a choice → kind, hyperparameter, and the choice."""
    spoken: dict[str, tuple[_Kind, str, str]] = {}
    for each in HYPERPARAMETERS:
        for choice in each.choices:
            label = LABELS[choice].lower().partition(" (")[0]
            short = next(words for known, words in _SHORT_CHOICES.items() if known == choice)
            for said in (choice.replace("_", " "), label, *short):
                for ending in ("", " loss") if each.name == "loss" else ("",):
                    spoken[said.removesuffix(" loss") + ending] = (_Kind.CHOICE, each.name, str(choice))
        if not each.choices:
            for said in (each.name.replace("_", " "), each.label.lower(), *_SHORT_NAMES.get(each.name, ())):
                spoken[said] = (_Kind.NAME, each.name, "")
    return spoken


_SPOKEN = _spoken()
_LONGEST_FIRST = "|".join(
    re.escape(said).replace(r"\ ", r"[ _-]*") for said in sorted(_SPOKEN, key=lambda said: (-len(said), said))
)
_NUMBER = r"[+-]?(?:\d+(?:[.,]\d+)*\.?|\.\d+|,\d+)(?:e[+-]?\d+)?"
_PIECE = re.compile(
    rf"(?P<number>{_NUMBER})"
    rf"|(?P<spoken>{_LONGEST_FIRST})(?![a-zα-ω])"  # lr3e-4 is two pieces, adamw is none of ours
    r"|(?P<pause>[,;\n·|•]+)"
    r"|(?P<nothing>[\s=:]+|->|[-–—_.](?=\s|$))"
    r"|(?P<other>[^\s,;=:·|•]+)"
)
_BY_LETTERS = {re.sub(r"[ _-]", "", said): meaning for said, meaning in _SPOKEN.items()}


def _pieces(text: str) -> Iterator[_Piece]:
    for found in _PIECE.finditer(text):
        said = found.group()
        if found["number"] is not None:
            yield _Piece(_Kind.NUMBER, said)
        elif found["spoken"] is not None:
            kind, name, choice = _BY_LETTERS[re.sub(r"[ _-]", "", said)]
            yield _Piece(kind, choice or said, name)
        elif found["pause"] is not None:
            yield _Piece(_Kind.BREAK, said)
        elif found["other"] is not None and said not in _FILLERS:
            yield _Piece(_Kind.UNKNOWN, said)
