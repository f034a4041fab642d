"""Who may use the local workspace: its own page and its clients, under its own name, with the key of this start."""

import http.client
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from slack_sdk import WebClient

from bot.sandbox.client.person import Person, WorkspaceError
from bot.sandbox.server.access import KEY
from bot.sandbox.server.local_workspace import LocalWorkspace

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def key_of(workspace: LocalWorkspace) -> str:
    return parse_qs(urlsplit(workspace.page_url).query)["key"][0]


def asked(workspace, path="/ui/people", verb="GET", body=None, **headers):
    """The status of an answer, its headers and its text. Underscores in names of headers stand for dashes."""
    address = urlsplit(workspace.url).netloc
    connection = http.client.HTTPConnection(address)
    connection.putrequest(verb, path, skip_host=True)
    sent = {"Host": address} | {name.replace("_", "-"): value for name, value in headers.items()}
    content = b"" if body is None else json.dumps(body).encode()
    for name, value in (sent | {"Content-Length": str(len(content))}).items():
        connection.putheader(name, value)
    connection.endheaders(content)
    answer = connection.getresponse()
    found = answer.status, answer.headers, "" if answer.status == 101 else answer.read().decode()
    connection.close()
    return found


def keyed(workspace, **headers):
    return {KEY: key_of(workspace), **headers}


def said(workspace) -> int:
    return sum(len(workspace.person(each.id).messages()) for each in workspace.people)


def port(workspace) -> int:
    return urlsplit(workspace.url).port


def test_under_another_name_it_answers_nothing(workspace):
    for host in ("evil.example", f"evil.example:{port(workspace)}", "127.0.0.1.evil.example", "127.0.0.1:1", ""):
        for path in ("/", "/ui/people", "/page/js/app.js", "/api/auth.test", "/link/?ticket=x", "/files/F1/x"):
            status, _, text = asked(workspace, path, **keyed(workspace, Host=host))
            assert status == 403
            assert "nothing else" in text


def test_nobody_else_posts_as_the_researcher(workspace):
    researcher = workspace.person("Researcher")
    before = said(workspace)
    body = {"channel": researcher.direct_channel, "text": "so be it"}
    path = f"/ui/{researcher.id}/messages"
    for headers in (
        keyed(workspace, Host=f"evil.example:{port(workspace)}"),  # a name that leads to 127.0.0.1
        keyed(workspace, Origin="https://evil.example"),
        keyed(workspace, Origin="null"),
        keyed(workspace, Origin=workspace.url.replace("http:", "https:")),
        keyed(
            workspace, Origin=f"http://localhost:{port(workspace)}"
        ),  # another origin than the one that it is called by
        keyed(workspace, Sec_Fetch_Site="cross-site"),
        keyed(workspace, Sec_Fetch_Site="same-site"),  # another port of this machine
        {},  # another user of this machine
        {KEY: "x" * 43},
        {"Cookie": f"workspace_key_{port(workspace)}=x"},
    ):
        assert asked(workspace, path, "POST", body, **headers)[0] == 403
    assert said(workspace) == before
    assert asked(workspace, path, "POST", body, **keyed(workspace, Origin=workspace.url))[0] == 200
    assert said(workspace) > before


def test_the_printed_address_opens_the_page_and_only_that(workspace):
    status, headers, _ = asked(workspace, f"/?key={key_of(workspace)}")
    assert (status, headers["Location"]) == (303, "/"), "the key is not in the page's address"
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    cookie = cookie.partition(";")[0]
    assert asked(workspace, "/", Cookie=cookie)[0] == 200
    assert asked(workspace, Cookie=cookie, Origin=workspace.url, Sec_Fetch_Site="same-origin")[0] == 200
    assert asked(workspace, Cookie=cookie, Host=f"localhost:{port(workspace)}")[0] == 200
    for path in ("/", "/?key=x", "/?key="):
        status, _, text = asked(workspace, path)
        assert status == 403
        assert "Open the address that the last start printed." in text


def test_the_key_is_new_at_every_start(workspace):
    with LocalWorkspace() as other:
        assert key_of(other) != key_of(workspace)
        assert len(key_of(other)) >= 40
        stranger = Person(f"{other.url}/?key={key_of(workspace)}", other.people[0].id)
        with pytest.raises(WorkspaceError, match="Open the address"):
            stranger.messages()
        assert key_of(other) not in repr(stranger) + repr(other)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Origin": "null"},
    ],
)
def test_a_connection_that_another_page_opens_is_refused(workspace, headers):
    opened = WebClient(base_url=workspace.api_url).apps_connections_open(app_token=workspace.app_token)
    link = urlsplit(opened["url"])
    path = f"{link.path}?{link.query}"
    assert asked(workspace, path, **UPGRADE, **headers)[0] == 403
    assert workspace.connections == 0
    assert asked(workspace, path, **UPGRADE)[0] == 101, "the ticket was not used up"


def test_looking_changes_nothing(workspace):
    """Whatever is fetched with GET: another page may make a browser do that."""
    person = workspace.people[0].id
    before = len(workspace.traffic())
    for path in (
        "conversations",
        "home",
        "views",
        "changes?wait=0",
        "messages",
        "act",
        "command",
        "read",
        "home/opened",
    ):
        asked(workspace, f"/ui/{person}/{path}", **keyed(workspace))
    assert asked(workspace, f"/ui/{person}/messages", "PUT", {}, **keyed(workspace))[0] == 405
    for path in ("act", "command", "read", "home/opened", "views/V1/submit", "views/V1/close", "views/V1/input"):
        assert asked(workspace, f"/ui/{person}/{path}", **keyed(workspace))[0] == 405
    assert len(workspace.traffic()) == before
