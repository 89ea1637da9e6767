/*
 * TLS 1.2 and 1.3 for the listeners of a server, by OpenSSL 3. A library of its own, libcjazzytls (pkg-config:
 * jazzytls), and not part of jazzy.h.
 *
 *     jz_tls_certificate certificate = {.certificate_file = "chain.pem", .key_file = "key.pem"};
 *     jz_tls_options tls_options = jz_tls_options_default();
 *     tls_options.certificates = &certificate;
 *     tls_options.certificate_count = 1;
 *     jz_tls *tls = jz_tls_create(&tls_options, &error);                     // NULL: error.message says why
 *     jz_listen_options listening = {.transport = jz_tls_transport(), .transport_context = tls};
 *     jz_server *server = jz_server_create(NULL, &error);
 *     jz_server_listen_with(server, NULL, 8443, &listening, &error);
 *     jz_server_run_until_signal(server, &error);
 *     jz_server_destroy(server);
 *     jz_tls_free(tls);                                                      // after the servers
 *
 * How it behaves
 *   - Suites are those with forward secrecy and authenticated encryption only. No renegotiation, no compression, no
 *     early data. Keys below 2,048 bits (RSA) or 256 bits (ECDSA) are refused.
 *   - By ALPN "http/1.1" is chosen, or "http/1.0"; a client that offers others only is refused, one that offers nothing
 *     is not.
 *   - Several certificates stand side by side: by the name that a client asks for (SNI), and by kind (ECDSA, RSA,
 *     Ed25519) according to what a client can verify. A name is found exactly, or else by a wildcard in place of its
 *     first label; the first certificate is for all others, and for clients that name none.
 *   - Certificates are exchanged while servers run (jz_tls_reload, jz_tls_replace, watch_interval_ms). The new ones are
 *     read and checked completely before they replace the old ones, otherwise those stay. Connections are not touched,
 *     and handshakes that have begun finish with the certificate that they began with.
 *   - Sessions are resumed by tickets: the server keeps nothing for them.
 *   - OpenSSL makes the handshakes and all cryptography, in a library context (OSSL_LIB_CTX) of its own with the
 *     default provider: what the application does to its own contexts later does not matter. But where the default
 *     context of the thread that calls jz_tls_create has other providers by then, or properties that demand others (a
 *     validated module, for instance), TLS works there, and that context has to outlive the servers.
 *
 * What the request knows of it (jz_request_property in request.h)
 *
 *     tls.version              "TLSv1.3" or "TLSv1.2"
 *     tls.cipher               the suite: "TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"
 *     tls.server_name          the name that the client asked for, as it wrote it, also if no certificate has it
 *     tls.resumed              "true" if a session was resumed
 *
 * and, if the client has identified itself, of its certificate, which is valid
 *
 *     tls.client.subject       as in RFC 2253, in UTF-8: "CN=Zoë,O=Example"; missing if it is empty
 *     tls.client.issuer        the same of who issued it
 *     tls.client.serial        its serial number in hexadecimal, lower case
 *     tls.client.fingerprint   SHA-256 of the whole certificate in hexadecimal, lower case
 *     tls.client.san           each of its alternative names: "DNS:client.example", "URI:spiffe://example/client",
 *                              "email:zoe@example.com", "IP:192.0.2.1". Others are left out; so are those with white
 *                              space, control characters or anything beyond ASCII, which could pass for another name
 */
#ifndef JAZZY_TLS_H
#define JAZZY_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/compiler.h"
#include "jazzy/error.h"
#include "jazzy/log.h"
#include "jazzy/server.h"
#include "jazzy/transport.h"

JZ_BEGIN_DECLARATIONS

/* Certificates with their keys, and how they are used: the context of a listener, and of any number of them. */
typedef struct jz_tls jz_tls;

/*
 * Writes the passphrase of an encrypted key to `passphrase`, without a NUL, at most `capacity` bytes (at least 1,024),
 * and returns its length; 0: there is none, and the key cannot be read; more than `capacity`: it is too long, and the
 * error says so. The bytes are erased after use. Called whenever the key is read: within jz_tls_create, jz_tls_reload
 * and jz_tls_replace, and on the thread that watches files; never twice at the same time for one jz_tls. It must not
 * call functions of that jz_tls.
 */
typedef size_t (*jz_tls_passphrase)(void *context, char *passphrase, size_t capacity);

/*
 * A certificate and its key, both in PEM, each in a file or in memory. Exactly one of certificate_file and certificate
 * has to be given. Zero what is not used.
 */
typedef struct jz_tls_certificate {
    const char *certificate_file; /* the server's own certificate, then those between it and the root, in order */
    const void *certificate;      /* the same in memory */
    size_t certificate_length;
    const char *key_file; /* NULL, and no `key`: the key is beside the certificate, in the same file or memory */
    const void *key;      /* the same in memory */
    size_t key_length;

    /* If the key is encrypted; default NULL. The context has to live as long as the jz_tls. */
    jz_tls_passphrase passphrase;
    void *passphrase_context;

    /* The names for which it is used: "chat.example.com", or "*.example.com" for all names with one more label. ASCII,
       as in DNS ("xn--..."). Without names: those in the certificate (subjectAltName, or else the subject's CN). */
    const char *const *names;
    size_t name_count; /* 0 to 10,000 */

    /* A response of the issuer's OCSP responder in DER, which is sent ("stapled") to clients that ask for it; default
       NULL. One that is missing, damaged, not about this certificate, or out of date is logged, and not sent.
       It is sent until the time of its next update. */
    const char *ocsp_file;
} jz_tls_certificate;

