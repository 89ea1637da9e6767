#include "contexts/pem.h"

#include <string.h>

#include "contexts/bare.h"
#include "contexts/report.h"

#define BEGINS "-----BEGIN "
enum { MOST_CERTIFICATES = 1000, LONGEST = 16 * 1024 * 1024 };

/* Where it begins the next time, at or behind `at`; the length if nowhere. */
static size_t find(const jz_tls_pem *pem, size_t at, const char *text)
{
    size_t length = strlen(text);
    while (pem->length - at >= length) {
        const uint8_t *candidate = memchr(pem->bytes + at, text[0], pem->length - at - length + 1);
        if (candidate == NULL)
            break;
        at = (size_t)(candidate - pem->bytes);
        if (memcmp(candidate, text, length) == 0)
            return at;
        at++;
    }
    return pem->length;
}

bool jz_tls_pem_has(const jz_tls_pem *pem, const char *name)
{
    size_t length = strlen(name);
    for (size_t at = find(pem, 0, BEGINS); at < pem->length; at = find(pem, at, BEGINS)) {
        at += strlen(BEGINS) - 1; /* at the space before the name */
        size_t end = find(pem, at, "-----");
        if (end - at > length && pem->bytes[end - length - 1] == ' ' &&
            memcmp(pem->bytes + end - length, name, length) == 0)
            return true;
    }
    return false;
}

static bool begins_with(const jz_tls_pem *pem, const char *bytes, size_t length)
{
    return pem->length >= length && memcmp(pem->bytes, bytes, length) == 0;
}

/* What it is instead of PEM, with the way out; it ends the sentence "... is not PEM". */
static const char *way_to_pem(const jz_tls_pem *pem)
{
    static const char pkcs12_version[] = {2, 1, 3};
    if (begins_with(pem, "\xff\xfe", 2) || begins_with(pem, "\xfe\xff", 2))
        return ", but UTF-16; save it as plain text";
    if (jz_tls_is_bare(pem->bytes, pem->length))
        return ", but its base64 alone: the lines \"-----BEGIN ...-----\" and \"-----END ...-----\" around it are "
               "missing";
    if (!begins_with(pem, "\x30", 1))
        return ": it has no line that starts with \"-----BEGIN\"; check the path";
    for (size_t header = 2; header <= 5; header++) { /* of a SEQUENCE in DER, which depends on its length */
        if (pem->length > header + sizeof pkcs12_version &&
            memcmp(pem->bytes + header, pkcs12_version, sizeof pkcs12_version) == 0)
            return ", but PKCS #12; convert it with `openssl pkcs12 -in OLD -out NEW`";
    }
    return ", but may be DER; convert it with `openssl x509` (`pkey` for a key) `-inform DER -in OLD -out NEW`";
}

static const char *other_content(const jz_tls_pem *pem)
{
    if (jz_tls_pem_has(pem, "PRIVATE KEY"))
        return ", but a private key; are the certificate and the key exchanged?";
    if (jz_tls_pem_has(pem, "CERTIFICATE REQUEST"))
        return ", but a request for one; give the answer of the authority";
    if (jz_tls_pem_has(pem, "CERTIFICATE"))
        return ", but a certificate; name the file of the key, or put the key beside the certificate";
    if (jz_tls_pem_has(pem, "PUBLIC KEY"))
        return ", but a public key, which is not enough";
    return "; check the path";
}

static jz_status report_missing(const jz_tls_pem *pem, const char *what, jz_error *error)
{
    if (find(pem, 0, BEGINS) == pem->length)
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION, "%s is not PEM%s", pem->label.text, way_to_pem(pem));
    return jz_tls_report(error, JZ_STATUS_INVALID_OPTION, "%s has no %s%s", pem->label.text, what, other_content(pem));
}

/* Why it may be damaged. Variables and forms of web pages lose line breaks, or have other characters for them. */
static const char *doubt(const jz_tls_pem *pem)
{
    bool has_lines = memchr(pem->bytes, '\n', pem->length) != NULL || memchr(pem->bytes, '\r', pem->length) != NULL;
    return has_lines ? "is it complete?" : "it is all on one line, and needs its line breaks";
}

static jz_status open_pem(const jz_tls_pem *pem, BIO **bio, jz_error *error)
{
    *bio = NULL;
    if (pem->length > LONGEST)
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION, "%s has over %d MiB; give only what is needed",
                             pem->label.text, LONGEST / (1024 * 1024));
    size_t skipped = begins_with(pem, "\xef\xbb\xbf", 3) ? 3 : 0; /* the mark of UTF-8 that some editors write */
    *bio = BIO_new_mem_buf(pem->bytes + skipped, (int)(pem->length - skipped));
    return *bio != NULL ? JZ_OK : jz_tls_report_no_memory(error);
}

