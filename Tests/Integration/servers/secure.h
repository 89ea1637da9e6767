/*
 * TLS of the probe server. `--certificate FILE` begins a certificate, to which `--key FILE`, `--passphrase TEXT`,
 * `--names NAME,NAME` and `--ocsp FILE` belong, and makes the server's port one of TLS; further ones stand beside it.
 *
 *     --tls-policy compatible|modern      --clients anonymous|may|must     --client-ca FILE
 *     --refuse-unknown-names 0|1          --watch-ms N
 *     --ticket-lifetime-s N               --ticket-secret TEXT
 */
#ifndef PROBE_SECURE_H
#define PROBE_SECURE_H

#include <jazzy.h>
#include <jazzy/tls.h>
#include <pthread.h>
#include <stdatomic.h>

enum { MOST_CERTIFICATES = 8, MOST_NAMES = 8 };

typedef struct secure {
    jz_tls_certificate certificates[MOST_CERTIFICATES];
    const char *names[MOST_CERTIFICATES][MOST_NAMES];
    jz_tls_options options;
    jz_tls *tls;
    pthread_t giver; /* gives back freed memory, until it is ending */
    atomic_bool is_ending;
} secure;

secure secure_default(void);

/* Whether this is one of its flags, with a value that it can have. */
bool secure_apply_flag(secure *self, const char *flag, char *value);

/* Without certificates this does nothing: `through` stays as it is. */
jz_status secure_begin(secure *self, jz_listen_options *through, jz_error *error);

/*
 * /tls tells on open what the request says of its connection, in JSON. /tls-statistics, /reload and /replace
 * ("CERTIFICATE KEY") answer each text.
 */
jz_status secure_register_routes(secure *self, jz_server *server, jz_error *error);

/* After the server. */
void secure_end(secure *self);

#endif
