import JazzySwift

/// A real client on a socket of this machine, which shows every frame.
///
/// ```swift
/// import JazzySwift
/// import JazzyTesting
/// import Testing
///
/// @Test func echoes() async throws {
///     let server = JazzyServer()
///     server.ws("/echo") { ws, event, message in
///         if event == .message, message.kind == .text { ws.send(message.text) }
///     }
///     try server.start(port: 0)
///     let client = try await JazzyTestClient(server, "/echo")
///     try await client.send("hello")
///     #expect(try await client.message() == "hello")
///     #expect(try await client.close().code == 1000)
/// }
/// ```
///
/// No call blocks a thread that runs tasks. What does not come within the time limit is an error that says what is
/// missing. When the client is released, its connection ends.
///
/// For a handler alone a ``JazzyProbe`` is simpler and faster; a client is for what a probe cannot see: single frames,
/// input that breaks the protocol, sockets.
public final class JazzyTestClient: Sendable {
    /// The server's response to the request for a WebSocket.
    public let response: JazzyTestResponse

    /// How long to wait for anything.
    public let timeLimit: Duration

    private let socket: ClientSocket
    private let incoming: Watched<Incoming>

    /// Connects to a server that listens on a TCP port, and asks for a WebSocket.
    ///
    /// - Parameters:
    ///   - server: The server, which must listen on this machine.
    ///   - path: The path of the request, with percent-encoding, and its query if there is one.
    ///   - headers: Headers of the request. Those of a handshake are added, unless they are given.
    ///   - answersControlFrames: Whether pings and close frames are answered at once, as clients do. The default is
    ///     `true`.
    ///   - timeLimit: How long to wait for anything. The default is 10 s.
    /// - Throws: ``JazzyTestError``, with the response if the server refuses the client.
    public convenience init(
        _ server: JazzyServer, _ path: String = "/", headers: JazzyHeaders = [:], answersControlFrames: Bool = true,
        timeLimit: Duration = .seconds(10)
    ) async throws {
        try await self.init(
            port: server.port, path, headers: headers, answersControlFrames: answersControlFrames,
            timeLimit: timeLimit)
    }

    /// Connects to a port of this machine, and asks for a WebSocket.
    ///
    /// - Parameters:
    ///   - port: The port.
    ///   - path: The path of the request, with percent-encoding, and its query if there is one.
    ///   - headers: Headers of the request. Those of a handshake are added, unless they are given.
    ///   - answersControlFrames: Whether pings and close frames are answered at once, as clients do. The default is
    ///     `true`.
    ///   - timeLimit: How long to wait for anything. The default is 10 s.
    /// - Throws: ``JazzyTestError``, with the response if the server refuses the client.
    public convenience init(
        port: Int, _ path: String = "/", headers: JazzyHeaders = [:], answersControlFrames: Bool = true,
        timeLimit: Duration = .seconds(10)
    ) async throws {
        try await self.init(
            port: port, path, headers: headers, answersControlFrames: answersControlFrames, timeLimit: timeLimit,
            mostUnread: .max)
    }

    /// The same, for servers that nobody trusts.
    ///
    /// - Parameter mostUnread: How many bytes may come that nobody has read yet, and be unread by the server when it
    ///   asks for answers; with more, the connection is ended.
    package init(
        port: Int, _ path: String, headers: JazzyHeaders, answersControlFrames: Bool = true, timeLimit: Duration,
        mostUnread: Int
    ) async throws {
        self.timeLimit = timeLimit
        incoming = Watched(Incoming(answersControlFrames: answersControlFrames, mostUnread: mostUnread))
        socket = try ClientSocket(port: port)
        let (incoming, socket) = (incoming, socket)
        socket.begin { bytes in
            let hasFailed = incoming.change { state in
                let answers = state.take(bytes)
                if !answers.isEmpty {
                    // Before a task wakes up, which may send something behind them, or end the connection.
                    socket.enqueue(answers)
                    state.limitUnsent(socket.unsent)
                }
                return state.failure != nil
            }
            if hasFailed { socket.end() }
        }
        do {
            try await socket.send(handshakeRequest(path: path, headers: headers), within: timeLimit)
            response = try await incoming.response(within: timeLimit)
            guard response.isAccepted else { throw JazzyTestError.refused(path, response) }
        } catch {
            socket.end()
            throw error
        }
    }

    deinit {
        socket.end()
    }

    /// Asks for a WebSocket, and returns the server's response, whatever it is, and ends the connection.
    ///
    /// - Parameters:
    ///   - server: The server, which must listen on this machine.
    ///   - path: The path of the request, with percent-encoding, and its query if there is one.
    ///   - headers: Headers of the request. Those of a handshake are added, unless they are given.
    ///   - timeLimit: How long to wait. The default is 10 s.
    /// - Throws: ``JazzyTestError`` if there is no response.
    public static func response(
        of server: JazzyServer, _ path: String = "/", headers: JazzyHeaders = [:], timeLimit: Duration = .seconds(10)
    ) async throws -> JazzyTestResponse {
        do {
            return try await Self(server, path, headers: headers, timeLimit: timeLimit).response
        } catch let error as JazzyTestError {
            guard let response = error.response else { throw error }
            return response
        }
    }

    /// The address and port of this side, as the server sees it: `127.0.0.1:4711`.
    public var localAddress: String { socket.localAddress }

