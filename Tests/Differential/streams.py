"""Byte streams as a client sends them: conversations, drawn at random from a fixed seed, and damaged ones."""

import random
import zlib
from dataclasses import dataclass, replace

from support import frames

WORDS = ["", "a", "Hello", "Grüße", "κόσμε", "世界", "🎷", "\u0000", "\uffff", "\U0010ffff", "again ", "x" * 40]

MAX_MESSAGE = 4096


@dataclass(frozen=True)
class Deflate:
    """The negotiated compression (RFC 7692 §7.1)."""

    client_no_context_takeover: bool = False
    server_no_context_takeover: bool = False
    client_max_window_bits: int = 15
    server_max_window_bits: int = 15


AGREEMENTS = (
    Deflate(),
    Deflate(client_no_context_takeover=True, server_no_context_takeover=True),
    Deflate(client_max_window_bits=9, server_max_window_bits=10),
    Deflate(client_no_context_takeover=True, client_max_window_bits=11, server_max_window_bits=9),
)


@dataclass(frozen=True)
class Case:
    name: str
    stream: bytes
    feeds: tuple[bytes, ...] = ()
    deflate: Deflate | None = None
    max_message_size: int = MAX_MESSAGE
    close_before: int | None = None  # the number of the feed before which the server closes
    failure: str | None = None  # the rule that the stream was made to break
    events: tuple | None = None  # its intended content, if it breaks no rule

    def fed(self, rng):
        """The same stream in parts, as a network could deliver it."""
        count = min(rng.choice([0, 0, 1, 3, 10]), max(len(self.stream) - 1, 0))
        cuts = [0, *sorted(rng.sample(range(1, len(self.stream)), count)), len(self.stream)]
        return replace(self, feeds=tuple(self.stream[start:end] for start, end in zip(cuts, cuts[1:]) if start < end))


def parts_of(rng, data, count):
    cuts = [0, *sorted(rng.randint(0, len(data)) for _ in range(count - 1)), len(data)]
    return [data[start:end] for start, end in zip(cuts, cuts[1:])]


