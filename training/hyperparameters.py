"""The 15 hyperparameters of the study (the paper's Table 1) as data, and :class:`Configuration`.

Everything that shows, asks for, checks or stores a hyperparameter reads this table: the form, the guide,
the database, the trainer, the searchers. Defaults are Table 1's, for every participant, also where
PyTorch's own differ.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal, Self

from training.bounds import Bounds, Interval
from training.numbers import (
    LARGEST_COUNT,
    NotANumber,
    about,
    format_number,
    is_single,
    parse_integer,
    parse_real,
    quote,
)


class Loss(StrEnum):
    """The loss functions offered. L1 and mean squared error compare raw outputs with the one-hot label."""

    CROSS_ENTROPY = "cross_entropy"
    L1 = "l1"
    MSE = "mse"
    NLL = "nll"


class Optimizer(StrEnum):
    """The optimizers offered; each is the one of that name in ``torch.optim``."""

    ADAM = "adam"
    ADADELTA = "adadelta"
    ADAGRAD = "adagrad"
    ASGD = "asgd"
    RMSPROP = "rmsprop"
    SGD = "sgd"


LABELS: Mapping[str, str] = {
    Loss.CROSS_ENTROPY: "Cross entropy",
    Loss.L1: "L1 loss",
    Loss.MSE: "Mean squared error",
    Loss.NLL: "Negative log likelihood",
    Optimizer.ADAM: "Adam",
    Optimizer.ADADELTA: "Adadelta",
    Optimizer.ADAGRAD: "Adagrad",
    Optimizer.ASGD: "Averaged SGD (ASGD)",
    Optimizer.RMSPROP: "RMSprop",
    Optimizer.SGD: "SGD",
}
"""What a person reads for each choice."""

Value = int | float | str

_EVERY_OPTIMIZER = frozenset(Optimizer)
_ANY = Interval()


@dataclass(frozen=True)
class Hyperparameter:
    """One row of Table 1.

    Attributes:
        name: The field of :class:`Configuration`.
        label: What a person reads.
        kind: ``integer``, ``real`` or ``choice``.
        default: Table 1's value; ``None`` where the participant must decide (mandatory).
        taken: The numbers that the optimizers take (see :class:`Bounds`); they mean nothing for a choice.
        taken_by: The numbers that an optimizer takes if it takes fewer.
        narrow: The narrow bounds.
        ceiling: What bounds it from above, in words: it depends on the task.
        choices: The values of a choice.
        optimizers: The optimizers that use it; the others ignore it.
        help: One or two sentences for the guide and the form. They say what it is, and not which values are good.
    """

    name: str
    label: str
    kind: Literal["integer", "real", "choice"]
    help: str
    default: Value | None = None
    taken: Interval = _ANY
    taken_by: Mapping[Optimizer, Interval] = field(default_factory=dict, hash=False)
    narrow: Interval = _ANY
    ceiling: str = ""
    choices: tuple[str, ...] = ()
    optimizers: frozenset[Optimizer] = _EVERY_OPTIMIZER

    @property
    def mandatory(self) -> bool:
        """Whether the participant must choose a value: Table 1 has no default for it."""
        return self.default is None

    def interval(self, bounds: Bounds, optimizer: Optimizer | None = None) -> Interval:
        """The numbers that are accepted.

        Args:
            bounds: The study's bounds.
            optimizer: The optimizer that is to use the value; without one, all that any optimizer takes.
        """
        if bounds is Bounds.NARROW:
            return self.narrow
        return self.taken if optimizer is None else self.taken_by.get(optimizer, self.taken)

    def accepted(self, bounds: Bounds, optimizer: Optimizer | None = None) -> str:
        """The accepted values in words, such as ``0 or more`` or ``above 0 and up to 100``.

        Args:
            bounds, optimizer: As for :meth:`interval`. Without an optimizer, it is said which ones take fewer.
        """
        if self.kind == "choice":
            return ", ".join(LABELS[choice] for choice in self.choices)
        interval = self.interval(bounds, optimizer)
        if self.ceiling:
            return f"from {format_value(interval.low)} to {self.ceiling}"
        if optimizer is not None or bounds is Bounds.NARROW:
            return interval.words
        fewer = "; ".join(f"{LABELS[each]}: {takes.words}" for each, takes in self.taken_by.items())
        return f"{interval.words} ({fewer})" if fewer else interval.words

    def used_by(self, optimizer: Optimizer) -> bool:
        """Whether this optimizer looks at the value."""
        return optimizer in self.optimizers

    def parse(
        self, given: Value, bounds: Bounds | None = Bounds.OPTIMIZER, optimizer: Optimizer | None = None
    ) -> Value:
        """Read one value, as typed or as a number, and check it.

        Args:
            given: The value.
            bounds: The study's bounds; ``None`` for data that were not entered here: then any number that can be kept
                is one, but there is at least one epoch, and one image in a batch.
            optimizer: As for :meth:`interval`.

        Raises:
            ValueError: With one sentence for the person who typed it.
        """
        if self.kind == "choice":
            if given not in self.choices:
                raise ValueError(f"Please choose one of: {', '.join(LABELS[choice] for choice in self.choices)}.")
            return str(given)
        try:
            text = str(given)
            value: float = parse_integer(text) if self.kind == "integer" else parse_real(text)
        except NotANumber as error:
            raise ValueError(str(error)) from None
        is_count = self.kind == "integer"
        if (bounds is not None or is_count) and value not in self.interval(bounds or Bounds.OPTIMIZER, optimizer):
            is_own = bounds is Bounds.OPTIMIZER and optimizer is not None and optimizer in self.taken_by
            user = f" with {LABELS[optimizer]}" if is_own and optimizer is not None else ""
            accepted = self.accepted(bounds or Bounds.OPTIMIZER, optimizer)
            raise ValueError(f"{self.label} must be {accepted}{user}: {quote(text)} is not.")
        if is_count and value > LARGEST_COUNT:
            raise ValueError(f"{self.label}: {quote(text)} is larger than any number that can be kept.")
        if bounds is not None and not is_count and not is_single(value):
            how = "too large to train with" if abs(value) > 1 else "too close to 0 to train with, and is not 0"
            raise ValueError(f"{self.label}: {quote(text)} is {how}.")
        return value + 0  # -0.0 becomes 0.0


def _uses(*optimizers: Optimizer) -> frozenset[Optimizer]:
    return frozenset(optimizers)


HYPERPARAMETERS: tuple[Hyperparameter, ...] = (
    Hyperparameter(
        name="epochs",
        label="Epochs",
        kind="integer",
        taken=Interval(1),
        narrow=Interval(1, 1000),
        help="How many times the network sees every training image.",
    ),
    Hyperparameter(
        name="batch_size",
        label="Batch size",
        kind="integer",
        taken=Interval(1),
        narrow=Interval(1, 1_000_000),
        ceiling="the number of training images",
        help="How many images the network sees before each update of its weights.",
    ),
    Hyperparameter(
        name="loss",
        label="Loss function",
        kind="choice",
        choices=tuple(Loss),
        help="What training makes small: a measure of how far the network's outputs are from the true classes.",
    ),
    Hyperparameter(
        name="optimizer",
        label="Optimizer",
        kind="choice",
        choices=tuple(Optimizer),
        help="The rule that turns gradients into updates of the weights. "
        "Each optimizer has settings of its own. The form shows those that yours uses.",
    ),
    Hyperparameter(
        name="learning_rate",
        label="Learning rate",
        kind="real",
        default=0.001,
        taken=Interval(0),
        narrow=Interval(0, 100, low_open=True),
        help="A factor of every update of the weights. The larger it is, the larger each update is.",
    ),
    Hyperparameter(
        name="weight_decay",
        label="Weight decay",
        kind="real",
        default=0.0,
        taken=Interval(0),
        narrow=Interval(0, 100),
        help="How strongly every weight is pulled towards zero in each update (an L2 penalty). Zero: not at all.",
    ),
    Hyperparameter(
        name="momentum",
        label="Momentum",
        kind="real",
        default=0.0,
        taken=Interval(0),
        narrow=Interval(0, 1),
        optimizers=_uses(Optimizer.SGD, Optimizer.RMSPROP),
        help="How much of the previous update is added to the next one. Zero: nothing.",
    ),
    Hyperparameter(
        name="rho",
        label="Rho",
        kind="real",
        default=0.9,
        taken=Interval(0, 1),
        narrow=Interval(0, 1),
        optimizers=_uses(Optimizer.ADADELTA),
        help="How slowly Adadelta's running averages of squared gradients and squared updates forget. "
        "Zero: only the last one counts.",
    ),
    Hyperparameter(
        name="lambd",
        label="Lambda",
        kind="real",
        default=0.75,
        narrow=Interval(0, 100),
        optimizers=_uses(Optimizer.ASGD),
        help="The decay term of averaged SGD. The larger it is, the faster the learning rate falls, and the more the "
        "weights are pulled towards zero.",
    ),
    Hyperparameter(
        name="alpha",
        label="Alpha",
        kind="real",
        default=0.99,
        taken_by={Optimizer.RMSPROP: Interval(0)},
        narrow=Interval(0, 1),
        optimizers=_uses(Optimizer.RMSPROP, Optimizer.ASGD),
        help="For RMSprop, how slowly the running average of squared gradients forgets. "
        "For averaged SGD, the power with which the learning rate falls.",
    ),
    Hyperparameter(
        name="epsilon",
        label="Epsilon",
        kind="real",
        default=0.00001,
        taken=Interval(0),
        narrow=Interval(0, 1),
        optimizers=_uses(Optimizer.ADAM, Optimizer.ADADELTA, Optimizer.RMSPROP),
        help="A number that is added to a denominator, so that it is not zero. The larger it is, the smaller the "
        "updates are.",
    ),
    Hyperparameter(
        name="learning_rate_decay",
        label="Learning rate decay",
        kind="real",
        default=0.0,
        taken=Interval(0),
        narrow=Interval(0, 100),
        optimizers=_uses(Optimizer.ADAGRAD),
        help="How fast Adagrad's learning rate falls with every update. Zero: it falls only through the sum of squared "
        "gradients.",
    ),
    Hyperparameter(
        name="initial_accumulator_value",
        label="Initial accumulator value",
        kind="real",
        default=0.0,
        taken=Interval(0),
        narrow=Interval(0, 100),
        optimizers=_uses(Optimizer.ADAGRAD),
        help="Where Adagrad's sum of squared gradients starts. The larger it is, the smaller the first updates are.",
    ),
    Hyperparameter(
        name="beta1",
        label="Beta1",
        kind="real",
        default=0.9,
        taken=Interval(0, 1, high_open=True),
        narrow=Interval(0, 1, high_open=True),
        optimizers=_uses(Optimizer.ADAM),
        help="How slowly Adam's running average of the gradients forgets. Zero: only the last one counts.",
    ),
    Hyperparameter(
        name="beta2",
        label="Beta2",
        kind="real",
        default=0.999,
        taken=Interval(0, 1, high_open=True),
        narrow=Interval(0, 1, high_open=True),
        optimizers=_uses(Optimizer.ADAM),
        help="How slowly Adam's running average of the squared gradients forgets. Zero: only the last one counts.",
    ),
)
"""Table 1, in its order."""

BY_NAME: Mapping[str, Hyperparameter] = {each.name: each for each in HYPERPARAMETERS}


class InvalidConfiguration(ValueError):
    """Values that no trial can run with.

    Attributes:
        errors: One sentence per field at fault, keyed by the hyperparameter's name.
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__(" ".join(f"{BY_NAME[name].label}: {text}" for name, text in self.errors.items()))


