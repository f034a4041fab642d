"""How a researcher uses ``/study`` in the local workspace, and reads the answer."""

from bot.sandbox.client.person import Person
from bot.sandbox.client.screen import Message, View

PATIENCE = 60.0


def ask(person: Person, text: str, channel: str | None = None) -> Message:
    """Type ``/study`` with a text, and wait for the answer: the next message, in a channel one for them alone."""
    seen = max((each.ts for each in person.messages(channel)), default="")
    person.command("/study", text, channel)

    def answered() -> Message | None:
        answers = (each for each in person.messages(channel) if each.bot and each.ts > seen)
        return next((each for each in answers if channel is None or each.ephemeral), None)

    return person.wait_until(answered, PATIENCE, lambda: f"an answer to {text}")


def look(person: Person, text: str, title: str) -> View:
    """Type ``/study`` with a text that is answered in a modal of this title."""
    person.command("/study", text)
    return person.wait_for_modal(title, PATIENCE)


def answer(person: Person, question: Message, button: str, words: str) -> Message:
    """Press a button under a question, and wait until these words have taken its place."""
    person.press(question, button)

    def replaced() -> Message | None:
        found = person.message(question.ts, question.channel)
        return found if found is not None and words in found.text_of_everything else None

    return person.wait_until(replaced, PATIENCE, lambda: words)


def confirm(person: Person, text: str, yes: str) -> None:
    """Type ``/study`` with a text, and agree to what it would do; again if things have changed meanwhile."""
    question = ask(person, text)

    def answered() -> Message | None:
        found = person.message(question.ts, question.channel)
        return found if found is not None and found.text_of_everything != question.text_of_everything else None

    while yes in question.buttons:
        person.press(question, yes)
        question = person.wait_until(answered, PATIENCE, lambda: f"an answer to “{yes}”")
    assert "✅" in question.text_of_everything, question.text_of_everything


def text_of(message: Message) -> str:
    """The whole text of a message or view."""
    return message.text_of_everything
