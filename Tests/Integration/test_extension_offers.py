"""Sec-WebSocket-Extensions as a header, RFC 6455 §9.1. The results of offers are in the conformance suite."""

import pytest

from support import frames
from support.programs import BENCH
from support.raw import RawConnection, open_websocket, upgrade_request
from support.server import Server

NO_LIST = {
    "an extension without a name": "; client_max_window_bits",
    "a name in quotes": '"permessage-deflate"',
    "a parameter behind a space": "permessage-deflate client_max_window_bits",
    "a quoted value without an end": 'permessage-deflate; server_max_window_bits="10',
    "an extension without a name behind a good one": "permessage-deflate, =",
    "a name that is not a token": "permessage/deflate",
}


@pytest.fixture(scope="module", params=["off", "shared", "dedicated"])
def server(request):
    with Server([BENCH["c"], "--port", 0, "--deflate", request.param]) as running:
        yield running


@pytest.fixture(scope="module")
def dedicated():
    with Server([BENCH["c"], "--port", 0, "--deflate", "dedicated"]) as running:
        yield running


@pytest.mark.parametrize("value", NO_LIST.values(), ids=NO_LIST)
def test_what_is_no_list_of_extensions_is_refused(server, value):
    with RawConnection(server.port) as connection:
        connection.send(upgrade_request(sec_websocket_extensions=value))
        assert connection.read_response().status == 400
        connection.expect_end_of_stream()


SPLIT = {
    "one line": ["foo, permessage-deflate; client_no_context_takeover"],
    "two lines": ["foo", "permessage-deflate; client_no_context_takeover"],
    "a first line of offers that are declined": [
        "foo; bar=2, permessage-deflate; x",
        "permessage-deflate; client_no_context_takeover, permessage-deflate",
    ],
    "an empty line": ["", "permessage-deflate; client_no_context_takeover"],
}


@pytest.mark.parametrize("values", SPLIT.values(), ids=SPLIT)
def test_offers_may_be_split_over_lines(dedicated, values):
    lines = "".join(f"Sec-WebSocket-Extensions: {value}\r\n" for value in values).encode()
    with RawConnection(dedicated.port) as connection:
        connection.send(upgrade_request()[:-2] + lines + b"\r\n")
        response = connection.read_response()
        assert response.status == 101
        assert response.header("Sec-WebSocket-Extensions") == "permessage-deflate; client_no_context_takeover"


def test_without_an_offer_nothing_is_compressed(dedicated):
    with open_websocket(dedicated.port) as connection:
        message = b"compressible " * 100
        connection.send_frame(frames.TEXT, message)
        assert connection.read_frame() == frames.Frame(frames.TEXT, message)
