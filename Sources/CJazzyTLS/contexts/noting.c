#include "contexts/noting.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <string.h>

#include "contexts/expansion.h"
#include "contexts/nonces.h"
#include "contexts/prf.h"
#include "contexts/secrets.h"

/* A name of a property that is not OpenSSL's own must have a dot. */
#define NOTING "jazzy.noting=yes"

enum { MOST_FUNCTIONS = 32 };

static const char name_of_ours[] = "jazzy-noting";

static int derive_1_3(void *context, unsigned char *bytes, size_t length, const OSSL_PARAM parameters[]);
static int derive_1_2(void *context, unsigned char *bytes, size_t length, const OSSL_PARAM parameters[]);

/* Each is filled in with the default provider's, and our one. */
typedef struct derivation {
    const char *name;
    OSSL_FUNC_kdf_derive_fn *own;
    OSSL_FUNC_kdf_derive_fn *original;
    OSSL_DISPATCH functions[MOST_FUNCTIONS];
} derivation;

static derivation of_1_3 = {.name = "TLS13-KDF", .own = derive_1_3};
static derivation of_1_2 = {.name = "TLS1-PRF", .own = derive_1_2};
static OSSL_ALGORITHM algorithms[] = {
    {"TLS13-KDF", NOTING, of_1_3.functions, "notes what TLS 1.3 derives"},
    {"TLS1-PRF", NOTING, of_1_2.functions, "notes what TLS 1.2 derives"},
    {NULL, NULL, NULL, NULL},
};
static const OSSL_ALGORITHM *ciphers;
static const OSSL_PROVIDER *original; /* while ours begins */

/* --- What is noted ----------------------------------------------------------------------------------------------- */

static bool is_text(const OSSL_PARAM *parameter, const char *text)
{
    size_t length = strlen(text);
    return parameter != NULL && parameter->data != NULL && parameter->data_size == length &&
           memcmp(parameter->data, text, length) == 0;
}

/* The secret that something is derived from, if it is one that was noted; else NULL. */
static jz_tls_secret *parent_of(jz_tls_secrets *secrets, const OSSL_PARAM *key)
{
    jz_tls_secret *known[] = {&secrets->of_client, &secrets->of_server};
    for (size_t i = 0; key != NULL && key->data != NULL && i < sizeof known / sizeof known[0]; i++) {
        if (known[i]->length > 0 && known[i]->length == key->data_size &&
            CRYPTO_memcmp(known[i]->secret, key->data, key->data_size) == 0)
            return known[i];
    }
    return NULL;
}

/* RFC 8446 §7.3: what is derived next from the secret. */
static void note_key(jz_tls_secrets *secrets, const OSSL_PARAM *label, const OSSL_PARAM *from, const uint8_t *bytes,
                     size_t length)
{
    bool is_key = is_text(label, "key");
    jz_tls_secret *parent = is_key || is_text(label, "iv") ? parent_of(secrets, from) : NULL;
    if (parent == NULL || (is_key ? length > sizeof parent->key : length != sizeof parent->initial))
        return;
    memcpy(is_key ? parent->key : parent->initial, bytes, length);
    if (is_key)
        parent->key_length = (uint8_t)length;
    else
        parent->has_initial = true;
}

/* By the labels of RFC 8446 §7.1. */
static int derive_1_3(void *context, unsigned char *bytes, size_t length, const OSSL_PARAM parameters[])
{
    jz_tls_secrets *secrets = jz_tls_secrets_collected();
    bool is_done =
        secrets != NULL && secrets->library != NULL && jz_tls_expand_label(secrets->library, parameters, bytes, length);
    if (!is_done && of_1_3.original(context, bytes, length, parameters) != 1)
        return 0;
    if (secrets == NULL || parameters == NULL)
        return 1;
    const OSSL_PARAM *label = OSSL_PARAM_locate_const(parameters, OSSL_KDF_PARAM_LABEL);
    if (is_text(label, "c ap traffic"))
        jz_tls_secrets_note(&secrets->of_client, bytes, length);
    else if (is_text(label, "s ap traffic"))
        jz_tls_secrets_note(&secrets->of_server, bytes, length);
    else
        note_key(secrets, label, OSSL_PARAM_locate_const(parameters, OSSL_KDF_PARAM_KEY), bytes, length);
    return 1;
}

