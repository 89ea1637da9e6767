import CJazzyPoll

// On the connection's own event loop these act at once; from any other thread they travel to that loop.
extension JazzyConnection where Self: ~Escapable {
    /// Subscribes the connection to a topic: what is published to it reaches the connection. Once more does nothing.
    ///
    /// A connection that has ended is unsubscribed from all its topics when its close event has been handled.
    ///
    /// - Parameter topic: Any string, compared byte by byte.
    /// - Returns: ``JazzySendStatus/sent`` when it is done, ``JazzySendStatus/queued`` when it travels to the
    ///   connection's event loop, ``JazzySendStatus/dropped`` when there is no memory, or ``JazzySendStatus/closed``.
    @discardableResult
    public func subscribe(_ topic: String) -> JazzySendStatus {
        withCharacters(of: topic) { JazzySendStatus(jz_ws_subscribe(webSocket.core, $0, $1)) }
    }

    /// Ends a subscription. Does nothing where there is none.
    ///
    /// - Parameter topic: Any string, compared byte by byte.
    /// - Returns: The same as ``subscribe(_:)``.
    @discardableResult
    public func unsubscribe(_ topic: String) -> JazzySendStatus {
        withCharacters(of: topic) { JazzySendStatus(jz_ws_unsubscribe(webSocket.core, $0, $1)) }
    }

    /// Whether the connection is subscribed to a topic.
    public func isSubscribed(to topic: String) -> Bool {
        withCharacters(of: topic) { jz_ws_is_subscribed(webSocket.core, $0, $1) }
    }

    /// The topics that the connection is subscribed to, in no particular order, also in its close event; none when it
    /// is gone.
    public var topics: [String] {
        var topics: [String] = []
        withUnsafeMutablePointer(to: &topics) { pointer in
            _ = jz_ws_topics(
                webSocket.core,
                { topics, start, length in
                    let topic = UnsafeRawBufferPointer(start: start, count: length)
                    topics?.assumingMemoryBound(to: [String].self).pointee.append(
                        String(decoding: topic, as: UTF8.self))
                }, pointer)
        }
        return topics
    }

    /// Publishes bytes as one message to all subscribers of a topic but this connection, which need not be one. Also in
    /// its close event, so that it can tell the others that it has left.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    /// - Returns: What became of it.
    @discardableResult
    public func publish(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind) -> JazzySendStatus {
        withCharacters(of: topic) { name, length in
            bytes.withUnsafeBytes {
                JazzySendStatus(jz_ws_publish(webSocket.core, name, length, kind.core, $0.baseAddress, $0.count))
            }
        }
    }
}
