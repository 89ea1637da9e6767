#include "contexts/clients.h"

#include <string.h>

#include "contexts/report.h"
#include "contexts/times.h"

/* A ticket, which has the client's certificate, takes 64 KiB; OpenSSL would break off a handshake with a longer one. */
enum { MOST_OF_CLIENTS_CERTIFICATES = 60 * 1024 };

static bool add(jz_tls_authorities *authorities, X509 *certificate)
{
    int64_t expires;
    if (jz_tls_time_of(X509_get0_notAfter(certificate), &expires) && expires < authorities->expires)
        authorities->expires = expires;
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(certificate));
    if (name == NULL || sk_X509_NAME_push(authorities->names, name) == 0) {
        X509_NAME_free(name);
        return false;
    }
    return X509_STORE_add_cert(authorities->store, certificate) == 1;
}

static bool add_all(jz_tls_authorities *authorities, jz_tls_chain *certificates)
{
    authorities->store = X509_STORE_new();
    authorities->names = sk_X509_NAME_new_null();
    if (authorities->store == NULL || authorities->names == NULL)
        return false;
    for (int i = 0; i < sk_X509_num(certificates); i++) {
        if (!add(authorities, sk_X509_value(certificates, i)))
            return false;
    }
    /* Each of them counts, not only roots: otherwise an authority that is not one would refuse all. */
    return X509_STORE_set_flags(authorities->store, X509_V_FLAG_PARTIAL_CHAIN) == 1;
}

jz_status jz_tls_authorities_read(jz_tls_authorities *authorities, const jz_tls_pem *pem, jz_error *error)
{
    jz_tls_chain *certificates;
    *authorities = (jz_tls_authorities){.expires = INT64_MAX, .label = pem->label};
    jz_status status = jz_tls_pem_certificates(pem, &certificates, error);
    if (status != JZ_OK)
        return status;
    if (jz_tls_pem_has(pem, "X509 CRL"))
        status = jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                               "%s has a list of revoked certificates, which would not be looked at; remove it",
                               pem->label.text);
    else if (!add_all(authorities, certificates))
        status = jz_tls_report_openssl(error, JZ_STATUS_INVALID_OPTION, "use the authorities in %s", pem->label.text);
    sk_X509_pop_free(certificates, X509_free);
    if (status != JZ_OK)
        jz_tls_authorities_free(authorities);
    return status;
}

void jz_tls_authorities_free(jz_tls_authorities *authorities)
{
    X509_STORE_free(authorities->store);
    sk_X509_NAME_pop_free(authorities->names, X509_NAME_free);
    *authorities = (jz_tls_authorities){0};
}

bool jz_tls_authorities_apply(const jz_tls_authorities *authorities, jz_tls_clients clients, SSL_CTX *context)
{
    if (clients == JZ_TLS_CLIENTS_ANONYMOUS)
        return true;
    int mode = SSL_VERIFY_PEER | (clients == JZ_TLS_CLIENTS_MUST_IDENTIFY ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
    STACK_OF(X509_NAME) *names = SSL_dup_CA_list(authorities->names);
    if (names == NULL)
        return false;
    SSL_CTX_set_verify(context, mode, NULL);
    SSL_CTX_set_max_cert_list(context, MOST_OF_CLIENTS_CERTIFICATES);
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set1_cert_store(context, authorities->store);
    return true;
}

bool jz_tls_ticket_identity(const jz_tls_library *library, jz_tls_clients clients, const jz_tls_pem *authorities,
                            uint8_t identity[JZ_TLS_TICKET_IDENTITY])
{
    static const char purpose[] = "jazzy";
    uint8_t kind = (uint8_t)clients;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool is_made = digest != NULL && EVP_DigestInit_ex(digest, library->sha256, NULL) == 1 &&
                   EVP_DigestUpdate(digest, purpose, sizeof purpose) == 1 &&
                   EVP_DigestUpdate(digest, &kind, sizeof kind) == 1 &&
                   (authorities == NULL || EVP_DigestUpdate(digest, authorities->bytes, authorities->length) == 1) &&
                   EVP_DigestFinal_ex(digest, identity, NULL) == 1;
    EVP_MD_CTX_free(digest);
    return is_made;
}
