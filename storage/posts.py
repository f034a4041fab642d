"""Where the Slack messages are: the ts of the one about a session, a trial, …; the channel is Identity's to tell."""

from sqlmodel import col, select

from storage.database import Store
from storage.schema.tables import Post


def remember(store: Store, subject: str, *, ts: str, file_id: str | None = None) -> Post:
    """Note which message is about a subject such as ``trial:17``; a later one takes the place of an earlier one."""
    with store.write() as transaction:
        return transaction.merge(Post(subject=subject, ts=ts, file_id=file_id))


def claim(store: Store, subject: str) -> bool:
    """Reserve the message about a subject, so that it is posted once. Returns whether nobody had."""
    with store.write() as transaction:
        if transaction.get(Post, subject) is not None:
            return False
        transaction.add(Post(subject=subject, ts=""))
        return True


def find(store: Store, subject: str) -> Post | None:
    """The message about a subject, if one was posted."""
    with store.read() as transaction:
        return transaction.get(Post, subject)


def newest(store: Store, family: str) -> Post | None:
    """Of the posts about subjects that begin like this (``digest:``), the one that comes last by name."""
    query = select(Post).where(col(Post.subject).startswith(family, autoescape=True), Post.ts != "")
    with store.read() as transaction:
        return transaction.exec(query.order_by(col(Post.subject).desc())).first()


def show_file(store: Store, subject: str, file_id: str | None) -> str | None:
    """Note the picture that a message shows now. Returns the one it showed before; nothing when there is no message."""
    with store.write() as transaction:
        post = transaction.get(Post, subject)
        if post is None:
            return None
        before, post.file_id = post.file_id, file_id
        return before


def forget(store: Store, subject: str) -> None:
    """The message is gone; harmless when it was never noted."""
    with store.write() as transaction:
        post = transaction.get(Post, subject)
        if post is not None:
            transaction.delete(post)
