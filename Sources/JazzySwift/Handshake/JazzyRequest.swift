/// A request for a WebSocket, as a route's upgrade hook gets it (``JazzyUpgradeHook``, ``JazzyAdmissionHook``), and as
/// ``JazzyConnection/request`` is; or one for a page (``JazzyPageHandler``).
///
/// That for a WebSocket has a valid handshake, and an origin that is allowed. It is a copy, and may be kept. Bytes that
/// are not UTF-8 are replaced with U+FFFD.
public struct JazzyRequest: Hashable, Sendable {
    /// The path, with percent-encoding as sent.
    public let path: String

    /// The text behind the `?`, with percent-encoding as sent; empty if there is none. See also ``queryValue(_:)``.
    public let query: String

    /// The values of the parameters in the route's path, `:name`, by name. They are decoded: a value may contain a `/`,
    /// sent as `%2F`, but is never `.` or `..`. A malformed escape stays as sent.
    ///
    /// In the route `/files/*rest` the catch-all matches all that is left of the path, for instance `a/b.txt`, under the
    /// name `rest`. It has at least one segment, and does not begin with a `/`; no segment in it is `.` or `..`, or had
    /// an encoded slash. So it can be appended to a folder's path.
    public let parameters: [String: String]

    /// All headers, in order.
    public let headers: JazzyHeaders

    /// The subprotocols that the client offers, in its order of preference.
    public let subprotocols: [String]

    /// The client's address and port, as ``JazzyConnection/remoteAddress`` will be.
    public let remoteAddress: String

    /// The path of the route, as it was registered: with parameters as `:name`.
    public let route: String

    /// Whether the client's connection is encrypted, all the way as far as is known.
    ///
    /// Its transport says so (`JazzyTLS`), or a trusted proxy does, where the server also takes the client's address or
    /// host from it (``JazzyOptions/clientAddress``, ``JazzyOptions/forwardedHost``): `proto` of `Forwarded`;
    /// `X-Forwarded-Proto`, which belongs to `X-Forwarded-For`, `X-Forwarded-Host` and headers with one address; or the
    /// PROXY protocol's field about TLS. What a header of a trusted proxy says of its client outranks the transport
    /// between that proxy and this server.
    public let isSecure: Bool

    /// What the connection's transport knows of the client and of itself, by name: for instance `tls.version`, with
    /// `JazzyTLS`. A name may have several values. A plain connection has none.
    ///
    /// Bytes that are not UTF-8 are replaced with U+FFFD.
    public let transportProperties: [String: [String]]

    /// Whether the request comes from a program on this machine, which asked for this machine, as
    /// ``JazzyAudience/loopback`` says.
    public let isFromLoopback: Bool

    var sender = Sender()

    /// The connection of a request. Requests are equal whosever they are.
    struct Sender: Hashable, Sendable {
        var ws: JazzyWebSocket?

        static func == (one: Self, other: Self) -> Bool { true }
        func hash(into hasher: inout Hasher) {}
    }

    func sent(by ws: JazzyWebSocket) -> Self {
        var request = self
        request.sender.ws = ws
        return request
    }

    /// Creates a request, for instance to test a hook.
    public init(
        path: String = "/", query: String = "", parameters: [String: String] = [:], headers: JazzyHeaders = [:],
        subprotocols: [String] = [], remoteAddress: String = "127.0.0.1:0", route: String = "/", isSecure: Bool = false,
        transportProperties: [String: [String]] = [:], isFromLoopback: Bool = false
    ) {
        self.path = path
        self.query = query
        self.parameters = parameters
        self.headers = headers
        self.subprotocols = subprotocols
        self.remoteAddress = remoteAddress
        self.route = route
        self.isSecure = isSecure
        self.transportProperties = transportProperties
        self.isFromLoopback = isFromLoopback
    }
}
