#define _POSIX_C_SOURCE 200809L

#include "link/tls.h"

#include <stdlib.h>
#include <string.h>

#include "link/wire.h"
#include "settings/report.h"

#ifdef JZ_REDIS_TLS

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

enum { STAGE_SIZE = 16 * 1024, REASON_SIZE = 128 };

/* A key with a passphrase is refused: nobody is asked for it on a terminal. */
static int no_passphrase(char *bytes, int size, int is_to_write, void *context)
{
    (void)bytes;
    (void)size;
    (void)is_to_write;
    (void)context;
    return 0;
}

static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return text != NULL ? text : "OpenSSL does not say why";
}

static void read_files(SSL_CTX *context, const jz_redis_options *options, const char **wrong)
{
    *wrong = NULL;
    if (options->ca_file == NULL)
        (void)SSL_CTX_set_default_verify_paths(context);
    else if (SSL_CTX_load_verify_locations(context, options->ca_file, NULL) != 1)
        *wrong = "ca_file";
    if (*wrong != NULL || options->certificate_file == NULL)
        return;
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate_file) != 1)
        *wrong = "certificate_file";
    else if (SSL_CTX_use_PrivateKey_file(context, options->key_file, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(context) != 1)
        *wrong = "key_file";
}

/* NULL: `wrong` is the option that cannot be used, or NULL for lack of memory. */
static SSL_CTX *make_context(const jz_redis_options *options, const char **wrong)
{
    ERR_clear_error();
    *wrong = NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        return NULL;
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
    read_files(context, options, wrong);
    if (*wrong == NULL)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

jz_status jz_redis_secured_check(const jz_redis_settings *settings, jz_error *error)
{
    const char *wrong = NULL;
    if (!settings->url.is_tls)
        return JZ_OK;
    SSL_CTX *context = make_context(&settings->options, &wrong);
    if (context == NULL && wrong == NULL)
        return jz_redis_report_no_memory(error);
    if (context == NULL)
        return jz_redis_report(error, JZ_STATUS_INVALID_OPTION,
                               "%s cannot be used: %.*s (it is a file in PEM, a key without passphrase)", wrong,
                               REASON_SIZE, reason());
    SSL_CTX_free(context);
    return JZ_OK;
}

/* The certificate has to be for this address or name, and the name is asked for. */
static bool demand(SSL *session, const char *name)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name) == 1)
        return true;
    return SSL_set1_host(session, name) == 1 && SSL_set_tlsext_host_name(session, name) == 1;
}

bool jz_redis_secured_begin(jz_redis_wire *wire, const jz_redis_settings *settings, const char *name)
{
    const char *wrong = NULL;
    jz_redis_secured *secured = &wire->secured;
    SSL_CTX *context = make_context(&settings->options, &wrong);
    if (context == NULL)
        return jz_redis_wire_fail(wire, "%s cannot be used: %s", wrong != NULL ? wrong : "TLS",
                                  wrong != NULL ? reason() : "out of memory");
    secured->is_used = true;
    secured->session = SSL_new(context);
    secured->staged = malloc(STAGE_SIZE);
    SSL_CTX_free(context);
    if (secured->session == NULL || secured->staged == NULL || !demand(secured->session, name) ||
        SSL_set_fd(secured->session, wire->descriptor) != 1)
        return jz_redis_wire_fail(wire, "out of memory");
    SSL_set_connect_state(secured->session);
    return true;
}

/* After a call that did not do all: whether it goes on later. */
static bool is_for_later(jz_redis_wire *wire, int result)
{
    SSL *session = wire->secured.session;
    int error = SSL_get_error(session, result);
    wire->secured.wants_to_write = error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return true;
    long verdict = SSL_get_verify_result(session);
    if (verdict != X509_V_OK)
        return jz_redis_wire_fail(wire, "its certificate is not trusted: %.*s", REASON_SIZE,
                                  X509_verify_cert_error_string(verdict));
    if (error == SSL_ERROR_SSL)
        return jz_redis_wire_fail(wire, "TLS failed: %.*s", REASON_SIZE, reason());
    return jz_redis_wire_fail(wire, "the connection was closed");
}

bool jz_redis_secured_flush(jz_redis_wire *wire)
{
    jz_redis_secured *secured = &wire->secured;
    while (secured->staged_length > 0) {
        ERR_clear_error();
        int written = SSL_write(secured->session, secured->staged, (int)secured->staged_length);
        if (written <= 0)
            return is_for_later(wire, written);
        secured->wants_to_write = false;
        secured->staged_length -= (size_t)written;
        memmove(secured->staged, secured->staged + written, secured->staged_length);
    }
    return true;
}

/* Fills the stage from what begins at `from` of all areas. */
static void stage(jz_redis_secured *secured, const struct iovec *areas, size_t count, size_t from)
{
    for (size_t i = 0; i < count && secured->staged_length < STAGE_SIZE; i++) {
        if (from >= areas[i].iov_len) {
            from -= areas[i].iov_len;
            continue;
        }
        size_t rest = areas[i].iov_len - from;
        size_t room = STAGE_SIZE - secured->staged_length;
        size_t length = rest < room ? rest : room;
        memcpy(secured->staged + secured->staged_length, (const char *)areas[i].iov_base + from, length);
        secured->staged_length += length;
        from = 0;
    }
}

bool jz_redis_secured_send(jz_redis_wire *wire, const struct iovec *areas, size_t count, size_t *sent)
{
    jz_redis_secured *secured = &wire->secured;
    *sent = 0;
    for (;;) {
        if (!jz_redis_secured_flush(wire))
            return false;
        if (secured->staged_length > 0)
            return true;
        stage(secured, areas, count, *sent);
        if (secured->staged_length == 0)
            return true;
        *sent += secured->staged_length;
    }
}

bool jz_redis_secured_receive(jz_redis_wire *wire, char *bytes, size_t size, size_t *received)
{
    *received = 0;
    ERR_clear_error();
    int count = SSL_read(wire->secured.session, bytes, (int)size);
    if (count <= 0 && !is_for_later(wire, count))
        return false;
    *received = count > 0 ? (size_t)count : 0;
    /* What waited for something to come goes on. */
    if (!jz_redis_secured_flush(wire))
        return false;
    if (wire->secured.staged_length == 0)
        wire->is_blocked = false;
    return true;
}

void jz_redis_secured_end(jz_redis_secured *secured)
{
    SSL_free(secured->session);
    free(secured->staged);
    *secured = (jz_redis_secured){0};
}

#else

static bool have_none(jz_redis_wire *wire)
{
    return jz_redis_wire_fail(wire, "this build has no TLS");
}

jz_status jz_redis_secured_check(const jz_redis_settings *settings, jz_error *error)
{
    (void)settings; /* which are refused before */
    (void)error;
    return JZ_OK;
}

bool jz_redis_secured_begin(jz_redis_wire *wire, const jz_redis_settings *settings, const char *name)
{
    (void)settings;
    (void)name;
    return have_none(wire);
}

bool jz_redis_secured_send(jz_redis_wire *wire, const struct iovec *areas, size_t count, size_t *sent)
{
    (void)areas;
    (void)count;
    *sent = 0;
    return have_none(wire);
}

bool jz_redis_secured_flush(jz_redis_wire *wire)
{
    return have_none(wire);
}

bool jz_redis_secured_receive(jz_redis_wire *wire, char *bytes, size_t size, size_t *received)
{
    (void)bytes;
    (void)size;
    *received = 0;
    return have_none(wire);
}

void jz_redis_secured_end(jz_redis_secured *secured)
{
    *secured = (jz_redis_secured){0};
}

#endif
