import CJazzyPoll

/// The operations on a connection: on its handle, a ``JazzyWebSocket``, or on the ``JazzyStatefulWebSocket`` that a
/// handler gets.
public protocol JazzyConnection: JazzyPublisher, ~Escapable {
    /// The connection's handle: to keep, to compare, and to use on any thread.
    var webSocket: JazzyWebSocket { get }
}

extension JazzyConnection where Self: ~Escapable {
    /// Whether messages can be sent: from the open event on, until either side starts closing.
    public var isOpen: Bool { jz_ws_is_open(webSocket.core) }

    /// The peer's address and port, as in `192.0.2.7:4711` or `[2001:db8::7]:4711`; `nil` when the connection is gone.
    ///
    /// For a client behind a trusted proxy it is the address that the proxy names (``JazzyOptions/clientAddress``),
    /// with port 0 if it names none. For a Unix domain socket it is `unix`.
    public var remoteAddress: String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(JZ_REMOTE_ADDRESS_SIZE)) { text in
            guard let start = text.baseAddress, jz_ws_remote_address(webSocket.core, start) > 0 else { return nil }
            return String(cString: start)
        }
    }

    /// The subprotocol of the connection, if it is one that the route lists (``JazzyRouteOptions/subprotocols``); `nil`
    /// if it is not, if there is none, and if the connection is gone.
    public var subprotocol: String? {
        guard let text = jz_ws_subprotocol(webSocket.core), text.pointee != 0 else { return nil }
        return String(cString: text)
    }

    /// The bytes that were accepted for sending to this connection, but not yet taken by the kernel; 0 if it is gone.
    ///
    /// In a handler, what it has sent is a part of them, because that is gathered until the handler returns.
    public var bufferedAmount: Int { jz_ws_buffered_amount(webSocket.core) }

    /// Starts the close handshake: sends a close frame, and ends the connection when the peer has answered.
    ///
    /// No more messages are delivered. The close event comes later, never before this returns.
    ///
    /// - Parameters:
    ///   - code: A ``WsCloseCode``, for instance `.policyViolation`: 1000 to 1003, 1007 to 1014, or 3000 to 4999. Codes
    ///     that ``WsClose/code`` can have, but frames may not, are accepted, too: 1005 sends an empty close frame, 1006
    ///     sends 1001, 1015 sends 1011. Any other code may not be sent (RFC 6455 §7.4): the connection stays open, and
    ///     the status is ``JazzySendStatus/dropped``.
    ///   - reason: Cut between two characters if longer than the 123 bytes that fit. An empty close frame has none.
    /// - Returns: The result of sending the close frame.
    @discardableResult
    public func close(code: WsCloseCode = .normal, reason: String = "") -> JazzySendStatus {
        withCharacters(of: reason) { JazzySendStatus(jz_ws_close(webSocket.core, code, $0, $1)) }
    }

    /// Ends the connection at once, without a close frame and without waiting.
    ///
    /// Output that the kernel does not have yet is lost, and nothing more is delivered but the close event, with code
    /// 1006, later, never before this returns. Also works if closing has begun and the peer does not answer.
    ///
    /// - Returns: ``JazzySendStatus/closed`` if it has ended already; ``JazzySendStatus/dropped`` if the mailbox of its
    ///   event loop is full.
    @discardableResult
    public func terminate() -> JazzySendStatus { JazzySendStatus(jz_ws_terminate(webSocket.core)) }
}
