/// Whether a message is compressed.
///
/// Never if the connection has not negotiated compression (``JazzyDeflate``), or if the message would grow.
///
/// Compression can reveal secrets. The length of a compressed message shows whether a secret has something in common
/// with text that an attacker has placed beside it (CRIME). And without context takeover an event loop remembers the
/// message that it compressed last, so that a message to many is compressed once: an attacker who can make the same
/// loop send a message to him can measure, by the time this takes, whether it equals the last one, to somebody else.
/// ``never`` prevents both.
public enum JazzyCompression: Sendable {
    /// From the route's minimum size on.
    case automatic
    /// Regardless of its size.
    case always
    /// Not at all: for data that is compressed already, and for secrets.
    case never
}
