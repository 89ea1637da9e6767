import JazzySwift
import Synchronization

/// Joins servers of this process, as a module of somebody else could: it uses only what is public.
final class Switchboard: Sendable {
    /// One server's connection.
    final class Line: JazzyBrokerConnection {
        let board: Switchboard
        let server: JazzyBrokerServer
        let topics = Mutex(Set<String>())
        let chosenReport = Mutex(JazzyBrokerReport())
        let refuses = Mutex(false)
        /// The topics of what was published here and reaches nobody, of which nobody is told; `nil`: nothing is lost.
        let lost = Mutex<[String]?>(nil)

        init(_ board: Switchboard, _ server: JazzyBrokerServer) {
            self.board = board
            self.server = server
        }

        func subscribe(_ topic: String) {
            _ = topics.withLock { $0.insert(topic) }
        }

        func unsubscribe(_ topic: String) {
            _ = topics.withLock { $0.remove(topic) }
        }

        func publish(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind, excluding id: UInt64?) -> JazzySendStatus {
            guard !refuses.withLock({ $0 }) else { return .dropped }
            let isLost = lost.withLock { lost in
                lost?.append(topic)
                return lost != nil
            }
            if isLost { return .sent }
            board.publish(topic, bytes, kind: kind, from: self, excluding: id)
            return .sent
        }

        func isLive(_ topic: String) -> Bool { topics.withLock { $0.contains(topic) } }

        var report: JazzyBrokerReport { chosenReport.withLock { $0 } }

        func stop() { board.disconnect(self) }
    }

    let ordering: JazzyBrokerOrdering
    private let all = Mutex([Line]())

    init(_ ordering: JazzyBrokerOrdering = .localFirst) {
        self.ordering = ordering
    }

    var lines: [Line] { all.withLock { $0 } }

    func connect(_ server: JazzyBrokerServer) -> Line {
        let line = Line(self, server)
        all.withLock { $0.append(line) }
        return line
    }

    private func disconnect(_ line: Line) {
        all.withLock { $0.removeAll { $0 === line } }
    }

    /// Delivering does not block, and so can be done under the lock, which makes one order of all messages.
    private func publish(
        _ topic: String, _ bytes: RawSpan, kind: WsMessageKind, from line: Line, excluding id: UInt64?
    ) {
        all.withLock { [ordering] lines in
            for other in lines where other.topics.withLock({ $0.contains(topic) }) {
                if other !== line {
                    other.server.deliver(topic, bytes, kind: kind)
                } else if ordering == .ordered {
                    other.server.deliver(topic, bytes, kind: kind, excluding: id)
                }
            }
        }
    }
}

extension JazzyBroker {
    /// Joins the servers that are connected to the same switchboard.
    static func switchboard(_ board: Switchboard) -> JazzyBroker {
        JazzyBroker(ordering: board.ordering) { server in board.connect(server) }
    }
}