@dataclass(frozen=True)
class Limits:
    """What bounds a configuration besides Table 1's ranges; see :meth:`Configuration.create`."""

    training_images: int
    largest_batch: int | None = None
    most_steps: int | None = None
    bounds: Bounds = Bounds.OPTIMIZER


@dataclass(frozen=True)
class Configuration:
    """One value for each of the 15 hyperparameters, checked.

    Make one with :meth:`create`. What the optimizer does not use holds its default, so that two
    configurations that train the same are equal.
    """

    epochs: int
    batch_size: int
    loss: Loss
    optimizer: Optimizer
    learning_rate: float = 0.001
    weight_decay: float = 0.0
    momentum: float = 0.0
    rho: float = 0.9
    lambd: float = 0.75
    alpha: float = 0.99
    epsilon: float = 0.00001
    learning_rate_decay: float = 0.0
    initial_accumulator_value: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999

    @classmethod
    def create(
        cls,
        given: Mapping[str, Value | None],
        *,
        training_images: int | None = None,
        largest_batch: int | None = None,
        most_steps: int | None = None,
        bounds: Bounds | None = Bounds.OPTIMIZER,
    ) -> Self:
        """Check values as typed (or as numbers) and make a configuration of them.

        Args:
            given: Values by hyperparameter name. An optional one that is missing, ``None`` or blank takes
                its default; one that the chosen optimizer does not use is ignored.
            training_images: The size of the training split; a batch may not be larger.
            largest_batch: The size of a batch beyond which there is no memory; ``None`` when nobody knows.
            most_steps: The most steps that one training may have; ``None`` for any number.
            bounds: As for :meth:`Hyperparameter.parse`.

        Raises:
            InvalidConfiguration: With one sentence for every field that cannot be used.
            KeyError: A name that is no hyperparameter.
        """
        if unknown := given.keys() - BY_NAME.keys():
            raise KeyError(f"no such hyperparameter: {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {}
        errors: dict[str, str] = {}
        for hyperparameter in HYPERPARAMETERS:
            name, typed = hyperparameter.name, given.get(hyperparameter.name)
            if typed is None or not str(typed).strip():
                if hyperparameter.mandatory:
                    errors[name] = "Please choose one." if hyperparameter.kind == "choice" else "Please enter a number."
                continue
            try:
                chosen = Optimizer(values["optimizer"]) if "optimizer" in values else None
                values[name] = hyperparameter.parse(typed, bounds, chosen)
            except ValueError as error:
                errors[name] = str(error)
        batch_size = values.get("batch_size")
        if training_images is not None and batch_size is not None and batch_size > training_images:
            errors["batch_size"] = (
                f"A batch of {batch_size:,} is larger than the training set, which has about {about(training_images)} "
                "images: enter a smaller number."
            )
        elif largest_batch is not None and batch_size is not None and batch_size > largest_batch:
            errors["batch_size"] = (
                f"A batch of {batch_size:,} needs more memory than the machine that trains has: enter a smaller number."
            )
        epochs = values.get("epochs")
        if most_steps is not None and training_images is not None and epochs and batch_size:
            allowed = most_steps // -(-training_images // batch_size)
            if epochs > allowed:
                fewer = f"at most {about(allowed)} epochs, or a larger batch size"
                errors["epochs"] = (
                    f"{epochs:,} {'epoch' if epochs == 1 else 'epochs'} with a batch size of {batch_size:,} take more "
                    f"than {most_steps:,} steps of training, which is the most that is allowed: "
                    f"enter {fewer if allowed else 'a larger batch size'}."
                )
        if "optimizer" in values:
            optimizer = Optimizer(values["optimizer"])
            unused = {each.name for each in HYPERPARAMETERS if not each.used_by(optimizer)}
            values = {name: value for name, value in values.items() if name not in unused}
            errors = {name: text for name, text in errors.items() if name not in unused}
        if errors:
            raise InvalidConfiguration(errors)
        return cls(**values | {"loss": Loss(values["loss"]), "optimizer": Optimizer(values["optimizer"])})

    def as_dict(self) -> dict[str, Value]:
        """All 15 values by name, plain: enums become their text."""
        return {name: str(value) if isinstance(value, StrEnum) else value for name, value in asdict(self).items()}

    def used(self) -> Iterator[tuple[Hyperparameter, Value]]:
        """The hyperparameters that this configuration's optimizer uses, with their values, in Table 1's order."""
        values = self.as_dict()
        return ((each, values[each.name]) for each in HYPERPARAMETERS if each.used_by(self.optimizer))

    def beyond(self, bounds: Bounds) -> Iterator[tuple[Hyperparameter, float]]:
        """The numbers that a form with these bounds does not accept, with their hyperparameters, in Table 1's order."""
        for each, value in self.used():
            if not isinstance(value, str):
                accepted = value in each.interval(bounds, self.optimizer)
                if not accepted or (each.kind == "real" and not is_single(value)):
                    yield each, value

    @property
    def all_optional_at_default(self) -> bool:
        """Whether every optional hyperparameter has Table 1's value (the paper's Figure 8)."""
        return all(value == each.default for each, value in self.used() if not each.mandatory)

    def further(self, *, whole: bool = False) -> Iterator[tuple[Hyperparameter, Value]]:
        """Besides the mandatory four and the learning rate: what was changed from its default, or all that is used."""
        return (
            (each, value)
            for each, value in self.used()
            if not each.mandatory and each.name != "learning_rate" and (whole or value != each.default)
        )

    def summary(self, *, whole: bool = False) -> str:
        """One line for a person: the mandatory four, the learning rate, and what was changed from its default.

        Args:
            whole: Whether to name all that the optimizer uses, for somebody who is not to know the defaults.
        """
        parts = [
            LABELS[self.optimizer],
            LABELS[self.loss].lower() if self.loss is not Loss.L1 else LABELS[Loss.L1],
            f"{self.epochs} epoch{'s' if self.epochs != 1 else ''}",
            f"batch {self.batch_size}",
            f"learning rate {format_value(self.learning_rate)}",
        ]
        parts += [f"{each.label.lower()} {format_value(value)}" for each, value in self.further(whole=whole)]
        return " · ".join(parts)


def format_value(value: Value) -> str:
    """A value as a person would write it: ``0.001``, ``3e-06``, ``Adam``; a number reads back as the same number."""
    return LABELS.get(value, value) if isinstance(value, str) else format_number(value)
