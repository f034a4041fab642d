"""The connection to Slack: it may break at any moment, without a goodbye."""

import threading

from slack_bolt import App

from bot.sandbox.server.local_workspace import LocalWorkspace
from bot.sandbox.validation.strictness import Rules
from bot.slack import bolt
from bot.slack.client import PacedClient
from bot.slack.rate_limiter import RateLimiter

PATIENCE = 25.0
"""Seconds. The SDK's client needs fifty by itself."""


def test_a_bot_whose_connection_breaks_twice_in_a_minute_hears_people_again_soon():
    heard = threading.Event()

    def listen(app: App) -> None:
        @app.event("message")
        def anything():
            heard.set()

    with LocalWorkspace(rules=Rules(limits=None, ping_seconds=0.1)) as workspace:
        limiter = RateLimiter()
        app = bolt.make_app(PacedClient(workspace.bot_token, workspace.api_url, limiter))
        listen(app)
        handler = bolt.make_handler(app, workspace.app_token)
        handler.connect()
        try:
            workspace.wait_for_app()
            person = workspace.person("First participant")
            for _ in range(2):
                workspace.drop_connections()
                person.wait_until(lambda: workspace.connections == 0, PATIENCE)
                person.wait_until(lambda: workspace.connections == 1, PATIENCE)
            person.say("hello")
            assert heard.wait(PATIENCE)
        finally:
            bolt.close_connection(handler)
            limiter.close()
