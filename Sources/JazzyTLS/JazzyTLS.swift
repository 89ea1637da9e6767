import CJazzyPoll
import CJazzyTLS
import JazzySwift
import Synchronization

/// Certificates with their keys, and how they are used by the servers that listen with them.
///
/// Where one certificate is used on one port, ``JazzySwift/JazzyAddress/tls(port:host:certificate:key:passphrase:policy:clients:watching:)``
/// is enough. An object of this class has several of them, can be asked how it goes, and can be told to read its files
/// again:
///
/// ```swift
/// func serve(_ server: JazzyServer) throws {
///     let tls = try JazzyTLS(certificates: [
///         JazzyTLS.Certificate(chain: "/etc/chat/chat.pem", key: "/etc/chat/chat.key"),
///         JazzyTLS.Certificate(chain: "/etc/chat/admin.pem", key: "/etc/chat/admin.key"),
///     ])
///     try server.serve(on: [.tls(tls, port: 8443), .over(tls.transport, .unix("/run/chat.sock"))])
/// }
/// ```
///
/// Several servers can listen with the same object, which lives as long as one of them does.
///
/// Reloads, and what is wrong but prevents nothing, such as a certificate that will soon expire, are told to the log of
/// the server that began to listen with it last (`JazzyOptions.log`, `JazzyOptions.logRecord`). What is found before that
/// is told when a server begins to listen. That log must not call this object.
///
/// `@unchecked Sendable` because of its pointer, which never changes: all functions of the C library that get it may be
/// called from any thread (`jazzy/tls.h`), and only `deinit` frees it, when neither this object's users nor servers,
/// whose transports retain it, have a reference.
public final class JazzyTLS: @unchecked Sendable {
    let core: OpaquePointer
    private let log: LogSink
    /// Keeps the closures of certificates alive that the core refers to. Also taken for the whole of a replacement, so
    /// that its certificates are those that are used in the end.
    private let present: Mutex<[Certificate]>

    /// Reads and checks all certificates and keys.
    ///
    /// - Parameter configuration: All that can be chosen.
    /// - Throws: `JazzyError` if an option is out of range, or if a certificate or a key is missing, malformed, does not
    ///   belong to the other, or may not be read. It names the file, and what to do.
    public init(_ configuration: Configuration) throws(JazzyError) {
        let log = LogSink()
        let memory = CMemory()
        var options = try configuration.options(in: memory)
        log.set(in: &options)
        var error = jz_error()
        let made = withExtendedLifetime((memory, log)) { jz_tls_create(&options, &error) }
        guard let made else { throw JazzyError(error) }
        core = made
        self.log = log
        present = Mutex(configuration.certificates)
    }

    /// Reads and checks all certificates and keys; everything else has its default: ``Configuration``.
    ///
    /// - Parameter certificates: At least one; the first one is for all names for which there is no other.
    /// - Throws: `JazzyError`, as ``init(_:)``.
    public convenience init(certificates: [Certificate]) throws(JazzyError) {
        try self.init(Configuration(certificates: certificates))
    }

    deinit {
        jz_tls_free(core)
    }

    /// Reads all files again, for instance after certificates were renewed. New connections get the new certificates, and
    /// open ones live on.
    ///
    /// It blocks the calling thread while it reads; files can also be watched: ``Configuration/watching``.
    ///
    /// - Throws: `JazzyError`, as ``init(_:)``: then the old certificates stay in use.
    public func reload() throws(JazzyError) {
        try check { jz_tls_reload(core, $0) }
    }

    /// Replaces all certificates by others. Everything else stays as it is.
    ///
    /// - Parameter certificates: At least one; the first one is for all names for which there is no other.
    /// - Throws: `JazzyError`, as ``init(_:)``: then the old certificates stay in use.
    public func replace(certificates: [Certificate]) throws(JazzyError) {
        let memory = CMemory()
        try requireAny(certificates)
        let copies = try certificates.map { certificate throws(JazzyError) in try certificate.core(in: memory) }
        try present.withLock { present throws(JazzyError) in
            try withExtendedLifetime((memory, certificates)) { () throws(JazzyError) in
                try check { jz_tls_replace(core, copies, copies.count, $0) }
            }
            present = certificates
        }
    }

    /// What has been counted since it was created.
    public var statistics: Statistics { Statistics(jz_tls_statistics_of(core)) }

    /// For addresses that are not ports: `JazzyAddress.over(tls.transport, .unix(path))`.
    ///
    /// All transports of one object are equal.
    public var transport: JazzyTransport {
        JazzyTransport(id: TransportID(self, present.withLock { $0 })) { options throws(JazzyError) in
            try self.madeTransport(for: options)
        }
    }

    /// The transport of a server with these options, which retains this object.
    func madeTransport(for options: JazzyOptions) throws(JazzyError) -> JazzyTransport {
        log.attach(to: options)
        guard let functions = jz_tls_transport() else { throw JazzyError(.system, "there is no TLS") }
        return JazzyTransport(functions.pointee, context: UnsafeMutableRawPointer(core), owner: self)
    }
}
