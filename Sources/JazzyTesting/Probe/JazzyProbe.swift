import JazzySwift
import Synchronization

/// A client in memory, to test handlers: it does to a handler what a client does, and shows what the handler did.
///
/// ```swift
/// import JazzySwift
/// import JazzyTesting
/// import Testing
///
/// @Test func greets() async throws {
///     let probe = JazzyProbe { ws, event, message in
///         if event == .open { ws.subscribe("guests") }
///         if event == .message, message.kind == .text { ws.send("Hello, " + message.text + "!") }
///     }
///     try await probe.open()
///     try await probe.text("Ada")
///     #expect(probe.sent == ["Hello, Ada!"])
///     #expect(probe.topics == ["guests"])
/// }
/// ```
///
/// Nothing is imitated: a probe is a connection of a real server with one event loop, whose bytes stay in memory. So
/// limits, time-outs, topics, compression and closing are those of the server that users meet. There are no sockets:
/// the server listens nowhere, and sees its clients at the address `127.0.0.1`, with port 0.
///
/// Nor is anything waited for by time. ``text(_:untilHandled:)`` and the like return when the handler has handled the
/// event, and when all that the server has sent by then, to any probe of it, has arrived. For a handler that is a task
/// (`JazzyAsyncHandler`) that is when it asks for its next message, or has ended. What comes later, for instance from
/// a task that the handler began, is waited for with ``message()``, or ``settle()``. What does not happen within the
/// time limit is an error that says what is missing.
///
/// A probe is one connection. When it is released, its connection is lost, and a server of its own is stopped.
public final class JazzyProbe: Sendable {
    /// The server that the probe connects to. Further probes of it meet this one: `JazzyProbe(probe.server, path)`.
    public var server: JazzyServer { host.server }

    /// The path of the request, and its query if it has one.
    public let path: String

    /// How long to wait for anything.
    public let timeLimit: Duration

    let host: ProbeHost
    let headers: JazzyHeaders
    let wire: ProbeWire
    private let hasBegun = Mutex(false)

    /// Creates a client of a server, which must have its routes, and must not listen: it runs, in memory, from when its
    /// first probe opens until its last probe is released.
    ///
    /// ```swift
    /// let alice = JazzyProbe(server, "/room/7", headers: ["Cookie": "user=alice"])
    /// let bob = JazzyProbe(server, "/room/7", headers: ["Cookie": "user=bob"])
    /// ```
    ///
    /// - Parameters:
    ///   - server: The server. It runs on one event loop, whatever its options say.
    ///   - path: The path of the request, with percent-encoding, and its query if there is one, as in `/room/7?from=3`.
    ///   - headers: Headers of the request. Those of a handshake are added.
    ///   - timeLimit: How long to wait for anything. The default is 10 s.
    public init(
        _ server: JazzyServer, _ path: String = "/", headers: JazzyHeaders = [:], timeLimit: Duration = .seconds(10)
    ) {
        self.path = path
        self.headers = headers
        self.timeLimit = timeLimit
        host = ProbeHost.of(server)
        wire = ProbeWire(host.network)
    }

    deinit {
        wire.lose()
    }

    // MARK: What the client does

    /// Connects, asks for a WebSocket, and waits for the answer, and until the open event was handled.
    ///
    /// - Parameter untilHandled: `false`: only for the answer. For handlers that are tasks, and ask for no message.
    /// - Returns: The response. ``response`` keeps it, also if it is a refusal.
    /// - Throws: ``JazzyTestError`` with the response if the server refuses the client; `JazzyError` if the server
    ///   cannot be started, for instance because of an option, or has as many connections as it may
    ///   (`JazzyError.Code.limitReached`).
    @discardableResult
    public func open(untilHandled: Bool = true) async throws -> JazzyTestResponse {
        let isFirst = hasBegun.withLock { hasBegun in
            defer { hasBegun = true }
            return !hasBegun
        }
        guard isFirst else {
            throw JazzyTestError(.invalidState, "a probe opens once; create another: JazzyProbe(probe.server, path)")
        }
        try await host.run(within: timeLimit)
        try host.connect(wire)
        wire.send(request: handshakeRequest(path: path, headers: headers))
        let response = try await wire.awaitResponse(within: timeLimit)
        guard response.isAccepted else { throw JazzyTestError.refused(path, response) }
        guard untilHandled else { return response }
        try await awaitHandled(0)
        return response
    }

