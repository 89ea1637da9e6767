/// The answer to a client's request for a WebSocket.
///
/// The server sets `Connection`, `Upgrade`, `Date`, `Content-Length`, `Content-Type`, `Transfer-Encoding` and
/// `Sec-WebSocket-…` itself. If an answer may not be sent, because it has one of those, a header with a line end, or a
/// status out of range, the server logs an error, and the client gets a 500.
public struct JazzyUpgrade: Sendable {
    enum Answer: Sendable {
        case accept(subprotocol: String?, headers: JazzyHeaders, state: (any Sendable)?, compression: Bool)
        case reject(status: Int, headers: JazzyHeaders, body: JazzyContent?)
    }

    let answer: Answer

    /// What the task of the connection runs in, if the route has a ``JazzyAsyncHandler``: something that its upgrade
    /// hook began, such as a trace.
    package var surroundings: TaskSurroundings?

    /// The status of the response: 101 if the client is let in.
    package var responseStatus: Int {
        switch answer {
        case .accept: 101
        case .reject(let status, _, _): status
        }
    }

    /// Lets the client in.
    ///
    /// - Parameters:
    ///   - subprotocol: One that the client offers: ``JazzyRequest/subprotocols``. Empty: none; `nil`: chosen from
    ///     ``JazzyRouteOptions/subprotocols``. If the client does not offer it, the client gets a 500.
    ///   - headers: Further headers of the response, for instance `Set-Cookie`.
    ///   - state: The connection's state from the open event on: ``JazzyWebSocket/withState(as:_:)`` finds it by its
    ///     type. On a route with `state:` it replaces the result of that closure, and must have the same type;
    ///     otherwise the client gets a 500. It is released once in any case. A ``JazzyAdmissionHook`` gives a state
    ///     whose type the compiler checks.
    ///   - compression: `false`: nothing is compressed for this client, whatever ``JazzyRouteOptions/deflate`` says.
    public static func accept(
        subprotocol: String? = nil, headers: JazzyHeaders = [:], state: (any Sendable)? = nil, compression: Bool = true
    ) -> Self {
        Self(answer: .accept(subprotocol: subprotocol, headers: headers, state: state, compression: compression))
    }

    /// Refuses the client, and ends the connection.
    ///
    /// - Parameters:
    ///   - status: 300 to 599, for instance 401 or 404.
    ///   - headers: Further headers of the response, for instance `WWW-Authenticate` or `Location`.
    ///   - body: The response's body, from memory. The default is a short text that explains the status.
    public static func reject(_ status: Int, headers: JazzyHeaders = [:], body: JazzyContent? = nil) -> Self {
        Self(answer: .reject(status: status, headers: headers, body: body))
    }
}

/// Runs work within something, for instance with a task-local value.
package typealias TaskSurroundings =
    @Sendable (_ work: @escaping @Sendable () async throws -> Void) async throws -> Void

extension JazzyUpgrade: CustomStringConvertible {
    /// A description for logs, without confidential parts: the values of headers, the state and the body.
    public var description: String {
        switch answer {
        case .accept(let subprotocol, let headers, _, let compression):
            let name = subprotocol.map(String.init(reflecting:)) ?? "nil"
            let declining = compression ? "" : ", compression: false"
            return ".accept(subprotocol: \(name), headers: \(headers.map(\.name))\(declining))"
        case .reject(let status, let headers, _):
            return ".reject(\(status), headers: \(headers.map(\.name)))"
        }
    }
}

/// Decides which clients a route lets in.
///
/// ```swift
/// Route.ws("/room/:id", upgrade: { request in
///     guard request.cookie("session") == "secret" else { return .reject(401) }
///     return .accept(state: request.parameters["id"])
/// }) { ws, event, message in
///     if event == .open { ws.send("Welcome to room " + (ws.withState(as: String.self) { $0 } ?? "?")) }
/// }
/// ```
///
/// Instead, a ``JazzyAdmissionHook`` gives a state whose type the compiler checks.
///
/// It is called on the thread of the client's event loop, even if the route's handler runs on workers, and runs there
/// until it suspends for the first time: until then it must not block. It should await what takes time, and then
/// continues where Swift tasks run. Nothing is read from the client meanwhile.
///
/// If there is no answer within ``JazzyOptions/upgradeTimeout``, the client gets a 503, and a warning is logged. The
/// hook's task is cancelled then, and also when the server stops, or when the client resets the connection: if it
/// awaits something that reacts to cancellation, such as `Task.sleep` and most input and output, it ends at once. A
/// later answer does nothing. If the hook throws, the type of the error is logged, and the client gets a 500.
public typealias JazzyUpgradeHook = @Sendable (_ request: JazzyRequest) async throws -> JazzyUpgrade
