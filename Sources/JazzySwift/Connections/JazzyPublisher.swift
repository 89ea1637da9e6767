/// Something that can publish to topics: a connection, which reaches all subscribers except itself, or a
/// ``JazzyServer``, which reaches all.
///
/// A topic is any string, compared byte by byte, and exists as long as it has subscribers. A published message is
/// framed once, compressed once for each set of parameters, and shared by all receivers, on all event loops. Messages
/// that one thread publishes to a topic arrive in the same order at every receiver. Slow receivers do not slow down the
/// others: ``JazzyRouteOptions/backpressurePolicy``.
///
/// From any thread. No method calls a handler before it returns.
public protocol JazzyPublisher: ~Escapable {
    /// Publishes bytes as one message, for instance those of the message that a handler was called with.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    /// - Returns: ``JazzySendStatus/sent``; ``JazzySendStatus/dropped`` if there is no memory, or if the broker
    ///   (``JazzyOptions/broker``) does not accept it: then other processes do not get it; ``JazzySendStatus/closed`` if
    ///   the connection is closing or gone, or the server does not run. It does not say which receivers got the message.
    @discardableResult
    func publish(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind) -> JazzySendStatus

    /// Publishes bytes as one message, compressed or not.
    ///
    /// A message is compressed once for all receivers that have negotiated compression alike. Servers that a broker
    /// joins with this one compress as their routes say.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    ///   - compression: Whether the message is compressed, for each receiver whose route allows compression.
    /// - Returns: The result.
    @discardableResult
    func publish(
        _ topic: String, _ bytes: RawSpan, kind: WsMessageKind, compression: JazzyCompression
    ) -> JazzySendStatus

    /// How values are written as JSON: for a connection ``JazzyRouteOptions/coders`` of its route, for a server
    /// ``JazzyOptions/coders``.
    var coders: JazzyCoders { get }
}

extension JazzyPublisher where Self: ~Escapable {
    /// ``JazzyCoders/default``, for publishers that say nothing else.
    public var coders: JazzyCoders { .default }

    /// Publishes bytes as one binary message.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    /// - Returns: The result.
    @inlinable
    @discardableResult
    public func publish(_ topic: String, _ bytes: RawSpan) -> JazzySendStatus {
        publish(topic, bytes, kind: .binary)
    }

    /// Publishes a text message.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - text: The payload.
    /// - Returns: The result.
    @inlinable
    @discardableResult
    public func publish(_ topic: String, _ text: String) -> JazzySendStatus {
        publish(topic, text.utf8, kind: .text)
    }

    /// Publishes bytes as one message.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    /// - Returns: The result.
    @inlinable
    @discardableResult
    public func publish(
        _ topic: String, _ bytes: some Sequence<UInt8>, kind: WsMessageKind = .binary
    ) -> JazzySendStatus {
        let status = bytes.withContiguousStorageIfAvailable {
            publish(topic, UnsafeRawBufferPointer($0).bytes, kind: kind)
        }
        return status ?? publish(topic, ContiguousArray(bytes).span.bytes, kind: kind)
    }
}
