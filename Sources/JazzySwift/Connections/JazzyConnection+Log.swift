import CJazzyPoll

extension JazzyConnection where Self: ~Escapable {
    /// Writes a line about this connection to the server's log, as `ADDRESS: TEXT`.
    ///
    /// Lines about connections, from the server or from handlers, are limited to 10 per second for each event loop and
    /// level; one more line says how many were omitted. The text may contain anything: see ``JazzyLog``. After the
    /// server is gone this does nothing.
    ///
    /// - Parameters:
    ///   - level: The importance of the line.
    ///   - text: The text of the line.
    public func log(_ level: JazzyLogLevel, _ text: String) {
        withCharacters(of: text) { jz_ws_log(webSocket.core, level.core, $0, $1) }
    }

    /// The same with what a ``JazzyLogRecord`` says in addition.
    func log(_ level: JazzyLogLevel, _ text: String, route: String, cause: String) {
        let ws = webSocket.core
        withCharacters(of: text) { text, length in
            route.withCString { route in
                cause.withCString { cause in jz_ws_log_about(ws, level.core, text, length, route, cause) }
            }
        }
    }
}
