import CJazzyPoll

// A message is copied before `send` returns. On the thread of the connection's own event loop `send` acts at once;
// other threads post the message to that loop. Messages from one thread to one connection keep their order.
extension JazzyConnection where Self: ~Escapable {
    /// Sends a text message.
    ///
    /// - Parameters:
    ///   - text: The payload.
    ///   - compression: Whether the message is compressed, if the route allows compression.
    /// - Returns: The result.
    @inlinable
    @discardableResult
    public func send(_ text: String, compression: JazzyCompression = .automatic) -> JazzySendStatus {
        send(text.utf8, kind: .text, compression: compression)
    }

    /// Sends bytes as one message, for instance those of the message that a handler was called with.
    ///
    /// - Parameters:
    ///   - bytes: The payload. A ping or pong of more than 125 bytes is dropped.
    ///   - kind: What the message is. The bytes of a text must be UTF-8: this is not checked.
    ///   - compression: Whether the message is compressed, if the route allows compression.
    /// - Returns: The result.
    @inlinable
    @inline(__always)
    @discardableResult
    public func send(
        _ bytes: RawSpan, kind: WsMessageKind = .binary, compression: JazzyCompression = .automatic
    ) -> JazzySendStatus {
        // With as little as can be in the closure, so that all of it becomes a part of the caller's code.
        let (ws, kind, compression) = (webSocket.core, kind.core, compression.core)
        return JazzySendStatus(
            bytes.withUnsafeBytes { jz_ws_send_with(ws, kind, $0.baseAddress, $0.count, compression) })
    }

    /// Sends bytes as one message.
    ///
    /// - Parameters:
    ///   - bytes: The payload. A ping or pong of more than 125 bytes is dropped.
    ///   - kind: What the message is. The bytes of a text must be UTF-8: this is not checked.
    ///   - compression: Whether the message is compressed, if the route allows compression.
    /// - Returns: The result.
    @inlinable
    @discardableResult
    public func send(
        _ bytes: some Sequence<UInt8>, kind: WsMessageKind = .binary, compression: JazzyCompression = .automatic
    ) -> JazzySendStatus {
        let status = bytes.withContiguousStorageIfAvailable {
            webSocket.send(buffer: UnsafeRawBufferPointer($0), kind: kind, compression: compression)
        }
        return status
            ?? ContiguousArray(bytes).withUnsafeBytes {
                webSocket.send(buffer: $0, kind: kind, compression: compression)
            }
    }

    /// Sends a ping, which the peer answers with a pong of the same payload.
    ///
    /// - Parameter payload: At most 125 bytes; a ping with more is dropped.
    /// - Returns: The result.
    @inlinable
    @discardableResult
    public func ping(_ payload: some Sequence<UInt8> = EmptyCollection()) -> JazzySendStatus {
        send(payload, kind: .ping)
    }
}

extension JazzyWebSocket {
    @inlinable
    func send(
        buffer: UnsafeRawBufferPointer, kind: WsMessageKind, compression: JazzyCompression
    ) -> JazzySendStatus {
        JazzySendStatus(jz_ws_send_with(core, kind.core, buffer.baseAddress, buffer.count, compression.core))
    }
}