    /// Sends a text, and waits until it was handled.
    ///
    /// - Parameters:
    ///   - text: The payload.
    ///   - untilHandled: `false`: it is only sent, and the next call, or ``message()``, waits.
    /// - Throws: ``JazzyTestError``.
    public func text(_ text: String, untilHandled: Bool = true) async throws {
        try await send(JazzyTestFrame(text), untilHandled)
    }

    /// Sends a binary message, and waits until it was handled.
    ///
    /// - Parameters:
    ///   - bytes: The payload.
    ///   - untilHandled: `false`: it is only sent, and the next call, or ``message()``, waits.
    /// - Throws: ``JazzyTestError``.
    public func binary(_ bytes: some Sequence<UInt8>, untilHandled: Bool = true) async throws {
        try await send(JazzyTestFrame(.binary, bytes), untilHandled)
    }

    /// Sends a ping, and waits for the server's pong.
    ///
    /// - Parameter payload: At most 125 bytes; with more, the server closes the connection.
    /// - Throws: ``JazzyTestError``.
    public func ping(_ payload: some Sequence<UInt8> = EmptyCollection()) async throws {
        let payload = Array(payload)
        let expected = try sendOrThrow(JazzyTestFrame(.ping, payload))
        try await wire.state.wait(within: timeLimit) { _ in
            "there is no pong: does a handler block, or was reading paused?"
        } until: { state in
            state.pongs.count { $0 == payload } >= expected.pongs || state.isOver
        }
        try await settle()
    }

    /// Sends a pong that nobody asked for.
    ///
    /// - Parameter payload: At most 125 bytes; with more, the server closes the connection.
    /// - Throws: ``JazzyTestError``.
    public func pong(_ payload: some Sequence<UInt8> = EmptyCollection()) async throws {
        try sendOrThrow(JazzyTestFrame(.pong, payload))
        // What comes behind it is handled behind it.
        try await ping()
    }

    /// Sends bytes as they are, for instance a frame that breaks a rule, so that the connection fails. Waits until the
    /// server has taken them, and for the end if the connection ends.
    ///
    /// ```swift
    /// try await probe.raw(JazzyTestFrame("not masked").bytes)
    /// #expect(probe.closed?.failure == WsError(.notMasked))
    /// ```
    ///
    /// - Parameter bytes: Any bytes.
    /// - Throws: ``JazzyTestError``.
    public func raw(_ bytes: [UInt8]) async throws {
        guard wire.send(raw: bytes) else { throw ended() }
        try await wire.state.wait(within: timeLimit) { _ in
            "the server does not take the bytes: does a handler block, or was reading paused?"
        } until: {
            $0.toServer.isEmpty || $0.isOver
        }
        try await settle()
    }

    /// Sends a close frame, and waits until the connection has ended, and its close event was handled.
    ///
    /// - Parameters:
    ///   - code: The close code; `nil`: the frame is empty.
    ///   - reason: The reason.
    /// - Throws: ``JazzyTestError``.
    public func close(code: UInt16? = 1000, reason: String = "") async throws {
        try sendOrThrow(.close(code: code, reason: reason))
        try await awaitEnd()
    }

    /// Ends the connection without a close frame, as a client that crashes: the server finds the end of the stream.
    /// Waits until the close event was handled.
    ///
    /// - Throws: ``JazzyTestError``.
    public func disconnect() async throws {
        try requireOpen()
        wire.end()
        try await awaitEnd()
    }

    /// Loses the connection, as a network that fails does: the handler has an error event first, `WsError`. Waits
    /// until the close event was handled.
    ///
    /// - Throws: ``JazzyTestError``.
    public func lose() async throws {
        try requireOpen()
        wire.lose()
        try await awaitEnd()
    }

    /// Takes nothing more of what the server sends, until ``resumeReading()``: to fill the connection's output.
    public func pauseReading() {
        wire.setReading(false)
    }

    /// Takes what the server sends again, and waits until all of it has arrived.
    ///
    /// - Throws: ``JazzyTestError``.
    public func resumeReading() async throws {
        wire.setReading(true)
        try await settle()
        // The server notices that the output has drained when the mark is on its way.
        try await settle()
    }

    // MARK: Waiting

    /// Waits for the next message from the server: the first that this has not returned yet.
    ///
    /// - Returns: The message, a text or a binary one. It is, or was, in ``sent``, too.
    /// - Throws: ``JazzyTestError``, also if the connection has ended, and there is no further message.
    public func message() async throws -> WsOwnedMessage {
        let next = try await wire.state.first(within: timeLimit) { state in
            "the server has sent no further message, after \(state.sent.count)"
        } _: { state -> WsOwnedMessage?? in
            guard state.seen == state.sent.count else {
                defer { state.seen += 1 }
                return state.sent[state.seen]
            }
            return state.isOver || state.closeFrame != nil ? .some(nil) : nil
        }
        guard let next else { throw ended() }
        return next
    }

