import CJazzyPoll

/// What can be done with a connection, by its handle, a ``JazzyWebSocket``, or by the ``JazzyStatefulWebSocket`` that a
/// handler is given.
public protocol JazzyConnection: JazzyPublisher, ~Escapable {
    /// The connection's handle: to keep, to compare, and to use on any thread.
    var webSocket: JazzyWebSocket { get }
}

extension JazzyConnection where Self: ~Escapable {
    /// Whether messages can be sent: from the open event on, until closing starts, by whichever side.
    public var isOpen: Bool { jz_ws_is_open(webSocket.core) }

    /// The peer's address and port, as in `192.0.2.7:4711` or `[2001:db8::7]:4711`; `nil` when the connection is gone.
    ///
    /// Of a client behind a trusted proxy it is what that tells (``JazzyOptions/clientAddress``), with port 0 where it
    /// tells none. For a Unix domain socket it is `unix`.
    public var remoteAddress: String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(JZ_REMOTE_ADDRESS_SIZE)) { text in
            guard let start = text.baseAddress, jz_ws_remote_address(webSocket.core, start) > 0 else { return nil }
            return String(cString: start)
        }
    }

    /// The subprotocol that was agreed on, where it is one that the route lists (``JazzyRouteOptions/subprotocols``);
    /// `nil` where it is not, where none was, and when the connection is gone.
    public var subprotocol: String? {
        guard let text = jz_ws_subprotocol(webSocket.core), text.pointee != 0 else { return nil }
        return String(cString: text)
    }

    /// The bytes that were accepted for this connection and not yet by the kernel; 0 when it is gone.
    public var bufferedAmount: Int { jz_ws_buffered_amount(webSocket.core) }

    /// Starts the close handshake: sends a close frame, and ends the connection when the peer has answered.
    ///
    /// No more messages are delivered. The close event comes later, never before this returns.
    ///
    /// - Parameters:
    ///   - code: 1000 to 1003, 1007 to 1014, or 3000 to 4999. What ``WsClose/code`` may hand on and no frame may carry
    ///     closes, too: 1005 with an empty close frame, 1006 as 1001, 1015 as 1011. Any other may not be sent (RFC 6455
    ///     §7.4): the connection stays open and the status is ``JazzySendStatus/dropped``.
    ///   - reason: Cut at a character's end where it is longer than the 123 bytes that fit. An empty close frame has
    ///     none.
    /// - Returns: What became of the close frame.
    @discardableResult
    public func close(code: UInt16 = 1000, reason: String = "") -> JazzySendStatus {
        withCharacters(of: reason) { JazzySendStatus(jz_ws_close(webSocket.core, code, $0, $1)) }
    }

    /// Ends the connection at once, without a close frame, and without waiting for anybody.
    ///
    /// What was sent and has not gone to the kernel is lost, and nothing more is delivered but the close event, with
    /// code 1006, later, never before this returns. Also where closing has begun and the peer does not answer.
    ///
    /// - Returns: ``JazzySendStatus/closed`` where it has ended already; ``JazzySendStatus/dropped`` where too much
    ///   waits for its event loop already.
    @discardableResult
    public func terminate() -> JazzySendStatus { JazzySendStatus(jz_ws_terminate(webSocket.core)) }
}
