import CJazzyPoll
import CJazzyTLS
import JazzySwift
import Synchronization

/// Where the lines of a ``JazzyTLS`` go: to the log of a server, as soon as there is one.
final class LogSink: Sendable {
    private enum State {
        /// What no server could be told yet, the oldest first.
        case waiting([(JazzyLogLevel, String)])
        case attached(JazzyOptions)
    }

    /// A server that never comes must not cost more and more memory.
    private static let mostWaiting = 256

    private let state = Mutex(State.waiting([]))

    /// From now on lines go to the log of a server with these options.
    func attach(to options: JazzyOptions) {
        let waiting: [(JazzyLogLevel, String)] = state.withLock { state in
            defer { state = .attached(options) }
            if case .waiting(let lines) = state { return lines }
            return []
        }
        for (level, line) in waiting { options.tell(level, line) }
    }

    /// The log's closures are called outside of the lock.
    private func take(_ level: JazzyLogLevel, _ line: String) {
        let options: JazzyOptions? = state.withLock { state in
            switch state {
            case .attached(let options): return options
            case .waiting(var lines):
                if lines.count < Self.mostWaiting { lines.append((level, line)) }
                state = .waiting(lines)
                return nil
            }
        }
        options?.tell(level, line)
    }

    /// The sink must live as long as what is made with these options.
    func set(in options: inout jz_tls_options) {
        options.log_context = Unmanaged.passUnretained(self).toOpaque()
        options.log = { context, level, line in
            guard let context, let line else { return }
            Unmanaged<LogSink>.fromOpaque(context).takeUnretainedValue().take(
                JazzyLogLevel(level), String(cString: line))
        }
    }
}
