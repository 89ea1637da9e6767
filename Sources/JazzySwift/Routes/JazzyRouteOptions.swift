/// The options of one WebSocket route.
///
/// If an option may be `nil`, that is its default, and means the server's option of the same name, in ``JazzyOptions``.
/// The ranges are the same.
public struct JazzyRouteOptions: Equatable, Sendable {
    /// The largest message that is received, in bytes, decompressed: ``JazzyOptions/maxMessageSize``.
    public var maxMessageSize: Int?

    /// The frames that a message may have in addition to one for each byte: ``JazzyOptions/maxFramesPerMessage``.
    public var maxFramesPerMessage: Int?

    /// How values are written as JSON, and read from it: ``JazzyOptions/coders``.
    public var coders: JazzyCoders?

    /// Whether the handler is called with pings and pongs. The default is `true`.
    ///
    /// If not, pings are answered all the same, both count in the statistics and as activity of the peer, and none of
    /// them waits for a worker. A ``JazzyAsyncHandler`` gets none anyway.
    public var controlMessages: Bool

    /// Whether messages are compressed, and at what cost. The default is ``JazzyDeflate/off``.
    public var deflate: JazzyDeflate

    /// Where the route's handler runs. The default is ``JazzyExecution/loop``.
    public var execution: JazzyExecution

    /// The unsent bytes of one connection beyond which sends are dropped: ``JazzyOptions/backpressureLimit``.
    public var backpressureLimit: Int?

    /// The bytes that the kernel buffers for a connection beyond its peer's receive window, before output waits: 4 KiB
    /// to 1 GiB. Can be exceeded by a packet, 64 KiB on loopback.
    ///
    /// `nil`, the default, leaves it to the system: about 3 MB, in addition to the backpressure limit.
    public var kernelSendLimit: Int?

    /// What happens to a message if the connection's unsent output has reached the backpressure limit. The default is
    /// ``JazzyBackpressurePolicy/drop``.
    public var backpressurePolicy: JazzyBackpressurePolicy

    /// The time without input from a peer after which its connection fails: ``JazzyOptions/idleTimeout``.
    public var idleTimeout: JazzyTimeLimit?

    /// The time after which a WebSocket is closed with code 1001: ``JazzyOptions/maxLifetime``.
    public var maxLifetime: JazzyTimeLimit?

    /// The time that the route's upgrade hook has to answer: ``JazzyOptions/upgradeTimeout``.
    public var upgradeTimeout: Duration?

    /// The rate of messages that each connection may send. `nil`, the default, means no limit, and costs nothing.
    public var messageRate: JazzyMessageRate?

    /// From which pages browsers may connect. The default is ``JazzyOrigins/sameHost``.
    public var origins: JazzyOrigins

    /// The subprotocols that the application speaks, in order of preference, at most 256. The default is none.
    ///
    /// The first that a client offers is chosen (RFC 6455 §1.9): ``JazzyConnection/subprotocol``; none if it offers
    /// none of them. An upgrade hook may choose another.
    public var subprotocols: [String]

    /// Creates options of a route.
    public init(
        maxMessageSize: Int? = nil, maxFramesPerMessage: Int? = nil, coders: JazzyCoders? = nil,
        controlMessages: Bool = true, deflate: JazzyDeflate = .off,
        execution: JazzyExecution = .loop, backpressureLimit: Int? = nil, kernelSendLimit: Int? = nil,
        backpressurePolicy: JazzyBackpressurePolicy = .drop, idleTimeout: JazzyTimeLimit? = nil,
        maxLifetime: JazzyTimeLimit? = nil, upgradeTimeout: Duration? = nil, origins: JazzyOrigins = .sameHost,
        subprotocols: [String] = [], messageRate: JazzyMessageRate? = nil
    ) {
        self.maxMessageSize = maxMessageSize
        self.maxFramesPerMessage = maxFramesPerMessage
        self.coders = coders
        self.controlMessages = controlMessages
        self.deflate = deflate
        self.execution = execution
        self.backpressureLimit = backpressureLimit
        self.kernelSendLimit = kernelSendLimit
        self.backpressurePolicy = backpressurePolicy
        self.idleTimeout = idleTimeout
        self.maxLifetime = maxLifetime
        self.upgradeTimeout = upgradeTimeout
        self.origins = origins
        self.subprotocols = subprotocols
        self.messageRate = messageRate
    }
}
