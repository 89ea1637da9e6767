#include "contexts/generation.h"

#include <stdlib.h>

#include "contexts/policy.h"
#include "contexts/report.h"

struct jz_tls_generation {
    atomic_size_t references;
    SSL_CTX *context;
};

static jz_status use_files(SSL_CTX *context, const jz_tls_certificate *certificate, jz_error *error)
{
    const char *key_file = certificate->key_file != NULL ? certificate->key_file : certificate->certificate_file;
    if (SSL_CTX_use_certificate_chain_file(context, certificate->certificate_file) != 1)
        return jz_tls_report_openssl(error, JZ_STATUS_INVALID_OPTION, "use the certificate in %.100s",
                                     certificate->certificate_file);
    if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1)
        return jz_tls_report_openssl(error, JZ_STATUS_INVALID_OPTION, "use the key in %.100s", key_file);
    return JZ_OK;
}

static BIO *bio_of(const void *bytes, size_t length)
{
    return length <= INT32_MAX ? BIO_new_mem_buf(bytes, (int)length) : NULL;
}

static jz_status use_memory(SSL_CTX *context, const jz_tls_certificate *certificate, jz_error *error)
{
    bool has_key = certificate->key != NULL;
    BIO *chain = bio_of(certificate->certificate, certificate->certificate_length);
    BIO *keys = bio_of(has_key ? certificate->key : certificate->certificate,
                       has_key ? certificate->key_length : certificate->certificate_length);
    X509 *own = chain != NULL ? PEM_read_bio_X509(chain, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = keys != NULL ? PEM_read_bio_PrivateKey(keys, NULL, NULL, NULL) : NULL;
    jz_status status = JZ_OK;
    if (own == NULL || key == NULL || SSL_CTX_use_cert_and_key(context, own, key, NULL, 1) != 1)
        status = jz_tls_report_openssl(error, JZ_STATUS_INVALID_OPTION, "use the certificate and key in memory");
    EVP_PKEY_free(key);
    X509_free(own);
    BIO_free(keys);
    BIO_free(chain);
    return status;
}

jz_tls_generation *jz_tls_make_generation(const jz_tls_options *options, jz_error *error)
{
    jz_tls_generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL) {
        jz_tls_report_no_memory(error);
        return NULL;
    }
    generation->references = 1;
    generation->context = jz_tls_new_context(options->policy, error);
    const jz_tls_certificate *first = &options->certificates[0];
    if (generation->context == NULL ||
        (first->certificate_file != NULL ? use_files : use_memory)(generation->context, first, error) != JZ_OK) {
        jz_tls_release_generation(generation);
        return NULL;
    }
    return generation;
}

void jz_tls_release_generation(jz_tls_generation *generation)
{
    if (atomic_fetch_sub_explicit(&generation->references, 1, memory_order_acq_rel) > 1)
        return;
    SSL_CTX_free(generation->context);
    free(generation);
}

void jz_tls_retain_generation(jz_tls_generation *generation)
{
    atomic_fetch_add_explicit(&generation->references, 1, memory_order_relaxed);
}

SSL *jz_tls_generation_new_ssl(jz_tls_generation *generation)
{
    SSL *ssl = SSL_new(generation->context);
    if (ssl != NULL)
        SSL_set_accept_state(ssl);
    return ssl;
}
