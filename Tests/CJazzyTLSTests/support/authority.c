#include "support/authority.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <time.h>

#include "support/testing.h"

enum { MOST = 4096, HOUR = 3600, DAY = 24 * HOUR };

static EVP_PKEY *shared_keys[KEY_KINDS];
static made all_made[MOST];
static size_t made_count;
static char *texts[MOST];
static size_t text_count;
static long next_serial = 1;

static EVP_PKEY *new_key(key_kind kind)
{
    switch (kind) {
    case KEY_P384:
        return EVP_EC_gen("P-384");
    case KEY_RSA_2048:
        return EVP_RSA_gen(2048);
    case KEY_RSA_1024:
        return EVP_RSA_gen(1024);
    case KEY_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case KEY_SECP256K1:
        return EVP_EC_gen("secp256k1");
    case KEY_X25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    default:
        return EVP_EC_gen("P-256");
    }
}

static void add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void add_extensions(X509 *certificate, X509 *issuer, const plan *plan)
{
    add_extension(certificate, issuer, NID_basic_constraints, plan->is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
    if (plan->names != NULL)
        add_extension(certificate, issuer, NID_subject_alt_name, plan->names);
    if (plan->must_staple)
        add_extension(certificate, issuer, NID_tlsfeature, "status_request");
    if (plan->usage != NULL)
        add_extension(certificate, issuer, NID_ext_key_usage, plan->usage);
}

static void name_subject(X509 *certificate, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    if (common_name != NULL)
        assert_int_equal(
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0), 1);
}

static made make_with(const plan *plan, EVP_PKEY *key)
{
    const made *issuer = plan->issuer;
    X509 *certificate = X509_new();
    assert_non_null(certificate);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), next_serial++);
    X509_time_adj_ex(X509_getm_notBefore(certificate), 0, (long)(plan->begins != 0 ? plan->begins : -HOUR), NULL);
    X509_time_adj_ex(X509_getm_notAfter(certificate), 0, (long)(plan->ends != 0 ? plan->ends : 90 * DAY), NULL);
    X509_set_pubkey(certificate, key);
    name_subject(certificate, plan->common_name);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer != NULL ? issuer->certificate : certificate));
    add_extensions(certificate, issuer != NULL ? issuer->certificate : certificate, plan);
    EVP_PKEY *signing = issuer != NULL ? issuer->key : key;
    const EVP_MD *digest = plan->has_weak_digest ? EVP_sha1() : EVP_sha256();
    assert_true(X509_sign(certificate, signing, EVP_PKEY_is_a(signing, "ED25519") ? NULL : digest) > 0);
    assert_true(made_count < MOST);
    all_made[made_count] = (made){certificate, key};
    return all_made[made_count++];
}

made authority_make(const plan *plan)
{
    if (shared_keys[plan->key] == NULL)
        shared_keys[plan->key] = new_key(plan->key);
    EVP_PKEY *key = shared_keys[plan->key];
    assert_non_null(key);
    EVP_PKEY_up_ref(key);
    return make_with(plan, key);
}

made authority_make_with_own_key(const plan *plan)
{
    EVP_PKEY *key = new_key(plan->key);
    assert_non_null(key);
    return make_with(plan, key);
}

static const char *keep(char *text)
{
    assert_non_null(text);
    assert_true(text_count < MOST);
    texts[text_count] = text;
    return texts[text_count++];
}

/* What was written, which is freed. */
static const char *text_of(BIO *bio)
{
    char *bytes = NULL;
    long length = BIO_get_mem_data(bio, &bytes);
    char *text = malloc((size_t)length + 1);
    assert_non_null(text);
    memcpy(text, bytes, (size_t)length);
    text[length] = '\0';
    BIO_free(bio);
    return keep(text);
}

const char *pem_of_certificates(const made *first, const made *second, const made *third)
{
    const made *const all[] = {first, second, third};
    BIO *bio = BIO_new(BIO_s_mem());
    for (size_t i = 0; i < COUNT_OF(all) && all[i] != NULL; i++)
        assert_int_equal(PEM_write_bio_X509(bio, all[i]->certificate), 1);
    return text_of(bio);
}

const char *pem_of_key(const made *of, const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER *cipher = passphrase != NULL ? EVP_aes_128_cbc() : NULL;
    int length = passphrase != NULL ? (int)strlen(passphrase) : 0;
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, of->key, cipher, passphrase, length, NULL, NULL), 1);
    return text_of(bio);
}

const char *joined(const char *first, const char *second)
{
    size_t size = strlen(first) + strlen(second) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    snprintf(text, size, "%s%s", first, second);
    return keep(text);
}

void authority_forget(void)
{
    for (size_t i = 0; i < made_count; i++) {
        X509_free(all_made[i].certificate);
        EVP_PKEY_free(all_made[i].key);
    }
    for (size_t i = 0; i < text_count; i++)
        free(texts[i]);
    for (size_t i = 0; i < KEY_KINDS; i++) {
        EVP_PKEY_free(shared_keys[i]);
        shared_keys[i] = NULL;
    }
    made_count = text_count = 0;
}