    // MARK: Sending

    /// Sends a text. Returns when the kernel has it.
    ///
    /// - Throws: ``JazzyTestError``, also if the kernel does not take it in time, because the server does not read.
    public func send(_ text: String) async throws {
        try await send(JazzyTestFrame(text))
    }

    /// Sends a binary message. Returns when the kernel has it.
    ///
    /// - Throws: ``JazzyTestError``, also if the kernel does not take it in time, because the server does not read.
    public func send(_ bytes: some Sequence<UInt8>) async throws {
        try await send(JazzyTestFrame(.binary, bytes))
    }

    /// Sends a frame, masked with a key by chance if it has none: to send it without one, use ``send(raw:)``. Returns
    /// when the kernel has it.
    ///
    /// - Throws: ``JazzyTestError``, also if the kernel does not take it in time, because the server does not read.
    public func send(_ frame: JazzyTestFrame) async throws {
        if frame.opcode == .close { incoming.change { $0.hasSentClose = true } }
        try await send(raw: frame.asFromClient.bytes)
    }

    /// Sends bytes as they are, for instance a frame that breaks a rule. Returns when the kernel has them.
    ///
    /// - Throws: ``JazzyTestError``, also if the kernel does not take them in time, because the server does not read.
    public func send(raw bytes: [UInt8]) async throws {
        try await socket.send(bytes, within: timeLimit)
    }

    /// Sends a ping.
    ///
    /// - Parameter payload: At most 125 bytes; with more, the server closes the connection.
    /// - Throws: ``JazzyTestError``, also if the kernel does not take it in time, because the server does not read.
    public func ping(_ payload: some Sequence<UInt8> = EmptyCollection()) async throws {
        try await send(JazzyTestFrame(.ping, payload))
    }

    // MARK: Receiving

    /// Waits for the next frame, of any kind, that ``frame()`` and ``message()`` have not returned yet.
    ///
    /// - Throws: ``JazzyTestError``, also if the connection has ended, and there is no further frame.
    public func frame() async throws -> JazzyTestFrame {
        try await incoming.first(within: timeLimit) { _ in
            "the server has sent no further frame"
        } _: {
            $0.takeFrame()
        }.get()
    }

    /// Waits for the next message: its frames are joined, and it is decompressed. Pings and pongs before it are
    /// skipped.
    ///
    /// - Throws: ``JazzyTestError``, also if the connection has ended, or a close frame has come.
    public func message() async throws -> WsOwnedMessage {
        try await incoming.first(within: timeLimit) { _ in
            "the server has sent no further message"
        } _: {
            $0.takeMessage()
        }.get()
    }

    /// Waits for the server's close frame. What comes before it is skipped.
    ///
    /// - Returns: Its code and reason.
    /// - Throws: ``JazzyTestError``, also if the connection ends without one.
    @discardableResult
    public func awaitClose() async throws -> JazzyTestClose {
        try await incoming.first(within: timeLimit) { _ in
            "the server has sent no close frame"
        } _: {
            $0.close.map { .success($0) } ?? $0.end()
        }.get()
    }

    /// Waits until the server ends the connection.
    ///
    /// - Throws: ``JazzyTestError``.
    public func awaitEnd() async throws {
        try await incoming.wait(within: timeLimit) { _ in
            "the server does not end the connection"
        } until: {
            $0.hasEnded
        }
    }

    // MARK: Ending

    /// Closes the connection: sends a close frame, and waits for that of the server, and for the end.
    ///
    /// - Parameters:
    ///   - code: The close code; `nil`: the frame is empty.
    ///   - reason: The reason.
    /// - Returns: Code and reason of the server's close frame.
    /// - Throws: ``JazzyTestError``.
    @discardableResult
    public func close(code: UInt16? = 1000, reason: String = "") async throws -> JazzyTestClose {
        let (socket, frame) = (socket, JazzyTestFrame.close(code: code, reason: reason).asFromClient)
        let end = incoming.change { state -> Int? in
            guard !state.hasSentClose else { return nil }
            state.hasSentClose = true
            // At once: an answer to the server's own close frame would be another one.
            return socket.enqueue(frame.bytes)
        }
        if let end { try await awaitSent(end) }
        let close = try await awaitClose()
        try await awaitEnd()
        return close
    }

    /// Also if the server has closed meanwhile, and takes nothing any more: then its close frame has come.
    private func awaitSent(_ end: Int) async throws {
        do {
            try await socket.awaitSent(end, within: timeLimit)
        } catch let error as JazzyTestError where error.code == .ended {}
    }

    /// Ends the connection without a close frame.
    public func disconnect() {
        socket.end()
    }

    /// Ends the connection with a reset, as a network that fails does.
    public func reset() {
        socket.end(withReset: true)
    }
}

extension JazzyTestFrame {
    fileprivate var asFromClient: Self {
        var frame = self
        frame.mask = mask ?? randomBytes(4)
        return frame
    }
}

extension Watched<Incoming> {
    fileprivate func response(within limit: Duration) async throws -> JazzyTestResponse {
        try await first(within: limit) { _ in
            "the server does not answer the request for a WebSocket"
        } _: { state -> Result<JazzyTestResponse, JazzyTestError>? in
            if let response = state.response { return .success(response) }
            return state.end()
        }.get()
    }
}
