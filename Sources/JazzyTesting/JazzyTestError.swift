/// Why something that a test waits for does not happen.
public struct JazzyTestError: Error, Sendable {
    /// What went wrong.
    public enum Code: Sendable {
        /// It did not happen in time: the message says what.
        case timeout
        /// The server refused the client: see ``JazzyTestError/response``.
        case refused
        /// The connection has ended.
        case ended
        /// What was called may not be called now.
        case invalidState
        /// What the server sent could not be understood.
        case malformed
        /// The system refused something, for instance a socket.
        case system
    }

    /// What went wrong.
    public let code: Code

    /// What went wrong, and what to do about it.
    public let message: String

    /// The response of a server that refused the client.
    public let response: JazzyTestResponse?

    init(_ code: Code, _ message: String, response: JazzyTestResponse? = nil) {
        self.code = code
        self.message = message
        self.response = response
    }

    static func refused(_ path: String, _ response: JazzyTestResponse) -> Self {
        Self(.refused, "the server refused \(path) with \(response.status): \(response.text)", response: response)
    }
}

extension JazzyTestError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}
