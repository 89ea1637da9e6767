/// Logs what the closures of a route throw.
struct HandlerErrors: Sendable {
    /// The route's path, or its beginning.
    let path: String
    private let route: String
    private let tellsTexts: Bool

    init(path: String, tellsTexts: Bool) {
        route = path
        // Leave room in a log line for what went wrong.
        self.path = path.count > 100 ? path.prefix(100) + "…" : path
        self.tellsTexts = tellsTexts
    }

    /// Logs that a closure of the route threw: only the type of the error, because its text may come from the client;
    /// but that of a message that could not be decoded does not.
    func tell(_ ws: JazzyWebSocket, _ level: JazzyLogLevel, _ closure: String, threw error: any Error) {
        let cause = "\(type(of: error))"
        let line = "the \(closure) of \(path) threw \(cause)"
        let isSafe = error is WsDecodingError
        ws.log(level, isSafe ? "\(line): \(error)" : line, route: route, cause: cause)
        if tellsTexts, !isSafe { ws.log(.debug, "\(line): \(error)", route: route, cause: cause) }
    }
}
