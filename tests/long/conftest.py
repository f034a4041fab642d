"""The whole bot in a local workspace, as the bot's own tests use it."""

from tests.bot.conftest import open_alone, open_house, shared
from tests.bot.runner.conftest import running

__all__ = ["open_alone", "open_house", "running", "shared"]
