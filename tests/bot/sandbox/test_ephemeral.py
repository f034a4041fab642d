"""Messages that only one person sees: for how long, and where."""

from bot.sandbox.client.person import Person


def tell(client, person, text="Only for you", **more):
    client.chat_postEphemeral(channel=person.direct_channel, user=person.id, text=text, **more)


def texts(messages):
    return [each.text for each in messages]


def test_an_ephemeral_message_is_gone_after_a_reload(client, person):
    tell(client, person)
    client.chat_postMessage(channel=person.id, text="To stay")
    assert texts(person.messages()) == ["Only for you", "To stay"]
    person.reload()
    assert texts(person.messages()) == ["To stay"]
    tell(client, person, "Again")
    assert person.last_ephemeral().text == "Again"


def test_an_ephemeral_message_reaches_no_client_that_is_opened_later(workspace, client, person):
    tell(client, person)
    phone = Person(workspace.page_url, person.id)
    assert phone.messages() == ()
    tell(client, person, "On every client")
    assert texts(phone.messages()) == ["On every client"]
    assert texts(person.messages()) == ["Only for you", "On every client"]
    assert workspace.person(person.id) is person  # the workspace hands out the client that is open


def test_an_ephemeral_reply_shows_where_a_thread_is_under_way(workspace, client, person):
    root = client.chat_postMessage(channel=person.id, text="Your session")["ts"]
    tell(client, person, "Before the first reply", thread_ts=root)
    client.chat_postMessage(channel=person.id, text="Trial 1", thread_ts=root)
    tell(client, person, "After it", thread_ts=root)
    assert texts(person.thread(root)) == ["Trial 1", "After it"]
    assert person.message(root).reply_count == 1
    assert "not shown" in [each.status for each in workspace.traffic("ephemeral message")]
