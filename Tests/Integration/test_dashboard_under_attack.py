"""What comes to the dashboard that is no viewer: hostile requests, broken frames, and viewers who read nothing."""

import contextlib
import json

import pytest
from test_metrics import HOSTILE
from test_metrics_are_exact import FAILURES

from support.frames import TEXT, encode
from support.programs import EXAMPLES
from support.raw import RawConnection, open_websocket, request, upgrade_request
from support.server import Server
from support.siege import KEPT, MEBIBYTE, besieged, crowd_of, expect_echo, scaled

PAGE, MOST_VIEWERS = "/jazzy", 64

# Of the rules that peers break, those that need compression have their tests elsewhere, as has a limit of frames.
BROKEN = {
    rule: sent
    for rule, (sent, _) in FAILURES.items()
    if sent and rule not in ("invalid_compression", "too_many_frames")
}


@pytest.fixture(scope="module")
def server():
    with Server([EXAMPLES["monitoring"], "--port", 0]) as server:
        yield server


def view(server, **options):
    return open_websocket(server.port, PAGE, **options)


def expect_figures(server):
    with view(server) as viewer:
        assert json.loads(viewer.read_frame().payload)["messages"]


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_requests_are_answered_as_on_any_page(server, attack):
    sent, status = HOSTILE[attack]
    with RawConnection(server.port) as client:
        client.send(sent.replace(b"/metrics", PAGE.encode()))
        # Most of them ask for a host of another name: that is none of this machine's.
        assert client.read_response().status in ((200, 101, 403) if status == 200 else (status,))
    expect_figures(server)


def test_broken_frames_end_their_viewer_alone(server):
    with besieged(server), view(server) as other:
        for sent in BROKEN.values():
            with view(server) as viewer:
                viewer.send(sent)
                with contextlib.suppress(EOFError, ConnectionError):
                    while True:
                        viewer.read_frame()
        for _ in range(2):
            assert json.loads(other.read_frame().payload)["messages"]


def test_what_viewers_send_costs_nothing(server):
    with besieged(server, peak=8 * MEBIBYTE), view(server) as flood:
        with contextlib.suppress(ConnectionError, TimeoutError):
            for _ in range(2_000):
                flood.send(encode(TEXT, b'{"kind": "x"}' * 100))
        expect_figures(server)


def test_many_viewers_who_read_nothing_keep_nobody_waiting(server):
    """So many may look; others are told so, and nobody who only talks to the server notices."""
    with besieged(server, kept=KEPT + 5 * MEBIBYTE):
        with crowd_of(MOST_VIEWERS, lambda: view(server, receive_buffer=4096)):
            for _ in range(scaled(500)):
                with RawConnection(server.port) as beyond:
                    beyond.send(upgrade_request(PAGE))
                    assert beyond.read_response().status == 503
            expect_echo(server)
            with RawConnection(server.port) as client:
                client.send(request(path=PAGE))
                assert client.read_response().status == 200
    expect_figures(server)
