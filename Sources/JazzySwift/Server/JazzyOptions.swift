/// What can be chosen about a server. A server with an option outside its range does not start.
///
/// Where a route has an option of the same name, in ``JazzyRouteOptions``, this is its default. Time-outs are in whole
/// milliseconds, and pass up to 50 ms late.
public struct JazzyOptions: Sendable {
    /// The event loops, each with a thread of its own: 1 to 255. The default is the number of cores that this process
    /// may use.
    ///
    /// With more than one, handlers of different connections run at the same time.
    public var threads = usableCores

    /// How connections come to the event loops, where there are several. The default is ``JazzyAccepting/sharedPort``.
    public var accepting = JazzyAccepting.sharedPort

    /// The threads for the handlers of routes with ``JazzyExecution/workers``: 1 to 1,024. The default is 8.
    ///
    /// They are started only where there is such a route.
    public var workerThreads = 8

    /// The stack of each thread that the server starts, in bytes, whatever `ulimit -s` says: 256 KiB to 1 GiB. The
    /// default is 8 MiB.
    ///
    /// Handlers run on them, and only what they use of it costs memory. With ``JazzyServer/run()`` one event loop is on
    /// the calling thread, and has that thread's stack.
    public var threadStackSize = 8_388_608

    /// The connections that the kernel keeps until the server accepts them: 1 to 65,535. The default is 4,096.
    public var backlog = 4_096

    /// The size of an event loop's receive buffer, in bytes: 4 KiB to 16 MiB. The default is 512 KiB.
    public var receiveBufferSize = 524_288

    /// The bytes that other threads may have sent or published through one event loop's mailbox before it takes them:
    /// 64 KiB to 4 GiB. The default is 64 MiB.
    ///
    /// What comes beyond it is dropped, and counted in ``JazzyServer/droppedCount``.
    public var mailboxLimit = 67_108_864

    // MARK: Messages

    /// The largest message that is received, in bytes, decompressed: 1 to 1 GiB. The default is 1 MiB.
    ///
    /// A larger one ends its connection with close code 1009.
    public var maxMessageSize = 1_048_576

    /// The frames that a message may be made of besides one for each byte of its payload: 1 to 4,294,967,294; `nil` is
    /// any number. The default is 65,536.
    ///
    /// It is a limit for empty frames, of which a peer could send a message without end: one more than that ends its
    /// connection with close code 1009. Frames with a payload, however small, are limited by ``maxMessageSize`` alone.
    /// Of a compressed message the bytes count as they came, and control frames between do not count.
    public var maxFramesPerMessage: Int? = 65_536

    /// The unsent bytes of one connection beyond which sends are dropped: 4 KiB to 4 GiB. The default is 1 MiB.
    ///
    /// Half of it pauses reading from that connection. What else happens beyond it is the route's choice:
    /// ``JazzyRouteOptions/backpressurePolicy``.
    public var backpressureLimit = 1_048_576

    // MARK: Time-outs

    /// The time from accepting a connection to its whole request head: 0.1 s to 1 h. The default is 10 s.
    public var handshakeTimeout = Duration.seconds(10)

    /// The time from an answer to the first byte of the next request on its connection, whose whole head then has
    /// ``handshakeTimeout``: 0.1 s to 1 h. The default is 75 s.
    ///
    /// It is to be longer than a balancer in front of the server keeps its connections, often 60 s, lest that sends a
    /// request to one that is about to end.
    public var keepAliveTimeout = Duration.seconds(75)

    /// The time that a route's upgrade hook has to answer (``JazzyUpgradeHook``): 0.1 s to 1 h. The default is 10 s.
    ///
    /// Then the client is answered with 503.
    public var upgradeTimeout = Duration.seconds(10)

    /// The time without a byte from a peer after which its connection fails with ``WsError/Rule/idleTimeout``: 0.1 s to
    /// 24 h, or ``JazzyTimeLimit/never``. The default is 2 min.
    ///
    /// At half of it the peer is sent a ping, which one that is there answers.
    public var idleTimeout = JazzyTimeLimit.after(.seconds(120))

    /// The time after which a WebSocket is closed with code 1001: 0.1 s to 30 days, or ``JazzyTimeLimit/never``, the
    /// default.
    public var maxLifetime = JazzyTimeLimit.never

