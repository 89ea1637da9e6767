import JazzySwift
import JazzyTLS
import Testing

@Suite("TLS at an address")
struct TLSAddressTests {
    let authority: TestCertificate
    let localhost: TestCertificate

    init() throws {
        authority = try TestCertificate("the authority")
        localhost = try TestCertificate("localhost", names: "DNS:localhost", by: authority)
    }

    @Test("A port with a certificate and a key in files speaks TLS, and requests say so")
    func port() async throws {
        let folder = try TestFolder()
        try folder.write(localhost)
        let served = try Served(
            .tls(
                port: 0, host: "127.0.0.1", certificate: "\(folder.path)/chain.pem", key: "\(folder.path)/key.pem"))
        for name in ["localhost", nil] {
            let client = try TLSClient(port: served.port, name: name, trusting: authority)
            #expect(try client.hear() == "secure TLSv1.3 \(name ?? "-")")
            try client.say("hello")
            #expect(try client.hear() == "hello")
        }
        await served.stop()
        #expect(served.warnings == [])
    }

    @Test("Beside it a plain port, and a page of the same host that came without TLS may not use it")
    func several() async throws {
        let own = try localhost.inMemory
        let served = try Served(
            .tls(port: 0, host: "127.0.0.1", certificate: own.chain, key: own.key), .unix(TestFolder().path))
        let secure = try TLSClient(
            port: served.port, name: "localhost", trusting: authority, headers: "Origin: https://localhost\r\n")
        #expect(try secure.hear() == "secure TLSv1.3 localhost")
        #expect(throws: TestFailure.self) {
            try TLSClient(
                port: served.port, name: "localhost", trusting: authority, headers: "Origin: http://localhost\r\n")
        }
        #expect(served.warnings.map(\.cause) == ["origin"])
        await served.stop()
    }

    @Test("What is wrong with a certificate, a key or an option is thrown by whoever listens, and names it")
    func wrong() throws {
        let folder = try TestFolder()
        let (chain, key, other) = (try localhost.chain, try localhost.keyBytes(), try authority.keyBytes())
        try folder.write("chain.pem", chain)
        try folder.write("text.pem", Array("hello".utf8))
        let missing = "\(folder.path)/missing.pem"
        let rows: [(JazzyAddress, String)] = [
            (.tls(port: 0, certificate: .file(missing), key: .bytes(key)), missing),
            (.tls(port: 0, certificate: "\(folder.path)/chain.pem", key: .file(missing)), missing),
            (.tls(port: 0, certificate: "\(folder.path)/chain.pem"), "\(folder.path)/chain.pem"),
            (.tls(port: 0, certificate: "\(folder.path)/text.pem", key: .bytes(key)), "\(folder.path)/text.pem"),
            (.tls(port: 0, certificate: .bytes(chain), key: .bytes(other)), "key"),
            (.tls(port: 0, certificate: .bytes(chain), key: .bytes(try localhost.keyBytes(passphrase: "a"))), "pass"),
            (.tls(port: 0, certificate: "a\0b", key: "key.pem"), "NUL"),
            (.tls(port: 0, certificate: .bytes(chain), key: .bytes(key), watching: .milliseconds(99)), "watching"),
            (
                .tls(port: 0, certificate: .bytes(chain), key: .bytes(key), clients: .mustIdentify(by: .file(missing))),
                missing
            ),
        ]
        for (address, naming) in rows {
            let error = #expect(throws: JazzyError.self) { try JazzyServer().start(on: [address]) }
            #expect(error?.message.contains(naming) == true, "\(String(describing: error))")
        }
    }

    @Test("A passphrase opens an encrypted key, and another one does not")
    func passphrase() async throws {
        let (chain, key) = (try localhost.chain, try localhost.keyBytes(passphrase: "öffne dich"))
        func address(_ passphrase: String?) -> JazzyAddress {
            .tls(
                port: 0, host: "127.0.0.1", certificate: .bytes(chain), key: .bytes(key), passphrase: { passphrase })
        }
        let served = try Served(address("öffne dich"))
        #expect(try TLSClient(port: served.port, trusting: authority).hear() == "secure TLSv1.3 -")
        await served.stop()
        for wrong in ["", "offne dich", String(repeating: "x", count: 1_025), nil] {
            #expect(throws: JazzyError.self) { try JazzyServer().start(on: [address(wrong)]) }
        }
    }

    @Test("Clients of mutual TLS are known by their certificates, and others are refused")
    func mutual() async throws {
        let own = try localhost.inMemory
        let clients = try TestCertificate("the clients' authority")
        let ada = try TestCertificate("Ada", names: "URI:app:ada,email:ada@example.com", by: clients)
        let authorities = JazzyTLS.PEM.bytes(try clients.chain)
        for isMust in [true, false] {
            let served = try Served(
                .tls(
                    port: 0, host: "127.0.0.1", certificate: own.chain, key: own.key,
                    clients: isMust ? .mustIdentify(by: authorities) : .mayIdentify(by: authorities)))
            let client = try TLSClient(port: served.port, trusting: authority, as: ada)
            #expect(
                try client.hear() == #"secure TLSv1.3 - CN=Ada ["URI:app:ada", "email:ada@example.com"]"#)
            if isMust {
                #expect(throws: TestFailure.self) { try TLSClient(port: served.port, trusting: authority) }
            } else {
                #expect(try TLSClient(port: served.port, trusting: authority).hear() == "secure TLSv1.3 -")
            }
            let stranger = try TestCertificate("Eve", by: authority)
            #expect(throws: TestFailure.self) { try TLSClient(port: served.port, trusting: authority, as: stranger) }
            await served.stop()
        }
    }

    @Test("Addresses with the same values are equal, and a description has no key")
    func values() throws {
        let (chain, key) = (JazzyTLS.PEM.bytes(try localhost.chain), JazzyTLS.PEM.bytes(try localhost.keyBytes()))
        let address = JazzyAddress.tls(port: 1, certificate: chain, key: key)
        #expect(address == .tls(port: 1, certificate: chain, key: key))
        #expect(address != .tls(port: 2, certificate: chain, key: key))
        #expect(address != .tls(port: 1, certificate: chain, key: key, policy: .modern))
        #expect(address != .tls(port: 1, certificate: chain, key: key, passphrase: { nil }))
        #expect(address != .port(1))
        let text = String(decoding: try localhost.keyBytes(), as: UTF8.self)
        #expect(JazzyTLS.PEM(text) == key)
        for before in ["# the key\n", "\r\n", "Bag Attributes\r\n    a: b\r\n", "key: "] {
            #expect(JazzyTLS.PEM(before + text) == .bytes(Array((before + text).utf8)))
            #expect(!"\(JazzyTLS.PEM(before + text))".contains("PRIVATE"))
        }
        #expect(JazzyTLS.PEM("MHcCAQEE\nIA==") == .bytes(Array("MHcCAQEE\nIA==".utf8)))
        var dumped = ""
        dump((address, key, try localhost.inMemory), to: &dumped)
        #expect(!dumped.contains("PRIVATE"))
        #expect(!"\(address) \(key) \(try localhost.inMemory)".contains("PRIVATE"))
        #expect("\(JazzyTLS.PEM("a/b.pem"))" == "a/b.pem")
        let bytes = try localhost.keyBytes().prefix(20).map(String.init).joined(separator: ", ")
        #expect(!"\(address) \(try localhost.inMemory)".contains(bytes))
    }

    @Test("An address is described as it is written in a program, without what is in memory")
    func descriptions() throws {
        let folder = try TestFolder()
        try folder.write(localhost)
        let (chain, key) = ("\(folder.path)/chain.pem", "\(folder.path)/key.pem")
        let tls = try JazzyTLS(certificates: [.init(chain: .file(chain), key: .file(key))])
        let own = try localhost.inMemory
        let rows: [(JazzyAddress, String)] = [
            (
                .tls(port: 8_443, certificate: "chain.pem", key: "key.pem"),
                #".tls(port: 8443, certificate: "chain.pem", key: "key.pem")"#
            ),
            (
                .tls(
                    port: 443, host: "::1", certificate: own.chain, key: own.key, passphrase: { "open" },
                    policy: .modern, clients: .mustIdentify(by: "ca.pem"), watching: .seconds(60)),
                #".tls(port: 443, host: "::1", certificate: .bytes(…), key: .bytes(…), passphrase: { … }, "#
                    + #"policy: .modern, clients: .mustIdentify(by: "ca.pem"), watching: .seconds(60))"#
            ),
            (
                .tls(
                    port: 1, certificate: "a.pem", clients: .mayIdentify(by: own.chain), watching: .milliseconds(1_500)),
                #".tls(port: 1, certificate: "a.pem", clients: .mayIdentify(by: .bytes(…)), "#
                    + "watching: .milliseconds(1500))"
            ),
            (.tls(tls, port: 8_443), #".tls(JazzyTLS(certificates: ["\#(chain)"]), port: 8443)"#),
            (
                .over(tls.transport, .unix("a.sock")),
                #".over(JazzyTLS(certificates: ["\#(chain)"]), .unix("a.sock"))"#
            ),
        ]
        for (address, description) in rows {
            #expect("\(address)" == description)
            #expect(String(reflecting: address) == description)
        }
        #expect(JazzyAddress.tls(tls, port: 1) == .tls(tls, port: 1))
        #expect(JazzyAddress.tls(tls, port: 1) != .tls(try JazzyTLS(certificates: [own]), port: 1))
    }

    @Test("No certificate, and a passphrase that is too long, are told in the words of Swift and as what they are")
    func toldAsWhatTheyAre() throws {
        let none = #expect(throws: JazzyError.self) { try JazzyTLS(certificates: []) }
        #expect(none?.code == .invalidOption)
        #expect(none?.message == "certificates is empty; TLS needs at least one certificate")
        let own = try localhost.inMemory
        let tls = try JazzyTLS(certificates: [own])
        let replaced = #expect(throws: JazzyError.self) { try tls.replace(certificates: []) }
        #expect(replaced?.message == none?.message)
        let (chain, key) = (try localhost.chain, try localhost.keyBytes(passphrase: "a"))
        for (length, told) in [(1_024, "another one"), (1_025, "too long"), (100_000, "too long"), (0, "none")] {
            let passphrase = String(repeating: "x", count: length)
            let error = #expect(throws: JazzyError.self) {
                try JazzyTLS(certificates: [.init(chain: .bytes(chain), key: .bytes(key), passphrase: { passphrase })])
            }
            #expect(error?.message.contains(told) == true, "\(length): \(String(describing: error))")
        }
    }

    @Test("A key whose first and last line are missing is no path: it is told, and never shown")
    func bareKey() throws {
        let chain = JazzyTLS.PEM.bytes(try localhost.chain)
        let lines = String(decoding: try localhost.keyBytes(), as: UTF8.self).split(separator: "\n")
        let bare = lines.dropFirst().dropLast().joined()
        let rows: [(JazzyTLS.PEM, String)] = [
            (JazzyTLS.PEM(bare), "base64 alone"), (JazzyTLS.PEM(String(bare.prefix(60))), "base64 alone"),
            (JazzyTLS.PEM(lines.joined()), "all on one line"), (.file(bare), "the file of a key is no path"),
            (.file(lines.joined(separator: "\n")), "the file of a key is no path"),
        ]
        for (key, told) in rows {
            let address = JazzyAddress.tls(port: 0, certificate: chain, key: key)
            let error = #expect(throws: JazzyError.self) { try JazzyServer().start(on: [address]) }
            #expect(error?.message.contains(told) == true, "\(String(describing: error))")
            var dumped = "\(error?.message ?? "") \(address) \(key)"
            dump((address, key), to: &dumped)
            #expect(!dumped.contains(bare.prefix(12)))
        }
        for path in [
            "MIG", "MAINTENANCE/CERTIFICATES/OF/THE/SERVER/CHAIN", "/etc/letsencrypt/live/chat/fullchain/and/on/so",
        ] {
            #expect(JazzyTLS.PEM(path) == .file(path))
        }
    }
}
