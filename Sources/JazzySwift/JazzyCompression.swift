import CJazzyPoll

/// Whether a message is compressed.
///
/// It never is where the connection has not agreed on it (``JazzyDeflate``), or where it would grow.
public enum JazzyCompression: Sendable {
    /// From the route's minimum size on.
    case automatic
    /// Whatever its size.
    case always
    /// Not at all: for what is compressed already, and for secrets beside what an attacker chooses (CRIME).
    case never
}

extension JazzyCompression {
    @usableFromInline
    var core: jz_compression {
        switch self {
        case .automatic: JZ_COMPRESSION_AUTOMATIC
        case .always: JZ_COMPRESSION_ALWAYS
        case .never: JZ_COMPRESSION_NEVER
        }
    }
}
