/// How connections are distributed over the event loops of a server.
public enum JazzyAccepting: Sendable {
    /// Every loop listens on the port, and the kernel chooses one by a hash of the addresses.
    ///
    /// This costs nothing, but few connections, or many through few proxies, can be distributed unevenly. Where the
    /// kernel does not distribute, as on macOS, this is the same as ``handOver``.
    case sharedPort

    /// The first loop accepts, and hands every nth connection to each loop: even, but costs a wake-up for each
    /// connection.
    case handOver
}
