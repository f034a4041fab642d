"""Values that TPE suggests to a participant, in an arm that shows suggestions."""

from storage.queries.history import SessionView
from training.hyperparameters import Configuration
from training.search.searchers import Tpe, derived_seed


def suggest(view: SessionView, training_images: int) -> Configuration:
    """What the baseline's TPE would try next if the participant's trials were its own.

    It learns from the participant's ended trials, and from nothing else. Everything follows from the session and the
    number of its trials, so a form that is opened again suggests the same. A trial that has not ended counts in that
    number: the values that are suggested beside it are others.

    Args:
        view: The session as it is now.
        training_images: The size of the training split: no batch is larger.
    """
    ended = [(trial.configuration, trial.validation_accuracy) for trial in view.trials if trial.state.is_finished]
    return Tpe(derived_seed(view.seed, view.id, len(view.trials)), training_images).next(ended)
