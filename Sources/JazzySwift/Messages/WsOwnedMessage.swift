/// A text or binary message that owns its content: to keep, to send to an actor, to compare.
///
/// Handlers that are called borrow a ``WsMessage``; this is a copy of one.
public struct WsOwnedMessage: Sendable {
    /// What the message is.
    public let kind: WsMessageKind

    /// Of a text; else empty. Not a string, because its ``span`` could not outlive a view of one.
    private let characters: String.UTF8View
    /// Of any other kind; else empty.
    private let array: [UInt8]

    /// Of the route that it came to.
    let coders: JazzyCoders

    /// Copies a message.
    public init(_ message: borrowing WsMessage) {
        self.init(message, .ofMessageBeingHandled)
    }

    init(_ message: borrowing WsMessage, _ coders: JazzyCoders) {
        let isText = message.kind == .text
        kind = message.kind
        characters = isText ? message.text.utf8 : "".utf8
        array = isText ? [] : Array(message.bytes)
        self.coders = coders
    }

    /// Creates a text message, for instance to test a handler.
    public init(_ text: String) {
        kind = .text
        characters = text.utf8
        array = []
        coders = .default
    }

    /// Creates a message of any kind, for instance to test a handler.
    ///
    /// - Parameters:
    ///   - bytes: The payload. In a text, bytes that are not UTF-8 are replaced with U+FFFD.
    ///   - kind: What the message is. The default is ``WsMessageKind/binary``.
    public init(_ bytes: some Sequence<UInt8>, kind: WsMessageKind = .binary) {
        let isText = kind == .text
        self.kind = kind
        characters = isText ? String(decoding: Array(bytes), as: UTF8.self).utf8 : "".utf8
        array = isText ? [] : Array(bytes)
        coders = .default
    }

    /// The number of bytes in the payload.
    public var count: Int { kind == .text ? characters.count : array.count }

    /// The payload as a string: of a text, without copying it. In other kinds, bytes that are not UTF-8 are replaced
    /// with U+FFFD.
    public var text: String { kind == .text ? String(characters) : String(decoding: array, as: UTF8.self) }

    /// The payload as bytes: of a text, a copy.
    public var bytes: [UInt8] { kind == .text ? Array(characters) : array }

    /// The payload as bytes, not copied, for as long as the message is borrowed.
    public var span: Span<UInt8> {
        @_lifetime(borrow self)
        get { if kind == .text { characters.span } else { array.span } }
    }
}

extension WsOwnedMessage: Hashable {
    /// Whether both are of the same kind and have the same payload, byte by byte: texts that are equal as strings, but
    /// are encoded differently, are not equal.
    public static func == (one: WsOwnedMessage, other: WsOwnedMessage) -> Bool {
        one.kind == other.kind && one.characters.elementsEqual(other.characters) && one.array == other.array
    }

    /// Messages with the same kind and payload have the same hash.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        span.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}
