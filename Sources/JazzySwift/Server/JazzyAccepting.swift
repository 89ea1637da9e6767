/// How connections come to the event loops of a server that has several.
public enum JazzyAccepting: Sendable {
    /// Every loop listens on the port, and the kernel chooses by a hash of the addresses.
    ///
    /// It costs nothing; few connections, or many through few proxies, can be spread unevenly.
    case sharedPort

    /// The first loop accepts, and hands each loop every nth connection: even, at the price of a wake-up for each.
    case handOver
}
