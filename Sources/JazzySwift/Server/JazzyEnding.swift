/// How the connections ended that there were when a server stopped.
public struct JazzyEnding: Hashable, Sendable {
    /// WebSockets with which close frames went both ways, and whose output was all sent.
    public var clean = 0

    /// WebSockets that were lost, or left by the peer without a close frame.
    public var unclean = 0

    /// WebSockets that were left when the grace was over.
    public var cutOff = 0

    /// Connections that were no WebSockets.
    public var others = 0

    /// Creates a description of an end, with no connections.
    public init() {}
}
