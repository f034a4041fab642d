"""The whole bot in a local workspace, as the bot's own tests use it."""

from tests.bot.conftest import open_alone, open_house, shared

__all__ = ["open_alone", "open_house", "shared"]
