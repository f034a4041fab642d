"""The consent text: what is said in every study, and what is left to fill in."""

import re
from collections.abc import Mapping

_KNOWN_AGAIN = (
    "So that everybody takes part once, we keep a code that is made from your Slack account with a secret key. "
    "It only tells that you took part, not what you did. It is destroyed when the study is closed."
)

WITHDRAWN_DATA: Mapping[str, str] = {
    "keep": (
        "If you leave the study, the link between your code and you is deleted at once; "
        f"what you did until then is kept under the code. The conversation in Slack stays. {_KNOWN_AGAIN}"
    ),
    "delete": (
        "If you leave the study, the link between your code and you is deleted at once, "
        "and so is everything that you entered and trained, and the bot’s messages about your session and its trials. "
        f"The rest of the conversation in Slack stays. {_KNOWN_AGAIN}"
    ),
}
"""What a participant agrees to, by ``study.withdrawn_data``."""

_WITHDRAWN_DATA_HERE = "{withdrawn_data}"
"""The place of that sentence in the consent text. Without it, the sentence comes last."""

_BLANK = re.compile(r"\[[^\[\]]*(?:[^\W\d_]|…|\.\.\.)[^\[\]]*\]")
"""Square brackets with a letter or dots in them. ``[1]`` is not one."""


def as_read(text: str, withdrawn_data: str) -> str:
    """The consent text as participants read it.

    Args:
        text: As it stands in its file.
        withdrawn_data: The rule about the data of people who leave: a key of :data:`WITHDRAWN_DATA`.
    """
    if _WITHDRAWN_DATA_HERE not in text:
        text = f"{text}\n\n{_WITHDRAWN_DATA_HERE}"
    return text.replace(_WITHDRAWN_DATA_HERE, WITHDRAWN_DATA[withdrawn_data])


def blanks_in(text: str) -> tuple[str, ...]:
    """The places that are left to fill in, each once, as they stand there: ``[the approval number]``."""
    return tuple(dict.fromkeys(" ".join(found.split()) for found in _BLANK.findall(text)))
