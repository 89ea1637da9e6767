/// Makes a page for each request.
///
/// ```swift
/// Route.get("/ready") { request in
///     .text("ready for \(request.remoteAddress)\n")
/// }
/// ```
///
/// It is called on the thread of the client's event loop, or on a worker (``JazzyPageOptions/execution``), and runs
/// there until it suspends for the first time: until then it must not block a loop. It should await what takes time, and
/// then continues where Swift tasks run. Nothing more is read from the client meanwhile; requests that it has sent
/// already are answered after this one, in order.
///
/// If there is no answer within ``JazzyPageOptions/timeout``, the client gets a 503, and a warning is logged. The
/// handler's task is cancelled then, and also when the server stops, or when the client resets the connection. If the
/// handler throws, the type of the error is logged, and the client gets a 500.
public typealias JazzyPageHandler = @Sendable (_ request: JazzyRequest) async throws -> JazzyResponse

/// Options of a page that is made for each request.
public struct JazzyPageOptions: Equatable, Sendable {
    /// Where the handler is called. How many events may wait for a worker does not matter here: a client has one request
    /// at a time.
    public var execution: JazzyExecution

    /// The time that the handler has to answer: 100 ms to an hour; `nil`, the default: ``JazzyOptions/upgradeTimeout``.
    public var timeout: Duration?

    /// Creates options.
    public init(execution: JazzyExecution = .loop, timeout: Duration? = nil) {
        self.execution = execution
        self.timeout = timeout
    }
}

extension JazzyServer {
    /// Registers a page that is made for each request: GET and HEAD requests for the path are answered with what the
    /// handler returns.
    ///
    /// ```swift
    /// Route.get("/who/:room") { request in
    ///     let room = request.parameters["room"] ?? ""
    ///     return .text("\(request.server?.subscriberCount(room) ?? 0) are in \(room)\n")
    /// }
    /// ```
    ///
    /// Requests with content are refused with 400, and other methods with 405: this is no web server.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and may have parameters, like that of a WebSocket route. It may also be the path of
    ///     one.
    ///   - options: Where the handler is called, and how much time it has.
    ///   - handler: Makes the page.
    public func get(
        _ path: String, options: JazzyPageOptions = JazzyPageOptions(), _ handler: @escaping JazzyPageHandler
    ) {
        add(MadePageRoute(path: path, options: options, handler: handler))
    }
}

extension Route {
    /// Registers a page that is made for each request: GET and HEAD requests for the path are answered with what the
    /// handler returns.
    ///
    /// See ``JazzyServer/get(_:options:_:)``.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and may have parameters, like that of a WebSocket route. It may also be the path of
    ///     one.
    ///   - options: Where the handler is called, and how much time it has.
    ///   - handler: Makes the page.
    public static func get(
        _ path: String, options: JazzyPageOptions = JazzyPageOptions(), _ handler: @escaping JazzyPageHandler
    ) {
        Jazzy.server.get(path, options: options, handler)
    }
}

struct MadePageRoute: JazzyRoute {
    let path: String
    let options: JazzyPageOptions
    let handler: JazzyPageHandler
}
