"""What a person can do next: a few sentences, and the buttons for it. Every answer and the Home tab show it."""

from dataclasses import dataclass

from slack_sdk.models.blocks import Block, ButtonElement

from bot.participant.views import buttons, onboarding
from bot.participant.views.session_thread import in_progress
from bot.slack.block_kit import Message, actions, button, clock_time, section
from bot.study.participant_status import ParticipantStatus
from storage.queries.history import SessionView
from storage.schema.states import ParticipantState, SessionState, StudyState

SHOW = "standing_show"
"""The button with which the bot shows a person's status in the conversation."""


ONCE = "Everybody can take part only once. If you left by mistake, ask the researchers: they can let you in again."
"""What somebody reads who has left after they agreed to take part."""


@dataclass(frozen=True)
class Step:
    """The next step. The first button does it; without buttons the text says what happens by itself."""

    text: str
    buttons: tuple[ButtonElement, ...] = ()

    def blocks(self, block_id: str) -> tuple[Block, ...]:
        """The buttons as a row, if there are any."""
        return (actions(self.buttons, block_id=block_id),) if self.buttons else ()


def next_step(status: ParticipantStatus) -> Step:
    """The next step of somebody with this status."""
    if status.session is not None:
        return _in_session(status.session)
    if status.study is StudyState.CLOSED:
        return Step("The study is closed. Thank you for your interest! There is nothing more to do.")
    match status.state:
        case ParticipantState.INVITED:
            return Step(
                "Please read what the study is about, and agree if you want to take part.",
                (button("Show me the text", SHOW, style="primary"),),
            )
        case ParticipantState.CONSENTED:
            return Step(
                "Next, please answer a few questions about your experience. This takes about a minute.",
                (button("Tell us about you", onboarding.BACKGROUND, style="primary"),),
            )
        case ParticipantState.DESCRIBED:
            return _before_session(status)
        case _ if status.has_left:
            return Step(f"You have left the study, so there is nothing more to do. {ONCE}")
        case _:
            return _stranger(status.study)


def led_back(text: str, status: ParticipantStatus, *more: Block) -> Message:
    """An answer, followed by the next step."""
    step = next_step(status)
    return Message(
        text=f"{text} {step.text}", blocks=(section(text), *more, section(step.text), *step.blocks(block_id="next"))
    )


def _stranger(study: StudyState) -> Step:
    if study is StudyState.PAUSED:
        return Step(
            "Nobody can join the study at the moment. Please try again later.",
            (button("Try again", SHOW, style="primary"),),
        )
    if study is StudyState.PREPARED:
        return Step(
            "Nobody can join the study yet. Please try again later.",
            (button("Try again", SHOW, style="primary"),),
        )
    return Step(
        "I am the bot of a study on how people tune neural networks. Would you like to see what it is about?",
        (button("Show me the study", SHOW, style="primary"),),
    )


def _before_session(status: ParticipantStatus) -> Step:
    start = button("Start", onboarding.START, style="primary")
    guide = button("What do the settings do?", onboarding.GUIDE)
    if status.study is StudyState.PAUSED and status.position is not None:
        return Step(
            "The study is paused, so nobody can start at the moment. You keep your position in the queue. "
            "I will write to you when it is your turn. There is nothing to do until then.",
            (guide,),
        )
    if status.study is StudyState.PAUSED:
        return Step(
            "The study is paused, so nobody can start at the moment. You can still take part: press *Start* later.",
            (start, guide),
        )
    if status.position is not None and not status.called:
        return Step(f"{onboarding.place_in_queue(status.position)} There is nothing to do until then.", (guide,))
    if status.called:
        return Step("It is your turn. Press *Start* when you are ready. Your time starts then.", (start, guide))
    return Step("Press *Start* when you are ready. Your time starts then.", (start, guide))


def _in_session(view: SessionView) -> Step:
    see_trials = buttons.history(view)
    if view.state is SessionState.FINISHED:
        text = (
            "You have taken part already. Thank you! There is nothing more to do. "
            "The researchers will tell you about the results."
        )
        return Step(text, (see_trials,) if view.trials else ())
    if view.state is SessionState.CHOOSING:
        return Step(
            f"Your time is up. Please choose your final configuration before "
            f"{clock_time(view.grace_ends_at or view.deadline)}. After that, your best trial is taken.",
            (buttons.choose(view), see_trials),
        )
    running, until = view.unfinished, f"Your session runs until {clock_time(view.deadline)}."
    if running is not None:
        cancel = () if running.is_stopping else (buttons.cancel(running),)
        return Step(
            f"{until} {in_progress(view)} You can prepare the next configuration now.",
            (buttons.prepare_next(view), *cancel, see_trials, buttons.finish(view)),
        )
    guide = button("What do the settings do?", onboarding.GUIDE)
    return Step(
        f"{until} Press *New configuration* to train a network.",
        (buttons.new_configuration(view, buttons.WAY_ON), see_trials, buttons.finish(view), guide),
    )