    /// Waits until all that the server has sent so far, or was told to send from any thread, has arrived at its probes,
    /// and until the connections that it closes are closed.
    ///
    /// ```swift
    /// server.publish("news", "It rains.")
    /// try await probe.settle()
    /// #expect(probe.sent.last == "It rains.")
    /// ```
    ///
    /// - Throws: ``JazzyTestError``.
    public func settle() async throws {
        try await host.network.settle(within: timeLimit)
        if let failure = wire.state.value.failure { throw failure }
    }

    /// Waits until the connection has ended, by whomever, its close event was handled, and, if a task handles it, the
    /// task has ended.
    ///
    /// - Returns: How it ended.
    /// - Throws: ``JazzyTestError``.
    @discardableResult
    public func awaitEnd() async throws -> WsClose? {
        if let record = try await record() {
            try await record.state.wait(within: timeLimit) { state in
                state.close == nil
                    ? "the connection does not end: does a handler block, or was reading paused?"
                    : state.explanation(handling: 0)
            } until: {
                $0.isOver
            }
            // The server's close frame may follow its close event.
            try await wire.state.wait(within: timeLimit) { _ in
                "the server has handled the end of the connection, and does not close it: does a handler block?"
            } until: {
                $0.isOver || $0.isLost || $0.isUnread
            }
        }
        try await settle()
        return closed
    }

    // MARK: -

    private func send(_ frame: JazzyTestFrame, _ untilHandled: Bool) async throws {
        let expected = try sendOrThrow(frame)
        if untilHandled { try await awaitHandled(expected.messages) }
    }

    private func awaitHandled(_ count: Int) async throws {
        guard let record = try await record() else { throw ended() }
        try await awaitTaken("reading was paused, or a handler blocks")
        let isHandled = record.hasHandled(count)
        try await settle()
        // What was sent before the mark has arrived.
        if isHandled || record.state.value.isOver { return }
        record.noteDrops(host.newDrops())
        try await record.state.wait(within: timeLimit) {
            $0.explanation(handling: count)
        } until: {
            $0.hasHandled(count) || $0.isOver
        }
        try await settle()
    }

    /// Waits until the server has received all that was sent.
    private func awaitTaken(_ otherwise: String) async throws {
        try await wire.state.wait(within: timeLimit) { _ in
            "the server does not take what was sent to it: \(otherwise)"
        } until: {
            $0.toServer.isEmpty || $0.isOver
        }
    }

    /// What is known of the connection on the server's side; `nil` if it ended before that could be known.
    private func record() async throws -> ConnectionRecord? {
        try await wire.state.first(within: timeLimit) { _ in
            "the open event was not handled: does the handler block?"
        } _: { state -> ConnectionRecord?? in
            state.record.map { .some($0) } ?? (state.isOver ? .some(nil) : nil)
        }
    }

    @discardableResult
    private func sendOrThrow(_ frame: JazzyTestFrame) throws -> ProbeWire.Expected {
        guard let expected = wire.send(frame) else { throw ended() }
        return expected
    }

    private func requireOpen() throws {
        guard wire.state.value.isOpen else { throw ended() }
    }

    private func ended() -> JazzyTestError {
        let state = wire.state.value
        if let failure = state.failure { return failure }
        guard let response = state.response else {
            return JazzyTestError(.invalidState, "the probe is not open: call open() first")
        }
        guard response.isAccepted else { return .refused(path, response) }
        let how = closed.map { ": code \($0.code), \($0.cause)" } ?? ""
        return JazzyTestError(.ended, "the connection to \(path) has ended\(how)")
    }
}

extension ProbeWire {
    func awaitResponse(within limit: Duration) async throws -> JazzyTestResponse {
        let response = try await state.first(within: limit) { _ in
            "the server does not answer the request for a WebSocket: does a handler, or an upgrade hook, block?"
        } _: { state -> JazzyTestResponse?? in
            state.response.map { .some($0) } ?? (state.isOver || state.failure != nil ? .some(nil) : nil)
        }
        guard let response else {
            throw state.value.failure ?? JazzyTestError(.ended, "the server ended the connection without an answer")
        }
        return response
    }
}
