"""JSON as it goes between the workspace, the app and people."""

from typing import Any

Json = dict[str, Any]
"""JSON as it goes over Slack's wires: blocks, element states, payloads."""

Values = dict[str, dict[str, Json]]
"""The states of inputs in Slack's own form: block id → action id → state."""
