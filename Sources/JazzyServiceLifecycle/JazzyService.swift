#if JazzyServiceLifecycle
    import JazzySwift
    import ServiceLifecycle

    /// A server as a service that listens, with a choice of how it ends.
    ///
    /// ```swift
    /// let service = JazzyService(
    ///     server, on: [.port(8080)], drain: .seconds(20), code: 1012, reason: "service restart", grace: .seconds(10))
    /// let group = ServiceGroup(
    ///     services: [service], gracefulShutdownSignals: [.sigterm], logger: Logger(label: "chat"))
    /// try await group.run()
    /// ```
    ///
    /// **Graceful shutdown**: the server stops listening. For as long as `drain` says, its clients are served on, and may
    /// leave by themselves; then every client gets the close frame, after all that was sent to it, and `run` returns when
    /// the last has answered it, or the grace is over.
    ///
    /// **Cancellation**, which a group does for instance when another service fails, or when a shutdown takes longer than
    /// its `maximumGracefulShutdownDuration`, cuts off all connections at once.
    ///
    /// It installs no signal handlers: those are the group's.
    public struct JazzyService: Service {
        private let server: JazzyServer
        private let addresses: [JazzyAddress]?
        private let drain: Duration
        private let code: UInt16
        private let reason: String
        private let spread: Duration
        private let grace: Duration?

        /// Creates a service.
        ///
        /// - Parameters:
        ///   - server: The server.
        ///   - addresses: What to listen on, as for `JazzyServer.listen(on:)`; `nil`, the default: the
        ///     server listens already when the service is run.
        ///   - drain: How long clients are served after a graceful shutdown began; the default is not at all.
        ///   - code: The close code for every connection. The default is 1001, going away.
        ///   - reason: Cut between two characters if longer than the 123 bytes that fit.
        ///   - spread: The close frames are spread evenly over this time, up to 1 h, so that clients do not all
        ///     reconnect at once.
        ///   - grace: How long to wait for close frames and output, up to 1 h, from the last close frame on; `nil`, the
        ///     default: as `JazzyOptions.closeTimeout` and `JazzyOptions.stopTimeout` say.
        public init(
            _ server: JazzyServer, on addresses: [JazzyAddress]? = nil, drain: Duration = .zero, code: UInt16 = 1001,
            reason: String = "", spread: Duration = .zero, grace: Duration? = nil
        ) {
            self.server = server
            self.addresses = addresses
            self.drain = drain
            self.code = code
            self.reason = reason
            self.spread = spread
            self.grace = grace
        }

        /// Runs the server until its end: see ``JazzyService``.
        ///
        /// - Throws: `JazzyError` if the code may not be sent, if the server cannot listen, or if it was to listen
        ///   already and does not.
        public func run() async throws {
            let control = RunControl(grace: .zero)
            let farewell = try Farewell(code: code, reason: reason, spread: spread, grace: grace)
            try await withThrowingTaskGroup(of: Bool.self) { [server, addresses, drain] group in
                group.addTask {
                    try await server.serve(on: addresses, control)
                    return true
                }
                group.addTask {
                    await control.shutDownGracefully(after: drain, farewell)
                    return false
                }
                while let hasEnded = try await group.next() {
                    if hasEnded { group.cancelAll() }
                }
            }
        }
    }

    extension JazzyServer: Service {
        /// Runs the server as a service of a `ServiceGroup`: it has to listen before.
        ///
        /// ```swift
        /// try server.listen(port: 8080)
        /// let group = ServiceGroup(
        ///     services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "chat"))
        /// try await group.run()
        /// ```
        ///
        /// A graceful shutdown closes every client with code 1001, after all that was sent to it; cancellation cuts off
        /// all connections at once. ``JazzyService`` listens, too, and has other codes.
        ///
        /// - Throws: `JazzyError` if the server does not listen.
        public func run() async throws {
            try await JazzyService(self).run()
        }
    }

    extension JazzyServer {
        fileprivate func serve(on addresses: [JazzyAddress]?, _ control: RunControl) async throws(JazzyError) {
            do throws(JazzyError) {
                try await run(on: addresses, control)
            } catch {
                guard addresses == nil, error.code == .invalidState else { throw error }
                throw JazzyError(
                    .invalidState,
                    "the server does not listen, or runs already: call listen(on:) before the service group runs, or use "
                        + "JazzyService(server, on: …), which listens")
            }
        }
    }

    extension RunControl {
        /// Waits for a graceful shutdown, and ends the server then. Returns also if the task is cancelled.
        fileprivate func shutDownGracefully(after delay: Duration, _ farewell: Farewell) async {
            do {
                try await gracefulShutdown()
                if delay > .zero {
                    drain()
                    try await Task.sleep(for: delay)
                }
                stop(farewell)
            } catch {
                // The server has ended, or is cut off.
            }
        }
    }
#endif
