"""Files of the workspace as pictures inside blocks: which a block shows, and what one person sees of them."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from bot.sandbox.json_types import Json
from bot.sandbox.state.records import File
from bot.sandbox.state.workspace import Workspace


def file_ids(part: Any) -> Iterator[str]:
    """The files that blocks show, wherever in them a picture stands."""
    if isinstance(part, list):
        for each in part:
            yield from file_ids(each)
    elif isinstance(part, dict):
        if _shows_file(part):
            yield str(part["slack_file"].get("id"))
        for each in part.values():
            yield from file_ids(each)


def as_seen(workspace: Workspace, part: Any, user: str) -> Any:
    """Blocks as this person's client draws them.

    A picture has an address that the client can fetch; one of a file that is gone, or that nobody showed to this
    person, has none and is ``broken``.
    """
    if isinstance(part, list):
        return [as_seen(workspace, each, user) for each in part]
    if not isinstance(part, dict):
        return part
    seen: Json = {key: as_seen(workspace, value, user) for key, value in part.items()}
    if _shows_file(part):
        file = workspace.files.get(str(part["slack_file"].get("id")))
        whole = file is not None and workspace.may_see(file, user)
        seen |= {"image_url": file_url(file, user) if file is not None and whole else None, "broken": not whole}
    return seen


def file_url(file: File, user: str) -> str:
    """Where this person's client fetches a file, relative to the workspace."""
    return f"/ui/{user}/files/{file.id}/{quote(file.name)}"


def _shows_file(part: Json) -> bool:
    return part.get("type") == "image" and isinstance(part.get("slack_file"), dict)
