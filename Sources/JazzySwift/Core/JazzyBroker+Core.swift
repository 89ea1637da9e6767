import CJazzyPoll.Broker

extension JazzyBroker {
    /// Creates a broker of C functions, for a module that brings one, such as Redis.
    ///
    /// The header `jazzy/broker.h` (the module `CJazzyPoll.Broker`) describes the functions and their rules.
    ///
    /// - Parameter makeFunctions: Called each time a server begins to listen, on the thread of that call, with the
    ///   server's options and its handle, for instance for a closure of the application's that is told of gaps. What it
    ///   throws is thrown there. It returns the functions for this server, with their context, and what has to live as
    ///   long as the server, often an object that the context points to.
    public init(
        makeFunctions:
            @escaping @Sendable (_ options: JazzyOptions, _ server: JazzyServerHandle) throws(JazzyError) -> (
                functions: jz_broker, owner: any AnyObject & Sendable
            )
    ) {
        self.init(makeTable: { options, server throws(JazzyError) in
            let (functions, owner) = try makeFunctions(options, server)
            return BrokerTable(functions, owner)
        })
    }

    /// Creates a broker that is written in Swift.
    ///
    /// - Parameters:
    ///   - ordering: Whether the server leaves its own subscribers to the broker, too.
    ///   - connect: Connects a server that begins to run.
    public init(ordering: JazzyBrokerOrdering = .localFirst, connect: @escaping Connect) {
        self.init(makeTable: { options, server in
            let context = BrokerContext(options, server, connect)
            return BrokerTable(context.functions(ordering), context)
        })
    }
}

/// The functions of one server's broker, and what they need.
///
/// `@unchecked Sendable` because of the functions' context, which is only passed on: a broker's author agrees to share it
/// (`jazzy/broker.h`).
final class BrokerTable: @unchecked Sendable {
    private let functions: jz_broker
    private let owner: any AnyObject & Sendable

    init(_ functions: jz_broker, _ owner: any AnyObject & Sendable) {
        self.functions = functions
        self.owner = owner
    }

    /// Whether positions in histories are the broker's, the same on all servers.
    var keepsHistories: Bool { functions.publish_kept != nil }

    /// This object must live as long as the server's core.
    func join(_ server: OpaquePointer) throws(JazzyError) {
        var functions = functions
        try check { jz_server_join(server, &functions, $0) }
    }
}

/// The context of a broker that is written in Swift.
///
/// `@unchecked Sendable` because of `connection`, which `start` and `stop` write: the core calls no other function before
/// the first has returned, nor while or after it calls the second (`jazzy/broker.h`).
private final class BrokerContext: @unchecked Sendable {
    let server: JazzyBrokerServer
    private let connect: JazzyBroker.Connect
    private var connection: (any JazzyBrokerConnection)?

    init(_ options: JazzyOptions, _ handle: JazzyServerHandle, _ connect: @escaping JazzyBroker.Connect) {
        server = JazzyBrokerServer(options: options, handle: handle, core: BrokerCore())
        self.connect = connect
    }

    private static func at(_ context: UnsafeMutableRawPointer?) -> BrokerContext? {
        context.map { Unmanaged<BrokerContext>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Valid as long as this object lives.
    func functions(_ ordering: JazzyBrokerOrdering) -> jz_broker {
        var functions = jz_broker()
        functions.context = Unmanaged.passUnretained(self).toOpaque()
        functions.start = { context, server, error in
            guard let broker = BrokerContext.at(context), let server else { return JZ_STATUS_SYSTEM }
            return broker.start(server, error)
        }
        functions.stop = { context in BrokerContext.at(context)?.stop() }
        functions.subscribe = { context, topic, length in
            BrokerContext.at(context)?.connection?.subscribe(topicName(topic, length))
        }
        functions.unsubscribe = { context, topic, length in
            BrokerContext.at(context)?.connection?.unsubscribe(topicName(topic, length))
        }
        functions.publish_except = { context, ws, topic, topicLength, kind, bytes, length in
            guard let connection = BrokerContext.at(context)?.connection else { return JZ_SEND_CLOSED }
            return connection.publish(
                topicName(topic, topicLength), UnsafeRawBufferPointer(start: bytes, count: length).bytes,
                kind: WsMessageKind(kind), excluding: ws.value == 0 ? nil : ws.value
            ).core
        }
        functions.is_live = { context, topic, length in
            BrokerContext.at(context)?.connection?.isLive(topicName(topic, length)) ?? false
        }
        functions.report = { context, report in
            guard let said = BrokerContext.at(context)?.connection?.report else { return }
            report?.pointee = jz_broker_report(said)
        }
        functions.flush = { context in BrokerContext.at(context)?.connection?.flush() }
        functions.is_ordered = ordering == .ordered
        return functions
    }

    private func start(_ core: OpaquePointer, _ error: UnsafeMutablePointer<jz_error>?) -> jz_status {
        server.core.begin(core)
        do {
            connection = try connect(server)
            return JZ_OK
        } catch let failure {
            server.core.end()
            let reason = failure as? JazzyError
            error?.pointee.set(reason?.message ?? "the broker could not be connected: \(failure)")
            return reason?.code.core ?? JZ_STATUS_SYSTEM
        }
    }

    private func stop() {
        connection?.stop()
        server.core.end()
        connection = nil
    }
}

extension jz_error {
    /// As much of the message as there is room for, in whole characters.
    fileprivate mutating func set(_ text: String) {
        withUnsafeMutableBytes(of: &message) { bytes in
            var room = bytes.count - 1
            let fitting = text.prefix { character in
                room -= character.utf8.count
                return room >= 0
            }
            bytes.copyBytes(from: fitting.utf8)
            bytes[fitting.utf8.count] = 0
        }
    }
}

extension jz_broker_report {
    fileprivate init(_ report: JazzyBrokerReport) {
        self.init(
            is_up: report.isUp, reconnects: UInt64(clamping: report.reconnects), gaps: UInt64(clamping: report.gaps),
            received: UInt64(clamping: report.received), echoes: UInt64(clamping: report.echoes),
            duplicates: UInt64(clamping: report.duplicates), unreadable: UInt64(clamping: report.unreadable),
            dropped: UInt64(clamping: report.dropped), queued_bytes: UInt64(clamping: report.queuedBytes),
            queued_messages: UInt64(clamping: report.queuedMessages),
            lag_us: UInt64(min(max(0, report.lag / .microseconds(1)), 1e18)),
            refused_topics: UInt64(clamping: report.refusedTopics))
    }
}

extension JazzySendStatus {
    fileprivate var core: jz_send_status {
        switch self {
        case .sent: JZ_SEND_SENT
        case .queued: JZ_SEND_QUEUED
        case .dropped: JZ_SEND_DROPPED
        case .closed: JZ_SEND_CLOSED
        }
    }
}
