import JazzySwift

extension JazzyTLS {
    /// What TLS knows of a client's connection.
    public struct Connection: Hashable, Sendable {
        /// The version, as `TLSv1.3`.
        public var version: String

        /// The name of the suite, as `TLS_AES_128_GCM_SHA256`.
        public var cipherSuite: String

        /// The name that the client has asked for; `nil` if it has asked for none.
        public var serverName: String?

        /// Whether an earlier session was resumed.
        public var isResumed: Bool

        /// The client's certificate, which is valid; `nil` if it has none.
        public var clientCertificate: ClientCertificate?
    }

    /// The certificate of a client, whose chain was verified: ``Configuration/clients``.
    public struct ClientCertificate: Hashable, Sendable {
        /// The subject's name, in the form of RFC 2253: `CN=Ada,O=Example`.
        public var subject: String

        /// The issuer's name, in the same form.
        public var issuer: String

        /// The serial number, in hexadecimal.
        public var serialNumber: String

        /// The SHA-256 of the whole certificate, in small hexadecimal digits: the same for no other certificate.
        public var fingerprint: String

        /// The subject's other names, with their kinds: `DNS:a.example`, `URI:spiffe://example/a`, `email:…`, `IP:…`.
        public var subjectAlternativeNames: [String]
    }
}

extension JazzyRequest {
    /// What TLS knows of the connection; `nil` if it does not go through a ``JazzyTLS``, but for instance through a proxy
    /// that speaks TLS in its place (see `isSecure`).
    ///
    /// ```swift
    /// Route.ws("/admin") { ws, event, message in
    ///     guard event == .open else { return }
    ///     let name = ws.request?.tls?.clientCertificate?.subject ?? "nobody"
    ///     ws.send("Welcome, \(name)")
    /// }
    /// ```
    public var tls: JazzyTLS.Connection? {
        guard let version = transportProperties["tls.version"]?.first else { return nil }
        return JazzyTLS.Connection(
            version: version,
            cipherSuite: transportProperties["tls.cipher"]?.first ?? "",
            serverName: transportProperties["tls.server_name"]?.first,
            isResumed: transportProperties["tls.resumed"]?.first == "true",
            clientCertificate: JazzyTLS.ClientCertificate(transportProperties))
    }
}

extension JazzyTLS.ClientCertificate {
    fileprivate init?(_ properties: [String: [String]]) {
        guard let fingerprint = properties["tls.client.fingerprint"]?.first else { return nil }
        self.init(
            subject: properties["tls.client.subject"]?.first ?? "",
            issuer: properties["tls.client.issuer"]?.first ?? "",
            serialNumber: properties["tls.client.serial"]?.first ?? "",
            fingerprint: fingerprint,
            subjectAlternativeNames: properties["tls.client.san"] ?? [])
    }
}
