import Dispatch
import JazzySwift
import Synchronization

/// Runs a server for its probes, as long as there are any.
final class ProbeHost: Sendable {
    let server: JazzyServer
    let network: ProbeNetwork
    private let transport: JazzyTransport
    private let start = Mutex<Task<Void, any Error>?>(nil)
    private let isStarted = Mutex(false)
    private let seenDrops = Mutex(0)

    private init(_ server: JazzyServer) {
        self.server = server
        network = ProbeNetwork()
        transport = network.makeTransport()
    }

    deinit {
        guard isStarted.withLock({ $0 }) else { return }
        // It may have to wait for a handler, and must not block a thread that runs tasks.
        let (server, id) = (server, ObjectIdentifier(server))
        DispatchQueue(label: "jazzy.probe-host").async {
            server.stop(grace: .zero)
            Self.running.change { $0.remove(id) }
            ServerPlaces.giveBack()
        }
    }

    /// The servers that run for probes, or have not stopped yet.
    private static let running = Watched<Set<ObjectIdentifier>>([])

    /// The only host of a server.
    static func of(_ server: JazzyServer) -> ProbeHost {
        hosts.withLock { hosts in
            if let host = hosts[ObjectIdentifier(server)]?.host { return host }
            hosts = hosts.filter { $0.value.host != nil }
            let host = ProbeHost(server)
            hosts[ObjectIdentifier(server)] = WeakHost(host: host)
            return host
        }
    }

    private struct WeakHost: Sendable {
        weak let host: ProbeHost?
    }

    private static let hosts = Mutex<[ObjectIdentifier: WeakHost]>([:])

    /// Starts the server, unless it runs for another probe already.
    func run(within limit: Duration) async throws {
        let starting = start.withLock { start in
            let starting = start ?? Task { try await self.begin(limit) }
            start = starting
            return starting
        }
        try await starting.value
    }

    /// Connects a client to the server, which runs.
    func connect(_ wire: ProbeWire) throws {
        try wire.connect { try server.adopt($0, from: "127.0.0.1") }
    }

    /// How many messages were dropped, since the last call, because a client sent too many. Only the server counts them:
    /// no handler is called.
    func newDrops() -> Int {
        seenDrops.withLock { seen in
            let drops = server.statistics.messageRate.drops
            defer { seen = drops }
            return drops - seen
        }
    }

    private func begin(_ limit: Duration) async throws {
        let id = ObjectIdentifier(server)
        try await Self.running.first(within: limit) { _ in
            "the server does not stop, which ran for other probes before: does a handler block?"
        } _: { running -> Void? in
            running.insert(id).inserted ? () : nil
        }
        do {
            try await ServerPlaces.take(within: limit)
            try startInPlace()
        } catch {
            Self.running.change { $0.remove(id) }
            throw error
        }
    }

    private func startInPlace() throws {
        do {
            try server.start(adoptingOver: transport, observedBy: network)
            isStarted.withLock { $0 = true }
        } catch {
            ServerPlaces.giveBack()
            throw error
        }
    }
}

/// Limits how many servers run for probes at a time: each takes a thread and a few descriptors, and a process may have
/// 255 servers. Tests that run side by side wait for each other.
enum ServerPlaces {
    static let most = 64

    private static let free = Watched(most)

    static func take(within limit: Duration) async throws {
        try await free.first(within: limit) { _ in
            """
            \(most) servers run for probes, and none of them ends; let probes go that are not needed any more, or \
            connect several to one server: JazzyProbe(probe.server, path)
            """
        } _: { free -> Void? in
            guard free > 0 else { return nil }
            free -= 1
            return ()
        }
    }

    static func giveBack() {
        free.change { $0 += 1 }
    }
}
