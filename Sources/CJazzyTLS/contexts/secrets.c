#include "contexts/secrets.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <string.h>

/* A name of a property that is not OpenSSL's own must have a dot. */
#define OURS "jazzy.records=yes"

static const char provider_name[] = "jazzy-records";
static const char function_name[] = "TLS13-KDF";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_prepared;
static bool is_provided; /* our function is found by who asks for it */
/* Never freed: loops may run when a program ends. */
static EVP_KDF *original;
static OSSL_PROVIDER *provider;
static _Thread_local jz_tls_secrets *collected;

void jz_tls_secrets_collect(jz_tls_secrets *secrets)
{
    collected = secrets;
}

static void note(jz_tls_secret *noted, const uint8_t *secret, size_t length)
{
    if (length > sizeof noted->secret)
        return;
    memcpy(noted->secret, secret, length);
    noted->length = (uint8_t)length;
}

/* --- By our function --------------------------------------------------------------------------------------------- */

static void *create_context(void *none)
{
    (void)none;
    return EVP_KDF_CTX_new(original);
}

static void free_context(void *context)
{
    EVP_KDF_CTX_free(context);
}

static void reset_context(void *context)
{
    EVP_KDF_CTX_reset(context);
}

static bool is_text(const OSSL_PARAM *parameter, const char *text)
{
    size_t length = strlen(text);
    return parameter != NULL && parameter->data != NULL && parameter->data_size == length &&
           memcmp(parameter->data, text, length) == 0;
}

/* The secret that something is derived from, if it is one of ours; else NULL. */
static jz_tls_secret *parent_of(const OSSL_PARAM *key)
{
    jz_tls_secret *known[] = {&collected->of_client, &collected->of_server};
    for (size_t i = 0; key != NULL && key->data != NULL && i < sizeof known / sizeof known[0]; i++) {
        if (known[i]->length > 0 && known[i]->length == key->data_size &&
            CRYPTO_memcmp(known[i]->secret, key->data, key->data_size) == 0)
            return known[i];
    }
    return NULL;
}

/* RFC 8446 §7.3: what is derived next from the secret. */
static void note_key(const OSSL_PARAM *label, const OSSL_PARAM *from, const uint8_t *bytes, size_t length)
{
    bool is_key = is_text(label, "key");
    jz_tls_secret *parent = is_key || is_text(label, "iv") ? parent_of(from) : NULL;
    if (parent == NULL || (is_key ? length > sizeof parent->key : length != sizeof parent->initial))
        return;
    memcpy(is_key ? parent->key : parent->initial, bytes, length);
    if (is_key)
        parent->key_length = (uint8_t)length;
    else
        parent->has_initial = true;
}

/* The labels of RFC 8446 §7.1. */
static int derive(void *context, unsigned char *bytes, size_t length, const OSSL_PARAM parameters[])
{
    if (EVP_KDF_derive(context, bytes, length, parameters) != 1)
        return 0;
    if (collected == NULL)
        return 1;
    const OSSL_PARAM *label = OSSL_PARAM_locate_const(parameters, OSSL_KDF_PARAM_LABEL);
    if (is_text(label, "c ap traffic"))
        note(&collected->of_client, bytes, length);
    else if (is_text(label, "s ap traffic"))
        note(&collected->of_server, bytes, length);
    else
        note_key(label, OSSL_PARAM_locate_const(parameters, OSSL_KDF_PARAM_KEY), bytes, length);
    return 1;
}

static int set_parameters(void *context, const OSSL_PARAM parameters[])
{
    return EVP_KDF_CTX_set_params(context, parameters);
}

static int get_parameters(void *context, OSSL_PARAM parameters[])
{
    return EVP_KDF_CTX_get_params(context, parameters);
}

static const OSSL_PARAM *settable_parameters(void *context, void *none)
{
    (void)context;
    (void)none;
    return EVP_KDF_settable_ctx_params(original);
}

static const OSSL_PARAM *gettable_parameters(void *context, void *none)
{
    (void)context;
    (void)none;
    return EVP_KDF_gettable_ctx_params(original);
}

