"""Settings that lie evenly over what people would try first: for a pilot of a task."""

from scipy.stats import qmc

from training.hyperparameters import Configuration, Value
from training.search.space import space_for

_SPREAD = ("learning_rate", "optimizer", "batch_size", "loss")
"""What the form asks for, but for the epochs, and a learning rate. The first ones are spread most evenly."""


def spread(count: int, *, epochs: int, training_images: int) -> list[Configuration]:
    """What somebody would enter who fills in what the form asks for, and a learning rate: the rest stays as preset.

    The values follow the Halton sequence over the searchers' distributions. So they lie evenly, are the same on every
    machine, and a longer list begins alike.

    Args:
        count: How many.
        epochs: Of each.
        training_images: The size of the training split: no batch is larger.
    """
    space = space_for(training_images)
    sequence = qmc.Halton(len(_SPREAD), scramble=False)
    sequence.fast_forward(1)  # the first point is the corner
    settings = []
    for point in sequence.random(count).tolist():
        values: dict[str, Value] = {name: space[name].at(place) for name, place in zip(_SPREAD, point, strict=True)}
        settings.append(Configuration.create(values | {"epochs": epochs}, training_images=training_images))
    return settings
