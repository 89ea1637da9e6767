/// Whether a message is compressed.
///
/// It never is where the connection has not agreed on it (``JazzyDeflate``), or where it would grow.
///
/// What is compressed can tell about itself. Its length tells whether a secret has something in common with what an
/// attacker had sent beside it (CRIME). And an event loop remembers the message that it compressed last, without context
/// takeover, so that one to many is compressed once: who can have the same loop send a message to himself can measure, by
/// the time that takes, whether it is the one that was last sent to another. With ``never`` neither tells anything.
public enum JazzyCompression: Sendable {
    /// From the route's minimum size on.
    case automatic
    /// Whatever its size.
    case always
    /// Not at all: for what is compressed already, and for secrets.
    case never
}
