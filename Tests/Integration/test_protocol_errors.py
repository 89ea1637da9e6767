"""Rules of RFC 6455 that a client can break: the close code that comes back, and that the connection then ends."""

import struct

import pytest

from support import frames
from support.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, encode, encode_close
from support.raw import open_websocket

PROTOCOL_ERROR, INVALID_PAYLOAD, MESSAGE_TOO_BIG = 1002, 1007, 1009

BROKEN = {
    "a text that is not masked, §5.1": (encode(TEXT, b"hello", key=None), PROTOCOL_ERROR),
    "an empty message that is not masked": (encode(TEXT, key=None), PROTOCOL_ERROR),
    "a ping that is not masked": (encode(PING, b"hello", key=None), PROTOCOL_ERROR),
    "a close that is not masked": (encode_close(1000, key=None), PROTOCOL_ERROR),
    "RSV1 without an extension, §5.2": (encode(TEXT, b"hello", reserved=4), PROTOCOL_ERROR),
    "RSV2": (encode(TEXT, b"hello", reserved=2), PROTOCOL_ERROR),
    "RSV3": (encode(TEXT, b"hello", reserved=1), PROTOCOL_ERROR),
    "RSV1 on a control frame": (encode(PING, b"hello", reserved=4), PROTOCOL_ERROR),
    **{
        f"opcode {opcode}": (encode(opcode, b"hello"), PROTOCOL_ERROR)
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    },
    "5 bytes of length in 16 bits": (encode(TEXT, b"hello", length_bits=16), PROTOCOL_ERROR),
    "5 bytes of length in 64 bits": (encode(TEXT, b"hello", length_bits=64), PROTOCOL_ERROR),
    "125 bytes of length in 16 bits": (encode(TEXT, b"x" * 125, length_bits=16), PROTOCOL_ERROR),
    "65535 bytes of length in 64 bits": (encode(TEXT, b"x" * 65535, length_bits=64), PROTOCOL_ERROR),
    "a control frame's length in 16 bits": (encode(PING, b"hello", length_bits=16), PROTOCOL_ERROR),
    "a length with its first bit set": (encode(BINARY, length_bits=64, length=1 << 63), PROTOCOL_ERROR),
    "a ping in fragments, §5.5": (encode(PING, b"hello", fin=False), PROTOCOL_ERROR),
    "a pong in fragments": (encode(PONG, b"hello", fin=False), PROTOCOL_ERROR),
    "a close in fragments": (encode_close(1000, fin=False), PROTOCOL_ERROR),
    "a ping of 126 bytes": (encode(PING, b"x" * 126), PROTOCOL_ERROR),
    "a close of 126 bytes": (encode_close(1000, b"x" * 124), PROTOCOL_ERROR),
    "a continuation of nothing, §5.4": (encode(CONTINUATION, b"hello"), PROTOCOL_ERROR),
    "a message within a message": (encode(TEXT, b"hello", fin=False) + encode(TEXT, b"x"), PROTOCOL_ERROR),
    "a close frame of one byte, §5.5.1": (encode(CLOSE, b"\x03"), PROTOCOL_ERROR),
    **{
        f"close code {code} on the wire, §7.4": (encode_close(code), PROTOCOL_ERROR)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
    "a close reason that is not UTF-8": (encode_close(1000, b"\xff"), INVALID_PAYLOAD),
    "a text that is not UTF-8, §8.1": (encode(TEXT, b"hello \xff"), INVALID_PAYLOAD),
    "a text with a surrogate": (encode(TEXT, b"\xed\xa0\x80"), INVALID_PAYLOAD),
    "a text with an overlong character": (encode(TEXT, b"\xc0\xaf"), INVALID_PAYLOAD),
    "a text beyond Unicode": (encode(TEXT, b"\xf4\x90\x80\x80"), INVALID_PAYLOAD),
    "a text that ends within a character": (encode(TEXT, b"hello \xe4\xb8"), INVALID_PAYLOAD),
    "fragments that end within a character": (
        encode(TEXT, b"\xe4", fin=False) + encode(CONTINUATION, b"\xb8"),
        INVALID_PAYLOAD,
    ),
    "a fragment with an impossible byte, though the message goes on": (
        encode(TEXT, b"\xe4", fin=False) + encode(CONTINUATION, b"x", fin=False),
        INVALID_PAYLOAD,
    ),
    "a length beyond the limit, before its payload": (encode(BINARY, length_bits=64, length=1 << 40), MESSAGE_TOO_BIG),
    "one byte more than the limit": (encode(BINARY, length_bits=64, length=(16 << 20) + 1), MESSAGE_TOO_BIG),
    "fragments that grow beyond the limit": (
        encode(BINARY, b"x", fin=False) + encode(CONTINUATION, length_bits=64, length=16 << 20),
        MESSAGE_TOO_BIG,
    ),
}


@pytest.mark.parametrize(("data", "code"), BROKEN.values(), ids=BROKEN)
def test_breaking_a_rule_closes_with_its_code(bench, data, code):
    with open_websocket(bench.port) as connection:
        connection.send(data)
        assert connection.read_close()[0] == code
        connection.expect_end_of_stream()


@pytest.mark.parametrize(("data", "code"), BROKEN.values(), ids=BROKEN)
def test_breaking_a_rule_byte_by_byte_closes_with_its_code(bench, data, code):
    with open_websocket(bench.port) as connection:
        # A long payload goes in one piece; the bytes before it and the end come one at a time.
        pieces = [bytes([byte]) for byte in data[:20]] + [data[20:-1], data[-1:]]
        try:
            for piece in pieces:
                connection.send(piece)
        except ConnectionError:
            pass  # the server may have read enough; its output is read below
        assert connection.read_close()[0] == code


def test_the_close_frame_arrives_although_the_client_goes_on_sending(bench):
    with open_websocket(bench.port) as connection:
        connection.send(encode(TEXT, b"hello", key=None) + encode(BINARY, b"x" * 300_000) * 4)
        assert connection.read_close()[0] == PROTOCOL_ERROR
        connection.expect_end_of_stream()


def test_a_whole_message_cannot_be_continued(bench):
    with open_websocket(bench.port) as connection:
        connection.send(encode(TEXT, b"whole") + encode(CONTINUATION, b"more"))
        assert connection.read_frame() == frames.Frame(TEXT, b"whole")
        assert connection.read_close()[0] == PROTOCOL_ERROR
        connection.expect_end_of_stream()


def test_nothing_is_echoed_after_a_broken_rule(bench):
    with open_websocket(bench.port) as connection:
        connection.send(encode(TEXT, b"before") + encode(3) + encode(TEXT, b"after"))
        assert connection.read_frame() == frames.Frame(TEXT, b"before")
        assert connection.read_close()[0] == PROTOCOL_ERROR
        connection.expect_end_of_stream()


def test_nothing_is_echoed_after_a_close(bench):
    with open_websocket(bench.port) as connection:
        connection.send(encode_close(1000) + encode(TEXT, b"after") + encode(PING, b"after"))
        assert connection.read_close()[0] == 1000
        connection.expect_end_of_stream()


def test_the_close_frame_says_what_was_wrong(bench):
    with open_websocket(bench.port) as connection:
        connection.send(encode(TEXT, b"hello", key=None))
        code, reason = connection.read_close()
        assert (code, "mask" in reason) == (PROTOCOL_ERROR, True), reason


def test_a_close_without_a_code_is_answered_without_one(bench):
    with open_websocket(bench.port) as connection:
        connection.send(encode_close())
        assert connection.read_close() == (None, "")
        connection.expect_end_of_stream()


def test_control_frames_between_fragments_are_answered_between_them(bench):
    with open_websocket(bench.port) as connection:
        connection.send(
            encode(TEXT, b"one ", fin=False)
            + encode(PING, b"1")
            + encode(CONTINUATION, b"two ", fin=False)
            + encode(PONG, b"unasked")
            + encode(PING, b"2")
            + encode(CONTINUATION, b"three")
        )
        assert connection.read_frame() == frames.Frame(PONG, b"1")
        assert connection.read_frame() == frames.Frame(PONG, b"2")
        assert connection.read_frame() == frames.Frame(TEXT, b"one two three")


def test_a_close_between_fragments_closes(bench):
    with open_websocket(bench.port) as connection:
        connection.send(encode(TEXT, b"one ", fin=False) + encode_close(1000, b"never mind"))
        assert connection.read_close()[0] == 1000
        connection.expect_end_of_stream()


def test_a_character_may_be_cut_by_fragments(bench):
    text = "世界🎷".encode()
    with open_websocket(bench.port) as connection:
        for index, byte in enumerate(text):
            opcode = TEXT if index == 0 else CONTINUATION
            connection.send_frame(opcode, bytes([byte]), fin=index == len(text) - 1)
        assert connection.read_frame() == frames.Frame(TEXT, text)


def test_frames_may_come_byte_by_byte(bench):
    message = bytes(range(200))
    with open_websocket(bench.port) as connection:
        for byte in encode(BINARY, message) + encode(PING, b"x" * 125) + encode_close(3000, b"done"):
            connection.send(bytes([byte]))
        assert connection.read_frame() == frames.Frame(BINARY, message)
        assert connection.read_frame() == frames.Frame(PONG, b"x" * 125)
        assert connection.read_close()[0] == 3000


def test_masking_keys_of_all_kinds_are_applied(bench):
    with open_websocket(bench.port) as connection:
        for key in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04", struct.pack("!I", 0xDEADBEEF)):
            connection.send_frame(BINARY, bytes(range(251)) * 5, key=key)
            assert connection.read_frame().payload == bytes(range(251)) * 5
