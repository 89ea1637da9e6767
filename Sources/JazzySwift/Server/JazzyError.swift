/// Why a server could not be set up or run.
public struct JazzyError: Error, Equatable, Sendable {
    /// The kind of an error, for programs to distinguish.
    public enum Code: Sendable {
        /// There is no memory.
        case outOfMemory
        /// An option is outside its range.
        case invalidOption
        /// A path is malformed or already taken.
        case invalidRoute
        /// The host is not an address and does not resolve to one, or the port is outside 0 to 65,535.
        case invalidAddress
        /// The port is taken.
        case addressInUse
        /// The address belongs to no interface of this machine.
        case addressUnavailable
        /// For instance a port below 1024 without the privilege.
        case permissionDenied
        /// The limit of open files is reached.
        case noDescriptors
        /// The call does not fit the server's state, for instance starting it twice.
        case invalidState
        /// More than 255 servers are set up in one process.
        case tooManyServers
        /// Any other error of the operating system.
        case system
        /// There are as many as an option allows, for instance ``JazzyOptions/maxConnections``: fewer, later.
        case limitReached
    }

    /// The kind of the error.
    public let code: Code

    /// A sentence that says what is wrong and what to do.
    public let message: String

    /// Creates an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension JazzyError: CustomStringConvertible {
    /// The ``message``.
    public var description: String { message }
}
