/// A request for a WebSocket, which a route's upgrade hook decides about: ``JazzyUpgradeHook``.
///
/// Its handshake is valid, and its origin allowed. It is a copy, and may be kept. Whatever in it is not UTF-8 is
/// replaced with U+FFFD.
public struct JazzyRequest: Hashable, Sendable {
    /// The path, with percent-encoding as it came.
    public let path: String

    /// What follows the `?`, with percent-encoding as it came; empty where there is none. Its values by name are in
    /// ``queryValue(_:)``.
    public let query: String

    /// What the request has where the route's path has `:name`, by that name, decoded: a value may have a `/`, which came
    /// as `%2F`, but is never `.` or `..`. What is no percent-encoding stays as it came.
    public let parameters: [String: String]

    /// All headers, in their order.
    public let headers: JazzyHeaders

    /// The subprotocols that the client offers, the one it likes best first.
    public let subprotocols: [String]

    /// The client's address and port, as ``JazzyConnection/remoteAddress`` will be.
    public let remoteAddress: String

    /// Creates a request, for instance to test a hook.
    public init(
        path: String = "/", query: String = "", parameters: [String: String] = [:], headers: JazzyHeaders = [:],
        subprotocols: [String] = [], remoteAddress: String = "127.0.0.1:0"
    ) {
        self.path = path
        self.query = query
        self.parameters = parameters
        self.headers = headers
        self.subprotocols = subprotocols
        self.remoteAddress = remoteAddress
    }
}
