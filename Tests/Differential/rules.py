"""Every rule that a client can break, and streams at the edges of the rules, in several surroundings each."""

import random
import zlib
from dataclasses import dataclass

from streams import AGREEMENTS, MAX_MESSAGE, Case, Client, Deflate
from support import frames
from support.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, encode, encode_close

RSV1, RSV2, RSV3 = 0b100, 0b010, 0b001

# Ill-formed in each of the ways of Unicode 15, table 3-7.
NOT_UTF8 = {
    "a continuation byte first": b"\x80",
    "an overlong slash": b"\xc0\xaf",
    "an overlong three-byte character": b"\xe0\x9f\xbf",
    "a surrogate": b"\xed\xa0\x80",
    "an overlong four-byte character": b"\xf0\x8f\xbf\xbf",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
    "a byte that is never used": b"\xff",
    "a character that is cut off": b"\xce",
    "a character that another one interrupts": b"\xe4\xb8A",
}

CODES_NOT_TO_BE_SENT = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
CODES_TO_BE_SENT = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)


def raw_deflate(payload, level=6):
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


def final_deflate(payload):
    """With BFINAL set, and the byte that begins the empty block after it (RFC 7692 §7.2.3.4)."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return compressor.compress(payload) + compressor.flush(zlib.Z_FINISH) + b"\x00"


@dataclass(frozen=True)
class Breach:
    name: str
    failure: str
    frames: bytes
    is_compressed: bool = False  # whether compression was agreed on
    begins_message: bool = False  # whether it cannot stand between fragments
    is_unfinished: bool = False  # whether nothing can stand behind it


def breaches_of_headers():
    for name, reserved in (("RSV1", RSV1), ("RSV2", RSV2), ("RSV3", RSV3), ("RSV1 and RSV2", RSV1 | RSV2)):
        yield Breach(f"{name} on text", "reserved bits", encode(TEXT, b"x", reserved=reserved), begins_message=True)
        yield Breach(f"{name} on a ping", "reserved bits", encode(PING, b"x", reserved=reserved), is_compressed=True)
    for opcode in (*range(3, 8), *range(11, 16)):
        yield Breach(f"opcode {opcode}", "reserved opcode", encode(opcode, b"x"))
    for opcode in (TEXT, PING, CLOSE):
        yield Breach(f"opcode {opcode} unmasked", "not masked", encode(opcode, b"", key=None))
    for size, bits in ((0, 16), (125, 16), (0, 64), (125, 64), (126, 64)):
        name = f"{size} bytes told in {bits} bits"
        yield Breach(name, "length not minimal", encode(BINARY, bytes(size), length_bits=bits), begins_message=True)
    longest = encode(BINARY, b"x", length=1 << 63, length_bits=64)
    yield Breach("a length of 2^63", "length too large", longest, begins_message=True)
    too_big = encode(TEXT, bytes(MAX_MESSAGE + 1), reserved=RSV2)
    yield Breach("RSV2 on too large a message", "reserved bits", too_big, begins_message=True)
    begun = encode(TEXT, b"x", reserved=RSV3, length=2)
    yield Breach("RSV3, and half of the payload", "reserved bits", begun, begins_message=True, is_unfinished=True)
    for opcode in (PING, PONG, CLOSE):
        yield Breach(f"opcode {opcode} in fragments", "control fragmented", encode(opcode, b"", fin=False))
        yield Breach(f"opcode {opcode} with 126 bytes", "control too long", encode(opcode, b"\x03\xe8" + b"x" * 124))


def breaches_of_order():
    for fin in (False, True):
        never_begun = encode(CONTINUATION, b"x", fin=fin)
        name = f"a continuation of nothing, fin {fin}"
        yield Breach(name, "unexpected continuation", never_begun, begins_message=True)
        begun = encode(CONTINUATION, b"", fin=fin, length=5)
        name = f"a continuation of nothing, fin {fin}, and nothing of its payload"
        yield Breach(name, "unexpected continuation", begun, begins_message=True, is_unfinished=True)
    for first, second in ((TEXT, TEXT), (TEXT, BINARY), (BINARY, TEXT)):
        name = f"opcode {second} before opcode {first} is finished"
        both = encode(first, b"x", fin=False) + encode(second, b"x")
        yield Breach(name, "expected continuation", both, begins_message=True)


def breaches_of_content():
    for name, text in NOT_UTF8.items():
        yield Breach(f"text with {name}", "invalid utf-8", encode(TEXT, b"abc" + text), begins_message=True)
        halves = encode(TEXT, b"\xc3", fin=False) + encode(CONTINUATION, b"\xa9" + text, fin=False)
        rest = encode(PING, b"?") + encode(CONTINUATION, b"")
        yield Breach(f"fragments with {name}", "invalid utf-8", halves + rest, begins_message=True)
        compressed = encode(TEXT, raw_deflate(b"abc" + text), reserved=RSV1)
        at_the_end = f"compressed text with {name}"
        yield Breach(at_the_end, "invalid utf-8", compressed, is_compressed=True, begins_message=True)
        yield Breach(f"a reason with {name}", "invalid utf-8", encode_close(1000, text))
    too_big = encode(BINARY, bytes(MAX_MESSAGE + 1))
    yield Breach("one byte more than allowed", "message too big", too_big, begins_message=True)
    halves = encode(BINARY, bytes(MAX_MESSAGE), fin=False) + encode(CONTINUATION, b"x")
    yield Breach("one byte more, in fragments", "message too big", halves, begins_message=True)


def breaches_of_closing():
    yield Breach("half a close code", "invalid close length", encode(CLOSE, b"\x03"))
    for code in CODES_NOT_TO_BE_SENT:
        yield Breach(f"close code {code}", "invalid close code", encode_close(code, b"bye"))
    yield Breach("a close code and a reason, both wrong", "invalid close code", encode_close(999, b"\xff"))


def breaches_of_compression():
    for name, data in (
        ("a reserved block type", b"\x06"),
        ("a reference to before the beginning", b"\x02\x03\x01\x00"),
        ("a stored block with wrong lengths", b"\x00\x05\x00\x00\x00Hello"),
        ("a stored block that is cut off", b"\x00\x05\x00\xfa\xffHe"),
        ("a compressed block that is cut off", raw_deflate(b"one two three " * 20)[:-9]),
    ):
        for opcode in (TEXT, BINARY):
            sent = encode(opcode, data, reserved=RSV1)
            what = f"opcode {opcode}: {name}"
            yield Breach(what, "invalid compression", sent, is_compressed=True, begins_message=True)
    bomb = raw_deflate(bytes(MAX_MESSAGE + 1))
    sent = encode(BINARY, bomb, reserved=RSV1)
    yield Breach("one byte more when inflated", "message too big", sent, is_compressed=True, begins_message=True)
    sent = encode(BINARY, bomb[:5], fin=False, reserved=RSV1) + encode(PING, b"") + encode(CONTINUATION, bomb[5:])
    yield Breach("the same in fragments", "message too big", sent, is_compressed=True, begins_message=True)
    for name, data, failure in (
        ("compressed data that is wrong", b"\x06", "invalid compression"),
        ("compressed text that is wrong", raw_deflate(b"\xff" * 500), "invalid utf-8"),
        ("too much compressed data", raw_deflate(bytes(1 << 20)), "message too big"),
    ):
        sent = encode(TEXT, data, fin=False, reserved=RSV1) + encode(PING, b"?") + encode(CONTINUATION, b"")
        yield Breach(f"{name}, then a ping and the end", failure, sent, is_compressed=True, begins_message=True)
    continued = encode(TEXT, raw_deflate(b"abc"), fin=False, reserved=RSV1) + encode(CONTINUATION, b"", reserved=RSV1)
    yield Breach("RSV1 on a continuation", "reserved bits", continued, is_compressed=True, begins_message=True)


BREACHES = (
    *breaches_of_headers(),
    *breaches_of_order(),
    *breaches_of_content(),
    *breaches_of_closing(),
    *breaches_of_compression(),
)


def broken_rules():
    """Each breach at once, after a message, between fragments where it can stand there, and with more behind it."""
    for breach in BREACHES:
        rng = random.Random(breach.name)
        deflate = Deflate(client_no_context_takeover=True) if breach.is_compressed else None
        message = encode(TEXT, "before: Grüße".encode())
        after = encode(BINARY, b"afterwards") + encode(PING, b"afterwards")
        surroundings = {"at once": (b"", b""), "after a message": (message, b"")}
        if not breach.is_unfinished:
            surroundings["with more behind it"] = (message, after)
        if not breach.begins_message:
            surroundings["between fragments"] = (encode(TEXT, b"a", fin=False), encode(CONTINUATION, b"z") + after)
        for where, (before, behind) in surroundings.items():
            stream = before + breach.frames + behind
            yield Case(f"{breach.name}, {where}", stream, deflate=deflate, failure=breach.failure).fed(rng)


def case(name, sent, events, deflate=None):
    return Case(name, sent, deflate=deflate, events=tuple(events)).fed(random.Random(name))


def edges():
    """Allowed, but at the limit."""
    for size in (0, 1, 125, 126, 127, MAX_MESSAGE - 1, MAX_MESSAGE):
        yield case(f"{size} bytes", encode(BINARY, b"\xfe" * size), [("binary", b"\xfe" * size)])
    for code in CODES_TO_BE_SENT:
        yield case(f"close code {code}", encode_close(code, b"x" * 123), [])
    yield case("a close without a code", encode_close(), [])
    yield case("a close between fragments", encode(TEXT, b"x", fin=False) + encode_close(1000), [])
    for opcode, key in ((3, b"\x37\xfa\x21\x3d"), (TEXT, None)):
        half = encode(opcode, bytes(200), key=key)[:2]
        yield case(f"half a header that is wrong: opcode {opcode}, key {key}", half, [])
    ping = encode(PING, b"?")
    opcodes = [TEXT, *[CONTINUATION] * 5]
    letters = [encode(opcode, bytes([byte]), fin=False) for opcode, byte in zip(opcodes, "é🎷".encode())]
    sent = ping.join(letters) + encode(CONTINUATION, b"")
    yield case("a byte in each fragment", sent, [("ping", b"?")] * 5 + [("text", "é🎷".encode())])


def edges_of_compression():
    for deflate in AGREEMENTS:
        client = Client(random.Random("compressed"), deflate)
        sent = []
        for payload in (b"", b"a", b"again " * 100, b"again " * 100, bytes(MAX_MESSAGE), b"again " * 100):
            for fragments in (1, 4):
                is_compressed = fragments == 1 or payload != b"a"
                sent += client.message(BINARY, payload, fragments, is_compressed, controls_between=False)
        yield case(f"compressed and not: {deflate}", b"".join(sent), client.events, deflate)
    for deflate in AGREEMENTS[:2]:
        sent = b"".join(encode(TEXT, final_deflate(text), reserved=RSV1) for text in (b"one", b"two", b"three"))
        events = [("text", b"one"), ("text", b"two"), ("text", b"three")]
        yield case(f"final blocks: {deflate}", sent, events, deflate)
    text = b"Hello, Hello, Hello"
    first, last = raw_deflate(text)[:3], raw_deflate(text)[3:]
    sent = encode(TEXT, first, fin=False, reserved=RSV1) + encode(PING, b"?") + encode(CONTINUATION, last)
    yield case("a ping within a compressed message", sent, [("ping", b"?"), ("text", text)], Deflate())