/* RFC 5246 §6.3. The first of the seeds is the label. */
static int derive_1_2(void *context, unsigned char *bytes, size_t length, const OSSL_PARAM parameters[])
{
    jz_tls_secrets *secrets = jz_tls_secrets_collected();
    bool is_done =
        secrets != NULL && secrets->library != NULL && jz_tls_prf(secrets->library, parameters, bytes, length);
    if (!is_done && of_1_2.original(context, bytes, length, parameters) != 1)
        return 0;
    if (secrets == NULL || parameters == NULL || length > sizeof secrets->block ||
        !is_text(OSSL_PARAM_locate_const(parameters, OSSL_KDF_PARAM_SEED), "key expansion"))
        return 1;
    memcpy(secrets->block, bytes, length);
    secrets->block_length = (uint8_t)length;
    return 1;
}

/* --- The provider ------------------------------------------------------------------------------------------------ */

/* Copies the default provider's functions, but for the one that derives. */
static bool take_functions(derivation *derivation, const OSSL_DISPATCH *functions)
{
    for (size_t i = 0; i < MOST_FUNCTIONS; i++) {
        derivation->functions[i] = functions[i];
        if (functions[i].function_id == 0)
            return derivation->original != NULL;
        if (functions[i].function_id == OSSL_FUNC_KDF_DERIVE) {
            derivation->original = OSSL_FUNC_kdf_derive(&functions[i]);
            derivation->functions[i].function = (void (*)(void))derivation->own;
        }
    }
    return false;
}

static bool take(derivation *derivation)
{
    int is_not_kept = 0;
    const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(original, OSSL_OP_KDF, &is_not_kept);
    bool is_taken = false;
    for (; all != NULL && all->algorithm_names != NULL && !is_taken; all++) {
        if (strcmp(all->algorithm_names, derivation->name) == 0)
            is_taken = take_functions(derivation, all->implementation);
    }
    return is_taken && is_not_kept == 0;
}

/* They are for speed alone: without them there are the default provider's. */
static void take_ciphers(void)
{
    int is_not_kept = 0;
    const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(original, OSSL_OP_CIPHER, &is_not_kept);
    ciphers = jz_tls_nonces_take(is_not_kept == 0 ? all : NULL, NOTING);
}

static const OSSL_ALGORITHM *query_operation(void *context, int operation, int *is_not_kept)
{
    (void)context;
    *is_not_kept = 0;
    if (operation == OSSL_OP_CIPHER)
        return ciphers;
    return operation == OSSL_OP_KDF ? algorithms : NULL;
}

/* The default provider's functions are called with its own context. */
static int begin_provider(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                          void **context)
{
    static const OSSL_DISPATCH functions[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query_operation},
                                              {0, NULL}};
    (void)handle;
    (void)in;
    *out = functions;
    *context = OSSL_PROVIDER_get0_provider_ctx(original);
    return 1;
}

static bool is_found(OSSL_LIB_CTX *context, const char *name)
{
    EVP_KDF *found = EVP_KDF_fetch(context, name, NULL);
    bool is_ours = found != NULL && strcmp(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(found)), name_of_ours) == 0;
    EVP_KDF_free(found);
    return is_ours;
}

bool jz_tls_noting_begin(jz_tls_noting *noting, OSSL_LIB_CTX *context)
{
    *noting = (jz_tls_noting){.original = OSSL_PROVIDER_load(context, "default")};
    original = noting->original;
    if (original != NULL)
        take_ciphers();
    if (original != NULL && take(&of_1_3) && take(&of_1_2) &&
        OSSL_PROVIDER_add_builtin(context, name_of_ours, begin_provider) == 1)
        noting->own = OSSL_PROVIDER_load(context, name_of_ours);
    return noting->own != NULL && EVP_set_default_properties(context, "?" NOTING) == 1 &&
           is_found(context, of_1_3.name) && is_found(context, of_1_2.name);
}

void jz_tls_noting_end(const jz_tls_noting *noting)
{
    if (noting->own != NULL)
        OSSL_PROVIDER_unload(noting->own);
    if (noting->original != NULL)
        OSSL_PROVIDER_unload(noting->original);
}
