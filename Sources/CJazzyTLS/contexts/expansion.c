#include "contexts/expansion.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <string.h>

#include "contexts/prf.h"

enum { MOST_BLOCK = 48, MOST_LABEL = 255, MOST_DATA = 255, MOST_INFO = 2 + 1 + MOST_LABEL + 1 + MOST_DATA + 1 };

/* What is derived from. */
typedef struct source {
    const EVP_MAC_CTX *hmac; /* without a key */
    size_t block;            /* bytes of its result */
    const OSSL_PARAM *key;
    const OSSL_PARAM *prefix;
    const OSSL_PARAM *label;
    const OSSL_PARAM *data; /* NULL: none */
    bool expands;
} source;

static bool is_named(const OSSL_PARAM *parameter, const char *name)
{
    return strcmp(parameter->key, name) == 0;
}

static bool is_expansion(const OSSL_PARAM *mode)
{
    int number;
    return OSSL_PARAM_get_int(mode, &number) == 1 && number == EVP_KDF_HKDF_MODE_EXPAND_ONLY;
}

/* False: it is none of a handshake's. */
static bool take_parameter(source *source, const OSSL_PARAM *each, const jz_tls_library *library)
{
    if (is_named(each, OSSL_KDF_PARAM_MODE))
        source->expands = is_expansion(each);
    else if (is_named(each, OSSL_KDF_PARAM_DIGEST))
        source->hmac = jz_tls_hmac_named(library, each, &source->block);
    else if (is_named(each, OSSL_KDF_PARAM_KEY))
        source->key = each;
    else if (is_named(each, OSSL_KDF_PARAM_PREFIX))
        source->prefix = each;
    else if (is_named(each, OSSL_KDF_PARAM_LABEL))
        source->label = each;
    else if (is_named(each, OSSL_KDF_PARAM_DATA))
        source->data = each;
    else
        return false;
    return true;
}

static bool is_there(const OSSL_PARAM *parameter)
{
    return parameter != NULL && parameter->data != NULL && parameter->data_size > 0;
}

static bool take_parameters(source *source, const OSSL_PARAM parameters[], const jz_tls_library *library)
{
    *source = (struct source){0};
    for (const OSSL_PARAM *each = parameters; each != NULL && each->key != NULL; each++) {
        if (!take_parameter(source, each, library))
            return false;
    }
    if (!source->expands || source->hmac == NULL || !is_there(source->key) || !is_there(source->prefix) ||
        !is_there(source->label))
        return false;
    return source->prefix->data_size <= MOST_LABEL &&
           source->label->data_size <= MOST_LABEL - source->prefix->data_size &&
           (source->data == NULL || (is_there(source->data) && source->data->data_size <= MOST_DATA));
}

static uint8_t *append(uint8_t *at, const OSSL_PARAM *bytes)
{
    memcpy(at, bytes->data, bytes->data_size);
    return at + bytes->data_size;
}

/* The structure HkdfLabel, and the number of the first block (RFC 5869 §2.3). */
static size_t write_info(uint8_t info[MOST_INFO], const source *source, size_t length)
{
    uint8_t *at = info;
    *at++ = 0;
    *at++ = (uint8_t)length;
    *at++ = (uint8_t)(source->prefix->data_size + source->label->data_size);
    at = append(at, source->prefix);
    at = append(at, source->label);
    *at++ = (uint8_t)(source->data != NULL ? source->data->data_size : 0);
    if (source->data != NULL)
        at = append(at, source->data);
    *at++ = 1;
    return (size_t)(at - info);
}

bool jz_tls_expand_label(const jz_tls_library *library, const OSSL_PARAM parameters[], uint8_t *bytes, size_t length)
{
    source source;
    uint8_t info[MOST_INFO];
    uint8_t block[MOST_BLOCK];
    size_t block_length;
    if (!take_parameters(&source, parameters, library) || length == 0 || length > source.block)
        return false;
    EVP_MAC_CTX *hmac = EVP_MAC_CTX_dup(source.hmac);
    bool is_done = hmac != NULL && EVP_MAC_init(hmac, source.key->data, source.key->data_size, NULL) == 1 &&
                   EVP_MAC_update(hmac, info, write_info(info, &source, length)) == 1 &&
                   EVP_MAC_final(hmac, block, &block_length, sizeof block) == 1;
    if (is_done)
        memcpy(bytes, block, length);
    OPENSSL_cleanse(block, sizeof block);
    EVP_MAC_CTX_free(hmac);
    return is_done;
}
