import Foundation
import JazzySwift
import JazzyTLS
import Synchronization

/// A server whose handler says what it knows of a connection, and echoes.
final class Served: Sendable {
    let server: JazzyServer
    private let lines = LogLines()

    /// What the log was told, except where the server listens.
    var log: [JazzyLogRecord] { lines.records.withLock { $0 } }

    /// The same without what servers and their peers do all day.
    var warnings: [JazzyLogRecord] { log.filter { $0.level > .info } }

    init(_ addresses: JazzyAddress...) throws {
        var options = JazzyOptions()
        options.threads = 1
        options.logRecord = { [lines] record in
            guard !record.message.hasPrefix("listens on ") else { return }
            lines.records.withLock { $0.append(record) }
        }
        server = JazzyServer(options: options)
        server.ws("/") { ws, event, message in
            if event == .open { ws.send(Self.description(of: ws.request)) }
            if event == .message, message.kind == .text { ws.send(message.text) }
        }
        try server.start(on: addresses)
    }

    private static func description(of request: JazzyRequest?) -> String {
        guard let request else { return "no request" }
        guard let tls = request.tls else { return request.isSecure ? "secure" : "plain" }
        let client = tls.clientCertificate.map { " \($0.subject) \($0.subjectAlternativeNames)" } ?? ""
        return "\(request.isSecure ? "secure" : "plain") \(tls.version) \(tls.serverName ?? "-")\(client)"
    }

    var port: Int { server.port }

    func stop() async { await server.stopAndWait(grace: .zero) }
}

private final class LogLines: Sendable {
    let records = Mutex<[JazzyLogRecord]>([])
}

/// A folder for the files of a test, which is removed with it.
final class TestFolder: Sendable {
    let path = FileManager.default.temporaryDirectory.appending(component: "jazzy-tls-\(UUID().uuidString)").path

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Replaces the file as a whole.
    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"), options: .atomic)
    }

    /// Writes `chain.pem` and `key.pem`.
    func write(_ certificate: TestCertificate) throws {
        try write("key.pem", try certificate.keyBytes())
        try write("chain.pem", try certificate.chain)
    }
}
