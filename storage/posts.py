"""Posts: which Slack message (its ts) is about a session, a trial, …"""

from collections.abc import Sequence
from datetime import datetime
from secrets import token_hex

from sqlmodel import col, select

from storage.database import Store
from storage.queries.button_values import value_of
from storage.schema.tables import Identity, PendingDeletion, Post, Session

ABOUT_TRIALS = ("trial:", "result:", "plot:")
"""How the subjects of messages about a trial begin."""

DIGEST = "digest:"
"""How the subjects of digests begin; the end of the time that the digest covers follows."""


def result_of(trial_id: int) -> str:
    """The subject of the message with a trial's result. The message about the trial while it runs is ``trial:17``."""
    return f"result:{trial_id}"


def plot_of(trial_id: int) -> str:
    """The subject of the message with a picture of a running trial's losses."""
    return f"plot:{trial_id}"


def mark_of(store: Store, participant_id: int, subject: str) -> str:
    """The mark by which a message to a participant is found again, such as one about ``notice:17``.

    Without the participant's link to Slack nobody can tell what a message was about, and every mark is another one.
    """
    with store.read() as transaction:
        identity = transaction.get(Identity, participant_id)
    return value_of(identity.button_key, f"message about {subject}") if identity is not None else token_hex(16)


def digest_until(post: Post) -> datetime:
    """The end of the time that a posted digest covers."""
    return datetime.fromisoformat(post.subject.removeprefix(DIGEST))


def remember(store: Store, subject: str, *, ts: str, file_id: str | None = None) -> Post:
    """Note which message is about a subject such as ``trial:17``. It replaces the one that was noted before."""
    with store.write() as transaction:
        return transaction.merge(Post(subject=subject, ts=ts, file_id=file_id))


def remember_for(
    store: Store, session_id: int, subject: str, *, channel: str, ts: str, file_id: str | None = None
) -> bool:
    """Note which message in a participant's conversation is about their session, or about a trial of it.

    If they left while it was posted, it is not noted. It is to be deleted if their data was.

    Args:
        channel: The conversation.

    Returns:
        Whether it is noted.
    """
    with store.write() as transaction:
        session = transaction.get(Session, session_id)
        if session is not None and transaction.get(Identity, session.participant_id) is not None:
            transaction.merge(Post(subject=subject, ts=ts, file_id=file_id))
            return True
        if session is None:
            transaction.add(PendingDeletion(channel=channel, ts=ts, file_id=file_id))
    store.scrub()
    return False


def forget(store: Store, subject: str) -> None:
    """Forget the message about a subject."""
    with store.write() as transaction:
        post = transaction.get(Post, subject)
        if post is not None:
            transaction.delete(post)


def find(store: Store, subject: str) -> Post | None:
    """The message about a subject; ``None`` if there is none. Its ``ts`` is empty while it is only reserved."""
    with store.read() as transaction:
        return transaction.get(Post, subject)


def of_family(store: Store, family: str) -> Sequence[Post]:
    """The posted messages about subjects that begin like this (``digest:``), in alphabetical order."""
    query = select(Post).where(col(Post.subject).startswith(family, autoescape=True), Post.ts != "")
    with store.read() as transaction:
        return transaction.exec(query.order_by(col(Post.subject))).all()


def newest(store: Store, family: str) -> Post | None:
    """Of the posted messages about subjects that begin like this (``start:``), the last in alphabetical order."""
    query = select(Post).where(col(Post.subject).startswith(family, autoescape=True), Post.ts != "")
    with store.read() as transaction:
        return transaction.exec(query.order_by(col(Post.subject).desc())).first()


def show_file(store: Store, subject: str, file_id: str | None) -> str | None:
    """Note the picture that a message shows now. Returns the one that it showed before; ``None`` when it showed none.

    Raises:
        LookupError: There is no message about this subject, or no longer: its participant had it deleted.
    """
    with store.write() as transaction:
        post = transaction.get(Post, subject)
        if post is None:
            raise LookupError(f"There is no message about {subject}.")
        before, post.file_id = post.file_id, file_id
        return before
