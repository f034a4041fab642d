"""Chromium, for the tests of pages."""

import os
import shutil

from playwright.sync_api import Browser, Playwright, expect

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")

PATIENCE_MS = 60_000.0
"""After so long something that should have appeared is taken not to appear; on a busy machine it takes seconds."""


def launch(playwright: Playwright) -> Browser:
    """Start Chromium: the one that ``BLACKMAGIC_CHROMIUM`` names, the system's, or Playwright's own.

    Raises:
        playwright.sync_api.Error: There is none.
    """
    expect.set_options(timeout=PATIENCE_MS)  # playwright's own five seconds are short on a busy machine
    path = os.environ.get("BLACKMAGIC_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    return playwright.chromium.launch(executable_path=path, args=list(QUIET))
