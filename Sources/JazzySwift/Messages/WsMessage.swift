/// A complete message, borrowed by a handler for one call.
///
/// The bytes are in the server's receive buffer and are not copied. Therefore a message cannot leave the call: storing
/// it, or ``bytes``, or capturing either in an escaping closure, does not compile. To keep its content, copy it:
///
/// ```swift
/// import Foundation
///
/// Route.ws("/upload") { ws, event, message in
///     guard event == .message else { return }
///     switch message.kind {
///     case .text:
///         let text: String = message.text
///         Task { print(text) }
///     case .binary:
///         let bytes: [UInt8] = Array(message.bytes)
///         let data: Data = message.bytes.withUnsafeBytes { Data($0) }
///         Task { print(bytes.count, data.count) }
///     case .ping, .pong:
///         break
///     }
/// }
/// ```
///
/// For any other event than ``WsEvent/message`` it is an empty text.
public struct WsMessage: ~Escapable {
    /// What the message is.
    public let kind: WsMessageKind

    /// The payload: fragments joined, unmasked and decompressed.
    public let bytes: RawSpan

    @_lifetime(copy bytes)
    init(kind: WsMessageKind, bytes: RawSpan) {
        self.kind = kind
        self.bytes = bytes
    }

    /// The number of bytes in the payload.
    public var count: Int { bytes.byteCount }

    /// A copy of the payload as a string.
    ///
    /// A message of kind ``WsMessageKind/text`` is always well-formed UTF-8. In other kinds, bytes that are not UTF-8
    /// are replaced with U+FFFD.
    public var text: String {
        bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}
