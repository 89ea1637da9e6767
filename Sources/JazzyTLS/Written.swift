import JazzySwift

/// How addresses of one certificate are written: without keys, passphrases and secrets.
extension JazzyTLS.Configuration: AddressWriting {
    package func address(port: Int, host: String?) -> String {
        var arguments = ["port: \(port)"]
        if let host { arguments.append("host: \(host.debugDescription)") }
        if let certificate = certificates.first {
            arguments.append("certificate: \(certificate.chain.written)")
            if let key = certificate.key { arguments.append("key: \(key.written)") }
            if certificate.passphrase != nil { arguments.append("passphrase: { … }") }
        }
        if policy != .compatible { arguments.append("policy: .\(policy)") }
        switch clients {
        case .anonymous: break
        case .mayIdentify(let authorities): arguments.append("clients: .mayIdentify(by: \(authorities.written))")
        case .mustIdentify(let authorities): arguments.append("clients: .mustIdentify(by: \(authorities.written))")
        }
        if let watching { arguments.append("watching: \(watching.written)") }
        return ".tls(\(arguments.joined(separator: ", ")))"
    }

    package var name: String { "JazzyTLS" }
}

/// Tells the transports of JazzyTLS objects apart, and says what each is made of.
struct TransportID: AddressWriting {
    let object: ObjectIdentifier
    let certificates: [JazzyTLS.PEM]

    init(_ tls: JazzyTLS, _ certificates: [JazzyTLS.Certificate]) {
        object = ObjectIdentifier(tls)
        self.certificates = certificates.map(\.chain)
    }

    static func == (one: TransportID, other: TransportID) -> Bool { one.object == other.object }
    func hash(into hasher: inout Hasher) { hasher.combine(object) }

    func address(port: Int, host: String?) -> String {
        ".tls(\(name), port: \(port)\(host.map { ", host: \($0.debugDescription)" } ?? ""))"
    }

    var name: String { "JazzyTLS(certificates: [\(certificates.map(\.written).joined(separator: ", "))])" }
}

extension JazzyTLS.PEM {
    /// As in a program.
    fileprivate var written: String {
        switch source {
        case .file where hasContentForPath: ".file(…)"
        case .file(let path): path.debugDescription
        case .memory: ".bytes(…)"
        }
    }
}

extension Duration {
    fileprivate var written: String {
        let (seconds, attoseconds) = components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        return milliseconds == 0 ? ".seconds(\(seconds))" : ".milliseconds(\(seconds * 1_000 + milliseconds))"
    }
}
