/// The default application: the server whose routes ``Route`` registers.
///
/// ```swift
/// Route.ws("/echo") { ws, event, message in
///     if event == .message { ws.send(message.bytes, kind: message.kind) }
/// }
/// try Jazzy.serve(port: 8080)
/// ```
public enum Jazzy {
    /// The default application's server.
    public static let server = JazzyServer()

    /// Serves the default application until Ctrl-C (SIGINT) or SIGTERM, then stops it in order: every connection is
    /// closed with code 1001, and what was sent is flushed.
    ///
    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address or a name; `nil` is every address of this machine, IPv4 and IPv6.
    ///   - port: 0 to 65,535; 0 asks the kernel for a free one.
    ///   - options: What can be chosen about the server.
    /// - Throws: ``JazzyError`` if an option, a route or the address is not right, or the port is in use.
    public static func serve(
        host: String? = nil, port: Int, options: JazzyOptions = JazzyOptions()
    ) throws(JazzyError) {
        try server.listen(host: host, port: port, options: options)
        try server.runUntilSignal()
    }
}
