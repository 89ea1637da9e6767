import JazzySwift

extension JazzyAddress {
    /// A TCP port that speaks TLS, with one certificate.
    ///
    /// ```swift
    /// try Jazzy.serve(on: [.tls(port: 8443, certificate: "chain.pem", key: "key.pem")])
    /// ```
    ///
    /// The files are read when a server begins to listen, which throws what is wrong with them.
    ///
    /// - Parameters:
    ///   - port: 0 to 65,535; with 0 the kernel chooses a free one.
    ///   - host: An IPv4 or IPv6 address or a name; `nil` means every address of this machine, IPv4 and IPv6.
    ///   - certificate: The server's certificate, and behind it those between it and the root: the path of a file, or
    ///     PEM.
    ///   - key: Its key; `nil`: it is beside the certificate.
    ///   - passphrase: The passphrase of the key, if that is encrypted.
    ///   - policy: Which versions are spoken.
    ///   - clients: Whether clients have certificates, too.
    ///   - watching: How often the files are looked at, to be read again after a change; `nil`: never.
    public static func tls(
        port: Int, host: String? = nil, certificate: JazzyTLS.PEM, key: JazzyTLS.PEM? = nil,
        passphrase: JazzyTLS.Passphrase? = nil, policy: JazzyTLS.Policy = .compatible,
        clients: JazzyTLS.Clients = .anonymous, watching: Duration? = nil
    ) -> JazzyAddress {
        var configuration = JazzyTLS.Configuration(certificates: [
            JazzyTLS.Certificate(chain: certificate, key: key, passphrase: passphrase)
        ])
        configuration.policy = policy
        configuration.clients = clients
        configuration.watching = watching
        let chosen = configuration
        let transport = JazzyTransport(id: chosen) { options throws(JazzyError) in
            try JazzyTLS(chosen).madeTransport(for: options)
        }
        return .over(transport, .port(port, host: host))
    }

    /// A TCP port that speaks TLS, with the certificates of an object, which can be told to read them again.
    ///
    /// - Parameters:
    ///   - tls: The certificates, and how they are used.
    ///   - port: 0 to 65,535; with 0 the kernel chooses a free one.
    ///   - host: An IPv4 or IPv6 address or a name; `nil` means every address of this machine, IPv4 and IPv6.
    public static func tls(_ tls: JazzyTLS, port: Int, host: String? = nil) -> JazzyAddress {
        .over(tls.transport, .port(port, host: host))
    }
}
