"""What somebody can do next: one sentence or two, and the buttons that do it. Every answer and the Home tab end so."""

from dataclasses import dataclass

from slack_sdk.models.blocks import Block, ButtonElement

from bot.participant.views import buttons, onboarding
from bot.participant.views.session_thread import in_progress
from bot.slack.block_kit import Message, actions, button, clock_time, section
from bot.study.participant_status import ParticipantStatus
from storage.queries.history import SessionView
from storage.schema.states import ParticipantState, SessionState, StudyState

SHOW = "standing_show"
"""The button under which the bot shows where the person stands, in the conversation."""


@dataclass(frozen=True)
class Step:
    """The way on. The first button is the way; without buttons the text says what happens by itself."""

    text: str
    buttons: tuple[ButtonElement, ...] = ()

    def blocks(self, block_id: str) -> tuple[Block, ...]:
        """The buttons as a row, if there are any."""
        return (actions(self.buttons, block_id=block_id),) if self.buttons else ()


def next_step(status: ParticipantStatus) -> Step:
    """The way on from where somebody stands."""
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
                "Next come a few questions about your experience. They take a minute.",
                (button("Tell us about you", onboarding.BACKGROUND, style="primary"),),
            )
        case ParticipantState.DESCRIBED:
            return _before_session(status)
        case _:
            return _stranger(status.study)


def led_back(text: str, status: ParticipantStatus, *more: Block) -> Message:
    """An answer, followed by the way on."""
    step = next_step(status)
    return Message(
        text=f"{text} {step.text}", blocks=(section(text), *more, section(step.text), *step.blocks(block_id="next"))
    )


def _stranger(study: StudyState) -> Step:
    if study is StudyState.PAUSED:
        return Step(
            "Nobody can join the study at the moment. Press the button later: perhaps it goes on by then.",
            (button("Try again", SHOW, style="primary"),),
        )
    if study is StudyState.PREPARED:
        return Step(
            "Nobody can join the study yet. Press the button later: perhaps it has opened by then.",
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
            "The study is paused at the moment, so nobody can start. Your position in the queue is kept: "
            "I will write to you when it goes on and it is your turn. There is nothing to do until then.",
            (guide,),
        )
    if status.study is StudyState.PAUSED:
        return Step(
            "The study is paused at the moment, so nobody can start. Your place in it is kept: press *Start* later.",
            (start, guide),
        )
    if status.position is not None and not status.called:
        return Step(f"{onboarding.place_in_queue(status.position)} There is nothing to do until then.", (guide,))
    if status.called:
        return Step("You were called. Press *Start* when you are ready: your time runs from then on.", (start, guide))
    return Step("Press *Start* when you have the time: the clock runs from then on.", (start, guide))


def _in_session(view: SessionView) -> Step:
    see_trials = buttons.history(view)
    if view.state is SessionState.FINISHED:
        text = (
            "You have taken part already. Thank you! There is nothing more to do: "
            "the researchers will tell you about the results."
        )
        return Step(text, (see_trials,) if view.trials else ())
    if view.state is SessionState.CHOOSING:
        return Step(
            f"Your time is up. Please choose your final configuration until "
            f"{clock_time(view.grace_ends_at or view.deadline)}; after that your best trial is taken.",
            (buttons.choose(view), see_trials),
        )
    running, until = view.unfinished, f"Your session runs until {clock_time(view.deadline)}."
    if running is not None:
        cancel = () if running.is_stopping else (buttons.cancel(running),)
        return Step(
            f"{until} {in_progress(view)} You can prepare the next configuration meanwhile.",
            (buttons.prepare_next(view), *cancel, see_trials, buttons.finish(view)),
        )
    guide = button("What do the settings do?", onboarding.GUIDE)
    return Step(
        f"{until} Press *New configuration* to train a network.",
        (buttons.new_configuration(view, buttons.WAY_ON), see_trials, buttons.finish(view), guide),
    )
