"""
The table of differences: cases in which another implementation has another result than ours, and why ours is right, or
both are. Each row says when it applies, and what must hold nevertheless.
"""

from dataclasses import dataclass
from typing import Callable

from outcome import CLOSED, FAILED, OPEN
from references import CONTROL_WITHIN_COMPRESSED, FINAL_BLOCK

WEBSOCKETS, WSPROTO = "websockets", "wsproto"
BOTH = (WEBSOCKETS, WSPROTO)


@dataclass(frozen=True)
class Difference:
    name: str
    paragraph: str  # of the RFC, and what follows from it
    references: tuple[str, ...]
    explains: Callable  # (case, ours, theirs) -> whether this is the difference, and nothing else differs


def header_length(first_two):
    length = 2 + {126: 2, 127: 8}.get(first_two[1] & 0x7F, 0)
    return length + 4 if first_two[1] & 0x80 else length


def unfinished(stream):
    """The last frame of a stream, where the stream ends within it: "header" or "payload"; otherwise None."""
    position = 0
    while position < len(stream):
        rest = stream[position:]
        if len(rest) < 2 or len(rest) < header_length(rest):
            return "header"
        extended = {126: 2, 127: 8}.get(rest[1] & 0x7F, 0)
        payload_length = int.from_bytes(rest[2 : 2 + extended], "big") if extended else rest[1] & 0x7F
        position += header_length(rest) + payload_length
    return "payload" if position > len(stream) else None


# Rules that are judged by a frame's header alone.
HEADER_RULES = {
    "reserved bits",
    "reserved opcode",
    "not masked",
    "length not minimal",
    "length too large",
    "control fragmented",
    "control too long",
    "unexpected continuation",
    "expected continuation",
    "message too big",
}


def theirs_read_on(ours, theirs):
    """Ours failed; theirs had the same events until then, and continued, with any result."""
    return ours.end == FAILED and ours.events == theirs.events[: len(ours.events)]


def theirs_stopped_before(ours, theirs):
    """Theirs failed; ours had the same events until then, and continued."""
    return theirs.end == FAILED and theirs.events == ours.events[: len(theirs.events)]


def minimal_length(case, ours, theirs):
    return ours.why == "length not minimal" and theirs_read_on(ours, theirs)


def length_of_64_bits(case, ours, theirs):
    return ours.why == "length too large" and ours.events == theirs.events and theirs.code == 1009


def code_of_bad_compression(case, ours, theirs):
    same = ours.events == theirs.events and ours.end == theirs.end == FAILED
    return same and ours.code == 1007 and theirs.code == 1002 and theirs.why == "decompression failed"


def compressed_messages_are_taken_whole(case, ours, theirs):
    causes = ("decompression failed", "error in extension", "frame", "'utf-8' codec")
    return case.deflate is not None and theirs.why.startswith(causes) and theirs_stopped_before(ours, theirs)


def unfinished_block(case, ours, theirs):
    return ours.why == "invalid compression" and theirs_read_on(ours, theirs)


def text_is_checked_as_it_comes(case, ours, theirs):
    return ours.why == "invalid utf-8" and theirs_read_on(ours, theirs)


def close_between_fragments(case, ours, theirs):
    return theirs.why == "incomplete fragmented message" and ours.end == CLOSED and ours.events == theirs.events


def code_before_reason(case, ours, theirs):
    return (ours.why, ours.code, theirs.code) == ("invalid close code", 1002, 1007) and ours.events == theirs.events


def size_before_the_rest(case, ours, theirs):
    return ours.why in HEADER_RULES and ours.code == 1002 and theirs.code == 1009 and ours.events == theirs.events


def header_before_payload(case, ours, theirs):
    unfinished_there = unfinished(case.stream) == "payload" and theirs.end == OPEN
    return unfinished_there and ours.why in HEADER_RULES and ours.events == theirs.events


def half_a_header(case, ours, theirs):
    unfinished_here = unfinished(case.stream) == "header" and ours.end == OPEN
    return unfinished_here and theirs.end == FAILED and ours.events == theirs.events


def close_code_1014(case, ours, theirs):
    refused = theirs.why == "CLOSE with unknown reserved code" and (ours.end, ours.code) == (CLOSED, 1014)
    return refused and (ours.events == theirs.events or case.close_before is not None)


def no_limit(case, ours, theirs):
    return ours.why == "message too big" and theirs_read_on(ours, theirs)


def final_block(case, ours, theirs):
    return FINAL_BLOCK in theirs.notes and ours.end == OPEN and ours.events[:1] == theirs.events[:1]


