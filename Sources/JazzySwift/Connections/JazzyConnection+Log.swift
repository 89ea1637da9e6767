import CJazzyPoll

extension JazzyConnection where Self: ~Escapable {
    /// Tells the server's log something about this connection, as `ADDRESS: TEXT`.
    ///
    /// Of what is told of connections, by the server or by its handlers, each event loop tells at most 10 lines a
    /// second at each level, and one more that counts the rest. The text need not be fit for a log: see ``JazzyLog``.
    /// After the server is gone this does nothing.
    ///
    /// - Parameters:
    ///   - level: How much it matters.
    ///   - text: What is told.
    public func log(_ level: JazzyLogLevel, _ text: String) {
        withCharacters(of: text) { jz_ws_log(webSocket.core, level.core, $0, $1) }
    }
}
