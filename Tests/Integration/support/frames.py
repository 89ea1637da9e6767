"""Frames of RFC 6455 §5.2, written by hand, so that a test can also write wrong ones."""

import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


@dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes = b""
    fin: bool = True
    reserved: int = 0


def apply_mask(payload, key):
    if not payload:
        return b""
    whole_key = (key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(whole_key, "big")).to_bytes(len(payload), "big")


def encode_length(length, bits=None):
    """The 7 bits and what follows them; `bits` (7, 16, 64) takes another form than the shortest."""
    if bits is None:
        bits = 7 if length < 126 else 16 if length < 65536 else 64
    if bits == 7:
        return length, b""
    return (126, struct.pack("!H", length)) if bits == 16 else (127, struct.pack("!Q", length))


def encode(opcode, payload=b"", *, fin=True, reserved=0, key=b"\x37\xfa\x21\x3d", length_bits=None, length=None):
    """A client's frame. `key` None leaves it unmasked; `length` claims another length than the payload's."""
    field, extended = encode_length(len(payload) if length is None else length, length_bits)
    head = bytes([fin << 7 | reserved << 4 | opcode, (key is not None) << 7 | field]) + extended
    return head + payload if key is None else head + key + apply_mask(payload, key)


def encode_close(code=None, reason=b"", **options):
    return encode(CLOSE, b"" if code is None else struct.pack("!H", code) + reason, **options)


def close_code(frame):
    """The code and reason of a close frame; None means no code."""
    assert frame.opcode == CLOSE, frame
    if not frame.payload:
        return None, ""
    return struct.unpack("!H", frame.payload[:2])[0], frame.payload[2:].decode()


def decode(read_exactly):
    """Reads one of the server's frames, and insists on what §5.1 and §5.2 ask of a server."""
    first, second = read_exactly(2)
    assert not second & 0x80, "a server must not mask"
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", read_exactly(2))
        assert length >= 126, "the length is not in its shortest form"
    elif length == 127:
        (length,) = struct.unpack("!Q", read_exactly(8))
        assert length >= 65536, "the length is not in its shortest form"
    return Frame(first & 0x0F, read_exactly(length), bool(first & 0x80), first >> 4 & 0x7)