/* Which versions and suites are spoken. */
typedef enum jz_tls_policy {
    JZ_TLS_COMPATIBLE, /* TLS 1.3, and 1.2 with ECDHE and AES-GCM or ChaCha20-Poly1305: all browsers since 2015 */
    JZ_TLS_MODERN      /* TLS 1.3 only */
} jz_tls_policy;

/* Whether clients have certificates, too (mutual TLS): 60 KiB of them at most, those between included. */
typedef enum jz_tls_clients {
    JZ_TLS_CLIENTS_ANONYMOUS,    /* they are not asked */
    JZ_TLS_CLIENTS_MAY_IDENTIFY, /* they are asked, and may have none; one that is not valid is refused */
    JZ_TLS_CLIENTS_MUST_IDENTIFY /* those without a valid one are refused */
} jz_tls_clients;

/* Everything is copied by jz_tls_create, texts and memory included. */
typedef struct jz_tls_options {
    /* The first one is the default. Of those for the same name and with keys of the same kind the first is used. */
    const jz_tls_certificate *certificates;
    size_t certificate_count; /* 1 to 10,000 */

    jz_tls_policy policy; /* default JZ_TLS_COMPATIBLE */
    /* Clients that ask for a name of no certificate: refused (unrecognized_name), or shown the first one;
       default false */
    bool refuses_unknown_names;

    jz_tls_clients clients; /* default JZ_TLS_CLIENTS_ANONYMOUS */
    /* The authorities whose certificates of clients are valid, in PEM: a file, or memory. Needed unless clients are
       anonymous; no other authority counts. Lists of revoked certificates are not supported. */
    const char *client_ca_file;
    const void *client_ca;
    size_t client_ca_length;

    /* Every so many milliseconds all files are looked at, on a thread of its own, and loaded again after a change, also
       by a symbolic link: 100 to 86,400,000; default 0: they are not. A process that is forked later does not. */
    uint32_t watch_interval_ms;

    /* How long after its full handshake a session can be resumed, in seconds: 60 to 604,800 (7 days), or 0 for never;
       default 7,200. A new key for tickets is used after each such time, the one before it still opens tickets. */
    uint32_t ticket_lifetime_s;
    /* From which the keys for tickets are derived: with the same secret, lifetime and client authorities several
       processes, or one before and after its restart, resume each other's sessions. Random bytes, 32 to 1,024 of them;
       default NULL: keys are random. Whoever knows it can decrypt recorded sessions of TLS 1.2 that were resumable:
       change it from time to time. */
    const void *ticket_secret;
    size_t ticket_secret_length;

    /* Called with what is wrong but does not prevent anything, such as a certificate that has expired or soon will, and
       with what came of files that are watched; from the thread of the call, or from that which watches. It must not
       call functions of the jz_tls. Default NULL: warnings and errors go to standard error. */
    jz_log_function log;
    void *log_context;
} jz_tls_options;

JZ_PUBLIC jz_tls_options jz_tls_options_default(void);

/*
 * Reads and checks all certificates and keys. Returns what is to be freed by jz_tls_free, or NULL with `error` filled
 * in (it may be NULL): the message names the file, says what is wrong with it, and what to do.
 *
 *   INVALID_OPTION     an option is outside its range; or a file is missing, is not PEM, has no certificate or no key,
 *                      is encrypted without the right passphrase, has a key that does not belong to the certificate, or
 *                      is too weak
 *   PERMISSION_DENIED  a file may not be read by this process
 *   SYSTEM             a file cannot be read for another reason, or the thread that watches cannot be started
 *   OUT_OF_MEMORY
 *
 * A certificate that has expired, is not valid yet, will expire soon (in the last tenth of its time, and of 14 days),
 * or is not made for servers is logged as a warning. So is a chain that is not in order. From any thread.
 */
JZ_PUBLIC jz_tls *jz_tls_create(const jz_tls_options *options, jz_error *error);

/* The transport of a listener whose `transport_context` is a jz_tls. Static. From any thread. */
JZ_PUBLIC const jz_transport *jz_tls_transport(void);

/*
 * Reads all files again, and checks them as jz_tls_create does, with the same errors: then the old certificates stay in
 * use. It reads files and therefore may block; of calls on several threads each waits for the one before. From any
 * thread.
 */
JZ_PUBLIC jz_status jz_tls_reload(jz_tls *tls, jz_error *error);

/*
 * Replaces all certificates by others, which are copied, read and checked as by jz_tls_create, with the same errors:
 * then the old ones stay. All other options stay as they are. From any thread.
 */
JZ_PUBLIC jz_status jz_tls_replace(jz_tls *tls, const jz_tls_certificate *certificates, size_t count, jz_error *error);

/* Counted since jz_tls_create. */
typedef struct jz_tls_statistics {
    uint64_t handshakes;     /* that succeeded, full and resumed ones */
    uint64_t resumed;        /* those of them that resumed a session */
    uint64_t failed;         /* that did not succeed: refused, given up by the client, or timed out */
    uint64_t reloads;        /* how often certificates were replaced, by calls and by watching */
    uint64_t failed_reloads; /* how often the old ones stayed because of what was wrong with the new ones */
    int64_t expires;         /* when the first of the certificates in use expires, in seconds since 1970 */
} jz_tls_statistics;

/* From any thread. */
JZ_PUBLIC jz_tls_statistics jz_tls_statistics_of(jz_tls *tls);

/* Frees it, after all servers that listen with it are destroyed. `tls` may be NULL. */
JZ_PUBLIC void jz_tls_free(jz_tls *tls);

JZ_END_DECLARATIONS

#endif
