import CJazzyPoll

/// The server of a connection, for its handlers: ``JazzyConnection/server``.
///
/// ```swift
/// let server = JazzyServer()
/// server.ws("/room") { ws, event, message in
///     switch event {
///     case .open:
///         ws.subscribe("room")
///         ws.server.publish("room", "\(ws.server.subscriberCount("room")) are here")
///     case .message where message.kind == .text && message.text == "close the room":
///         ws.server.close(topic: "room", code: 4000, reason: "closed by a member")
///     default:
///         break
///     }
/// }
/// ```
///
/// This is a plain value, which keeps nothing alive: copy it, keep it, and use it from any thread, in handlers and in
/// tasks. A server retains its handlers, so a handler that captured its own ``JazzyServer`` would keep it forever; one
/// that uses this does not.
///
/// In a handler the server is always there, even if its last reference has gone: then it stops, and its connections get
/// their close events. After it has ended every call does nothing, and returns ``JazzySendStatus/closed``, 0, or
/// nothing. It is the server as it runs since it listens: if a ``JazzyServer`` is started again, connections of its
/// earlier run do not lead to the new one.
public struct JazzyServerHandle: Sendable {
    /// One of its connections, or none: by this the server is found.
    private let ws: JazzyWebSocket

    init(of ws: JazzyWebSocket) {
        self.ws = ws
    }

    /// `nil` if the server has ended. Otherwise it is not destroyed before `body` returns.
    func withCalls<Result>(_ body: (ServerCalls) -> Result) -> Result? {
        guard let server = jz_ws_borrow_server(ws.core) else { return nil }
        defer { jz_ws_return_server(ws.core) }
        return body(ServerCalls(core: server))
    }
}

extension JazzyConnection where Self: ~Escapable {
    /// The connection's server: to publish to all, to see who has subscribed, to close a topic, to stop.
    ///
    /// It keeps nothing alive, so a handler may use it where it should not capture its own ``JazzyServer``.
    public var server: JazzyServerHandle { JazzyServerHandle(of: webSocket) }
}

extension JazzyRequest {
    /// The server that the request came to, for upgrade hooks, as ``JazzyConnection/server`` is for handlers; `nil` in a
    /// request that was made to test a hook.
    ///
    /// ```swift
    /// server.ws("/room/:id", upgrade: { request in
    ///     let room = request.parameters["id"] ?? "lobby"
    ///     let isFull = request.server.map { $0.subscriberCount(room) >= 100 } ?? false
    ///     return isFull ? .reject(503) : .accept(state: room)
    /// }) { ws, event, message in
    ///     if event == .open { ws.withState(as: String.self) { room in ws.subscribe(room) } }
    /// }
    /// ```
    public var server: JazzyServerHandle? { sender.ws.map(JazzyServerHandle.init(of:)) }
}

extension JazzyServerHandle: JazzyPublisher {
    /// Publishes bytes as one message to all subscribers of a topic, this connection included, on every event loop.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    /// - Returns: The result; ``JazzySendStatus/closed`` if the server is stopping, or has ended.
    @discardableResult
    public func publish(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind) -> JazzySendStatus {
        publish(topic, bytes, kind: kind, compression: .automatic)
    }

    /// Publishes bytes as one message to all subscribers of a topic, this connection included, on every event loop.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    ///   - compression: Whether the message is compressed, for each receiver whose route allows compression.
    /// - Returns: The result; ``JazzySendStatus/closed`` if the server is stopping, or has ended.
    @discardableResult
    public func publish(
        _ topic: String, _ bytes: RawSpan, kind: WsMessageKind, compression: JazzyCompression
    ) -> JazzySendStatus {
        withCalls { $0.publish(topic, bytes, kind: kind, compression: compression) } ?? .closed
    }

    /// The server's coders, ``JazzyOptions/coders``; ``JazzyCoders/default`` if it has ended.
    public var coders: JazzyCoders { withCalls(\.coders) ?? .default }
}

extension JazzyServerHandle {
    /// The connections that are subscribed to a topic: ``JazzyServer/connections(in:)``.
    public func connections(in topic: String) -> [JazzyWebSocket] { withCalls { $0.connections(in: topic) } ?? [] }

    /// How many connections are subscribed to a topic: ``JazzyServer/subscriberCount(_:)``.
    public func subscriberCount(_ topic: String) -> Int { withCalls { $0.subscriberCount(topic) } ?? 0 }

    /// Whether what is published to a topic in other processes reaches the subscribers here now:
    /// ``JazzyServer/isLive(_:)``.
    public func isLive(_ topic: String) -> Bool { withCalls { $0.isLive(topic) } ?? false }

    /// The last messages of a topic with history: ``JazzyServer/recent(_:_:)``.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - count: How many messages at most; fewer if fewer are kept.
    public func recent(_ topic: String, _ count: Int) -> JazzyRecent {
        withCalls { $0.recent(topic, count) } ?? .none
    }

    /// Closes all subscribers of a topic, as ``JazzyServer/close(topic:code:reason:)`` does.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - code: As for ``JazzyConnection/close(code:reason:)``.
    ///   - reason: Cut between two characters if longer than the 123 bytes that fit.
    /// - Returns: The result, as of ``JazzyServer/close(topic:code:reason:)``.
    @discardableResult
    public func close(topic: String, code: WsCloseCode = .normal, reason: String = "") -> JazzySendStatus {
        withCalls { $0.close(topic, code: code, reason: reason) } ?? .closed
    }

    /// The TCP port that the server listens on: ``JazzyServer/port``.
    public var port: Int { withCalls(\.port) ?? 0 }

    /// How many messages were dropped: ``JazzyServer/droppedCount``.
    public var droppedCount: Int { withCalls(\.droppedCount) ?? 0 }

    /// The server's statistics since it listens: ``JazzyServer/statistics``.
    public var statistics: JazzyStatistics { withCalls(\.statistics) ?? JazzyStatistics() }

    /// Stops the server gracefully, as ``JazzyServer/stop()`` does: it returns at once, also in a handler.
    public func stop() {
        withCalls { $0.stop() }
    }

    /// Lets the server stop when its last client has left, as ``JazzyServer/drain(deadline:)`` does.
    ///
    /// - Parameter deadline: The time after which the server stops at the latest. The default is
    ///   ``JazzyTimeLimit/never``.
    public func drain(deadline: JazzyTimeLimit = .never) {
        withCalls { $0.drain(deadline: deadline) }
    }
}
