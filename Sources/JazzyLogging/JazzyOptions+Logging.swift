#if JazzyLogging
    import JazzySwift
    import Logging

    extension JazzyOptions {
        /// Sends the server's log to a logger: each line as a message, and what it is about as metadata.
        ///
        /// ```swift
        /// var options = JazzyOptions()
        /// options.log(to: Logger(label: "chat"))
        /// let server = JazzyServer(options: options)
        /// ```
        ///
        /// | metadata | what it is |
        /// | --- | --- |
        /// | `jazzy.address` | the address and port of the client that the line is about |
        /// | `jazzy.route` | the path of its route, with parameters as `:name` |
        /// | `jazzy.origin` | the origin of the page that it comes from, if the line is about that |
        /// | `jazzy.cause` | a word for why, such as `not_found` or `invalid_utf8`, or the type of an error that was thrown |
        ///
        /// Each is there only where it is known. The address is not in the message. Faults of peers, such as refused
        /// handshakes, have the level `debug`, because every server in the open has them; all other lines have their
        /// own level: `JazzyLogLevel`. The source is `JazzySwift`.
        ///
        /// The logger decides what it does with a level; `JazzyOptions.logLevel` decides which lines it is
        /// given, and is `info` if it is not set: those at `debug`, which may contain parts of what clients sent, are
        /// for finding a fault.
        ///
        /// This replaces `JazzyOptions.log` and `JazzyOptions.logRecord`. It never
        /// bootstraps the `LoggingSystem`, which is the application's.
        ///
        /// - Parameter logger: Any logger; its own metadata is kept.
        public mutating func log(to logger: Logger) {
            logRecord = { record in
                logger.log(
                    level: record.loggerLevel, "\(record.message)", metadata: record.metadata, source: "JazzySwift")
            }
        }
    }

    extension JazzyLogRecord {
        fileprivate var loggerLevel: Logger.Level {
            switch level {
            case .debug: .debug
            case .info: isPeersFault ? .debug : .info
            case .warning: .warning
            case .error: .error
            }
        }

        fileprivate var metadata: Logger.Metadata {
            var metadata: Logger.Metadata = [:]
            metadata["jazzy.address"] = address.map { .string($0) }
            metadata["jazzy.route"] = route.map { .string($0) }
            metadata["jazzy.origin"] = origin.map { .string($0) }
            metadata["jazzy.cause"] = cause.map { .string($0) }
            return metadata
        }
    }
#endif
