/// A text or binary message that owns its content: to keep, to send to an actor, to compare.
///
/// Handlers that are called borrow a ``WsMessage``; this is a copy of one.
public struct WsOwnedMessage: Hashable, Sendable {
    private enum Content: Hashable, Sendable {
        case text(String)
        case bytes([UInt8], WsMessageKind)
    }

    private let content: Content

    /// Copies a message.
    public init(_ message: borrowing WsMessage) {
        content =
            if message.kind == .text { .text(message.text) } else { .bytes(Array(message.bytes), message.kind) }
    }

    /// Creates a text message, for instance to test a handler.
    public init(_ text: String) {
        content = .text(text)
    }

    /// Creates a message of any kind, for instance to test a handler.
    ///
    /// - Parameters:
    ///   - bytes: The payload. In a text, bytes that are not UTF-8 are replaced with U+FFFD.
    ///   - kind: What the message is. The default is ``WsMessageKind/binary``.
    public init(_ bytes: some Sequence<UInt8>, kind: WsMessageKind = .binary) {
        content =
            if kind == .text { .text(String(decoding: Array(bytes), as: UTF8.self)) } else {
                .bytes(Array(bytes), kind)
            }
    }

    /// What the message is.
    public var kind: WsMessageKind {
        switch content {
        case .text: .text
        case .bytes(_, let kind): kind
        }
    }

    /// The number of bytes in the payload.
    public var count: Int {
        switch content {
        case .text(let text): text.utf8.count
        case .bytes(let bytes, _): bytes.count
        }
    }

    /// The payload as a string: of a text, without copying it. In other kinds, bytes that are not UTF-8 are replaced
    /// with U+FFFD.
    public var text: String {
        switch content {
        case .text(let text): text
        case .bytes(let bytes, _): String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The payload as bytes: of a text, a copy.
    public var bytes: [UInt8] {
        switch content {
        case .text(let text): Array(text.utf8)
        case .bytes(let bytes, _): bytes
        }
    }
}
