import Synchronization

extension DashboardRoute {
    /// Each run of a server has one feed, also if it has several such pages.
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)? {
        let contexts = Contexts(of: core)
        for part in parts(of: contexts.feed) {
            if let context = try part.register(on: core, of: server) { contexts.add(context) }
        }
        return contexts
    }

    /// What must live as long as the core server.
    private final class Contexts: Sendable {
        private struct Shared {
            let feed: DashboardFeed
            var pages = 1
        }

        /// By the address of the core server.
        private static let feeds = Mutex<[UInt: Shared]>([:])

        let feed: DashboardFeed
        private let server: UInt
        private let others = Mutex<[any AnyObject & Sendable]>([])

        init(of core: OpaquePointer) {
            let server = UInt(bitPattern: core)
            self.server = server
            feed = Self.feeds.withLock { feeds in
                var shared = feeds[server] ?? Shared(feed: DashboardFeed(), pages: 0)
                shared.pages += 1
                feeds[server] = shared
                return shared.feed
            }
        }

        deinit {
            Self.feeds.withLock { [server] feeds in
                feeds[server]?.pages -= 1
                if feeds[server]?.pages == 0 { feeds[server] = nil }
            }
        }

        func add(_ context: any AnyObject & Sendable) {
            others.withLock { $0.append(context) }
        }
    }
}
