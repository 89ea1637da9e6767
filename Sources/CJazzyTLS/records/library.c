#include "records/library.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

static EVP_MAC_CTX *prepare_hmac(EVP_MAC *hmac, char *digest)
{
    EVP_MAC_CTX *context = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    if (context != NULL && EVP_MAC_CTX_set_params(context, parameters) == 1)
        return context;
    EVP_MAC_CTX_free(context);
    return NULL;
}

static bool prepare_hmacs(jz_tls_library *library)
{
    char sha256[] = "SHA256";
    char sha384[] = "SHA384";
    EVP_MAC *hmac = EVP_MAC_fetch(library->context, "HMAC", NULL);
    if (library->hmac_sha256 == NULL)
        library->hmac_sha256 = prepare_hmac(hmac, sha256);
    if (library->hmac_sha384 == NULL)
        library->hmac_sha384 = prepare_hmac(hmac, sha384);
    EVP_MAC_free(hmac);
    return library->hmac_sha256 != NULL && library->hmac_sha384 != NULL;
}

bool jz_tls_library_look_up(jz_tls_library *library)
{
    const struct {
        EVP_CIPHER **cipher;
        const char *name;
    } ciphers[] = {{&library->aes_128, "AES-128-GCM"},
                   {&library->aes_256, "AES-256-GCM"},
                   {&library->chacha20, "ChaCha20-Poly1305"},
                   {&library->of_tickets, "AES-256-CBC"}};
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
        if (*ciphers[i].cipher == NULL)
            *ciphers[i].cipher = EVP_CIPHER_fetch(library->context, ciphers[i].name, NULL);
    }
    if (library->prf == NULL)
        library->prf = EVP_KDF_fetch(library->context, "TLS1-PRF", NULL);
    if (library->sha256 == NULL)
        library->sha256 = EVP_MD_fetch(library->context, "SHA256", NULL);
    return prepare_hmacs(library) && jz_tls_library_lacks(library) == NULL;
}

const char *jz_tls_library_lacks(const jz_tls_library *library)
{
    if (library->sha256 == NULL)
        return "SHA256";
    if (library->aes_128 == NULL)
        return "AES-128-GCM";
    if (library->aes_256 == NULL)
        return "AES-256-GCM";
    if (library->of_tickets == NULL)
        return "AES-256-CBC";
    return library->hmac_sha256 == NULL || library->hmac_sha384 == NULL ? "HMAC with SHA256 and SHA384" : NULL;
}

void jz_tls_library_forget(jz_tls_library *library)
{
    EVP_CIPHER_free(library->aes_128);
    EVP_CIPHER_free(library->aes_256);
    EVP_CIPHER_free(library->chacha20);
    EVP_CIPHER_free(library->of_tickets);
    EVP_MAC_CTX_free(library->hmac_sha256);
    EVP_MAC_CTX_free(library->hmac_sha384);
    EVP_KDF_free(library->prf);
    EVP_MD_free(library->sha256);
    *library = (jz_tls_library){.context = library->context};
}
