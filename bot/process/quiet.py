"""Keeps libraries quiet where a command says itself what went wrong."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quietly() -> Iterator[None]:
    """Keep libraries from logging what the command says in one sentence, such as that Slack refuses a token."""
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
