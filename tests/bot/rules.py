"""How strict the workspace is in which the bot is tested."""

from bot.sandbox.validation.strictness import SLACK_LIMITS, Rules

HURRIED = {
    "chat.postMessage": 3000,
    "chat.update": 500,
    "conversations.open": 500,
    "chat.delete": 500,
    "files.delete": 500,
    "views.open": 1000,
    "views.update": 1000,
}
"""Calls a minute, ten times what Slack allows: people do in seconds here what takes others minutes."""

RULES = Rules(
    ack_seconds=20.0,
    trigger_seconds=20.0,
    file_processing_seconds=0.05,
    file_sharing_seconds=0.05,
    ping_seconds=0.1,
    limits={**SLACK_LIMITS, **HURRIED},
    posts_per_second=10,
    post_burst=50,
)
"""Slack's own limits, except for these.

Waits that would only slow a test down are shorter. A machine that does many things at once may need more than the three
seconds that Slack gives for an acknowledgement and a form: tests of their own look at these.
"""
