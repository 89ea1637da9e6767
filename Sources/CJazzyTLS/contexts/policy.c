#include "contexts/policy.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "contexts/report.h"
#include "contexts/secrets.h"

/* The cheaper AES-128 first. A client without instructions for AES prefers ChaCha20, and gets it. */
#define AES_1_3 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"
#define AES_1_2                                                                                                        \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"                         \
    "ECDHE-RSA-AES256-GCM-SHA384"
#define CHACHA20_1_3 "TLS_CHACHA20_POLY1305_SHA256"
#define CHACHA20_1_2 "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
/* By whether this processor has such instructions. */
static const char *const suites_1_3[] = {CHACHA20_1_3 ":" AES_1_3, AES_1_3 ":" CHACHA20_1_3};
static const char *const suites_1_2[] = {CHACHA20_1_2 ":" AES_1_2, AES_1_2 ":" CHACHA20_1_2};
/* From OpenSSL 3.5 on also what withstands quantum computers. */
static const char *const groups[] = {
    "X25519MLKEM768:X25519:P-256:P-384", "X25519:P-256:P-384",
    "P-256:P-384", /* where only those of FIPS 140 are allowed */
};

enum { SECURITY_LEVEL = 2 /* 112 bits: RSA from 2,048 bits on, ECDSA from 224 on */ };

/* ALPN, RFC 7301: a list of names, each behind its length. */
static const char *const protocols[] = {"http/1.1", "http/1.0"};

static bool offers(const unsigned char *offered, unsigned length, const char *protocol, const unsigned char **found)
{
    size_t wanted = strlen(protocol);
    for (unsigned at = 0; at < length && offered[at] < length - at; at += 1u + offered[at]) {
        if (offered[at] == wanted && memcmp(offered + at + 1, protocol, wanted) == 0) {
            *found = offered + at + 1;
            return true;
        }
    }
    return false;
}

static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_length,
                           const unsigned char *offered, unsigned length, void *context)
{
    (void)ssl;
    (void)context;
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        if (offers(offered, length, protocols[i], chosen)) {
            *chosen_length = (unsigned char)strlen(protocols[i]);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol */
}

/* Whether this processor has instructions for AES, as OpenSSL has found out, or was told by its variables. */
static bool has_aes(void)
{
    static const struct {
        const char *name;
        unsigned bit;
    } settings[] = {{"OPENSSL_ia32cap=", 57}, {"OPENSSL_armcap=", 2}};
    const char *known = OPENSSL_info(OPENSSL_INFO_CPU_SETTINGS);
    for (size_t i = 0; known != NULL && i < sizeof settings / sizeof settings[0]; i++) {
        const char *found = strstr(known, settings[i].name);
        if (found != NULL)
            return (strtoull(found + strlen(settings[i].name), NULL, 16) >> settings[i].bit & 1) != 0;
    }
    return true; /* others have had them for long */
}

/* The first of them that this OpenSSL knows. */
static bool set_groups(SSL_CTX *context)
{
    bool are_set = false;
    for (size_t i = 0; !are_set && i < sizeof groups / sizeof groups[0]; i++) {
        ERR_clear_error(); /* the last one's errors stay */
        are_set = SSL_CTX_set1_groups_list(context, groups[i]) == 1;
    }
    return are_set;
}

/* All is said, because the system's openssl.cnf may say something else. */
static bool set_policy(SSL_CTX *context, jz_tls_policy policy)
{
    bool prefers_aes = has_aes();
    int lowest = policy == JZ_TLS_MODERN ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_CTX_set_security_level(context, SECURITY_LEVEL);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_LEGACY_SERVER_CONNECT |
                                       SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_NO_TLSv1_3 |
                                       SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TICKET);
    return SSL_CTX_set_min_proto_version(context, lowest) == 1 &&
           SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(context, suites_1_3[prefers_aes]) == 1 &&
           SSL_CTX_set_cipher_list(context, suites_1_2[prefers_aes]) == 1 && set_groups(context) &&
           SSL_CTX_set_max_early_data(context, 0) == 1 && SSL_CTX_set_recv_max_early_data(context, 0) == 1;
}

SSL_CTX *jz_tls_new_context(const jz_tls_library *library, jz_tls_policy policy, jz_error *error)
{
    SSL_CTX *context = SSL_CTX_new_ex(library->context, NULL, TLS_server_method());
    if (context == NULL || !set_policy(context, policy)) {
        jz_tls_report_openssl(error, JZ_STATUS_SYSTEM, "prepare TLS with this version of OpenSSL");
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if (!library->notes_keys)
        jz_tls_secrets_follow_lines(context);
    return context;
}
