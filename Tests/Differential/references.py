"""The same cases through the sans-I/O layers of two other implementations: websockets and wsproto."""

import zlib
from unittest import mock

import websockets.extensions.permessage_deflate
import websockets.protocol
import wsproto.extensions
from websockets.frames import Opcode
from wsproto.connection import SERVER, Connection, ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from outcome import CLOSED, FAILED, Outcome
from support import frames

FINAL_BLOCK = "a final block"
CONTROL_WITHIN_COMPRESSED = "a control frame within a compressed message"


class WatchedDecompressor:
    def __init__(self, decompressor, notes):
        self._decompressor = decompressor
        self._notes = notes

    def __getattr__(self, name):
        return getattr(self._decompressor, name)

    def decompress(self, *arguments):
        try:
            return self._decompressor.decompress(*arguments)
        finally:
            if self._decompressor.eof:
                self._notes.add(FINAL_BLOCK)


def watching(module, notes):
    """Has a module use zlib through us, so as to see where its decompressor takes a stream to be at an end."""

    def decompressobj(*arguments, **named):
        return WatchedDecompressor(zlib.decompressobj(*arguments, **named), notes)

    return mock.patch.object(module, "zlib", mock.Mock(wraps=zlib, error=zlib.error, decompressobj=decompressobj))


def answers_of(data):
    """The sent control frames."""
    position = 0

    def read_exactly(count):
        nonlocal position
        position += count
        return data[position - count : position]

    answers = []
    while position < len(data):
        frame = frames.decode(read_exactly)
        if frame.opcode == frames.PONG:
            answers.append(("pong", frame.payload))
        elif frame.opcode == frames.CLOSE:
            code, _ = frames.close_code(frame)
            answers.append(("close", 1005 if code is None else code))
    return answers


class WebsocketsServer(websockets.protocol.Protocol):
    """
    The sans-I/O layer of websockets, with what it leaves to its callers: joining fragments and decoding text, as its
    own connections do it.
    """

    def __init__(self, case, outcome):
        super().__init__(websockets.protocol.SERVER, max_size=case.max_message_size)
        self._outcome = outcome
        self._kind = None
        self._parts = []
        if case.deflate is not None:
            self.extensions = [
                websockets.extensions.permessage_deflate.PerMessageDeflate(
                    remote_no_context_takeover=case.deflate.client_no_context_takeover,
                    local_no_context_takeover=case.deflate.server_no_context_takeover,
                    remote_max_window_bits=case.deflate.client_max_window_bits,
                    local_max_window_bits=case.deflate.server_max_window_bits,
                )
            ]

    def recv_frame(self, frame):
        super().recv_frame(frame)
        match frame.opcode:
            case Opcode.PING:
                self._outcome.events.append(("ping", bytes(frame.data)))
            case Opcode.PONG:
                self._outcome.events.append(("pong", bytes(frame.data)))
            case Opcode.CLOSE:
                self._outcome.end, self._outcome.code = CLOSED, self.close_rcvd.code
                self._outcome.reason = self.close_rcvd.reason.encode()
            case _:
                self._take_data_frame(frame)

    def _take_data_frame(self, frame):
        if frame.opcode is not Opcode.CONT:
            self._kind = "text" if frame.opcode is Opcode.TEXT else "binary"
        self._parts.append(bytes(frame.data))
        if frame.fin:
            payload, self._parts = b"".join(self._parts), []
            if self._kind == "text":
                payload.decode()
            self._outcome.events.append((self._kind, payload))

    def fail(self, code, reason=""):
        self._outcome.end, self._outcome.code, self._outcome.why = FAILED, int(code), reason
        super().fail(code, reason)


def run_websockets(case):
    outcome = Outcome()
    with watching(websockets.extensions.permessage_deflate, outcome.notes):
        server = WebsocketsServer(case, outcome)
        for number, feed in enumerate(case.feeds):
            if number == case.close_before and server.state is websockets.protocol.OPEN:
                server.send_close(1000)
            server.receive_data(feed)
    outcome.answers = answers_of(b"".join(server.data_to_send()))
    return outcome


class WatchedWsprotoDeflate(wsproto.extensions.PerMessageDeflate):
    def __init__(self, deflate, notes):
        super().__init__(
            client_no_context_takeover=deflate.client_no_context_takeover,
            client_max_window_bits=deflate.client_max_window_bits,
            server_no_context_takeover=deflate.server_no_context_takeover,
            server_max_window_bits=deflate.server_max_window_bits,
        )
        self._enabled = True
        self._notes = notes

    def frame_inbound_complete(self, proto, fin):
        if self._inbound_compressed and not self._inbound_is_compressible:
            self._notes.add(CONTROL_WITHIN_COMPRESSED)
        return super().frame_inbound_complete(proto, fin)


class WsprotoServer:
    """wsproto's connection, answered as its documentation asks of its callers."""

    def __init__(self, case, outcome):
        extensions = [] if case.deflate is None else [WatchedWsprotoDeflate(case.deflate, outcome.notes)]
        self._connection = Connection(SERVER, extensions)
        self._outcome = outcome
        self._sent = b""
        self._parts = []

    def close(self):
        if self._connection.state is ConnectionState.OPEN:
            self._sent += self._connection.send(CloseConnection(1000))

    def receive(self, feed):
        if self._outcome.end in (CLOSED, FAILED):
            return
        self._connection.receive_data(feed)
        for event in self._connection.events():
            self._take(event)
        self._outcome.answers = answers_of(self._sent)

    def _take(self, event):
        match event:
            case Ping():
                self._outcome.events.append(("ping", bytes(event.payload)))
                if self._connection.state is ConnectionState.OPEN:
                    self._sent += self._connection.send(event.response())
            case Pong():
                self._outcome.events.append(("pong", bytes(event.payload)))
            case TextMessage() | BytesMessage():
                self._take_part(event)
            case CloseConnection():
                self._end(event)

    def _take_part(self, event):
        is_text = isinstance(event, TextMessage)
        self._parts.append(event.data.encode() if is_text else bytes(event.data))
        if event.message_finished:
            self._outcome.events.append(("text" if is_text else "binary", b"".join(self._parts)))
            self._parts = []

    def _end(self, event):
        outcome = self._outcome
        outcome.code = int(event.code)
        if self._connection.state in (ConnectionState.REMOTE_CLOSING, ConnectionState.CLOSED):
            outcome.end, outcome.reason = CLOSED, event.reason.encode()
        else:
            outcome.end, outcome.why = FAILED, event.reason
        if self._connection.state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
            self._sent += self._connection.send(CloseConnection(event.code))


def run_wsproto(case):
    outcome = Outcome()
    with watching(wsproto.extensions, outcome.notes):
        server = WsprotoServer(case, outcome)
        for number, feed in enumerate(case.feeds):
            if number == case.close_before:
                server.close()
            server.receive(feed)
    return outcome


REFERENCES = {"websockets": run_websockets, "wsproto": run_wsproto}
