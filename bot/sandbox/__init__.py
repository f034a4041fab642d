"""A local Slack workspace: Slack's Web API, Socket Mode and the human side, on 127.0.0.1, in memory.

Start one with :class:`bot.sandbox.server.local_workspace.LocalWorkspace`; act in it with
:class:`bot.sandbox.client.person.Person`.
"""
