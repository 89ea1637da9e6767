#define _POSIX_C_SOURCE 200809L

#include "link/tls.h"

#include "link/wire.h"
#include "settings/report.h"

#ifdef JZ_REDIS_TLS

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

enum { REASON_SIZE = 160 };

/* What OpenSSL says last, or else `otherwise`. */
static void take_reason(char reason[REASON_SIZE], const char *otherwise)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;
    snprintf(reason, REASON_SIZE, "%s", text != NULL ? text : otherwise);
    ERR_clear_error();
}

static bool loads_authorities(SSL_CTX *context, const jz_redis_options *options)
{
    return options->ca_file != NULL ? SSL_CTX_load_verify_locations(context, options->ca_file, NULL) == 1
                                    : SSL_CTX_set_default_verify_paths(context) == 1;
}

static bool loads_identity(SSL_CTX *context, const jz_redis_options *options)
{
    if (options->certificate_file == NULL)
        return true;
    const char *key = options->key_file != NULL ? options->key_file : options->certificate_file;
    return SSL_CTX_use_certificate_chain_file(context, options->certificate_file) == 1 &&
           SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(context) == 1;
}

/* NULL: `reason` says why. */
static SSL_CTX *make_context(const jz_redis_options *options, char reason[REASON_SIZE])
{
    char cause[REASON_SIZE];
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    const char *failed = NULL;
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
        failed = "TLS";
    else if (!loads_authorities(context, options))
        failed = "ca_file";
    else if (!loads_identity(context, options))
        failed = "certificate_file or key_file";
    if (failed == NULL) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        return context;
    }
    take_reason(cause, "out of memory");
    snprintf(reason, REASON_SIZE, "%s cannot be used: %.100s", failed, cause);
    SSL_CTX_free(context);
    return NULL;
}

jz_status jz_redis_secured_check(const jz_redis_settings *settings, jz_error *error)
{
    char reason[REASON_SIZE];
    if (!settings->url.is_tls)
        return JZ_OK;
    SSL_CTX *context = make_context(&settings->options, reason);
    if (context == NULL)
        return jz_redis_report(error, JZ_STATUS_INVALID_OPTION, "%s", reason);
    SSL_CTX_free(context);
    return JZ_OK;
}

static bool is_address(const char *name)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* The certificate must be for this host; names are also told to the server (SNI). */
static bool expect_name(SSL *ssl, const char *name)
{
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static bool fail(jz_redis_wire *wire)
{
    jz_redis_secured *secured = &wire->secured;
    long verdict = secured->ssl != NULL ? SSL_get_verify_result(secured->ssl) : X509_V_OK;
    ERR_clear_error();
    if (verdict != X509_V_OK)
        return jz_redis_wire_fail(wire, "its certificate is not valid: %s", X509_verify_cert_error_string(verdict));
    return jz_redis_wire_fail(wire, "TLS: %.120s", secured->context->errstr);
}

bool jz_redis_secured_begin(jz_redis_wire *wire, const jz_redis_settings *settings, const char *name)
{
    char reason[REASON_SIZE];
    jz_redis_secured *secured = &wire->secured;
    redisOptions plan = {.type = REDIS_CONN_USERFD, .options = REDIS_OPT_NONBLOCK, .endpoint.fd = wire->descriptor};
    SSL_CTX *context = make_context(&settings->options, reason);
    if (context == NULL)
        return jz_redis_wire_fail(wire, "%s", reason);
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context); /* what is made of it holds it */
    secured->context = redisConnectWithOptions(&plan);
    if (ssl == NULL || secured->context == NULL || !expect_name(ssl, name)) {
        SSL_free(ssl);
        return jz_redis_wire_fail(wire, "out of memory for TLS");
    }
    secured->is_used = true;
    secured->ssl = ssl;
    if (redisInitiateSSL(secured->context, ssl) == REDIS_OK)
        return true;
    fail(wire);
    secured->ssl = NULL;
    SSL_free(ssl);
    return false;
}

bool jz_redis_secured_push(jz_redis_wire *wire)
{
    int is_done = 0;
    if (redisBufferWrite(wire->secured.context, &is_done) != REDIS_OK)
        return fail(wire);
    wire->is_blocked = is_done == 0;
    return true;
}

bool jz_redis_secured_send(jz_redis_wire *wire, const struct iovec *areas, size_t count, size_t *sent)
{
    *sent = 0;
    if (!wire->is_blocked) {
        for (size_t i = 0; i < count; i++) {
            if (redisAppendFormattedCommand(wire->secured.context, areas[i].iov_base, areas[i].iov_len) != REDIS_OK)
                return fail(wire);
            *sent += areas[i].iov_len;
        }
    }
    return jz_redis_secured_push(wire);
}

bool jz_redis_secured_receive(jz_redis_wire *wire, char *bytes, size_t size, size_t *received)
{
    redisContext *context = wire->secured.context;
    ssize_t count = context->funcs->read(context, bytes, size);
    if (count < 0)
        return fail(wire);
    *received = (size_t)count;
    return true;
}

bool jz_redis_secured_shakes_hands(const jz_redis_secured *secured)
{
    return secured->is_used && SSL_is_init_finished(secured->ssl) == 0;
}

void jz_redis_secured_end(jz_redis_secured *secured)
{
    if (secured->context != NULL)
        redisFreeKeepFd(secured->context); /* with its SSL */
    *secured = (jz_redis_secured){0};
}

#else

jz_status jz_redis_secured_check(const jz_redis_settings *settings, jz_error *error)
{
    (void)settings; /* which has refused it already */
    (void)error;
    return JZ_OK;
}

bool jz_redis_secured_begin(jz_redis_wire *wire, const jz_redis_settings *settings, const char *name)
{
    (void)settings;
    (void)name;
    return jz_redis_wire_fail(wire, "this build has no TLS");
}

bool jz_redis_secured_send(jz_redis_wire *wire, const struct iovec *areas, size_t count, size_t *sent)
{
    (void)areas;
    (void)count;
    *sent = 0;
    return jz_redis_secured_push(wire);
}

bool jz_redis_secured_push(jz_redis_wire *wire)
{
    return jz_redis_wire_fail(wire, "this build has no TLS");
}

bool jz_redis_secured_receive(jz_redis_wire *wire, char *bytes, size_t size, size_t *received)
{
    (void)bytes;
    (void)size;
    *received = 0;
    return jz_redis_secured_push(wire);
}

bool jz_redis_secured_shakes_hands(const jz_redis_secured *secured)
{
    (void)secured;
    return false;
}

void jz_redis_secured_end(jz_redis_secured *secured)
{
    *secured = (jz_redis_secured){0};
}

#endif