static const OSSL_DISPATCH function[] = {
    {OSSL_FUNC_KDF_NEWCTX, (void (*)(void))create_context},
    {OSSL_FUNC_KDF_FREECTX, (void (*)(void))free_context},
    {OSSL_FUNC_KDF_RESET, (void (*)(void))reset_context},
    {OSSL_FUNC_KDF_DERIVE, (void (*)(void))derive},
    {OSSL_FUNC_KDF_SET_CTX_PARAMS, (void (*)(void))set_parameters},
    {OSSL_FUNC_KDF_GET_CTX_PARAMS, (void (*)(void))get_parameters},
    {OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, (void (*)(void))settable_parameters},
    {OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS, (void (*)(void))gettable_parameters},
    {0, NULL},
};

static const OSSL_ALGORITHM *query_operation(void *none, int operation, int *is_not_kept)
{
    static const OSSL_ALGORITHM functions[] = {{function_name, OURS, function, "notes traffic secrets"},
                                               {NULL, NULL, NULL, NULL}};
    (void)none;
    *is_not_kept = 0;
    return operation == OSSL_OP_KDF ? functions : NULL;
}

static int begin_provider(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                          void **opaque)
{
    static const OSSL_DISPATCH functions[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query_operation},
                                              {0, NULL}};
    static char context; /* of which there is nothing */
    (void)handle;
    (void)in;
    *out = functions;
    *opaque = &context;
    return 1;
}

/* Whether our function is what OpenSSL finds for a context that asks as ours do. */
static bool is_found(void)
{
    EVP_KDF *found = EVP_KDF_fetch(NULL, function_name, "?" OURS);
    bool is_ours = found != NULL && strcmp(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(found)), provider_name) == 0;
    EVP_KDF_free(found);
    return is_ours;
}

bool jz_tls_secrets_prepare(void)
{
    pthread_mutex_lock(&lock);
    /* First the original, which would be ours otherwise. With it the providers of the system's settings are loaded. */
    if (original == NULL)
        original = EVP_KDF_fetch(NULL, function_name, NULL);
    if (original != NULL && !is_prepared) {
        if (OSSL_PROVIDER_add_builtin(NULL, provider_name, begin_provider) == 1)
            provider = OSSL_PROVIDER_try_load(NULL, provider_name, 1);
        is_provided = provider != NULL && is_found();
        is_prepared = true;
        ERR_clear_error();
    }
    bool has_succeeded = is_prepared;
    pthread_mutex_unlock(&lock);
    return has_succeeded;
}

const char *jz_tls_secrets_query(void)
{
    return is_provided ? "?" OURS : NULL;
}

/* --- By lines for a log ------------------------------------------------------------------------------------------ */

static int digit_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

static void note_digits(jz_tls_secret *noted, const char *digits)
{
    uint8_t secret[JZ_TLS_MOST_SECRET];
    size_t length = 0;
    for (; digits[0] != '\0' && length < sizeof secret; digits += 2) {
        int high = digit_of(digits[0]);
        int low = high >= 0 ? digit_of(digits[1]) : -1;
        if (low < 0)
            break;
        secret[length++] = (uint8_t)(high << 4 | low);
    }
    if (digits[0] == '\0')
        note(noted, secret, length);
    OPENSSL_cleanse(secret, sizeof secret);
}

/* "LABEL CLIENT_RANDOM SECRET", in hexadecimal. */
static void note_line(const SSL *ssl, const char *line)
{
    static const char of_client[] = "CLIENT_TRAFFIC_SECRET_0 ";
    static const char of_server[] = "SERVER_TRAFFIC_SECRET_0 ";
    const char *last = strrchr(line, ' ');
    (void)ssl;
    if (collected == NULL || last == NULL)
        return;
    if (strncmp(line, of_client, sizeof of_client - 1) == 0)
        note_digits(&collected->of_client, last + 1);
    else if (strncmp(line, of_server, sizeof of_server - 1) == 0)
        note_digits(&collected->of_server, last + 1);
}

void jz_tls_secrets_follow(SSL_CTX *context)
{
    if (!is_provided)
        SSL_CTX_set_keylog_callback(context, note_line);
}
