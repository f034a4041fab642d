"""Listener of ``/study``: for researchers only."""

from typing import Any

from slack_bolt import Ack, App

from bot.researcher import views
from bot.study import Study
from storage import history
from storage.refusal import Refused

COMMAND = "/study"

NOT_FOR_YOU = (
    "`/study` is for the researchers who run the study. If you take part in it, write me a direct message: "
    "I will show you where you stand and what comes next."
)


def register(app: App, study: Study) -> None:
    """Listen to ``/study``."""

    def command(ack: Ack, body: dict[str, Any]) -> None:
        ack(response_type="ephemeral", text=_answer(study, body["user_id"], body.get("text", "")))

    app.command(COMMAND)(command)


def _answer(study: Study, user: str, text: str) -> str:
    if user not in study.settings.slack.researchers:
        return NOT_FOR_YOU
    words = text.split()
    if words[:1] != ["status"]:
        return f"{views.HELP}" if not words or words[0] == "help" else f"I do not know “{words[0]}”.\n{views.HELP}"
    try:
        return views.status(history.status(study.store), study.parts.jobs.slots_ready, study.settings.machine.slots)
    except Refused as refused:
        return str(refused)
