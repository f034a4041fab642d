"""What systemd is told. A systemd that does not read holds nobody up."""

import socket

from bot.process.systemd import notify


def test_systemd_is_told_and_one_that_does_not_read_holds_nobody_up(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify("READY=1")
        assert systemd.recv(100) == b"READY=1"
        for _ in range(10_000):
            notify("WATCHDOG=1")
        assert systemd.recv(100) == b"WATCHDOG=1"


def test_without_systemd_nothing_happens(tmp_path, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("READY=1")
