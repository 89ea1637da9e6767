import CJazzyOpenSSL
import JazzyPlatform

/// A WebSocket over TLS, from a client of OpenSSL, with a deadline for every call.
final class TLSClient {
    private let context: OpaquePointer
    private let ssl: OpaquePointer
    // Not the socket itself: OpenSSL would write to it without MSG_NOSIGNAL.
    private let received: OpaquePointer
    private let toSend: OpaquePointer
    private let descriptor: Int32

    /// Opens a WebSocket on the path `/`.
    ///
    /// - Parameters:
    ///   - port: Of this machine.
    ///   - name: What is asked for by SNI, and verified; `nil`: neither.
    ///   - authority: Whose certificates are valid.
    ///   - identity: The client's own certificate.
    ///   - headers: More lines of the request.
    convenience init(
        port: Int, name: String? = nil, trusting authority: TestCertificate, as identity: TestCertificate? = nil,
        headers: String = ""
    ) throws {
        try self.init(try Self.connected(port: port), name, authority, identity, headers)
    }

    /// The same over a Unix domain socket.
    convenience init(path: String, trusting authority: TestCertificate) throws {
        try self.init(try Self.connected(path: path), nil, authority, nil, "")
    }

    private init(
        _ descriptor: Int32, _ name: String?, _ authority: TestCertificate, _ identity: TestCertificate?,
        _ headers: String
    ) throws {
        self.descriptor = descriptor
        context = try required(SSL_CTX_new(TLS_client_method()), "SSL_CTX_new")
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.certificate)
        if let identity {
            SSL_CTX_use_certificate(context, identity.certificate)
            SSL_CTX_use_PrivateKey(context, identity.key)
        }
        ssl = try required(SSL_new(context), "SSL_new")
        received = try required(BIO_new(BIO_s_mem()), "BIO_new")
        toSend = try required(BIO_new(BIO_s_mem()), "BIO_new")
        SSL_set_bio(ssl, received, toSend)
        if let name {
            // What SSL_set_tlsext_host_name is a macro for.
            _ = name.withCString {
                SSL_ctrl(
                    ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name),
                    UnsafeMutableRawPointer(mutating: $0))
            }
            SSL_set1_host(ssl, name)
        }
        _ = try carry("no handshake of TLS") { SSL_connect(ssl) }
        try send(
            "GET / HTTP/1.1\r\nHost: \(name ?? "localhost")\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\(headers)\r\n")
        var head = ""
        while !head.hasSuffix("\r\n\r\n") { head += String(decoding: try receive(1), as: UTF8.self) }
        guard head.hasPrefix("HTTP/1.1 101 ") else { throw TestFailure(head) }
    }

    deinit {
        SSL_shutdown(ssl)
        try? flush()
        SSL_free(ssl)
        SSL_CTX_free(context)
        close(descriptor)
    }

    /// The CN of the server's certificate.
    var servedBy: String {
        guard let certificate = SSL_get1_peer_certificate(ssl) else { return "" }
        defer { X509_free(certificate) }
        return written { X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, $0, Int32($1)) }
    }

    /// Sends a short text message.
    func say(_ text: String) throws {
        let mask: [UInt8] = [1, 2, 3, 4]
        let payload = text.utf8.enumerated().map { $1 ^ mask[$0 % 4] }
        try send(bytes: [0x81, 0x80 | UInt8(payload.count)] + mask + payload)
    }

    /// The next message, which is short and a text.
    func hear() throws -> String {
        let head = try receive(2)
        guard head[0] == 0x81, head[1] < 126 else { throw TestFailure("no short text: \(head)") }
        return String(decoding: try receive(Int(head[1])), as: UTF8.self)
    }

    private func send(_ text: String) throws { try send(bytes: Array(text.utf8)) }

    private func send(bytes: [UInt8]) throws {
        _ = try carry("cannot send") { SSL_write(ssl, bytes, Int32(bytes.count)) }
    }

    private func receive(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: max(count, 1))
        while bytes.count < count {
            let length = try carry("cannot receive") { SSL_read(ssl, &part, Int32(count - bytes.count)) }
            bytes += part.prefix(Int(length))
        }
        return bytes
    }

    /// Takes a step, and carries bytes to and from the server, until it is done.
    private func carry(_ problem: String, _ step: () -> Int32) throws -> Int32 {
        while true {
            let result = step()
            try flush()
            if result > 0 { return result }
            guard SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ else {
                throw TestFailure("\(problem): \(Self.problem)")
            }
            var bytes = [UInt8](repeating: 0, count: 16_384)
            let count = recv(descriptor, &bytes, bytes.count, 0)
            guard count > 0 else { throw TestFailure("\(problem): the server has gone, or takes too long") }
            BIO_write(received, bytes, Int32(count))
        }
    }

    private func flush() throws {
        var bytes = [UInt8](repeating: 0, count: 16_384)
        while case let count = BIO_read(toSend, &bytes, Int32(bytes.count)), count > 0 {
            guard JazzyPlatform.send(descriptor, bytes, Int(count), noSignal) == count else {
                throw TestFailure("cannot send: error \(errno)")
            }
        }
    }

    private static var problem: String {
        defer { ERR_clear_error() }
        return written { ERR_error_string_n(ERR_get_error(), $0, $1) }
    }

    private static func connected(port: Int) throws -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return try connected(AF_INET, &address)
    }

    private static func connected(path: String) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return try connected(AF_UNIX, &address)
    }

    private static func connected<Address>(_ family: Int32, _ address: inout Address) throws -> Int32 {
        let descriptor = socket(family, streamSocket, 0)
        var deadline = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &deadline, socklen_t(MemoryLayout<timeval>.size))
        }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        guard status == 0 else {
            close(descriptor)
            throw TestFailure("cannot connect: error \(errno)")
        }
        return descriptor
    }
}

/// What is written as a C string of at most 256 bytes.
private func written(_ write: (UnsafeMutablePointer<CChar>, Int) -> Void) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
        guard let start = text.baseAddress else { return "" }
        start.pointee = 0
        write(start, text.count)
        return String(cString: start)
    }
}
