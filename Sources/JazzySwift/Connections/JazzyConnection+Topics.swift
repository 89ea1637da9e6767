import CJazzyPoll

// On the thread of the connection's own event loop these act at once; other threads post them to that loop.
extension JazzyConnection where Self: ~Escapable {
    /// Subscribes the connection to a topic, so that it receives what is published to it. Does nothing if it is
    /// subscribed.
    ///
    /// A connection that has ended is unsubscribed from all its topics when its close event has been handled.
    ///
    /// - Parameter topic: Any string, compared byte by byte.
    /// - Returns: ``JazzySendStatus/sent`` if it is done, ``JazzySendStatus/queued`` if it is on its way to the
    ///   connection's event loop, ``JazzySendStatus/dropped`` if there is no memory, or ``JazzySendStatus/closed``.
    @discardableResult
    public func subscribe(_ topic: String) -> JazzySendStatus {
        withCharacters(of: topic) { JazzySendStatus(jz_ws_subscribe(webSocket.core, $0, $1)) }
    }

    /// Ends a subscription. Does nothing if there is none.
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

    /// The topics that the connection is subscribed to, in no particular order, even in its close event; none when it
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

    /// Publishes bytes as one message to all subscribers of a topic except this connection, which need not be
    /// subscribed. Works in its close event, too, so that it can tell the others that it has left.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    /// - Returns: The result.
    @discardableResult
    public func publish(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind) -> JazzySendStatus {
        withCharacters(of: topic) { name, length in
            bytes.withUnsafeBytes {
                JazzySendStatus(jz_ws_publish(webSocket.core, name, length, kind.core, $0.baseAddress, $0.count))
            }
        }
    }
}
