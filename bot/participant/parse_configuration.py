"""A configuration typed in one line: ``<optimizer> lr <number>, <number> epochs, batch <number>``.

A value stands before or after its name (``<number> epochs``, ``lr=<number>``); optimizers and loss functions need no
name. Words that the parser does not understand are kept and shown to the participant. They are never guessed.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from training.bounds import Bounds
from training.hyperparameters import BY_NAME, HYPERPARAMETERS, LABELS, Loss, Optimizer, format_value

LONGEST_LINE = 600
"""The number of characters that are read. All 15 values with their full names take fewer."""

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


def short_names(name: str) -> tuple[str, ...]:
    """The other names by which people may call a hyperparameter."""
    return _SHORT_NAMES.get(name, ())


class _Kind(Enum):
    NAME = auto()
    CHOICE = auto()
    NUMBER = auto()
    BREAK = auto()
    UNKNOWN = auto()


@dataclass(frozen=True)
class _Piece:
    """A piece of the line. ``name`` is the hyperparameter that it names, or whose value it chooses."""

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
        """Whether somebody wanted to enter values. A sentence that only contains a number is no configuration."""
        meant = len(self.values) + len(self.problems)
        return meant > 0 and meant >= len(self.unknown)


def read_line(text: str, bounds: Bounds = Bounds.OPTIMIZER) -> OneLine:
    """Read a configuration, or a part of one. Never fails: the result lists what cannot be read.

    Args:
        text: What somebody typed.
        bounds: The study's bounds.
    """
    reader = _Reader(bounds)
    pieces = list(_pieces(_tidy(text)))
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        after = pieces[index + 1] if index + 1 < len(pieces) else None
        pair = {piece.kind, after.kind} if after is not None else set()
        if after is not None and pair == {_Kind.NAME, _Kind.NUMBER}:
            name, number = (piece, after) if piece.kind is _Kind.NAME else (after, piece)
            reader.value(name.name, number.text)
            index += 2
            continue
        if piece.kind is _Kind.CHOICE:
            reader.choice(piece.name, piece.text)
        elif piece.kind is _Kind.NAME:
            reader.name(piece.name)
        elif piece.kind in (_Kind.NUMBER, _Kind.UNKNOWN):
            reader.unknown.append(piece.text)
        index += 1
    return reader.line()


class _Reader:
    """Collects the values, names and problems that the pieces contain."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
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
            shown = format_value(hyperparameter.parse(typed, self._bounds))
        except ValueError as error:
            # In the form a sentence stands at its field. Here it must name the hyperparameter.
            sentence = str(error)
            if not sentence.startswith(hyperparameter.label):
                sentence = f"{hyperparameter.label}: {sentence}"
            self.problems.append(sentence)
        else:
            self._keep(name, shown)

    def choice(self, name: str, choice: str) -> None:
        self.name(name)
        self._keep(name, choice)

    def _keep(self, name: str, shown: str) -> None:
        before = self.values.get(name)
        if before is not None and before != shown:
            label = BY_NAME[name].label
            self.problems.append(f"{label} is given twice. I used {format_value(shown)}, not {format_value(before)}.")
        self.values[name] = shown

    def line(self) -> OneLine:
        in_order = {each.name: self.values[each.name] for each in HYPERPARAMETERS if each.name in self.values}
        return OneLine(in_order, tuple(self.problems), tuple(self.unknown), tuple(self.named))


def _tidy(text: str) -> str:
    """The text in one way of writing: lower case, no formatting marks."""
    text = unicodedata.normalize("NFKC", text[:LONGEST_LINE]).lower()
    text = text.replace("\N{MINUS SIGN}", "-").replace("\N{GREEK SMALL LETTER FINAL SIGMA}", "σ")
    return re.sub(r"[`*~\"'“”‘’()\[\]{}?!]", " ", text)


def _all_terms() -> dict[str, tuple[_Kind, str, str]]:
    """Every term for a hyperparameter or a choice, with its kind, the hyperparameter, and the choice."""
    terms: dict[str, tuple[_Kind, str, str]] = {}
    for hyperparameter in HYPERPARAMETERS:
        name = hyperparameter.name
        for choice in hyperparameter.choices:
            label = LABELS[choice].lower().partition(" (")[0]
            short = next(words for known, words in _SHORT_CHOICES.items() if known == choice)
            for term in (choice.replace("_", " "), label, *short):
                for ending in ("", " loss") if name == "loss" else ("",):
                    terms[term.removesuffix(" loss") + ending] = (_Kind.CHOICE, name, str(choice))
        if not hyperparameter.choices:
            for term in (name.replace("_", " "), hyperparameter.label.lower(), *short_names(name)):
                terms[term] = (_Kind.NAME, name, "")
    return terms


_TERMS = _all_terms()
_LONGEST_FIRST = "|".join(
    re.escape(term).replace(r"\ ", r"[ _-]*") for term in sorted(_TERMS, key=lambda term: (-len(term), term))
)
_NUMBER = r"[+-]?(?:\d+(?:[.,]\d+)*\.?|\.\d+|,\d+)(?:e[+-]?\d+)?"
_PIECE = re.compile(
    rf"(?P<number>{_NUMBER})"
    rf"|(?P<term>{_LONGEST_FIRST})(?![a-zα-ω])"  # lr3e-4 is two pieces; adamw is not adam
    r"|(?P<break>[,;\n·|•]+)"
    r"|(?P<nothing>[\s=:]+|->|[-–—_.](?=\s|$))"
    r"|(?P<other>[^\s,;=:·|•]+)"
)
_BY_LETTERS = {re.sub(r"[ _-]", "", term): meaning for term, meaning in _TERMS.items()}


def _pieces(text: str) -> Iterator[_Piece]:
    for match in _PIECE.finditer(text):
        written = match.group()
        if match["number"] is not None:
            yield _Piece(_Kind.NUMBER, written)
        elif match["term"] is not None:
            kind, name, choice = _BY_LETTERS[re.sub(r"[ _-]", "", written)]
            yield _Piece(kind, choice or written, name)
        elif match["break"] is not None:
            yield _Piece(_Kind.BREAK, written)
        elif match["other"] is not None and written not in _FILLERS:
            yield _Piece(_Kind.UNKNOWN, written)
