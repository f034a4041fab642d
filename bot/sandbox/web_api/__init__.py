"""Slack's Web API as far as a study bot calls it: one module per family of methods, :mod:`.dispatch` in front."""
