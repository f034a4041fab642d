"""The Home tab: a person's status, what they can do next, and their trials."""

from collections.abc import Sequence

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.participant.views import buttons, onboarding
from bot.participant.views.answers import words
from bot.participant.views.final_choice import trial_line
from bot.participant.views.next_step import next_step
from bot.slack.block_kit import actions, button, context, divider, header, home, paragraphs, percent, section
from bot.study.participant_status import ParticipantStatus
from storage.queries.history import SessionView
from storage.schema.states import ParticipantState, SessionState, StudyState

_MOST_TRIALS = 40
"""A view has 100 blocks and 250 kB; older trials are in the history."""

_MOST_CONSENT_SECTIONS = 80


def home_tab(status: ParticipantStatus, consent_text: str, *, researcher: Sequence[Block] = ()) -> View:
    """A person's Home tab.

    Args:
        status: The person's status.
        consent_text: What participants agree to.
        researcher: What only researchers see: above the rest for those who do not take part, below it for others.
    """
    blocks: list[Block] = [header("Your status")]
    if status.state is ParticipantState.INVITED and status.study is not StudyState.CLOSED:
        blocks += paragraphs(consent_text)[:_MOST_CONSENT_SECTIONS]
        blocks.append(actions([button("I agree", onboarding.AGREE, style="primary")], block_id="consent"))
    else:
        step = next_step(status)
        blocks += [section(step.text), *step.blocks(block_id="next")]
    if status.session is not None:
        blocks += _session(status.session)
    blocks += [divider(), context(words(status))]
    return home([*researcher, *blocks] if status.participant is None else [*blocks, *researcher])


def _session(view: SessionView) -> list[Block]:
    best = view.best
    so_far = f"*{len(view.trials)}* {'trial' if len(view.trials) == 1 else 'trials'}"
    if best is not None and best.validation_accuracy is not None:
        so_far += f" · best validation accuracy *{percent(best.validation_accuracy)}* (trial {best.number})"
    blocks: list[Block] = [section(so_far)]
    if view.choice is not None:
        which = f"trial {view.choice.trial_number}, " if view.choice.trial_number is not None else ""
        blocks.append(section(f"Your final choice: {which}{view.choice.summary}"))
    if not view.trials:
        return blocks
    blocks.append(header("Your trials"))
    for trial in reversed(view.trials[-_MOST_TRIALS:]):
        accessory = None
        if view.state is SessionState.ACTIVE and trial.state.is_finished:
            accessory = buttons.tune_from_here(trial)
        blocks.append(section(trial_line(trial), accessory=accessory))
    if len(view.trials) > _MOST_TRIALS:
        blocks.append(context(f"… and {len(view.trials) - _MOST_TRIALS} older ones: see *History*."))
    return blocks
