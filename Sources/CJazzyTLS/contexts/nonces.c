#include "contexts/nonces.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <string.h>

#include "records/records.h"

enum { CIPHERS = 3, MOST_FUNCTIONS = 32 };

typedef OSSL_FUNC_cipher_get_ctx_params_fn get_fn;

/* Each is filled in with the default provider's functions, and our one. */
typedef struct cipher {
    const char *name;
    get_fn *own;
    get_fn *original;
    OSSL_DISPATCH functions[MOST_FUNCTIONS];
} cipher;

static int get_of_aes_128(void *context, OSSL_PARAM parameters[]);
static int get_of_aes_256(void *context, OSSL_PARAM parameters[]);
static int get_of_chacha20(void *context, OSSL_PARAM parameters[]);

static cipher aes_128 = {.name = "AES-128-GCM", .own = get_of_aes_128};
static cipher aes_256 = {.name = "AES-256-GCM", .own = get_of_aes_256};
static cipher chacha20 = {.name = "ChaCha20-Poly1305", .own = get_of_chacha20};
static cipher *const ciphers[CIPHERS] = {&aes_128, &aes_256, &chacha20};
static OSSL_ALGORITHM algorithms[CIPHERS + 1];

/* Nobody sets another length in the library context, which is ours alone. */
static int get(get_fn *original, void *context, OSSL_PARAM parameters[])
{
    bool is_for_length = parameters != NULL && parameters[0].key != NULL && parameters[1].key == NULL &&
                         strcmp(parameters[0].key, OSSL_CIPHER_PARAM_IVLEN) == 0;
    return is_for_length ? OSSL_PARAM_set_size_t(parameters, JZ_TLS_NONCE) : original(context, parameters);
}

static int get_of_aes_128(void *context, OSSL_PARAM parameters[])
{
    return get(aes_128.original, context, parameters);
}

static int get_of_aes_256(void *context, OSSL_PARAM parameters[])
{
    return get(aes_256.original, context, parameters);
}

static int get_of_chacha20(void *context, OSSL_PARAM parameters[])
{
    return get(chacha20.original, context, parameters);
}

static bool take_functions(cipher *taken, const OSSL_DISPATCH *functions)
{
    taken->original = NULL;
    for (size_t i = 0; i < MOST_FUNCTIONS; i++) {
        taken->functions[i] = functions[i];
        if (functions[i].function_id == 0)
            return taken->original != NULL;
        if (functions[i].function_id == OSSL_FUNC_CIPHER_GET_CTX_PARAMS) {
            taken->original = OSSL_FUNC_cipher_get_ctx_params(&functions[i]);
            taken->functions[i].function = (void (*)(void))taken->own;
        }
    }
    return false;
}

/* Whether it is the first of several names, with colons between them. */
static bool is_named(const OSSL_ALGORITHM *algorithm, const char *name)
{
    size_t length = strlen(name);
    const char *names = algorithm->algorithm_names;
    return strncmp(names, name, length) == 0 && (names[length] == '\0' || names[length] == ':');
}

static bool take(cipher *taken, const OSSL_ALGORITHM *all)
{
    for (; all != NULL && all->algorithm_names != NULL; all++) {
        if (is_named(all, taken->name))
            return take_functions(taken, all->implementation);
    }
    return false;
}

const OSSL_ALGORITHM *jz_tls_nonces_take(const OSSL_ALGORITHM *all, const char *property)
{
    size_t count = 0;
    for (size_t i = 0; i < CIPHERS; i++) {
        if (take(ciphers[i], all))
            algorithms[count++] = (OSSL_ALGORITHM){ciphers[i]->name, property, ciphers[i]->functions, NULL};
    }
    algorithms[count] = (OSSL_ALGORITHM){0};
    return algorithms;
}
