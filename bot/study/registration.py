"""The preregistration of the study that the settings describe."""

from datetime import date

from bot.settings.settings import Settings
from storage.refusals import Reason, Refused
from storage.registration.document import Registration


def registration(settings: Settings, day: date) -> Registration:
    """What is registered if the study opens on this day.

    Raises:
        Refused: A part of the analysis plan is still to be written (``PLAN_INCOMPLETE``); it is named.
    """
    blanks = settings.analysis.plan.blanks
    if blanks:
        is_empty = "is" if len(blanks) == 1 else "are"
        raise Refused(
            Reason.PLAN_INCOMPLETE,
            f"The study was not opened: {', '.join(f'`{each}`' for each in blanks)} {is_empty} still to be written in "
            "study.toml. It is registered before the first participant, so that the report can tell what was expected "
            "from what was found. Write it, and start the bot again.",
        )
    return Registration.now(
        study=settings.study.name,
        rules=settings.rules(),
        rules_hash=settings.rules_hash(),
        consent=settings.consent_text,
        day=day,
    )
