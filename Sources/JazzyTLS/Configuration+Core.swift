import CJazzyPoll
import CJazzyTLS
import JazzySwift

extension JazzyTLS.Configuration {
    /// The C library's options, which refer to the memory.
    func options(in memory: CMemory) throws(JazzyError) -> jz_tls_options {
        var options = jz_tls_options_default()
        try requireAny(certificates)
        let copies = try certificates.map { certificate throws(JazzyError) in try certificate.core(in: memory) }
        options.certificates = memory.array(copies)
        options.certificate_count = copies.count
        options.policy = policy == .modern ? JZ_TLS_MODERN : JZ_TLS_COMPATIBLE
        options.refuses_unknown_names = refusesUnknownNames
        try set(clients, in: &options, memory)
        if let watching {
            options.watch_interval_ms = try milliseconds(
                "watching", watching, from: .milliseconds(100), to: .seconds(86_400))
        }
        options.ticket_lifetime_s = 0
        if let ticketLifetime {
            options.ticket_lifetime_s =
                try milliseconds("ticketLifetime", ticketLifetime, from: .seconds(60), to: .seconds(604_800)) / 1_000
        }
        if let ticketSecret {
            guard (32...1_024).contains(ticketSecret.count) else {
                throw JazzyError(
                    .invalidOption, "option ticketSecret has \(ticketSecret.count) bytes; it has to have 32 to 1024")
            }
            options.ticket_secret = memory.bytes(ticketSecret)
            options.ticket_secret_length = ticketSecret.count
        }
        return options
    }

    private func set(
        _ clients: JazzyTLS.Clients, in options: inout jz_tls_options, _ memory: CMemory
    ) throws(JazzyError) {
        let authorities: JazzyTLS.PEM
        switch clients {
        case .anonymous: return
        case .mayIdentify(let pem): (options.clients, authorities) = (JZ_TLS_CLIENTS_MAY_IDENTIFY, pem)
        case .mustIdentify(let pem): (options.clients, authorities) = (JZ_TLS_CLIENTS_MUST_IDENTIFY, pem)
        }
        switch authorities.source {
        case .file(let path):
            options.client_ca_file = try memory.checked(path, authorities, "the file of clients' authorities")
        case .memory(let bytes):
            options.client_ca = memory.bytes(bytes)
            options.client_ca_length = bytes.count
        }
    }
}

/// The C library would name its own options.
func requireAny(_ certificates: [JazzyTLS.Certificate]) throws(JazzyError) {
    guard !certificates.isEmpty else {
        throw JazzyError(.invalidOption, "certificates is empty; TLS needs at least one certificate")
    }
}

extension JazzyTLS.Certificate {
    /// The same for the C library. It refers to the memory, and to the closure, which must live as long as it is used.
    func core(in memory: CMemory) throws(JazzyError) -> jz_tls_certificate {
        var core = jz_tls_certificate()
        switch chain.source {
        case .file(let path): core.certificate_file = try memory.checked(path, chain, "the file of a certificate")
        case .memory(let bytes):
            core.certificate = memory.bytes(bytes)
            core.certificate_length = bytes.count
        }
        if let key {
            switch key.source {
            case .file(let path): core.key_file = try memory.checked(path, key, "the file of a key")
            case .memory(let bytes):
                core.key = memory.bytes(bytes)
                core.key_length = bytes.count
            }
        }
        for name in names { try requireNoNUL(name, "a name of a certificate", .invalidOption) }
        core.names = memory.texts(names)
        core.name_count = names.count
        core.ocsp_file = try ocspFile.map { path throws(JazzyError) in try memory.checked(path, "an OCSP file") }
        if let keeper {
            core.passphrase_context = Unmanaged.passUnretained(keeper).toOpaque()
            core.passphrase = { context, passphrase, capacity in
                guard let context, let passphrase else { return 0 }
                let keeper = Unmanaged<PassphraseKeeper>.fromOpaque(context).takeUnretainedValue()
                guard var text = keeper.passphrase() else { return 0 }
                return text.withUTF8 { bytes in
                    // One that is too long is told as such by its length.
                    guard bytes.count <= capacity, let start = bytes.baseAddress else { return bytes.count }
                    UnsafeMutableRawPointer(passphrase).copyMemory(from: start, byteCount: bytes.count)
                    return bytes.count
                }
            }
        }
        return core
    }
}

extension CMemory {
    /// A path, unless it is what should be in the file, which no message may have.
    fileprivate func checked(
        _ path: String, _ pem: JazzyTLS.PEM, _ name: String
    ) throws(JazzyError) -> UnsafePointer<CChar> {
        guard !pem.hasContentForPath else {
            throw JazzyError(
                .invalidOption, "\(name) is no path, but what should be in the file; give the text itself, or .bytes")
        }
        return try checked(path, name)
    }

    fileprivate func checked(_ path: String, _ name: String) throws(JazzyError) -> UnsafePointer<CChar> {
        try requireNoNUL(path, name, .invalidOption)
        return text(path)
    }
}
