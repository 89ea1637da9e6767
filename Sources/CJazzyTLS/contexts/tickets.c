#include "contexts/tickets.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "contexts/report.h"
#include "contexts/times.h"

enum { NAME_SIZE = 16, KEY_SIZE = 32, BLOCK_SIZE = 16, KEYS = 3, LONGEST_SECRET = 1024, BYTES_OF_TIME = 8 };

typedef struct ticket_key {
    int64_t period; /* which one since 1970; meaningless if it is not `is_valid` */
    bool is_valid;
    uint8_t name[NAME_SIZE]; /* by which a ticket says that it is this key's */
    uint8_t encryption[KEY_SIZE];
    uint8_t authentication[KEY_SIZE];
} ticket_key;

struct jz_tls_tickets {
    const jz_tls_library *library;
    int64_t lifetime_s;
    size_t secret_length; /* 0: keys are random */
    uint8_t secret[LONGEST_SECRET];
    pthread_mutex_t lock;
    ticket_key keys[KEYS]; /* guarded by `lock`: of the present period, of the one before and, of a secret, the next */
};

static int64_t time_of_day(void)
{
    return (int64_t)time(NULL);
}

static void write_time(uint8_t bytes[BYTES_OF_TIME], int64_t time)
{
    for (unsigned i = 0; i < BYTES_OF_TIME; i++)
        bytes[i] = (uint8_t)((uint64_t)time >> (56 - 8 * i));
}

static int64_t read_time(const uint8_t bytes[BYTES_OF_TIME])
{
    uint64_t time = 0;
    for (unsigned i = 0; i < BYTES_OF_TIME; i++)
        time = time << 8 | bytes[i];
    return (int64_t)time;
}

/* A key derivation by a pseudorandom function, HMAC-SHA-256 (NIST SP 800-108). */
static bool derive(const jz_tls_tickets *tickets, const char *purpose, int64_t period, uint8_t *bytes, size_t length)
{
    uint8_t input[64];
    uint8_t output[EVP_MAX_MD_SIZE];
    size_t purpose_length = strlen(purpose) + 1; /* the NUL separates */
    memcpy(input, purpose, purpose_length);
    write_time(input + purpose_length, period);
    bool is_derived =
        EVP_Q_mac(tickets->library->context, "HMAC", NULL, "SHA256", NULL, tickets->secret, tickets->secret_length,
                  input, purpose_length + BYTES_OF_TIME, output, sizeof output, NULL) != NULL;
    if (is_derived)
        memcpy(bytes, output, length);
    OPENSSL_cleanse(output, sizeof output);
    return is_derived;
}

static bool make_key(const jz_tls_tickets *tickets, int64_t period, ticket_key *key)
{
    OSSL_LIB_CTX *context = tickets->library->context;
    *key = (ticket_key){.period = period};
    if (tickets->secret_length > 0)
        key->is_valid =
            derive(tickets, "jazzy ticket name", period, key->name, sizeof key->name) &&
            derive(tickets, "jazzy ticket encryption", period, key->encryption, sizeof key->encryption) &&
            derive(tickets, "jazzy ticket authentication", period, key->authentication, sizeof key->authentication);
    else
        key->is_valid = RAND_bytes_ex(context, key->name, sizeof key->name, 0) == 1 &&
                        RAND_priv_bytes_ex(context, key->encryption, sizeof key->encryption, 0) == 1 &&
                        RAND_priv_bytes_ex(context, key->authentication, sizeof key->authentication, 0) == 1;
    return key->is_valid;
}

/*
 * Under the lock. Random keys stay when the clock goes back; then they are used for longer. Where a key cannot be made,
 * that of the period before is still there.
 */
