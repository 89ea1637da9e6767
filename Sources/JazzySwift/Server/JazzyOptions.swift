/// The options of a server. A server with an option outside its range does not start.
///
/// If a route has an option of the same name, in ``JazzyRouteOptions``, this is its default. Time-outs are in whole
/// milliseconds, and may be up to 50 ms late.
public struct JazzyOptions: Sendable {
    /// The event loops, each with a thread of its own: 1 to 255. The default is the number of cores that this process
    /// may use.
    ///
    /// With more than one, handlers of different connections run at the same time.
    public var threads = usableCores

    /// How connections are distributed over the event loops. The default is ``JazzyAccepting/sharedPort``.
    public var accepting = JazzyAccepting.sharedPort

    /// The threads for the handlers of routes with ``JazzyExecution/workers``: 1 to 1,024. The default is 8.
    ///
    /// They are started only if there is such a route.
    public var workerThreads = 8

    /// The stack of each thread that the server starts, in bytes, regardless of `ulimit -s`: 256 KiB to 1 GiB. The
    /// default is 8 MiB.
    ///
    /// Handlers run on these threads, and only the used part of a stack costs memory. With ``JazzyServer/run()`` one
    /// event loop runs on the calling thread, with that thread's stack. A handler that decodes messages into a type
    /// that contains itself needs 1 MiB or more: ``WsMessage/decode(_:)``.
    public var threadStackSize = 8_388_608

    /// The connections that the kernel queues until the server accepts them: 1 to 65,535. The default is 4,096.
    public var backlog = 4_096

    /// The size of an event loop's receive buffer, in bytes: 4 KiB to 16 MiB. The default is 512 KiB.
    public var receiveBufferSize = 524_288

    /// The bytes of calls from other threads, such as sending and publishing, that may wait for one event loop: 64 KiB
    /// to 4 GiB. The default is 64 MiB.
    ///
    /// Messages beyond it are dropped, and counted in ``JazzyServer/droppedCount``. A handler on workers ends its own
    /// connection regardless.
    public var mailboxLimit = 67_108_864

    /// The bytes of all histories together, with what each message costs beside its payload: 64 KiB to 1 TiB. The
    /// default is 64 MiB.
    ///
    /// Beyond it the topic is forgotten first to which nothing was published for the longest time.
    public var historyLimit = 67_108_864

    /// The bytes of all members of topics together, some 300 and their key and info each: 64 KiB to 1 TiB. The default
    /// is 256 MiB.
    ///
    /// Beyond it ``JazzyConnection/subscribe(_:as:)-(_,JazzyMember)`` throws.
    public var presenceLimit = 268_435_456

    /// The members of one topic: 1 to 4,294,967,294; `nil`: no limit. The default is 100,000.
    ///
    /// Beyond it ``JazzyConnection/subscribe(_:as:)-(_,JazzyMember)`` throws.
    public var maxMembers: Int? = 100_000

    /// The bytes of a member's info: 0 to 64 KiB. The default is 1 KiB.
    ///
    /// Beyond it ``JazzyConnection/subscribe(_:as:)-(_,JazzyMember)`` throws.
    public var maxMemberInfo = 1_024

    // MARK: Messages

    /// The largest message that is received, in bytes, decompressed: 1 to 1 GiB. The default is 1 MiB.
    ///
    /// A larger one ends its connection with close code 1009.
    public var maxMessageSize = 1_048_576

    /// The frames that a message may have in addition to one for each byte of its payload: 1 to 4,294,967,294; `nil`:
    /// no limit. The default is 65,536.
    ///
    /// It limits empty frames, with which a peer could make a message endless: one more ends the connection with close
    /// code 1009. Frames with a payload, however small, are limited only by ``maxMessageSize``. For compressed messages
    /// the compressed bytes count; control frames do not count.
    public var maxFramesPerMessage: Int? = 65_536

    /// How values are written as JSON, and read from it. The default is ``JazzyCoders/default``: sorted keys, and dates
    /// as in ISO 8601.
    public var coders = JazzyCoders.default

    /// The unsent bytes of one connection beyond which sends are dropped: 4 KiB to 4 GiB. The default is 1 MiB.
    ///
    /// Beyond half of it reading from that connection pauses. The route decides what else happens beyond the limit:
    /// ``JazzyRouteOptions/backpressurePolicy``.
    public var backpressureLimit = 1_048_576

    // MARK: Time-outs

    /// The time from accepting a connection to its complete request head: 0.1 s to 1 h. The default is 10 s.
    public var handshakeTimeout = Duration.seconds(10)

    /// The time from a response to the first byte of the next request on the connection, whose head then has
    /// ``handshakeTimeout``: 0.1 s to 1 h. The default is 75 s.
    ///
    /// It should be longer than a load balancer in front of the server keeps connections, often 60 s, so that it never
    /// sends a request on a connection that is about to end.
    public var keepAliveTimeout = Duration.seconds(75)

    /// The time that a route's upgrade hook has to answer (``JazzyUpgradeHook``): 0.1 s to 1 h. The default is 10 s.
    ///
    /// Then the client gets a 503.
    public var upgradeTimeout = Duration.seconds(10)

