import CJazzyOpenSSL
import JazzyTLS

/// A certificate and its P-256 key, made when a test runs: none that is kept in a file would stay valid.
///
/// `@unchecked Sendable`: OpenSSL counts the references to both, and nothing changes them after `init`.
final class TestCertificate: @unchecked Sendable {
    let certificate: OpaquePointer
    let key: OpaquePointer

    /// - Parameters:
    ///   - name: The subject's CN.
    ///   - names: subjectAltName as in openssl.cnf: `DNS:a.example,URI:x:y`; empty: none.
    ///   - issuer: `nil`: it signs itself, and may sign others.
    ///   - days: From now to its end; negative: it has expired.
    init(_ name: String, names: String = "", by issuer: TestCertificate? = nil, days: Int = 90) throws {
        key = try Self.newKey()
        certificate = try required(X509_new(), "X509_new")
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), Int.random(in: 1...1_000_000_000))
        X509_gmtime_adj(X509_getm_notBefore(certificate), -86_400 * 100)
        X509_gmtime_adj(X509_getm_notAfter(certificate), 86_400 * days)
        X509_set_pubkey(certificate, key)
        let utf8 = Int32(0x1000)  // MBSTRING_UTF8
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", utf8, name, -1, -1, 0)
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer?.certificate ?? certificate))
        try add(NID_basic_constraints, issuer == nil ? "critical,CA:TRUE" : "CA:FALSE", issuer)
        if !names.isEmpty { try add(NID_subject_alt_name, names, issuer) }
        guard X509_sign(certificate, issuer?.key ?? key, EVP_sha256()) > 0 else { throw TestFailure("X509_sign") }
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    private static func newKey() throws -> OpaquePointer {
        let context = try required(EVP_PKEY_CTX_new_id(NID_X9_62_id_ecPublicKey, nil), "EVP_PKEY_CTX_new_id")
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) > 0,
            EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) > 0,
            EVP_PKEY_keygen(context, &key) > 0
        else { throw TestFailure("EVP_PKEY_keygen") }
        return try required(key, "EVP_PKEY_keygen")
    }

    private func add(_ kind: Int32, _ value: String, _ issuer: TestCertificate?) throws {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer?.certificate ?? certificate, certificate, nil, nil, 0)
        let added = try required(X509V3_EXT_conf_nid(nil, &context, kind, value), "X509V3_EXT_conf_nid \(value)")
        X509_add_ext(certificate, added, -1)
        X509_EXTENSION_free(added)
    }

    /// In PEM.
    var chain: [UInt8] {
        get throws { try written { PEM_write_bio_X509($0, certificate) } }
    }

    /// In PEM, encrypted if there is a passphrase.
    func keyBytes(passphrase: String? = nil) throws -> [UInt8] {
        try written { bio in
            guard let passphrase else { return PEM_write_bio_PrivateKey(bio, key, nil, nil, 0, nil, nil) }
            return passphrase.withCString { text in
                PEM_write_bio_PKCS8PrivateKey(
                    bio, key, EVP_aes_256_cbc(), text, Int32(passphrase.utf8.count), nil, nil)
            }
        }
    }

    /// The description of both for a server, in memory.
    var inMemory: JazzyTLS.Certificate {
        get throws { JazzyTLS.Certificate(chain: .bytes(try chain), key: .bytes(try keyBytes())) }
    }

    private func written(_ write: (OpaquePointer) -> Int32) throws -> [UInt8] {
        let bio = try required(BIO_new(BIO_s_mem()), "BIO_new")
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { throw TestFailure("writing PEM") }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4_096)
        while case let count = BIO_read(bio, &part, Int32(part.count)), count > 0 { bytes += part.prefix(Int(count)) }
        return bytes
    }
}

func required<Value>(_ value: Value?, _ what: String) throws -> Value {
    guard let value else { throw TestFailure("\(what) has failed") }
    return value
}