static void rotate(jz_tls_tickets *tickets)
{
    ticket_key *keys = tickets->keys;
    bool has_secret = tickets->secret_length > 0;
    int64_t period = time_of_day() / tickets->lifetime_s;
    if (keys[0].is_valid && (keys[0].period == period || (!has_secret && keys[0].period > period)))
        return;
    ticket_key next[KEYS] = {0};
    if (!make_key(tickets, period, &next[0]))
        return;
    if (has_secret) {
        make_key(tickets, period - 1, &next[1]);
        make_key(tickets, period + 1, &next[2]); /* of a process whose clock is ahead */
    } else if (keys[0].is_valid && keys[0].period == period - 1) {
        next[1] = keys[0];
    }
    memcpy(keys, next, sizeof next);
    OPENSSL_cleanse(next, sizeof next);
}

/* The key for new tickets. To be erased. */
static bool present_key(jz_tls_tickets *tickets, ticket_key *key)
{
    pthread_mutex_lock(&tickets->lock);
    rotate(tickets);
    *key = tickets->keys[0];
    pthread_mutex_unlock(&tickets->lock);
    return key->is_valid;
}

/* The key of this name; whether it is an old one, too. To be erased. */
static bool named_key(jz_tls_tickets *tickets, const uint8_t *name, ticket_key *key, bool *is_old)
{
    bool is_found = false;
    pthread_mutex_lock(&tickets->lock);
    rotate(tickets);
    for (size_t i = 0; !is_found && i < KEYS; i++) {
        *key = tickets->keys[i];
        *is_old = i > 0;
        is_found = key->is_valid && memcmp(key->name, name, NAME_SIZE) == 0;
    }
    pthread_mutex_unlock(&tickets->lock);
    return is_found;
}

static bool prepare(const jz_tls_tickets *tickets, const ticket_key *key, const uint8_t *vector, EVP_CIPHER_CTX *cipher,
                    EVP_MAC_CTX *authentication, int encrypts)
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_CipherInit_ex2(cipher, tickets->library->of_tickets, key->encryption, vector, encrypts, NULL) == 1 &&
           EVP_MAC_init(authentication, key->authentication, sizeof key->authentication, parameters) == 1;
}

static int seal(jz_tls_tickets *tickets, uint8_t *name, uint8_t *vector, EVP_CIPHER_CTX *cipher,
                EVP_MAC_CTX *authentication)
{
    ticket_key key;
    bool is_ready = present_key(tickets, &key) &&
                    RAND_bytes_ex(tickets->library->context, vector, BLOCK_SIZE, 0) == 1 &&
                    prepare(tickets, &key, vector, cipher, authentication, 1);
    if (is_ready)
        memcpy(name, key.name, sizeof key.name);
    OPENSSL_cleanse(&key, sizeof key);
    return is_ready ? 1 : -1;
}

/* 0: not ours, so a full handshake follows; 2: with an old key, so a new ticket follows. */
static int unseal(jz_tls_tickets *tickets, const uint8_t *name, const uint8_t *vector, EVP_CIPHER_CTX *cipher,
                  EVP_MAC_CTX *authentication)
{
    ticket_key key;
    bool is_old;
    int result = 0;
    if (named_key(tickets, name, &key, &is_old) && prepare(tickets, &key, vector, cipher, authentication, 0))
        result = is_old ? 2 : 1;
    OPENSSL_cleanse(&key, sizeof key);
    return result;
}

static int use_key(SSL *ssl, unsigned char *name, unsigned char *vector, EVP_CIPHER_CTX *cipher,
                   EVP_MAC_CTX *authentication, int encrypts)
{
    jz_tls_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)); /* all contexts have the same */
    return encrypts ? seal(tickets, name, vector, cipher, authentication)
                    : unseal(tickets, name, vector, cipher, authentication);
}

/*
 * A ticket carries the time of the full handshake. OpenSSL itself counts the lifetime from the last resumption, so that
 * a session could go on for ever, and with it a client's certificate.
 */
static int note_time(SSL *ssl, void *context)
{
    (void)context;
    SSL_SESSION *session = SSL_get_session(ssl);
    void *data = NULL;
    size_t length = 0;
    uint8_t time[BYTES_OF_TIME];
    if (SSL_SESSION_get0_ticket_appdata(session, &data, &length) == 1 && length == sizeof time)
        return 1;
    write_time(time, time_of_day());
    return SSL_SESSION_set1_ticket_appdata(session, time, sizeof time);
}