    /// The time without input from a peer after which its connection fails with ``WsError/Rule/idleTimeout``: 0.1 s to
    /// 24 h, or ``JazzyTimeLimit/never``. The default is 2 min.
    ///
    /// After half of it the peer is sent a ping, which it answers if it is still there.
    public var idleTimeout = JazzyTimeLimit.after(.seconds(120))

    /// The time after which a WebSocket is closed with code 1001: 0.1 s to 30 days, or ``JazzyTimeLimit/never``, the
    /// default.
    public var maxLifetime = JazzyTimeLimit.never

    /// The time from the server's close frame to the end of the connection: 0.1 s to 1 h. The default is 5 s.
    public var closeTimeout = Duration.seconds(5)

    /// The time from ``JazzyServer/stop()`` to the end of connections whose peers still take their output: 0.1 s to 1
    /// h, or ``closeTimeout`` if that is more. The default is 2 min.
    public var stopTimeout = Duration.seconds(120)

    /// The bytes per second that a peer must take while output waits for it: 1 to 1 GiB. The default is 256.
    ///
    /// A peer that takes as many, on average over a time-out, is not idle, and the time-outs of pages, of closing and
    /// of ``JazzyServer/stop()`` do not end it: it receives all that was sent. Kernels report in steps what a peer
    /// took, so it has 8 s to take anything, or four times a time-out of less than 2 s.
    public var minSendRate = 256

    /// The silence before the kernel probes a peer: 1 s to 32,767 s, in whole seconds, or ``JazzyTimeLimit/never``. The
    /// default is 2 min.
    public var tcpKeepAlive = JazzyTimeLimit.after(.seconds(120))

    // MARK: Who is let in

    /// The connections of all servers of this process beyond which this one refuses more: 1 to 4,294,967,294; `nil`,
    /// the default: no limit.
    ///
    /// Others get a 503.
    public var maxConnections: Int?

    /// The connections of this server from one address, or from one /64 network of IPv6: 1 to 4,294,967,294; `nil`, the
    /// default: no limit.
    ///
    /// Others get a 429. Trusted proxies are not counted, their clients are.
    public var maxConnectionsPerAddress: Int?

    /// The connections of this server that are not WebSockets yet: 1 to 4,294,967,294; `nil`, the default: no limit.
    ///
    /// Others get a 503.
    public var maxHandshakes: Int?

    /// The largest request head, in bytes: 256 to 65,536. The default is 8,192.
    ///
    /// Others get a 431.
    public var maxHeadSize = 8_192

    /// The headers that a request may have: 1 to 256. The default is 64.
    ///
    /// Others get a 431.
    public var maxHeaderCount = 64

    // MARK: Behind proxies

    /// Where the server finds the address of a client behind one of ``trustedProxies``. The default is
    /// ``JazzyClientAddress/peer``; any other requires a trusted proxy.
    public var clientAddress = JazzyClientAddress.peer

    /// Where the server finds the host that a client behind one of ``trustedProxies`` asked for. The default is
    /// ``JazzyForwardedHost/none``; any other requires a trusted proxy, and excludes
    /// ``JazzyClientAddress/proxyProtocol``.
    ///
    /// For ``JazzyOrigins/sameHost`` pages must come from this host.
    public var forwardedHost = JazzyForwardedHost.none

    /// The proxies that are trusted to name the address of a client, and the host that it asked for, and to say whether
    /// it uses TLS (``JazzyRequest/isSecure``): addresses as
    /// `192.0.2.7`, networks as `2001:db8::/32`, or `unix` for all peers of Unix domain sockets, at most 1,024. The
    /// default is none.
    public var trustedProxies: [String] = []

    // MARK: Other processes

    /// What joins the topics of this server with those of others, in other processes and on other machines; `nil`, the
    /// default: they are this server's alone.
    ///
    /// Each time that a server listens it gets a connection of its own. The server of a `JazzyProbe`, from
    /// `JazzyTesting`, has none, so that tests of handlers need nothing else to run.
    public var broker: JazzyBroker?

    // MARK: The log

    /// The server's log. The default writes warnings and errors to standard error, and everything if ``logLevel`` is
    /// ``JazzyLogLevel/debug``.
    ///
    /// Errors of peers are logged at ``JazzyLogLevel/info``, and the type of an error that a handler threw at
    /// ``JazzyLogLevel/error``: at most 10 lines per second for each event loop and level; one more says how many were
    /// omitted. Only lines at ``JazzyLogLevel/debug`` may contain parts of a payload.
    public var log: JazzyLog {
        get { chosenLog ?? logToStandardError(from: logLevel == .debug ? .debug : .warning) }
        set { chosenLog = newValue }
    }

    /// Called instead of ``log``, with each line and what it is about; `nil`, the default: ``log`` is.
    public var logRecord: JazzyRecordLog?

    /// The lowest level that is logged. The default is ``JazzyLogLevel/info``.
    ///
    /// At ``JazzyLogLevel/debug`` the text of an error that a handler threw is logged, too, which may contain parts of
    /// what the client sent.
    public var logLevel = JazzyLogLevel.info

    private var chosenLog: JazzyLog?

    /// Creates the default options.
    public init() {}
}
