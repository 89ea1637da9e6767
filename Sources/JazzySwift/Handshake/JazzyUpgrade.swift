/// What a client is answered that asks for a WebSocket.
///
/// The server sets `Connection`, `Upgrade`, `Date`, `Content-Length`, `Content-Type`, `Transfer-Encoding` and
/// `Sec-WebSocket-…` itself. Where an answer may not be sent, because it has one of those, a header with a line end, or
/// a status out of range, the server logs that as an error, and the client is answered with 500.
public struct JazzyUpgrade: Sendable {
    enum Answer: Sendable {
        case accept(subprotocol: String?, headers: JazzyHeaders, state: (any Sendable)?)
        case reject(status: Int, headers: JazzyHeaders, body: JazzyContent?)
    }

    let answer: Answer

    /// Lets the client in.
    ///
    /// - Parameters:
    ///   - subprotocol: One that the client offers: ``JazzyRequest/subprotocols``. Empty is none; `nil` leaves it to
    ///     ``JazzyRouteOptions/subprotocols``. With one that it does not offer, the client is answered with 500.
    ///   - headers: Further headers of the response, for instance `Set-Cookie`.
    ///   - state: What the connection's state is from the open event on: ``JazzyWebSocket/withState(as:_:)`` finds it
    ///     by its type. On a route with `state:` it takes the place of what that closure makes, and has to be of the
    ///     same type: with another the client is answered with 500. It is released once, whatever becomes of the
    ///     connection.
    public static func accept(
        subprotocol: String? = nil, headers: JazzyHeaders = [:], state: (any Sendable)? = nil
    ) -> Self {
        Self(answer: .accept(subprotocol: subprotocol, headers: headers, state: state))
    }

    /// Sends the client away, and ends the connection.
    ///
    /// - Parameters:
    ///   - status: 300 to 599, for instance 401 or 404.
    ///   - headers: Further headers of the response, for instance `WWW-Authenticate` or `Location`.
    ///   - body: The response's body. The default is a short text that says what the status means.
    public static func reject(_ status: Int, headers: JazzyHeaders = [:], body: JazzyContent? = nil) -> Self {
        Self(answer: .reject(status: status, headers: headers, body: body))
    }
}

extension JazzyUpgrade: CustomStringConvertible {
    /// What the answer is, without what had better not be in a log: the values of headers, the state and the body.
    public var description: String {
        switch answer {
        case .accept(let subprotocol, let headers, _):
            let name = subprotocol.map(String.init(reflecting:)) ?? "nil"
            return ".accept(subprotocol: \(name), headers: \(headers.map(\.name)))"
        case .reject(let status, let headers, _):
            return ".reject(\(status), headers: \(headers.map(\.name)))"
        }
    }
}

/// Decides who is let in to a route.
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
/// It is called on the thread of the client's event loop, also where the route's handler runs on workers, and runs
/// there until it suspends for the first time: until then it must not block. What needs time is awaited, and the hook
/// goes on where Swift tasks do. Nothing is read from the client meanwhile.
///
/// A client that was not answered within ``JazzyOptions/upgradeTimeout`` is answered with 503, and the log is warned. The
/// hook's task is cancelled then, and so it is when the server stops, or the client resets the connection: where it
/// awaits something that heeds that, as `Task.sleep` and most of what does input and output, it ends at once. An answer
/// that it still gives does nothing. If the hook throws, the log is told of which type the error is, and the client is
/// answered with 500.
public typealias JazzyUpgradeHook = @Sendable (_ request: JazzyRequest) async throws -> JazzyUpgrade
