/// What joins the topics of a server with those of servers in other processes, also on other machines: a message that is
/// published to a topic on any of them reaches its subscribers on all of them.
///
/// Another module brings one, as `JazzyRedis` does with `.redis(…)`, and one option uses it: ``JazzyOptions/broker``.
/// Nothing else changes: handlers publish and subscribe as before, and whether a receiver is connected to this process
/// or to another makes no difference to them.
///
/// A module of your own can bring another: it has a type that is a server's connection to whatever carries messages, a
/// ``JazzyBrokerConnection``, and adds a name for it. The guide <doc:OwnBroker> shows one.
///
/// This is a recipe, which can be copied and used for several servers: each has a connection of its own.
public struct JazzyBroker: Sendable {
    /// Connects a server, which begins to run, and returns when that is done. What it throws is thrown by the function
    /// that runs the server, which then does not run.
    ///
    /// To begin without the others, return a connection that calls ``JazzyBrokerServer/setJoined(_:)``, first with
    /// `false`, and when they are reached with `true`.
    public typealias Connect = @Sendable (_ server: JazzyBrokerServer) throws -> any JazzyBrokerConnection

    typealias MakeTable =
        @Sendable (_ options: JazzyOptions, _ server: JazzyServerHandle) throws(JazzyError) -> BrokerTable

    /// Called each time a server begins to listen.
    let makeTable: MakeTable

    init(makeTable: @escaping MakeTable) {
        self.makeTable = makeTable
    }
}

/// In which order subscribers of several processes receive what is published.
public enum JazzyBrokerOrdering: Sendable {
    /// Subscribers of the process that a message is published in get it at once, the others through the broker. Messages
    /// of one publisher arrive in their order everywhere; those of several processes may arrive in an order that is
    /// another in each process.
    case localFirst
    /// All get it through the broker, in an order that is the same for every receiver in every process. This takes the
    /// time of the broker for everybody, and without the broker nobody receives anything.
    case ordered
}

/// A server's connection to what joins it with others: what the author of a ``JazzyBroker`` writes.
///
/// Its functions are called on the server's event loops, which do nothing else meanwhile, and on the threads of others
/// who publish. So they only take notes for a thread or a task of their own, which does the work, and return.
///
/// - Order: each other server has to be delivered the messages of this one in the order of the calls of
///   ``publish(_:_:kind:excluding:)``. Between messages of different servers there is no order to keep, unless this is
///   the point: ``JazzyBrokerOrdering/ordered``.
/// - No echo: with ``JazzyBrokerOrdering/localFirst`` a server must not be delivered its own messages, because its
///   subscribers already have them.
/// - Lost connections: ``JazzyBrokerServer/setJoined(_:)``.
/// - Topics are any strings. Servers have some of their own, on which they tell each other of members
///   (<doc:Presence>): these begin with U+FFFF, and `jazzy.presence` behind it. To a connection they are like all others.
///   A topic of the application that begins with U+FFFF has it twice here.
public protocol JazzyBrokerConnection: AnyObject, Sendable {
    /// A topic has its first subscriber on this server: messages of the others to it are to be delivered.
    ///
    /// Calls of this and of ``unsubscribe(_:)`` come one at a time and, for each topic, in the true order; also during
    /// ``JazzyBrokerServer/setJoined(_:)``, which calls this for every topic. They are made under a lock of the server,
    /// and so must not wait for anything that calls the server.
    func subscribe(_ topic: String)

    /// A topic has lost its last subscriber on this server.
    func unsubscribe(_ topic: String)

    /// A message was published on this server: the others are to get it, and with ``JazzyBrokerOrdering/ordered`` this
    /// server, too.
    ///
    /// On the thread of the publisher, possibly on several at the same time; messages that one thread publishes come in
    /// their order. It is never called for what was delivered.
    ///
    /// - Parameters:
    ///   - topic: The topic.
    ///   - bytes: The payload, to be copied.
    ///   - kind: Text or binary.
    ///   - id: The ``JazzyConnection/id`` of the connection that published it and does not receive it; `nil` if all
    ///     subscribers do. Only with ``JazzyBrokerOrdering/ordered`` it is of use, and for this server alone:
    ///     ``JazzyBrokerServer/deliver(_:_:kind:excluding:)``.
    /// - Returns: ``JazzySendStatus/sent`` or ``JazzySendStatus/queued`` if it is accepted. Otherwise the publisher is
    ///   told ``JazzySendStatus/dropped``, and it is counted: ``JazzyBrokerStatistics/refused``.
    func publish(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind, excluding id: UInt64?) -> JazzySendStatus

