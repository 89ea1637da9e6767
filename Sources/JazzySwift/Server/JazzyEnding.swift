/// How the connections ended that existed when a server was stopped.
public struct JazzyEnding: Hashable, Sendable {
    /// WebSockets of which both sides sent a close frame, and whose output was all sent.
    public var clean = 0

    /// WebSockets that were lost, or that the peer ended without a close frame.
    public var unclean = 0

    /// WebSockets that were still there when the grace was over.
    public var cutOff = 0

    /// Connections that were not WebSockets.
    public var others = 0

    /// Creates a description of an end, with no connections.
    public init() {}
}
