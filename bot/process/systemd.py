"""Tells systemd how the bot is: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html."""

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Send a state, such as ``READY=1``, to systemd. Without systemd (or its ``Type=notify``), nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # a name without a file
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.setblocking(False)  # a systemd that does not read must not hold the bot up
        out.connect(address)
        out.sendall(state.encode())