    /// What was published is all for now, and is to go on its way. The default does nothing.
    ///
    /// On an event loop it is called once, at the end of each iteration in which
    /// ``publish(_:_:kind:excluding:)`` was called there, when the output of that iteration was sent; on any other thread
    /// after each such call. So a connection that only takes notes in `publish`, and wakes its thread here, wakes it once
    /// for many messages, and no subscriber of this server waits for that. An iteration ends when its handlers have
    /// returned: what was noted for long, or has become much, is sent without this.
    func flush()

    /// The server has ended, and calls nothing any more. What is delivered from now on is not received.
    ///
    /// It may block.
    func stop()

    /// Whether what the others publish to a topic reaches the subscribers here now. The default is `true`.
    ///
    /// For ``JazzyServer/isLive(_:)``, on any thread, and only while the connection is not reported as lost.
    func isLive(_ topic: String) -> Bool

    /// How the connection does, for ``JazzyStatistics/broker``. The default has nothing to say.
    ///
    /// On any thread, one call at a time. The one before ``stop()`` is remembered.
    var report: JazzyBrokerReport { get }
}

extension JazzyBrokerConnection {
    /// `true`, for connections that do not know better.
    public func isLive(_ topic: String) -> Bool { true }

    /// Nothing, for connections that do not wait for it.
    public func flush() {}

    /// Nothing.
    public var report: JazzyBrokerReport { JazzyBrokerReport() }
}

/// The server of a ``JazzyBrokerConnection``.
///
/// From any thread, also after the server has ended: then nothing happens.
public struct JazzyBrokerServer: Sendable {
    /// The options of the server, for instance for its log.
    public let options: JazzyOptions

    /// The server itself, for instance for a closure of the application's that is told of gaps.
    public let handle: JazzyServerHandle

    let core: BrokerCore

    /// Sends a message that was published on another server to all subscribers of a topic on this one.
    ///
    /// It never blocks. Messages that one thread delivers arrive in the same order at every receiver.
    ///
    /// - Parameters:
    ///   - topic: The topic.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary. The bytes of a text must be UTF-8: this is not checked.
    ///   - id: The connection that does not receive it, if it was published on this very server:
    ///     ``JazzyBrokerOrdering/ordered``.
    /// - Returns: ``JazzySendStatus/sent``; ``JazzySendStatus/dropped`` if ``JazzyOptions/mailboxLimit`` of an event loop
    ///   is reached, or if there is no memory: try again later, or tell the application that it misses something;
    ///   ``JazzySendStatus/closed`` if the server is stopping, or has ended.
    @discardableResult
    public func deliver(
        _ topic: String, _ bytes: RawSpan, kind: WsMessageKind, excluding id: UInt64? = nil
    ) -> JazzySendStatus {
        core.deliver(topic, bytes, kind: kind, excluding: id)
    }

    /// Delivers several messages together, which costs less: each event loop is woken once for all of them, when `body`
    /// has returned, or has delivered many.
    ///
    /// For what one read from the network has brought. What else is delivered meanwhile arrives before. `body` must not
    /// wait for anything: the server cannot end before it returns.
    public func deliverTogether<Result>(_ body: (borrowing JazzyBrokerBatch) throws -> Result) rethrows -> Result {
        try core.deliverTogether(body)
    }

    /// Says whether the connection to the others is there; it is, from the beginning, unless this says otherwise.
    ///
    /// Each change is logged, and counted: ``JazzyBrokerStatistics/losses``. When it is there again,
    /// ``JazzyBrokerConnection/subscribe(_:)`` is called for every topic, before this returns. So a connection that was
    /// lost need not remember its topics, and must be ready for them when it calls this.
    ///
    /// One call at a time; not within ``JazzyBrokerConnection/subscribe(_:)`` and
    /// ``JazzyBrokerConnection/unsubscribe(_:)``.
    public func setJoined(_ isJoined: Bool) {
        core.setJoined(isJoined)
    }

    /// Says that messages of other servers to a topic were, or may have been, missed here, although the connection is
    /// there: then what servers tell each other of members (<doc:Presence>) is asked for again.
    ///
    /// Call it before what was published after the gap is delivered; not within ``JazzyBrokerConnection/subscribe(_:)``
    /// and ``JazzyBrokerConnection/unsubscribe(_:)``.
    ///
    /// - Parameter topic: The topic, as it was subscribed.
    public func missed(_ topic: String) {
        core.missed(topic)
    }
}

/// Messages that a broker delivers together: ``JazzyBrokerServer/deliverTogether(_:)``.
public struct JazzyBrokerBatch: ~Copyable {
    let core: BrokerBatchCore

    /// Adds a message, as ``JazzyBrokerServer/deliver(_:_:kind:excluding:)`` does, and with what that returns.
    @discardableResult
    public func deliver(
        _ topic: String, _ bytes: RawSpan, kind: WsMessageKind, excluding id: UInt64? = nil
    ) -> JazzySendStatus {
        core.deliver(topic, bytes, kind: kind, excluding: id)
    }
}
