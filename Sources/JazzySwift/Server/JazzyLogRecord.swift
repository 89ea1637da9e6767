/// A line of the log, and what it is about, for logs that keep such things apart: ``JazzyOptions/logRecord``.
///
/// ```swift
/// var options = JazzyOptions()
/// options.logRecord = { record in
///     guard !record.isPeersFault else { return }
///     print(record.level, record.message, record.address ?? "-", record.route ?? "-", record.cause ?? "-")
/// }
/// ```
///
/// Every text is safe to show in one line, as that of a ``JazzyLog``.
public struct JazzyLogRecord: Hashable, Sendable {
    /// The importance of the line.
    public var level: JazzyLogLevel

    /// The line, without the address with which a ``JazzyLog`` would get it.
    public var message: String

    /// Whether a client was refused, broke a rule, or was lost. Such a line has the level ``JazzyLogLevel/info``, unless
    /// an operator may want to change something.
    public var isPeersFault: Bool

    /// The address and port of the client that the line is about, as ``JazzyConnection/remoteAddress``; `nil` if there
    /// is none, or it is not known.
    public var address: String?

    /// The path of the client's route, with its parameters as `:name`; `nil` if there is none, or it is not known.
    public var route: String?

    /// The origin of the page that the client comes from, if the line is about that: the first that a route refuses.
    public var origin: String?

    /// A word for why: ``JazzyRefusal/name``, the name of a ``WsError/Rule`` or of a ``WsClose/Cause-swift.enum``, the
    /// type of the error that a handler or an upgrade hook threw, `client_address` where a proxy does not name its
    /// client, or `wrong_subprotocol` where an upgrade hook chose one that was not offered.
    public var cause: String?

    /// Creates a record, for instance to test a log.
    public init(
        level: JazzyLogLevel, message: String, isPeersFault: Bool = false, address: String? = nil,
        route: String? = nil, origin: String? = nil, cause: String? = nil
    ) {
        self.level = level
        self.message = message
        self.isPeersFault = isPeersFault
        self.address = address
        self.route = route
        self.origin = origin
        self.cause = cause
    }
}

/// Called with one record, as a ``JazzyLog`` with its line: from any thread, possibly from several at a time.
public typealias JazzyRecordLog = @Sendable (_ record: JazzyLogRecord) -> Void