static bool is_over(const jz_tls_tickets *tickets, SSL_SESSION *session)
{
    void *data = NULL;
    size_t length = 0;
    int64_t now = time_of_day();
    int64_t expires;
    X509 *client = SSL_SESSION_get0_peer(session);
    if (SSL_SESSION_get0_ticket_appdata(session, &data, &length) != 1 || length != BYTES_OF_TIME)
        return true;
    if (client != NULL && (!jz_tls_time_of(X509_get0_notAfter(client), &expires) || expires <= now))
        return true;
    return now - read_time(data) >= tickets->lifetime_s;
}

/*
 * With TLS 1.2 a session belongs to the name that was asked for (RFC 6066 §3): OpenSSL would resume it for another one,
 * say that the old one was asked for, and let clients through that ask for a name which is to be refused.
 */
static bool is_of_another_name(SSL *ssl, const SSL_SESSION *session)
{
    enum { BEFORE_NAME = 5 /* bytes: lengths, and the type */ };
    const unsigned char *asked = NULL;
    size_t length = 0;
    const char *name = SSL_SESSION_get0_hostname(session);
    if (SSL_version(ssl) >= TLS1_3_VERSION)
        return false;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &asked, &length) != 1)
        return name != NULL;
    return name == NULL || length != BEFORE_NAME + strlen(name) ||
           memcmp(asked + BEFORE_NAME, name, length - BEFORE_NAME) != 0;
}

/* A ticket of TLS 1.3 is for one connection (RFC 8446 §C.4): each has a next one. */
static SSL_TICKET_RETURN check_time(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t name_length,
                                    SSL_TICKET_STATUS status, void *context)
{
    (void)name;
    (void)name_length;
    bool is_ours = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
    if (!is_ours || is_over(context, session) || is_of_another_name(ssl, session))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    bool has_next = status == SSL_TICKET_SUCCESS_RENEW || SSL_version(ssl) == TLS1_3_VERSION;
    return has_next ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
}

jz_tls_tickets *jz_tls_tickets_create(const jz_tls_library *library, const jz_tls_options *options, jz_error *error)
{
    jz_tls_tickets *tickets = calloc(1, sizeof *tickets);
    if (tickets == NULL) {
        jz_tls_report_no_memory(error);
        return NULL;
    }
    pthread_mutex_init(&tickets->lock, NULL);
    tickets->library = library;
    tickets->lifetime_s = options->ticket_lifetime_s;
    if (options->ticket_secret != NULL) {
        tickets->secret_length = options->ticket_secret_length;
        memcpy(tickets->secret, options->ticket_secret, options->ticket_secret_length);
    }
    ticket_key key;
    bool is_ready = present_key(tickets, &key);
    OPENSSL_cleanse(&key, sizeof key);
    if (!is_ready) {
        jz_tls_report_openssl(error, JZ_STATUS_SYSTEM, "make a key for session tickets");
        jz_tls_tickets_free(tickets);
        return NULL;
    }
    return tickets;
}

void jz_tls_tickets_free(jz_tls_tickets *tickets)
{
    if (tickets == NULL)
        return;
    pthread_mutex_destroy(&tickets->lock);
    OPENSSL_cleanse(tickets, sizeof *tickets);
    free(tickets);
}

bool jz_tls_tickets_apply(jz_tls_tickets *tickets, SSL_CTX *context, const uint8_t *identity)
{
    if (SSL_CTX_set_session_id_context(context, identity, JZ_TLS_TICKET_IDENTITY) != 1)
        return false;
    if (tickets == NULL) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        return SSL_CTX_set_num_tickets(context, 0) == 1;
    }
    SSL_CTX_set_app_data(context, tickets);
    SSL_CTX_set_timeout(context, (long)tickets->lifetime_s);
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, use_key) == 1 &&
           SSL_CTX_set_session_ticket_cb(context, note_time, check_time, tickets) == 1 &&
           SSL_CTX_set_num_tickets(context, 1) == 1; /* a client that comes back gets the next */
}
