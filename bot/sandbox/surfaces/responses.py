"""What the app says in answer to a command or a press: a new message, or the message that was pressed, replaced."""

from bot.sandbox.connection.context import Context
from bot.sandbox.json_types import Json
from bot.sandbox.state.records import BOT_USER, Message, ResponseUrl
from bot.sandbox.surfaces.messages import change, checked_blocks, delete, post
from bot.sandbox.validation.errors import Refused


def respond(context: Context, url: ResponseUrl, content: Json) -> None:
    """Post, replace or delete as the app asks.

    Raises:
        Refused: The content is wrong, or the message it is to replace is gone.
    """
    original = _original(context, url)
    if content.get("delete_original"):
        if original is None:
            raise Refused("message_not_found")
        delete(context, original)
        return
    text = str(content.get("text") or "")
    blocks = checked_blocks(context.workspace, content.get("blocks"), text)
    if not text and blocks is None:
        raise Refused("no_text")
    if content.get("replace_original") and original is not None:
        change(context, original, text, blocks)
        return
    everybody = content.get("response_type") == "in_channel"
    post(
        context,
        url.channel,
        BOT_USER,
        text,
        blocks=blocks,
        thread_ts=content.get("thread_ts"),
        visible_to=None if everybody else url.user,
    )


def _original(context: Context, url: ResponseUrl) -> Message | None:
    return None if url.message_ts is None else context.workspace.message(url.channel, url.message_ts)
