#include "support/ocsp.h"

#include <openssl/ocsp.h>

#include "support/testing.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

static void add_status(OCSP_BASICRESP *basic, const ocsp_plan *plan)
{
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, plan->about->certificate, plan->issuer->certificate);
    ASN1_TIME *begins = X509_gmtime_adj(NULL, (long)(plan->begins != 0 ? plan->begins : -HOUR));
    ASN1_TIME *ends = plan->is_endless ? NULL : X509_gmtime_adj(NULL, (long)(plan->ends != 0 ? plan->ends : 7 * DAY));
    ASN1_TIME *generalized_begins = ASN1_TIME_to_generalizedtime(begins, NULL);
    ASN1_TIME *generalized_ends = ends != NULL ? ASN1_TIME_to_generalizedtime(ends, NULL) : NULL;
    int status = plan->is_revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD;
    assert_non_null(OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                                           plan->is_revoked ? begins : NULL, generalized_begins, generalized_ends));
    ASN1_TIME_free(generalized_ends);
    ASN1_TIME_free(generalized_begins);
    ASN1_TIME_free(ends);
    ASN1_TIME_free(begins);
    OCSP_CERTID_free(id);
}

size_t ocsp_make(const ocsp_plan *plan, uint8_t bytes[OCSP_SIZE])
{
    const made *signer = plan->signer != NULL ? plan->signer : plan->issuer;
    OCSP_BASICRESP *basic = plan->is_failure ? NULL : OCSP_BASICRESP_new();
    if (basic != NULL) {
        add_status(basic, plan);
        assert_int_equal(OCSP_basic_sign(basic, signer->certificate, signer->key, EVP_sha256(), NULL,
                                         plan->has_certificate ? 0 : OCSP_NOCERTS),
                         1);
    }
    OCSP_RESPONSE *response =
        OCSP_response_create(plan->is_failure ? OCSP_RESPONSE_STATUS_TRYLATER : OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    int length = i2d_OCSP_RESPONSE(response, NULL);
    assert_true(length > 0 && length <= OCSP_SIZE);
    unsigned char *end = bytes;
    i2d_OCSP_RESPONSE(response, &end);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    return (size_t)length;
}
