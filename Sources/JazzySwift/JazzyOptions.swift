import CJazzyPoll

/// What can be chosen about a server. A server with an option outside its range does not start.
public struct JazzyOptions: Sendable {
    /// The event loops, each with a thread of its own: 1 to 255. The default is the number of cores that this process
    /// may use.
    ///
    /// With more than one, handlers of different connections run at the same time.
    public var threads = Int(jz_options_default().threads)

    /// How connections come to the event loops, where there are several. The default is ``JazzyAccepting/sharedPort``.
    public var accepting = JazzyAccepting.sharedPort

    /// The threads for the handlers of routes with ``JazzyExecution/workers``: 1 to 1,024. The default is 8.
    ///
    /// They are started only where there is such a route.
    public var workerThreads = 8

    /// The connections that the kernel keeps until the server accepts them: 1 to 65,535. The default is 4,096.
    public var backlog = 4_096

    /// The size of an event loop's receive buffer, in bytes: 4 KiB to 16 MiB. The default is 512 KiB.
    public var receiveBufferSize = 524_288

    /// The largest message that is received, in bytes: 1 to 1 GiB. The default is 1 MiB.
    ///
    /// A larger one ends its connection with close code 1009. A route may have a limit of its own:
    /// ``JazzyRouteOptions/maxMessageSize``.
    public var maxMessageSize = 1_048_576

    /// The unsent bytes of one connection beyond which sends are dropped: 4 KiB to 4 GiB. The default is 1 MiB.
    ///
    /// Half of it pauses reading from that connection. What else happens beyond it is the route's choice:
    /// ``JazzyRouteOptions/backpressurePolicy``.
    public var backpressureLimit = 1_048_576

    /// The bytes that other threads may have sent or published through one event loop's mailbox before it takes them: 64 KiB
    /// to 4 GiB. The default is 64 MiB.
    ///
    /// What comes beyond it is dropped, and counted in ``JazzyServer/droppedCount``.
    public var mailboxLimit = 67_108_864

    /// The time from accepting a connection to its whole request head: 0.1 s to 1 h. The default is 10 s.
    public var handshakeTimeout = Duration.seconds(10)

    /// The time from the server's close frame to the end of the connection: 0.1 s to 1 h. The default is 5 s.
    public var closeTimeout = Duration.seconds(5)

    /// Where the server's log goes. The default writes warnings and errors to standard error.
    public var log: JazzyLog = logToStandardError

    /// Creates the default options.
    public init() {}
}