/* OpenSSL itself would ask at the terminal. */
static int no_passphrase(char *passphrase, int capacity, int is_for_writing, void *context)
{
    (void)passphrase;
    (void)capacity;
    (void)is_for_writing;
    (void)context;
    return -1;
}

static bool is_at_the_end(void)
{
    unsigned long entry = ERR_peek_last_error();
    return ERR_GET_LIB(entry) == ERR_LIB_PEM && ERR_GET_REASON(entry) == PEM_R_NO_START_LINE;
}

static X509 *read_certificate(const jz_tls_pem *pem, BIO *bio)
{
    X509 *certificate = X509_new_ex(pem->library->context, NULL);
    if (certificate != NULL && PEM_read_bio_X509(bio, &certificate, no_passphrase, NULL) != NULL)
        return certificate;
    X509_free(certificate); /* NULL where OpenSSL has freed it already */
    return NULL;
}

static jz_status read_certificates(const jz_tls_pem *pem, BIO *bio, jz_tls_chain *certificates, jz_error *error)
{
    for (int count = 0; count < MOST_CERTIFICATES; count++) {
        X509 *certificate = read_certificate(pem, bio);
        if (certificate == NULL && count > 0 && is_at_the_end()) {
            ERR_clear_error();
            return JZ_OK;
        }
        if (certificate == NULL)
            return jz_tls_report_openssl(error, JZ_STATUS_INVALID_OPTION, "read certificate %d in %s; %s", count + 1,
                                         pem->label.text, doubt(pem));
        if (sk_X509_push(certificates, certificate) == 0) {
            X509_free(certificate);
            return jz_tls_report_no_memory(error);
        }
    }
    return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                         "%s has over %d certificates; give only those that are needed", pem->label.text,
                         MOST_CERTIFICATES);
}

jz_status jz_tls_pem_certificates(const jz_tls_pem *pem, jz_tls_chain **certificates, jz_error *error)
{
    *certificates = NULL;
    if (!jz_tls_pem_has(pem, "CERTIFICATE"))
        return report_missing(pem, "certificate", error);
    BIO *bio;
    jz_status status = open_pem(pem, &bio, error);
    if (status != JZ_OK)
        return status;
    jz_tls_chain *all = sk_X509_new_null();
    status = all != NULL ? read_certificates(pem, bio, all, error) : jz_tls_report_no_memory(error);
    BIO_free(bio);
    if (status != JZ_OK)
        sk_X509_pop_free(all, X509_free);
    else
        *certificates = all;
    return status;
}

/* What OpenSSL asks for while it reads a key. */
typedef struct asking {
    jz_tls_passphrase passphrase;
    void *context;
    bool was_asked;
    size_t length; /* of the answer; 0: none */
    size_t longest;
} asking;

static int ask(char *passphrase, int capacity, int is_for_writing, void *context)
{
    asking *asking = context;
    (void)is_for_writing;
    asking->was_asked = true;
    asking->longest = (size_t)capacity;
    asking->length = asking->passphrase != NULL ? asking->passphrase(asking->context, passphrase, asking->longest) : 0;
    return asking->length > 0 && asking->length <= asking->longest ? (int)asking->length : -1;
}

static jz_status report_unreadable_key(const jz_tls_pem *pem, const asking *asking, jz_error *error)
{
    const char *label = pem->label.text;
    if (jz_tls_has_no_memory() || !asking->was_asked)
        return jz_tls_report_openssl(error, JZ_STATUS_INVALID_OPTION, "read the key in %s; %s", label, doubt(pem));
    ERR_clear_error();
    if (asking->passphrase == NULL)
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "%s is encrypted; give its passphrase by a callback, or decrypt it with `openssl pkey`",
                             label);
    if (asking->length == 0)
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "%s is encrypted, and the callback for its passphrase has returned none", label);
    if (asking->length > asking->longest)
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "%s is encrypted, and its passphrase is too long: it has over %zu bytes", label,
                             asking->longest);
    return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                         "%s cannot be decrypted: its passphrase is another one, or it is damaged", label);
}

jz_status jz_tls_pem_key(const jz_tls_pem *pem, jz_tls_passphrase passphrase, void *passphrase_context, EVP_PKEY **key,
                         jz_error *error)
{
    *key = NULL;
    if (!jz_tls_pem_has(pem, "PRIVATE KEY"))
        return report_missing(pem, "private key", error);
    BIO *bio;
    jz_status status = open_pem(pem, &bio, error);
    if (status != JZ_OK)
        return status;
    asking asking = {.passphrase = passphrase, .context = passphrase_context};
    *key = PEM_read_bio_PrivateKey_ex(bio, NULL, ask, &asking, pem->library->context, NULL);
    BIO_free(bio);
    if (*key == NULL)
        return report_unreadable_key(pem, &asking, error);
    ERR_clear_error(); /* of the kinds of keys that were tried before */
    return JZ_OK;
}
