/// The default application: the server whose routes ``Route`` registers.
///
/// ```swift
/// Route.ws("/echo") { ws, event, message in
///     if event == .message, message.kind == .text { ws.send(message.text) }
/// }
/// await Jazzy.runOrExit(port: 8080)
/// ```
public enum Jazzy {
    /// The default application's server.
    public static let server = JazzyServer()

    /// Serves the default application until Ctrl-C (SIGINT) or SIGTERM, then stops it gracefully: every connection is
    /// closed with code 1001, and its output is flushed.
    ///
    /// It blocks the calling thread, in a program usually the main thread: no task that needs the main actor runs
    /// meanwhile. Beside tasks use ``run(host:port:options:grace:)``.
    ///
    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address or a name; `nil` means every address of this machine, IPv4 and IPv6.
    ///   - port: 0 to 65,535; with 0 the kernel chooses a free one.
    ///   - options: The options of the server.
    /// - Throws: ``JazzyError`` if an option, a route or the address is invalid, or the port is in use.
    @available(*, noasync, message: "use run(host:port:options:grace:)")
    public static func serve(
        host: String? = nil, port: Int, options: JazzyOptions = JazzyOptions()
    ) throws(JazzyError) {
        try serve(on: [.port(port, host: host)], options: options)
    }

    /// Serves the default application until Ctrl-C (SIGINT) or SIGTERM, as ``serve(host:port:options:)`` does.
    ///
    /// - Parameters:
    ///   - addresses: The addresses to listen on, for instance `[.port(80), .unix("/run/app.sock")]`.
    ///   - options: The options of the server.
    /// - Throws: ``JazzyError`` if an option, a route or an address is invalid, or an address is in use.
    @available(*, noasync, message: "use run(on:options:grace:)")
    public static func serve(
        on addresses: [JazzyAddress], options: JazzyOptions = JazzyOptions()
    ) throws(JazzyError) {
        try server.listen(on: addresses, options: options)
        try server.runUntilSignal()
    }

    /// Serves the default application until Ctrl-C (SIGINT) or SIGTERM, or until the task is cancelled; then stops it
    /// gracefully, as ``serve(host:port:options:)`` does.
    ///
    /// Meanwhile the task is suspended: no thread that runs tasks is blocked, and neither is the main actor. So tasks,
    /// timers and upgrade hooks may use variables of the program's top level, which belong to the main actor. If the
    /// task was cancelled before, the application is not served at all. Cancellation is no error.
    ///
    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address or a name; `nil` means every address of this machine, IPv4 and IPv6.
    ///   - port: 0 to 65,535; with 0 the kernel chooses a free one.
    ///   - options: The options of the server.
    ///   - grace: After a cancellation, as for ``JazzyServer/run(on:grace:untilSignal:)``.
    /// - Throws: ``JazzyError`` if an option, a route or the address is invalid, or the port is in use.
    public static func run(
        host: String? = nil, port: Int, options: JazzyOptions = JazzyOptions(), grace: Duration? = nil
    ) async throws(JazzyError) {
        try await run(on: [.port(port, host: host)], options: options, grace: grace)
    }

    /// Serves the default application until Ctrl-C (SIGINT) or SIGTERM, or until the task is cancelled, as
    /// ``run(host:port:options:grace:)`` does.
    ///
    /// - Parameters:
    ///   - addresses: The addresses to listen on, for instance `[.port(80), .unix("/run/app.sock")]`.
    ///   - options: The options of the server.
    ///   - grace: After a cancellation, as for ``JazzyServer/run(on:grace:untilSignal:)``.
    /// - Throws: ``JazzyError`` if an option, a route or an address is invalid, or an address is in use.
    public static func run(
        on addresses: [JazzyAddress], options: JazzyOptions = JazzyOptions(), grace: Duration? = nil
    ) async throws(JazzyError) {
        try await server.run(on: addresses, options: options, grace: grace, untilSignal: true)
    }

    /// Publishes a text message to all subscribers of a topic of the default application, from any thread.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - text: The payload.
    /// - Returns: The result; see ``JazzyPublisher/publish(_:_:kind:)-(_,RawSpan,_)``.
    @inlinable
    @discardableResult
    public static func publish(_ topic: String, _ text: String) -> JazzySendStatus {
        server.publish(topic, text)
    }

    /// Publishes bytes as one message to all subscribers of a topic of the default application, from any thread.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    /// - Returns: The result; see ``JazzyPublisher/publish(_:_:kind:)-(_,RawSpan,_)``.
    @inlinable
    @discardableResult
    public static func publish(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind = .binary) -> JazzySendStatus {
        server.publish(topic, bytes, kind: kind)
    }

    /// Publishes bytes as one message to all subscribers of a topic of the default application, from any thread.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    /// - Returns: The result; see ``JazzyPublisher/publish(_:_:kind:)-(_,RawSpan,_)``.
    @inlinable
    @discardableResult
    public static func publish(
        _ topic: String, _ bytes: some Sequence<UInt8>, kind: WsMessageKind = .binary
    ) -> JazzySendStatus {
        server.publish(topic, bytes, kind: kind)
    }

    /// Publishes a value as JSON, in a text message, to all subscribers of a topic of the default application, from any
    /// thread.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - value: The value to encode.
    /// - Returns: The result; see ``JazzyPublisher/publish(_:_:kind:)-(_,RawSpan,_)``.
    /// - Throws: `EncodingError` if the value cannot be encoded; nothing is published then.
    @discardableResult
    public static func publish(_ topic: String, json value: some Encodable) throws -> JazzySendStatus {
        try server.publish(topic, json: value)
    }

    /// How many connections are subscribed to a topic of the default application: ``JazzyServer/subscriberCount(_:)``.
    public static func subscriberCount(_ topic: String) -> Int {
        server.subscriberCount(topic)
    }

    /// The statistics of the default application: ``JazzyServer/statistics``.
    public static var statistics: JazzyStatistics { server.statistics }
}
