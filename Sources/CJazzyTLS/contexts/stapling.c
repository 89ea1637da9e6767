#include "contexts/stapling.h"

#include <limits.h>
#include <openssl/ocsp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "contexts/times.h"

enum { TOLERANCE_S = 300 /* between clocks */ };

/* NULL: it is not known. */
static X509 *issuer_of(X509 *certificate, jz_tls_chain *chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (X509_check_issued(sk_X509_value(chain, i), certificate) == X509_V_OK)
            return sk_X509_value(chain, i);
    }
    return X509_check_issued(certificate, certificate) == X509_V_OK ? certificate : NULL;
}

/* Whether a single response is about the certificate. Without its issuer only the serial numbers can be compared. */
static bool is_about(const OCSP_CERTID *id, X509 *certificate, X509 *issuer)
{
    ASN1_OBJECT *algorithm = NULL;
    ASN1_INTEGER *serial = NULL;
    OCSP_id_get0_info(NULL, &algorithm, NULL, &serial, (OCSP_CERTID *)id);
    if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) != 0)
        return false;
    if (issuer == NULL)
        return true;
    OCSP_CERTID *own = OCSP_cert_to_id(EVP_get_digestbyobj(algorithm), certificate, issuer);
    bool is_same = own != NULL && OCSP_id_cmp(own, id) == 0;
    OCSP_CERTID_free(own);
    return is_same;
}

static OCSP_SINGLERESP *find_single(OCSP_BASICRESP *basic, X509 *certificate, X509 *issuer)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        if (is_about(OCSP_SINGLERESP_get0_id(single), certificate, issuer))
            return single;
    }
    return NULL;
}

static const char *check_signature(OCSP_BASICRESP *basic, jz_tls_chain *chain, X509 *issuer)
{
    X509_STORE *store = X509_STORE_new();
    bool is_prepared = store != NULL && X509_STORE_add_cert(store, issuer) == 1 &&
                       X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1;
    bool is_good = is_prepared && OCSP_basic_verify(basic, chain, store, OCSP_TRUSTOTHER) == 1;
    X509_STORE_free(store);
    return is_good ? NULL : is_prepared ? "is not signed by the issuer of the certificate" : "needs more memory";
}

static const char *check_basic(OCSP_BASICRESP *basic, X509 *certificate, jz_tls_chain *chain, int64_t *expires)
{
    X509 *issuer = issuer_of(certificate, chain);
    OCSP_SINGLERESP *single = find_single(basic, certificate, issuer);
    int reason;
    ASN1_GENERALIZEDTIME *revoked;
    ASN1_GENERALIZEDTIME *this_update;
    ASN1_GENERALIZEDTIME *next_update;
    if (single == NULL)
        return "is about another certificate";
    int status = OCSP_single_get0_status(single, &reason, &revoked, &this_update, &next_update);
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return status == V_OCSP_CERTSTATUS_REVOKED ? "says that the certificate is revoked"
                                                   : "says that the certificate is unknown";
    if (OCSP_check_validity(this_update, next_update, TOLERANCE_S, -1) != 1)
        return "is out of date, or not valid yet";
    *expires = INT64_MAX;
    if (next_update != NULL && !jz_tls_time_of(next_update, expires))
        return "has no readable time";
    return issuer != NULL ? check_signature(basic, chain, issuer) : NULL;
}

static const char *check(const uint8_t *bytes, size_t length, X509 *certificate, jz_tls_chain *chain, int64_t *expires)
{
    const unsigned char *at = bytes;
    OCSP_RESPONSE *response = length <= LONG_MAX ? d2i_OCSP_RESPONSE(NULL, &at, (long)length) : NULL;
    OCSP_BASICRESP *basic = response != NULL ? OCSP_response_get1_basic(response) : NULL;
    const char *fault;
    if (response == NULL || at != bytes + length)
        fault = "is no OCSP response in DER, or not a complete one";
    else if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL || basic == NULL)
        fault = "says that the responder has failed";
    else
        fault = check_basic(basic, certificate, chain, expires);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    return fault;
}

const char *jz_tls_staple_read(jz_tls_staple *staple, const uint8_t *bytes, size_t length, X509 *certificate,
                               jz_tls_chain *chain)
{
    int64_t expires = 0;
    *staple = (jz_tls_staple){0};
    const char *fault = check(bytes, length, certificate, chain, &expires);
    if (fault != NULL)
        return fault;
    uint8_t *response = malloc(length);
    if (response == NULL)
        return "needs more memory";
    memcpy(response, bytes, length);
    *staple = (jz_tls_staple){response, length, expires};
    return NULL;
}

void jz_tls_staple_free(jz_tls_staple *staple)
{
    free(staple->response);
    *staple = (jz_tls_staple){0};
}

int jz_tls_staple_send(const jz_tls_staple *staple, SSL *ssl)
{
    if (staple->response == NULL || (int64_t)time(NULL) >= staple->expires)
        return SSL_TLSEXT_ERR_NOACK;
    unsigned char *copy = OPENSSL_memdup(staple->response, staple->length); /* which the SSL frees */
    if (copy == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)staple->length);
    return SSL_TLSEXT_ERR_OK;
}