def control_within_compressed(case, ours, theirs):
    return CONTROL_WITHIN_COMPRESSED in theirs.notes


def after_our_close(case, ours, theirs):
    same_end = (ours.end, ours.code, ours.reason) == (theirs.end, theirs.code, theirs.reason)
    told_more = ours.events == theirs.events[: len(ours.events)]
    return case.close_before is not None and same_end and told_more


DIFFERENCES = (
    Difference(
        "websockets takes lengths that are longer than need be",
        "RFC 6455 §5.2: the minimal number of bytes MUST be used to encode the length.",
        (WEBSOCKETS,),
        minimal_length,
    ),
    Difference(
        "websockets takes a length of 2^63 and more for one that is too large, 1009",
        "RFC 6455 §5.2: the most significant bit MUST be 0. So it is a protocol error, whatever the limit.",
        (WEBSOCKETS,),
        length_of_64_bits,
    ),
    Difference(
        "websockets calls data that does not inflate a protocol error, 1002",
        "RFC 6455 §7.4.1: 1007 is for data that is not consistent with its type; RFC 7692 §7.2.2 names no code.",
        (WEBSOCKETS,),
        code_of_bad_compression,
    ),
    Difference(
        "both inflate nothing more after a block with BFINAL set",
        "RFC 7692 §7.2.3.4 has such a block within a message, and the next message refers to what was before it.",
        BOTH,
        final_block,
    ),
    Difference(
        "wsproto forgets that a message is compressed when a control frame comes between its fragments",
        "RFC 7692 §6.1: RSV1 is set on the first fragment alone; RFC 6455 §5.4: control frames MAY come between.",
        (WSPROTO,),
        control_within_compressed,
    ),
    Difference(
        "both inflate, and check as text, each fragment of a compressed message; ours the message once it is whole",
        "RFC 7692 §7.2.2 inflates the message, by appending to its end. The code is the same, only later.",
        BOTH,
        compressed_messages_are_taken_whole,
    ),
    Difference(
        "both deliver what was inflated of a message that ends within a block",
        "RFC 7692 §7.2.1: a message's data ends with an empty block; the next message would begin within the last.",
        BOTH,
        unfinished_block,
    ),
    Difference(
        "websockets checks text when the message is whole; ours and wsproto fail at the first impossible byte",
        "RFC 6455 §8.1 asks for failing, not when. The earlier, the less is kept for a peer that is wrong anyway.",
        (WEBSOCKETS,),
        text_is_checked_as_it_comes,
    ),
    Difference(
        "websockets refuses a close between fragments",
        "RFC 6455 §5.4: control frames MAY be injected in the middle of a fragmented message; a close is one (§5.5).",
        (WEBSOCKETS,),
        close_between_fragments,
    ),
    Difference(
        "websockets decodes the reason of a close before it judges the code",
        "RFC 6455 §7.4.1 and §8.1: both are broken, and neither is said to come first.",
        (WEBSOCKETS,),
        code_before_reason,
    ),
    Difference(
        "websockets judges a frame's size before the rest of its header",
        "RFC 6455 §5.2 and §7.4.1: both are broken, and neither is said to come first.",
        (WEBSOCKETS,),
        size_before_the_rest,
    ),
    Difference(
        "both judge some rules only when there is payload; ours all that the header breaks when it has the header",
        "RFC 6455 §7.1.7 does not say when. The earlier, the less is read from a peer that is wrong anyway.",
        BOTH,
        header_before_payload,
    ),
    Difference(
        "both judge some rules by the first two bytes; ours when it has the header",
        "RFC 6455 §7.1.7 does not say when. The rest of a header is 12 bytes at most.",
        BOTH,
        half_a_header,
    ),
    Difference(
        "wsproto refuses close code 1014",
        "RFC 6455 §7.4.2 leaves 1000-2999 to future revisions, registered with IANA (§11.7): 1014, Bad Gateway, is.",
        (WSPROTO,),
        close_code_1014,
    ),
    Difference(
        "wsproto has no limit for the size of a message",
        "RFC 6455 §10.4: implementations MUST protect themselves against exceeding limits.",
        (WSPROTO,),
        no_limit,
    ),
    Difference(
        "both tell their callers what comes after their own close; wsproto answers no more pings",
        "RFC 6455 §1.4 and §5.5.1: the peer may go on until it has seen our close. To our handlers the end has come.",
        BOTH,
        after_our_close,
    ),
)


def explanation(reference, case, ours, theirs):
    """The row that explains why the two differ; None where none does."""
    for difference in DIFFERENCES:
        if reference in difference.references and difference.explains(case, ours, theirs):
            return difference
    return None
