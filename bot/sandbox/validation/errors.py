"""How Slack says no to the app: an error's name, and details in ``response_metadata``."""

from typing import Any


class Refused(Exception):
    """A call that Slack does not carry out.

    Attributes:
        error: Slack's name for it, such as ``channel_not_found``.
        messages: What exactly is wrong, as in ``response_metadata.messages``.
        extra: More fields of the answer, such as ``needed`` and ``provided`` of ``missing_scope``.
    """

    def __init__(self, error: str, messages: list[str] | None = None, **extra: Any) -> None:
        self.error = error
        self.messages = messages or []
        self.extra = extra
        super().__init__(" ".join([error, *self.messages]))

    def as_json(self) -> dict[str, Any]:
        """The answer's body."""
        body: dict[str, Any] = {"ok": False, "error": self.error} | self.extra
        if self.messages:
            body["response_metadata"] = {"messages": self.messages}
        return body
