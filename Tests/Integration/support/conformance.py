"""The rows of the conformance suite, played by a client of plain sockets against an echo server."""

import json
import os
import random
import socket
import subprocess
import zlib
from dataclasses import dataclass
from itertools import groupby

from support import frames
from support.frames import CLOSE
from support.programs import CONFORMANCE
from support.raw import ACCEPT, RawConnection, upgrade_request

RSV1 = 4


def repeated(pattern, total):
    """Bytes as the rows have them: a pattern, repeated and cut."""
    if not total:
        return b""
    pattern = bytes.fromhex(pattern)
    return (pattern * (total // len(pattern) + 1))[:total]


@dataclass(frozen=True)
class Row:
    mode: str
    max_message_size: int
    line: str  # the rest of it, read when it is played: all rows together are large

    @property
    def server(self):
        """The server settings that the row requires."""
        return self.mode, self.max_message_size


def rows():
    """All rows that can be played, by the server that they need."""
    dump = subprocess.run([CONFORMANCE, "--dump"], check=True, capture_output=True, text=True).stdout
    found = []
    for line in dump.splitlines():
        row = json.loads(line)
        found.append(Row(row["mode"], row["max_message_size"], line))
    found.sort(key=lambda row: row.server)
    return {server: list(group) for server, group in groupby(found, key=lambda row: row.server)}


def encoded(frame):
    """The client's bytes for a frame, with its own masking key unless the row has one."""
    if "raw" in frame:
        return bytes.fromhex(frame["raw"])
    mask = frame["mask"]
    key = os.urandom(4) if mask is True else bytes.fromhex(mask) if mask else None
    return frames.encode(
        frame["opcode"],
        repeated(*frame["payload"]),
        fin=frame["fin"],
        reserved=frame["reserved"],
        key=key,
        length_bits=frame["length_bits"],
        length=frame["claims"],
    )


def pieces_of(data, randomness):
    """The same bytes in up to nine pieces."""
    cuts = sorted(randomness.randrange(len(data) + 1) for _ in range(8)) if data else []
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)])]


class Inflater:
    """Inflates the server's messages with the window and the context that it promised, and no larger ones."""

    def __init__(self, row):
        self._bits = row["server_window_bits"]
        self._forgets = row["server_no_context_takeover"]
        self._context = None

    def message(self, payload):
        if self._context is None or self._forgets:
            self._context = zlib.decompressobj(-self._bits)
        message = self._context.decompress(payload + b"\x00\x00\xff\xff")
        assert not self._context.unused_data, "the compressed message goes on behind its end"
        return message


def expect_answer(frame, due, inflater):
    if "close" in due:
        assert frame.opcode == CLOSE, f"{frame} instead of a close"
        code, _ = frames.close_code(frame)
        assert code == due["close"], f"close code {code} instead of {due['close']}"
        return
    payload = repeated(*due["payload"])
    described = f"opcode {frame.opcode} with {len(frame.payload)} bytes"
    assert (frame.opcode, frame.fin) == (due["opcode"], True), f"{described} instead of opcode {due['opcode']}"
    assert frame.reserved == (RSV1 if due["is_compressed"] else 0), f"{described} has reserved bits {frame.reserved}"
    message = inflater.message(frame.payload) if due["is_compressed"] else frame.payload
    assert message == payload, f"{described} has another payload than the {len(payload)} bytes that are due"


def open_connection(port, row):
    connection = RawConnection(port)
    connection.send(upgrade_request(sec_websocket_extensions=row["offer"]))
    response = connection.read_response()
    assert (response.status, response.header("Sec-WebSocket-Accept")) == (101, ACCEPT), response
    answer = response.header("Sec-WebSocket-Extensions")
    assert answer == row["answer"], f"the offer was answered with {answer}"
    return connection


def send(connection, pieces, row):
    try:
        for piece in pieces:
            connection.send(piece)
        connection.socket.shutdown(socket.SHUT_WR)
    except OSError as error:
        # After the close handshake the server is gone; bytes behind the client's close frame may not be received.
        assert closes_cleanly(row), f"the server went away: {error}"


def closes_cleanly(row):
    return bool(row["answers"]) and "close" in row["answers"][-1] and not row["fails"]


def expect_end(connection, row):
    try:
        connection.expect_end_of_stream()
    except ConnectionResetError:
        assert closes_cleanly(row), "the stream was reset, which may destroy what was sent before"


def play(port, line, in_pieces):
    """Plays a row; raises an AssertionError, an EOFError or an OSError if the server does something else."""
    row = json.loads(line)
    data = b"".join(encoded(frame) for frame in row["frames"])
    randomness = random.Random(row["row"])
    inflater = Inflater(row)
    with open_connection(port, row) as connection:
        send(connection, pieces_of(data, randomness) if in_pieces else [data], row)
        for due in row["answers"]:
            expect_answer(connection.read_frame(), due, inflater)
        expect_end(connection, row)


def failure_of(port, row, ways=(False, True)):
    """Plays a row whole and in pieces; returns what went wrong, by the row's name, or None."""
    for in_pieces in ways:
        try:
            play(port, row.line, in_pieces)
        except (AssertionError, EOFError, OSError, zlib.error) as error:
            names = json.loads(row.line)
            return f"{names['file']}::{names['row']} ({'in pieces' if in_pieces else 'whole'}): {error!r:.300}"
    return None
