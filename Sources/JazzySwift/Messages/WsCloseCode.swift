/// Why a WebSocket is closed, as a number in a close frame (RFC 6455 §7.4).
///
/// It is a plain number, so that any can be used; those of the RFC, and of IANA's registry, have names:
///
/// ```swift
/// Route.ws("/lines") { ws, event, message in
///     if event == .message, message.kind == .binary { ws.close(code: .unsupportedData, reason: "only texts") }
///     if event == .message, message.kind == .text, message.count > 80 { ws.close(code: 4000, reason: "too long") }
///     if case .close(let close) = event, close.code == .goingAway { print("left the page") }
/// }
/// ```
///
/// Applications have 4000 to 4999 for themselves; 3000 to 3999 can be registered with IANA (RFC 6455 §7.4.2).
public typealias WsCloseCode = UInt16

extension WsCloseCode {
    /// 1000: it is done.
    @inlinable public static var normal: WsCloseCode { 1000 }

    /// 1001: the server stops, or the page was left.
    @inlinable public static var goingAway: WsCloseCode { 1001 }

    /// 1002: a rule of the protocol was broken.
    @inlinable public static var protocolError: WsCloseCode { 1002 }

    /// 1003: a kind of message that is not accepted, such as binary instead of text.
    @inlinable public static var unsupportedData: WsCloseCode { 1003 }

    /// 1005: the peer's close frame had no code. It is never in a frame: closing with it sends an empty one.
    @inlinable public static var noStatus: WsCloseCode { 1005 }

    /// 1006: the connection ended without a close frame. Only reported, never in a frame: closing with it sends
    /// 1001.
    @inlinable public static var abnormal: WsCloseCode { 1006 }

    /// 1007: a message that is not what its kind says, such as a text that is not UTF-8.
    @inlinable public static var invalidPayload: WsCloseCode { 1007 }

    /// 1008: a message that is not allowed, where no other code says why.
    @inlinable public static var policyViolation: WsCloseCode { 1008 }

    /// 1009: a message is too big.
    @inlinable public static var messageTooBig: WsCloseCode { 1009 }

    /// 1010: sent by a client, because the server has not agreed to an extension that it needs.
    @inlinable public static var mandatoryExtension: WsCloseCode { 1010 }

    /// 1011: the server failed, for instance because a handler threw.
    @inlinable public static var internalError: WsCloseCode { 1011 }

    /// 1012: the service restarts; the client may come back, after a random delay.
    @inlinable public static var serviceRestart: WsCloseCode { 1012 }

    /// 1013: the server is overloaded; the client may try again later.
    @inlinable public static var tryAgainLater: WsCloseCode { 1013 }

    /// 1014: a server behind this one gave an invalid answer.
    @inlinable public static var badGateway: WsCloseCode { 1014 }

    /// 1015: a TLS handshake failed. Only reported by clients, never in a frame: closing with it sends
    /// 1011.
    @inlinable public static var tlsHandshake: WsCloseCode { 1015 }
}