    /// The time from the server's close frame to the end of the connection: 0.1 s to 1 h. The default is 5 s.
    public var closeTimeout = Duration.seconds(5)

    /// The time from ``JazzyServer/stop()`` to the end of whoever still takes what was sent: 0.1 s to 1 h, or
    /// ``closeTimeout`` where that is more. The default is 2 min.
    public var stopTimeout = Duration.seconds(120)

    /// The bytes a second that a peer takes for whom output waits: 1 to 1 GiB. The default is 256.
    ///
    /// Whoever takes as many, on average over a time-out, is not idle, and neither a page, nor the closing of its
    /// connection, nor ``JazzyServer/stop()`` is late for it: what it was sent arrives. Kernels tell in steps what was
    /// taken, so that a peer has 8 s to take anything, or four times a time-out of less than 2 s.
    public var minSendRate = 256

    /// The silence before the kernel probes a peer: 1 s to 32,767 s, in whole seconds, or ``JazzyTimeLimit/never``. The
    /// default is 2 min.
    public var tcpKeepAlive = JazzyTimeLimit.after(.seconds(120))

    // MARK: Who is let in

    /// The connections of this process, all its servers together, beyond which this one refuses more: 1 to
    /// 4,294,967,294; `nil`, the default, is any number.
    ///
    /// Who is refused is answered with 503.
    public var maxConnections: Int?

    /// The connections of this server from one address, or from one /64 of IPv6: 1 to 4,294,967,294; `nil`, the
    /// default, is any number.
    ///
    /// Who is refused is answered with 429. Trusted proxies are not counted, their clients are.
    public var maxConnectionsPerAddress: Int?

    /// The connections of this server that are no WebSockets yet: 1 to 4,294,967,294; `nil`, the default, is any
    /// number.
    ///
    /// Who is refused is answered with 503.
    public var maxHandshakes: Int?

    /// The largest request head, in bytes: 256 to 65,536. The default is 8,192.
    ///
    /// Who is refused is answered with 431.
    public var maxHeadSize = 8_192

    /// The headers that a request may have: 1 to 256. The default is 64.
    ///
    /// Who is refused is answered with 431.
    public var maxHeaderCount = 64

    // MARK: Behind proxies

    /// Where the address of a client is read that comes through one of ``trustedProxies``. The default is
    /// ``JazzyClientAddress/peer``; any other takes a trusted proxy.
    public var clientAddress = JazzyClientAddress.peer

    /// Where the host is read that a client asked for, when it comes through one of ``trustedProxies``. The default is
    /// ``JazzyForwardedHost/none``; any other takes a trusted proxy, and is not for
    /// ``JazzyClientAddress/proxyProtocol``.
    ///
    /// It is the host that pages have to come from for ``JazzyOrigins/sameHost``.
    public var forwardedHost = JazzyForwardedHost.none

    /// Who is believed about the address of a client, and the host that it asked for: addresses as `192.0.2.7`, networks as `2001:db8::/32`, or `unix`
    /// for whoever comes through a Unix domain socket, at most 1,024 of them. The default is nobody.
    public var trustedProxies: [String] = []

    // MARK: The log

    /// Where the server's log goes. The default writes warnings and errors to standard error, and everything where
    /// ``logLevel`` is ``JazzyLogLevel/debug``.
    ///
    /// What peers do wrong is told at ``JazzyLogLevel/info``, and that a handler threw at ``JazzyLogLevel/error``, by
    /// the type of what it threw: in at most 10 lines a second of an event loop, at each level, and one more that
    /// counts the rest. No line has any part of a payload, unless it is at ``JazzyLogLevel/debug``.
    public var log: JazzyLog {
        get { chosenLog ?? logToStandardError(from: logLevel == .debug ? .debug : .warning) }
        set { chosenLog = newValue }
    }

    /// The least that is told to the log. The default is ``JazzyLogLevel/info``.
    ///
    /// At ``JazzyLogLevel/debug`` the text of an error that a handler threw is told, too, which can have parts of what
    /// its client sent.
    public var logLevel = JazzyLogLevel.info

    private var chosenLog: JazzyLog?

    /// Creates the default options.
    public init() {}
}
