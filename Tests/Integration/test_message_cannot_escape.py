"""A WsMessage is lent for the length of a handler's call, and the compiler sees to it."""

import pytest

# What a handler may do with a message: copy its content, and pass its bytes on within the call.
ALLOWED = """
    let texts = Mutex<[String]>([])
    let payloads = Mutex<[[UInt8]]>([])
    Route.ws("/") { ws, _, message in
        let text = message.text
        texts.withLock { $0.append(text) }
        let copy = Array(message.bytes)
        payloads.withLock { $0.append(copy) }
        Task { ws.send(copy) }
        let bytes = message.bytes
        ws.send(bytes)
        let span = message.span
        if !span.isEmpty { payloads.withLock { [first = span[0]] in $0.append([first]) } }
        let array = Array(message)
        let owned = WsOwnedMessage(message)
        Task { ws.send(owned.span.bytes, kind: owned.kind); ws.send(array) }
    }
"""

# Code that would keep it longer, and the compiler's errors.
ESCAPES_ITS_SCOPE = "escapes its scope"
NOT_ESCAPABLE = "does not conform to protocol 'Escapable'"
FORBIDDEN = {
    "a message in a variable": (
        """
        nonisolated(unsafe) var kept: WsMessage?
        Route.ws("/") { _, _, message in kept = message }
        """,
        "'message' " + ESCAPES_ITS_SCOPE,
    ),
    "its bytes in a variable": (
        """
        nonisolated(unsafe) var kept: RawSpan?
        Route.ws("/") { _, _, message in kept = message.bytes }
        """,
        "'message' " + ESCAPES_ITS_SCOPE,
    ),
    "messages in an array": (
        """
        nonisolated(unsafe) var kept: [WsMessage] = []
        Route.ws("/") { _, _, message in kept.append(message) }
        """,
        NOT_ESCAPABLE,
    ),
    "a message in a closure that is kept": (
        """
        nonisolated(unsafe) var later: () -> Void = {}
        Route.ws("/") { ws, _, message in later = { ws.send(message.text) } }
        """,
        "'message' " + ESCAPES_ITS_SCOPE,
    ),
    "its span in a variable": (
        """
        nonisolated(unsafe) var kept: Span<UInt8>?
        Route.ws("/") { _, _, message in kept = message.span }
        """,
        "it depends on the lifetime of argument 'message'",
    ),
    "its span in a task": (
        """
        Route.ws("/") { ws, _, message in
            let span = message.span
            Task { ws.send(span.bytes) }
        }
        """,
        "'span' " + ESCAPES_ITS_SCOPE,
    ),
    "the span of an owned message in a variable": (
        """
        nonisolated(unsafe) var kept: Span<UInt8>?
        Route.ws("/") { _, messages in
            for try await message in messages { kept = message.span }
        }
        """,
        ESCAPES_ITS_SCOPE,
    ),
    "its bytes in a task": (
        """
        Route.ws("/") { ws, _, message in
            let bytes = message.bytes
            Task { ws.send(bytes) }
        }
        """,
        "'bytes' " + ESCAPES_ITS_SCOPE,
    ),
}


def test_a_handler_may_copy_a_message_and_pass_its_bytes_on(compile_swift):
    result = compile_swift(ALLOWED)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("keeping", FORBIDDEN)
def test_keeping_does_not_compile(compile_swift, keeping):
    program, complaint = FORBIDDEN[keeping]
    result = compile_swift(program)
    assert result.returncode != 0
    assert complaint in result.stderr
