#if JazzyServiceLifecycle && JazzyMetrics
    import JazzyMetrics
    import ServiceLifecycle

    extension JazzyServerMetrics: Service {
        /// Records until a graceful shutdown, or until the task is cancelled, and then a last time.
        ///
        /// ```swift
        /// let group = ServiceGroup(
        ///     services: [JazzyServerMetrics(server), server], gracefulShutdownSignals: [.sigterm],
        ///     logger: Logger(label: "chat"))
        /// ```
        ///
        /// Named before the server, it ends after it, so that the server's end is recorded, too.
        public func run() async throws {
            await cancelWhenGracefulShutdown { await self.recordUntilCancelled() }
        }
    }
#endif