class Client:
    """Draws valid frames. Compressed messages refer to earlier ones, if that was agreed on."""

    def __init__(self, rng, deflate=None):
        self._rng = rng
        self._deflate = deflate
        self._compressor = None
        self.events = []  # the messages so far, as Outcome.events

    def compress(self, payload, end=b"\x00\x00\xff\xff"):
        if self._compressor is None or self._deflate.client_no_context_takeover:
            self._compressor = zlib.compressobj(
                self._rng.choice([0, 1, 6, 9]), zlib.DEFLATED, -self._deflate.client_max_window_bits
            )
        compressed = self._compressor.compress(payload) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        assert compressed.endswith(end)
        return compressed.removesuffix(end)

    def encode(self, opcode, payload, **options):
        key = self._rng.choice([self._rng.randbytes(4), b"\x00\x00\x00\x00"])
        return frames.encode(opcode, payload, key=key, **options)

    def payload(self, opcode):
        if opcode == frames.TEXT:
            return "".join(self._rng.choices(WORDS, k=self._rng.choice([0, 1, 5, 30]))).encode()
        size = self._rng.choice([0, 1, 2, 7, 125, 126, 127, 600])
        return self._rng.choice([self._rng.randbytes(size), b"\xfe" * size])

    def control(self):
        opcode = self._rng.choice([frames.PING, frames.PONG])
        payload = self._rng.randbytes(self._rng.choice([0, 1, 4, 125]))
        self.events.append(("ping" if opcode == frames.PING else "pong", payload))
        return self.encode(opcode, payload)

    def message(self, opcode=None, payload=None, fragments=None, is_compressed=None, controls_between=True):
        """The frames of one message."""
        rng = self._rng
        opcode = rng.choice([frames.TEXT, frames.BINARY]) if opcode is None else opcode
        payload = self.payload(opcode) if payload is None else payload
        event = ("text" if opcode == frames.TEXT else "binary", payload)
        if is_compressed is None:
            is_compressed = self._deflate is not None and rng.random() < 0.7
        if is_compressed:
            payload = self.compress(payload)
        parts = parts_of(rng, payload, rng.choice([1, 1, 2, 3, 6]) if fragments is None else fragments)
        sent = []
        for index, part in enumerate(parts):
            is_first, is_last = index == 0, index == len(parts) - 1
            reserved = 0b100 if is_first and is_compressed else 0
            sent.append(self.encode(opcode if is_first else 0, part, fin=is_last, reserved=reserved))
            if controls_between and not is_last and rng.random() < 0.2:
                sent.append(self.control())
        self.events.append(event)
        return sent

    def close(self):
        code = self._rng.choice([None, 1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
        reason = b"" if code is None else self._rng.choice(["", "bye", "Grüße", "x" * 123]).encode()
        return self.encode(frames.CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)

    def conversation(self, controls_between=True):
        """The frames of some messages, sometimes with a close frame and frames behind it."""
        rng = self._rng
        sent = []
        for _ in range(rng.randint(1, 8)):
            sent += [self.control()] if rng.random() < 0.2 else self.message(controls_between=controls_between)
        if rng.random() < 0.5:
            sent.append(self.close())
            said = list(self.events)
            if rng.random() < 0.3:
                sent += self.message()
            self.events = said
        return sent


def conversations(count, seed, is_compressed=False, controls_between=True):
    """Streams that break no rule."""
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        deflate = rng.choice(AGREEMENTS) if is_compressed else None
        client = Client(rng, deflate)
        stream = b"".join(client.conversation(controls_between))
        yield Case(f"{seed} {number}", stream, deflate=deflate, events=tuple(client.events)).fed(rng)


def conversations_that_we_close(count, seed):
    """The same, but the server closes at some point, and the client answers later, or never."""
    for number, case in enumerate(conversations(count, seed)):
        feeds = case.feeds
        close_before = random.Random(f"{seed} close {number}").randrange(len(feeds) + 1)
        yield replace(case, close_before=close_before, events=None)


def flip_a_bit(rng, sent):
    index = rng.randrange(len(sent))
    frame = bytearray(sent[index])
    # Mostly in the header, where the rules are.
    frame[min(rng.choice([0, 0, 0, 1, 1, rng.randrange(len(frame))]), len(frame) - 1)] ^= 1 << rng.randrange(8)
    sent[index] = bytes(frame)


def overwrite_a_byte(rng, sent):
    index = rng.randrange(len(sent))
    frame = bytearray(sent[index])
    frame[rng.randrange(len(frame))] = rng.choice([0x00, 0x7F, 0x80, 0xC0, 0xED, 0xFF, rng.randrange(256)])
    sent[index] = bytes(frame)


def drop_a_byte(rng, sent):
    index = rng.randrange(len(sent))
    frame = bytearray(sent[index])
    del frame[rng.randrange(len(frame))]
    sent[index] = bytes(frame)


def drop_a_frame(rng, sent):
    del sent[rng.randrange(len(sent))]


def repeat_a_frame(rng, sent):
    sent.insert(rng.randrange(len(sent)), rng.choice(sent))


def swap_frames(rng, sent):
    one, other = rng.randrange(len(sent)), rng.randrange(len(sent))
    sent[one], sent[other] = sent[other], sent[one]


def cut_the_end(rng, sent):
    sent[-1] = sent[-1][: rng.randrange(len(sent[-1]))]


MUTATIONS = (
    flip_a_bit,
    flip_a_bit,
    flip_a_bit,
    overwrite_a_byte,
    drop_a_byte,
    drop_a_frame,
    repeat_a_frame,
    swap_frames,
    cut_the_end,
)


def damaged_conversations(count, seed, is_compressed=False, controls_between=True):
    """Streams that were damaged in one or two places, and mostly break some rule."""
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        deflate = rng.choice(AGREEMENTS) if is_compressed else None
        sent = Client(rng, deflate).conversation(controls_between)
        mutations = rng.choices(MUTATIONS, k=rng.choice([1, 1, 2]))
        for mutate in mutations:
            if sent:
                mutate(rng, sent)
        name = f"{seed} {number}: {', '.join(mutate.__name__ for mutate in mutations)}"
        if stream := b"".join(sent):
            yield Case(name, stream, deflate=deflate).fed(rng)
