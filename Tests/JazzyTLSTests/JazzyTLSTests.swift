import Foundation
import JazzySwift
import JazzyTLS
import Testing

@Suite("TLS with several certificates, which change")
struct JazzyTLSTests {
    let authority: TestCertificate

    init() throws {
        authority = try TestCertificate("the authority")
    }

    func certificate(_ name: String, days: Int = 90) throws -> TestCertificate {
        try TestCertificate(name, names: "DNS:\(name)", by: authority, days: days)
    }

    /// Which certificate a client gets that asks for this name.
    func certificate(at port: Int, for name: String) throws -> String {
        try TLSClient(port: port, name: name, trusting: authority).servedBy
    }

    @Test("A client gets the certificate of the name that it asks for")
    func names() async throws {
        let (one, other) = (try certificate("one.example"), try certificate("*.other.example"))
        let tls = try JazzyTLS(certificates: [try one.inMemory, try other.inMemory])
        let served = try Served(.tls(tls, port: 0, host: "127.0.0.1"))
        #expect(try certificate(at: served.port, for: "one.example") == "one.example")
        #expect(try certificate(at: served.port, for: "a.other.example") == "*.other.example")
        #expect(throws: TestFailure.self) { try certificate(at: served.port, for: "else.example") }
        try await eventually("all are counted") { tls.statistics.handshakes >= 2 }
        await served.stop()
    }

    @Test("Renewed files are used when it is told to read them again, and connections live on")
    func reload() async throws {
        let folder = try TestFolder()
        try folder.write(try certificate("old.example"))
        let tls = try JazzyTLS(certificates: [
            JazzyTLS.Certificate(chain: "\(folder.path)/chain.pem", key: "\(folder.path)/key.pem")
        ])
        let served = try Served(.tls(tls, port: 0, host: "127.0.0.1"))
        let client = try TLSClient(port: served.port, name: "old.example", trusting: authority)
        #expect(try client.hear() == "secure TLSv1.3 old.example")

        try folder.write("chain.pem", try certificate("other.example").chain)
        let error = #expect(throws: JazzyError.self) { try tls.reload() }
        #expect(error?.message.contains(folder.path) == true, "\(String(describing: error))")
        #expect(try certificate(at: served.port, for: "old.example") == "old.example")

        try folder.write(try certificate("new.example", days: 60))
        try tls.reload()
        #expect(try certificate(at: served.port, for: "new.example") == "new.example")
        try client.say("still there")
        #expect(try client.hear() == "still there")
        let statistics = tls.statistics
        #expect((statistics.reloads, statistics.failedReloads) == (1, 1))
        #expect((59.0...61.0).contains(statistics.expires.timeIntervalSinceNow / 86_400))
        await served.stop()
    }

    @Test("Files that are watched are read when they have changed, and the log says so")
    func watching() async throws {
        let folder = try TestFolder()
        try folder.write(try certificate("old.example"))
        let served = try Served(
            .tls(
                port: 0, host: "127.0.0.1", certificate: "\(folder.path)/chain.pem", key: "\(folder.path)/key.pem",
                watching: .milliseconds(100)))
        #expect(try certificate(at: served.port, for: "old.example") == "old.example")
        try folder.write(try certificate("new.example"))
        try await eventually("the new one is used") {
            (try? certificate(at: served.port, for: "new.example")) == "new.example"
        }
        try await eventually("that is told") { served.log.contains { $0.level == .info } }
        await served.stop()
    }

    @Test("Certificates are replaced by others, and stay if those are wrong")
    func replace() async throws {
        let tls = try JazzyTLS(certificates: [try certificate("old.example").inMemory])
        let served = try Served(.tls(tls, port: 0, host: "127.0.0.1"))
        let wrong = JazzyTLS.Certificate(chain: .bytes(try certificate("wrong.example").chain), key: "/nowhere")
        #expect(throws: JazzyError.self) { try tls.replace(certificates: [wrong]) }
        #expect(throws: JazzyError.self) { try tls.replace(certificates: []) }
        #expect(try certificate(at: served.port, for: "old.example") == "old.example")
        let new = try certificate("new.example")
        try tls.replace(certificates: [
            JazzyTLS.Certificate(
                chain: .bytes(try new.chain), key: .bytes(try new.keyBytes(passphrase: "a")), passphrase: { "a" })
        ])
        try tls.reload()
        #expect(try certificate(at: served.port, for: "new.example") == "new.example")
        await served.stop()
    }

    @Test("Any address may speak TLS, and several servers with the same certificates")
    func others() async throws {
        let tls = try JazzyTLS(certificates: [try certificate("localhost").inMemory])
        let folder = try TestFolder()
        let one = try Served(.over(tls.transport, .unix("\(folder.path)/socket")), .port(0, host: "127.0.0.1"))
        let other = try Served(.tls(tls, port: 0, host: "127.0.0.1"))
        let client = try TLSClient(path: "\(folder.path)/socket", trusting: authority)
        #expect(try client.hear() == "secure TLSv1.3 -")
        #expect(try certificate(at: other.port, for: "localhost") == "localhost")
        #expect(JazzyAddress.tls(tls, port: 1) == .over(tls.transport, .port(1)))
        await one.stop()
        await other.stop()
    }

    @Test("What is wrong but prevents nothing is told to the log of the server, by whichever way it is created")
    func warnings() async throws {
        let expired = try certificate("localhost", days: -1).inMemory
        let tls = try JazzyTLS(certificates: [expired])
        for address in [
            JazzyAddress.tls(tls, port: 0, host: "127.0.0.1"),
            .tls(port: 0, host: "127.0.0.1", certificate: expired.chain, key: expired.key),
        ] {
            let served = try Served(address)
            #expect(served.log.contains { $0.level == .warning && $0.message.contains("expired") }, "\(served.log)")
            await served.stop()
        }
    }

    @Test("It lives as long as a server listens with it, and no longer")
    func lifetime() async throws {
        var tls: JazzyTLS? = try JazzyTLS(certificates: [try certificate("localhost").inMemory])
        weak let seen = tls
        var served: Served?
        if let tls { served = try Served(.tls(tls, port: 0, host: "127.0.0.1")) }
        tls = nil
        #expect(seen != nil)
        #expect(try certificate(at: served?.port ?? 0, for: "localhost") == "localhost")
        await served?.stop()
        served = nil
        try await eventually("it is gone") { seen == nil }
    }

    @Test("An option out of range is refused by its name")
    func options() throws {
        let own = try certificate("localhost").inMemory
        let changes: [(String, (inout JazzyTLS.Configuration) -> Void)] = [
            ("certificates", { $0.certificates = [] }),
            ("ticketLifetime", { $0.ticketLifetime = .seconds(59) }),
            ("ticketLifetime", { $0.ticketLifetime = .seconds(604_801) }),
            ("ticketSecret", { $0.ticketSecret = Array(repeating: 0, count: 31) }),
            ("watching", { $0.watching = .seconds(86_401) }),
            ("NUL", { $0.certificates[0].names = ["a\0"] }),
        ]
        for (name, change) in changes {
            var configuration = JazzyTLS.Configuration(certificates: [own])
            change(&configuration)
            let error = #expect(throws: JazzyError.self) { try JazzyTLS(configuration) }
            #expect(error?.message.contains(name) == true, "\(String(describing: error))")
        }
        var rare = JazzyTLS.Configuration(certificates: [own])
        (rare.ticketLifetime, rare.refusesUnknownNames) = (nil, true)
        rare.ticketSecret = Array(repeating: 7, count: 32)
        _ = try JazzyTLS(rare)
    }
}
