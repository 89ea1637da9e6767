/// What can be chosen about one WebSocket route.
public struct JazzyRouteOptions: Equatable, Sendable {
    /// The largest message that is received, in bytes, decompressed: 1 to 1 GiB.
    ///
    /// The default, `nil`, takes ``JazzyOptions/maxMessageSize``.
    public var maxMessageSize: Int?

    /// Whether messages are compressed, and at what cost. The default is ``JazzyDeflate/off``.
    public var deflate: JazzyDeflate

    /// Where the route's handler runs. The default is ``JazzyExecution/loop``.
    public var execution: JazzyExecution

    /// What happens to a message for a connection whose unsent output has reached ``JazzyOptions/backpressureLimit``.
    /// The default is ``JazzyBackpressurePolicy/drop``.
    public var backpressurePolicy: JazzyBackpressurePolicy

    /// Creates options of a route.
    public init(
        maxMessageSize: Int? = nil, deflate: JazzyDeflate = .off, execution: JazzyExecution = .loop,
        backpressurePolicy: JazzyBackpressurePolicy = .drop
    ) {
        self.maxMessageSize = maxMessageSize
        self.deflate = deflate
        self.execution = execution
        self.backpressurePolicy = backpressurePolicy
    }
}
