extension JazzyServer {
    /// The connections that are subscribed to a topic, on all event loops, in no particular order.
    ///
    /// ```swift
    /// let players = server.connections(in: "lobby")
    /// for player in players {
    ///     player.unsubscribe("lobby")
    ///     player.subscribe("game")
    /// }
    /// ```
    ///
    /// They are as many as ``subscriberCount(_:)`` says: a closing connection is among them until its close event has
    /// been handled, also in that handler itself. The connections of one event loop are those of one moment. By the time
    /// that they are used some may have left: calls on these do nothing.
    ///
    /// From any thread, also in handlers: it waits for no event loop, and no event loop waits for it, unless that is
    /// about to change its subscriptions; with 100,000 subscribers for 0.2 to 0.8 ms.
    ///
    /// - Parameter topic: Any string, compared byte by byte.
    /// - Returns: The handles of the connections; none if the server does not listen.
    public func connections(in topic: String) -> [JazzyWebSocket] {
        listening?.withCalls { $0.connections(in: topic) } ?? []
    }

    /// Whether what is published to a topic in other processes reaches the subscribers here now: the server runs, and
    /// its broker (``JazzyOptions/broker``) is connected and has taken note of the topic, which needs a moment after its
    /// first subscriber here has come.
    ///
    /// `true` for a server without a broker that listens. Of a topic without subscribers here a broker may say either.
    /// From any thread, also in handlers: it waits for nothing.
    ///
    /// - Parameter topic: Any string, compared byte by byte.
    public func isLive(_ topic: String) -> Bool { listening?.withCalls { $0.isLive(topic) } ?? false }

    /// Closes all subscribers of a topic, on all event loops, with one close code.
    ///
    /// What the caller sent or published to them before goes out first. ``WsClose/cause`` of their close events is
    /// ``WsClose/Cause/application``.
    ///
    /// Each event loop closes up to 256 of its connections at once and, so that its other connections do not wait, up
    /// to 256 more in each further iteration, which takes about 2 ms. All that had subscribed before are closed. A
    /// connection that subscribes before the last one is closed may or may not be, and messages that are published
    /// meanwhile reach those that are still open. A handler that closes its own connection so gets no more messages, as
    /// after ``JazzyConnection/close(code:reason:)``: it is the first to be closed.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - code: As for ``JazzyConnection/close(code:reason:)``.
    ///   - reason: Cut between two characters if longer than the 123 bytes that fit.
    /// - Returns: ``JazzySendStatus/sent`` if it is done, or on its way to the other event loops, even if nobody has
    ///   subscribed; ``JazzySendStatus/dropped`` if the code may not be sent, if ``JazzyOptions/mailboxLimit`` of an
    ///   event loop is reached, or if there is no memory: then nobody is closed; ``JazzySendStatus/closed`` if the
    ///   server does not listen, or is stopping.
    @discardableResult
    public func close(topic: String, code: WsCloseCode = .normal, reason: String = "") -> JazzySendStatus {
        listening?.withCalls { $0.close(topic, code: code, reason: reason) } ?? .closed
    }

    /// Publishes bytes as one message to all subscribers of a topic, on every event loop.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    ///   - compression: Whether the message is compressed, for each receiver whose route allows compression.
    /// - Returns: The result; ``JazzySendStatus/closed`` if the server does not listen, or is stopping.
    @discardableResult
    public func publish(
        _ topic: String, _ bytes: RawSpan, kind: WsMessageKind, compression: JazzyCompression
    ) -> JazzySendStatus {
        listening?.withCalls { $0.publish(topic, bytes, kind: kind, compression: compression) } ?? .closed
    }
}

extension Jazzy {
    /// The connections that are subscribed to a topic of the default application: ``JazzyServer/connections(in:)``.
    public static func connections(in topic: String) -> [JazzyWebSocket] { server.connections(in: topic) }

    /// Whether what is published to a topic in other processes reaches the subscribers of the default application:
    /// ``JazzyServer/isLive(_:)``.
    public static func isLive(_ topic: String) -> Bool { server.isLive(topic) }

    /// Closes all subscribers of a topic of the default application, as ``JazzyServer/close(topic:code:reason:)`` does.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - code: As for ``JazzyConnection/close(code:reason:)``.
    ///   - reason: Cut between two characters if longer than the 123 bytes that fit.
    /// - Returns: The result, as of ``JazzyServer/close(topic:code:reason:)``.
    @discardableResult
    public static func close(topic: String, code: WsCloseCode = .normal, reason: String = "") -> JazzySendStatus {
        server.close(topic: topic, code: code, reason: reason)
    }
}
