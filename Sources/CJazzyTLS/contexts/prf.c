#include "contexts/prf.h"

#include <openssl/core_names.h>
#include <string.h>

enum { MOST_BLOCK = 48 };

/* What is derived from. */
typedef struct source {
    const OSSL_PARAM *parameters; /* among which are the seeds */
    const OSSL_PARAM *secret;
    const EVP_MAC_CTX *hmac; /* without a key */
    size_t block;            /* bytes of its results */
} source;

static bool is_one_of(const OSSL_PARAM *text, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text->data_size == strlen(names[i]) && memcmp(text->data, names[i], text->data_size) == 0)
            return true;
    }
    return false;
}

const EVP_MAC_CTX *jz_tls_hmac_named(const jz_tls_library *library, const OSSL_PARAM *name, size_t *size)
{
    static const char *const sha256[] = {"SHA2-256", "SHA256"};
    static const char *const sha384[] = {"SHA2-384", "SHA384"};
    enum { NAMES = 2, SHA256_SIZE = 32, SHA384_SIZE = 48 };
    if (name->data == NULL)
        return NULL;
    *size = SHA256_SIZE;
    if (is_one_of(name, sha256, NAMES))
        return library->hmac_sha256;
    *size = SHA384_SIZE;
    return is_one_of(name, sha384, NAMES) ? library->hmac_sha384 : NULL;
}

static bool is_seed(const OSSL_PARAM *parameter)
{
    return strcmp(parameter->key, OSSL_KDF_PARAM_SEED) == 0;
}

/* False: they are not a handshake's. */
static bool take_parameters(source *source, const OSSL_PARAM parameters[], const jz_tls_library *library)
{
    *source = (struct source){.parameters = parameters};
    for (const OSSL_PARAM *each = parameters; each != NULL && each->key != NULL; each++) {
        if (strcmp(each->key, OSSL_KDF_PARAM_DIGEST) == 0)
            source->hmac = jz_tls_hmac_named(library, each, &source->block);
        else if (strcmp(each->key, OSSL_KDF_PARAM_SECRET) == 0)
            source->secret = each;
        else if (!is_seed(each))
            return false;
    }
    return source->hmac != NULL && source->secret != NULL && source->secret->data != NULL &&
           source->secret->data_size > 0;
}

static bool add_seeds(EVP_MAC_CTX *hmac, const source *source)
{
    for (const OSSL_PARAM *each = source->parameters; each->key != NULL; each++) {
        if (is_seed(each) && each->data_size > 0 && EVP_MAC_update(hmac, each->data, each->data_size) != 1)
            return false;
    }
    return true;
}

static bool begin_again(EVP_MAC_CTX *hmac)
{
    return EVP_MAC_init(hmac, NULL, 0, NULL) == 1;
}

static bool finish(EVP_MAC_CTX *hmac, uint8_t block[MOST_BLOCK])
{
    size_t length;
    return EVP_MAC_final(hmac, block, &length, MOST_BLOCK) == 1;
}

/* P_hash: A(1) = HMAC(seed), A(n) = HMAC(A(n-1)); of each comes the block HMAC(A(n) + seed). The key is set. */
static bool expand(EVP_MAC_CTX *hmac, const source *source, uint8_t *bytes, size_t length)
{
    uint8_t a[MOST_BLOCK];
    uint8_t block[MOST_BLOCK];
    bool is_done = add_seeds(hmac, source) && finish(hmac, a);
    while (is_done && length > 0) {
        size_t taken = length < source->block ? length : source->block;
        is_done = begin_again(hmac) && EVP_MAC_update(hmac, a, source->block) == 1 && add_seeds(hmac, source) &&
                  finish(hmac, block);
        if (is_done)
            memcpy(bytes, block, taken);
        bytes += taken;
        length -= taken;
        if (is_done && length > 0)
            is_done = begin_again(hmac) && EVP_MAC_update(hmac, a, source->block) == 1 && finish(hmac, a);
    }
    OPENSSL_cleanse(a, sizeof a);
    OPENSSL_cleanse(block, sizeof block);
    return is_done;
}

bool jz_tls_prf(const jz_tls_library *library, const OSSL_PARAM parameters[], uint8_t *bytes, size_t length)
{
    source source;
    if (!take_parameters(&source, parameters, library))
        return false;
    EVP_MAC_CTX *hmac = EVP_MAC_CTX_dup(source.hmac);
    bool is_done = hmac != NULL && EVP_MAC_init(hmac, source.secret->data, source.secret->data_size, NULL) == 1 &&
                   expand(hmac, &source, bytes, length);
    EVP_MAC_CTX_free(hmac);
    return is_done;
}
