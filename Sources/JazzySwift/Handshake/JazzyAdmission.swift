/// The answer of a ``JazzyAdmissionHook`` to a client's request: the client is let in with a state of the route's type,
/// or it is refused.
///
/// The rules for subprotocols, headers, statuses and bodies are those of ``JazzyUpgrade``.
public struct JazzyAdmission<State> {
    /// The answer without the state.
    package var upgrade: JazzyUpgrade

    /// The state of the connection; `nil` if the client is refused.
    public let state: State?

    private init(_ upgrade: JazzyUpgrade, _ state: sending State?) {
        self.upgrade = upgrade
        self.state = state
    }

    /// Lets the client in.
    ///
    /// - Parameters:
    ///   - state: The connection's state from the open event on. It is released once, whatever becomes of the client.
    ///   - subprotocol: One that the client offers: ``JazzyRequest/subprotocols``. Empty: none; `nil`: chosen from
    ///     ``JazzyRouteOptions/subprotocols``. If the client does not offer it, the client gets a 500.
    ///   - headers: Further headers of the response, for instance `Set-Cookie`.
    ///   - compression: `false`: nothing is compressed for this client, whatever ``JazzyRouteOptions/deflate`` says.
    public static func accept(
        _ state: sending State, subprotocol: String? = nil, headers: JazzyHeaders = [:], compression: Bool = true
    ) -> Self {
        Self(.accept(subprotocol: subprotocol, headers: headers, compression: compression), state)
    }

    /// Refuses the client, and ends the connection.
    ///
    /// - Parameters:
    ///   - status: 300 to 599, for instance 401 or 404.
    ///   - headers: Further headers of the response, for instance `WWW-Authenticate` or `Location`.
    ///   - body: The response's body. The default is a short text that explains the status.
    public static func reject(_ status: Int, headers: JazzyHeaders = [:], body: JazzyContent? = nil) -> Self {
        Self(.reject(status, headers: headers, body: body), nil)
    }
}

extension JazzyAdmission: Sendable where State: Sendable {}

extension JazzyAdmission: CustomStringConvertible {
    /// A description for logs, without confidential parts: the values of headers, the state and the body.
    public var description: String { upgrade.description }
}

/// Decides which clients a route lets in, and gives each its state, whose type is the route's: the compiler checks it.
///
/// ```swift
/// struct Seat: Sendable { let room: String, name: String }
///
/// Route.ws("/room/:id", state: Seat.self, upgrade: { request in
///     guard let name = request.cookie("name") else { return .reject(401) }
///     return .accept(Seat(room: request.parameters["id"] ?? "lobby", name: name))
/// }) { ws, event, message in
///     if event == .open { ws.subscribe(ws.state.room) }
///     if event == .message, message.kind == .text { ws.publish(ws.state.room, ws.state.name + ": " + message.text) }
/// }
/// ```
///
/// Every connection of the route has been let in by the hook, so each has a state, and none has to be made up for
/// others. Instead of `state: Seat.self`, the closure may name the type: `{ request -> JazzyAdmission<Seat> in`. One of
/// both is needed if the closure has several statements, because from these the compiler does not infer it.
///
/// A hook may also be a function. The state need not be `Sendable`: the hook makes it, and gives it away. For a handler
/// that is a task it must be `Sendable`: ``JazzyStatefulAsyncHandler``.
///
/// It is called and cancelled as a ``JazzyUpgradeHook`` is.
public typealias JazzyAdmissionHook<State> =
    @Sendable (_ request: JazzyRequest) async throws -> JazzyAdmission<State>
