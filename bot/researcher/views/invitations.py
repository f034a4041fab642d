"""What researchers read about invitations: who was reached, who was not, and what can be done about it."""

from collections.abc import Mapping, Sequence

from bot.slack.block_kit import Message, escape, section, series, shorten
from bot.study.invitations import Invitation, Invited
from storage.refusals import Reason

_IN_A_LINE = 50
_QUOTED = 60
_MOST_OTHERS = 20

_SENTENCES: Mapping[Invitation, str] = {
    Invitation.WRITTEN: "✅ I have written to {people}.",
    Invitation.WAITING: (
        "⏳ Not reached yet: {people}. Slack does not accept messages at the moment. I keep trying, so you need not do "
        "anything. `/study participants` shows who is not reached yet."
    ),
    Invitation.ALREADY: "Already in the study: {people}. There is nothing to do.",
    Invitation.LET_IN_AGAIN: (
        "✅ Had left the study, and may take part again, under a new code: {people}. I have written to them. "
        "This is in the event log."
    ),
    Invitation.LEFT: (
        "Left the study, so I did not write to them: {people}. Everybody takes part once. `/study invite again "
        "@somebody` lets somebody in again who left by mistake; it is put on record."
    ),
    Invitation.BOT: "A bot, so I did not write to it: {people}. Name people only.",
    Invitation.DEACTIVATED: (
        "The account is deactivated: {people}. Ask an admin of the workspace to activate it, and then invite again."
    ),
    Invitation.OTHER_ORGANISATION: (
        "From another organisation, and in no channel with me: {people}. Add them and me to one channel, or let an "
        "admin add them to the workspace as guests, and then invite again."
    ),
    Invitation.NOT_VISIBLE: (
        "I am not allowed to see them: {people}. Ask an admin of the workspace, or ask them to write to me."
    ),
    Invitation.UNKNOWN: (
        "Not in this workspace: {people}. Check the name: while you type @, Slack offers the people who are here."
    ),
    Invitation.NO_ANSWER: (
        "Slack does not answer at the moment, so I did not write to {people}. Invite them again in a few minutes."
    ),
    Invitation.STOPPED: "I was stopped before I could write to {people}. Invite them again when I am back.",
    Invitation.REFUSED: (
        "⚠️ Slack does not let me write to {people} (“{why}”). They are not invited. Ask an admin of the workspace "
        "whether I may write to them, and then invite them again."
    ),
    Invitation.FAILED: (
        "⚠️ Something went wrong on our side with {people} (code {why}). They are not invited. Invite them again. If it "
        "happens again, tell this code to the person who runs the bot."
    ),
    Invitation.NOT_NOW: "{why} I did not write to {people}.",
}

_NOT_NOW: Mapping[str, str] = {
    Reason.STUDY_NOT_OPEN: "The study has not opened yet. `/study open` opens it.",
    Reason.STUDY_PAUSED: "The study is paused. `/study resume` ends the pause.",
    Reason.NO_STUDY: "The study is closed, so nobody can join any more.",
}


def inviting(done: int, total: int) -> Message:
    """How far a long list of invitations is."""
    text = f"⏳ I am writing to {total} people. {done} are done."
    if done == total:
        text = f"I have gone through all {total} people. The result is below."
    return Message(text=text, blocks=(section(text),))


def inviting_begun(total: int, minutes: int) -> Message:
    """A long list of invitations was taken."""
    about = "about a minute" if minutes == 1 else f"about {minutes} minutes"
    text = (
        f"⏳ I am writing to {total} people. This takes {about}. "
        "In your direct messages with me you see how far I am, and then who was reached."
    )
    return Message(text=text, blocks=(section(text),))


def invited(outcomes: Sequence[Invited], others: Sequence[str]) -> list[Message]:
    """Who was reached, who was not and why, in as many messages as that takes.

    Args:
        outcomes: The outcome of each invitation.
        others: Words that do not name a person.
    """
    lines = []
    for outcome, sentence in _SENTENCES.items():
        whys = dict.fromkeys(each.why for each in outcomes if each.outcome is outcome)
        for why in whys:
            people = [f"<@{each.user}>" for each in outcomes if (each.outcome, each.why) == (outcome, why)]
            said = _NOT_NOW.get(why, "Nobody can join the study now.") if outcome is Invitation.NOT_NOW else why
            lines += [
                sentence.format(people=", ".join(people[first : first + _IN_A_LINE]), why=escape(said))
                for first in range(0, len(people), _IN_A_LINE)
            ]
    if others:
        words = ", ".join(f"“{escape(shorten(word, _QUOTED))}”" for word in others[:_MOST_OTHERS])
        more = f" and {len(others) - _MOST_OTHERS} more" if len(others) > _MOST_OTHERS else ""
        lines.append(f"Not a person: {words}{more}. Write every person as @name; groups and channels do not work.")
    reached = sum(each.outcome in (Invitation.WRITTEN, Invitation.LET_IN_AGAIN) for each in outcomes)
    return series(f"Invitations: {reached} of {len(outcomes)} people were reached.", lines)
