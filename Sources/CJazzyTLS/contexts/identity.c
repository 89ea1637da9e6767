#include "contexts/identity.h"

#include <string.h>

#include "contexts/report.h"
#include "contexts/times.h"

enum { SMALLEST_RSA_BITS = 2048, LONGEST_CHAIN = 32 };

/* For the curves that browsers know (RFC 8446 §4.2.3). */
static jz_status check_curve(const EVP_PKEY *key, const char *label, jz_error *error)
{
    static const char *const curves[] = {"prime256v1", "secp384r1", "secp521r1"};
    char curve[64] = "one without a name";
    size_t length;
    EVP_PKEY_get_group_name(key, curve, sizeof curve, &length);
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (strcmp(curve, curves[i]) == 0)
            return JZ_OK;
    }
    return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                         "%s is on the curve %s; TLS 1.3 needs one on P-256 (prime256v1), P-384 or P-521", label,
                         curve);
}

static jz_status check_rsa(const EVP_PKEY *key, const char *label, jz_error *error)
{
    int bits = EVP_PKEY_get_bits(key);
    if (bits >= SMALLEST_RSA_BITS)
        return JZ_OK;
    return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                         "%s is too small, RSA with %d bits; make one with at least %d, or an ECDSA key on P-256",
                         label, bits, SMALLEST_RSA_BITS);
}

static jz_status check_key(const EVP_PKEY *key, const char *label, jz_tls_kind *kind, jz_error *error)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
        *kind = JZ_TLS_KIND_ECDSA;
        return check_curve(key, label, error);
    case EVP_PKEY_RSA:
        *kind = JZ_TLS_KIND_RSA;
        return check_rsa(key, label, error);
    case EVP_PKEY_RSA_PSS:
        *kind = JZ_TLS_KIND_RSA_PSS;
        return check_rsa(key, label, error);
    case EVP_PKEY_ED25519:
        *kind = JZ_TLS_KIND_ED25519;
        return JZ_OK;
    case EVP_PKEY_ED448:
        *kind = JZ_TLS_KIND_ED448;
        return JZ_OK;
    default: {
        const char *name = EVP_PKEY_get0_type_name(key);
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "%s is of a kind that TLS cannot use (%s); make an ECDSA key on P-256", label,
                             name != NULL ? name : "unknown");
    }
    }
}

static jz_status check_pair(const jz_tls_identity *identity, const jz_tls_pem *key_pem, jz_error *error)
{
    if (EVP_PKEY_eq(X509_get0_pubkey(identity->own), identity->key) == 1)
        return JZ_OK;
    for (int i = 0; i < sk_X509_num(identity->chain); i++) {
        if (EVP_PKEY_eq(X509_get0_pubkey(sk_X509_value(identity->chain, i)), identity->key) == 1)
            return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                                 "%s begins with another certificate than that of the key, which is number %d; the "
                                 "server's own has to be the first",
                                 identity->label.text, i + 2);
    }
    return jz_tls_report(error, JZ_STATUS_INVALID_OPTION, "%s does not belong to %s", key_pem->label.text,
                         identity->label.text);
}

static jz_status read_chain(jz_tls_identity *identity, const jz_tls_pem *pem, jz_error *error)
{
    jz_status status = jz_tls_pem_certificates(pem, &identity->chain, error);
    if (status != JZ_OK)
        return status;
    if (sk_X509_num(identity->chain) > LONGEST_CHAIN)
        return jz_tls_report(error, JZ_STATUS_INVALID_OPTION,
                             "%s has %d certificates; give the server's own, and those between it and the root",
                             identity->label.text, sk_X509_num(identity->chain));
    identity->own = sk_X509_shift(identity->chain);
    if (X509_get0_pubkey(identity->own) == NULL)
        return jz_tls_report_openssl(error, JZ_STATUS_INVALID_OPTION, "use the public key of %s", identity->label.text);
    if (!jz_tls_time_of(X509_get0_notBefore(identity->own), &identity->begins) ||
        !jz_tls_time_of(X509_get0_notAfter(identity->own), &identity->expires))
        return jz_tls_report_openssl(error, JZ_STATUS_INVALID_OPTION, "read the times of %s", identity->label.text);
    return JZ_OK;
}

static jz_status read_key(jz_tls_identity *identity, const jz_tls_pem *pem, const jz_tls_certificate *given,
                          jz_error *error)
{
    jz_status status = jz_tls_pem_key(pem, given->passphrase, given->passphrase_context, &identity->key, error);
    if (status == JZ_OK)
        status = check_pair(identity, pem, error);
    return status == JZ_OK ? check_key(identity->key, pem->label.text, &identity->kind, error) : status;
}

/* Whatever is wrong with it does not prevent anything: clients ask the responder then. */
static void read_staple(jz_tls_identity *identity, jz_tls_reading *reading, const char *file)
{
    jz_error error;
    jz_tls_content content;
    identity->staple_label = jz_tls_label_of("OCSP", file, 0);
    if (jz_tls_read_file(file, &identity->staple_label, &content, &error) != JZ_OK) {
        identity->staple_fault =
            error.status == JZ_STATUS_INVALID_OPTION ? "is not there, or is empty" : "cannot be read";
        return;
    }
    jz_tls_reading_note(reading, content.bytes, content.length);
    identity->staple_fault =
        jz_tls_staple_read(&identity->staple, content.bytes, content.length, identity->own, identity->chain);
    jz_tls_content_erase(&content);
}

jz_status jz_tls_identity_read(jz_tls_identity *identity, jz_tls_reading *reading, const jz_tls_certificate *given,
                               size_t number, jz_error *error)
{
    jz_tls_source source;
    jz_status status = jz_tls_source_open(&source, reading, "certificate", number, given->certificate_file,
                                          given->certificate, given->certificate_length, error);
    if (status != JZ_OK)
        return status;
    identity->label = source.pem.label;
    status = read_chain(identity, &source.pem, error);
    bool is_apart = given->key_file != NULL || given->key != NULL;
    if (status == JZ_OK && is_apart) {
        jz_tls_source_close(&source);
        status =
            jz_tls_source_open(&source, reading, "key", number, given->key_file, given->key, given->key_length, error);
    }
    if (status == JZ_OK)
        status = read_key(identity, &source.pem, given, error);
    jz_tls_source_close(&source);
    if (status == JZ_OK && given->ocsp_file != NULL)
        read_staple(identity, reading, given->ocsp_file);
    return status;
}

void jz_tls_identity_free(jz_tls_identity *identity)
{
    X509_free(identity->own);
    sk_X509_pop_free(identity->chain, X509_free);
    EVP_PKEY_free(identity->key);
    jz_tls_staple_free(&identity->staple);
    *identity = (jz_tls_identity){0};
}

static bool add_name(jz_tls_identity *identity, const ASN1_STRING *text, size_t certificate, jz_tls_names *names)
{
    jz_tls_name name;
    if (jz_tls_name_of((const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text), &name))
        return jz_tls_names_add(names, &name, certificate);
    identity->has_strange_names = true;
    return true;
}

/* `has_any`: the subject's CN does not count then (RFC 6125 §6.4.4). */
static bool add_alternative_names(jz_tls_identity *identity, size_t certificate, jz_tls_names *names, bool *has_any)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(identity->own, NID_subject_alt_name, NULL, NULL);
    bool are_added = true;
    for (int i = 0; are_added && i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        if (name->type != GEN_DNS)
            continue;
        *has_any = true;
        are_added = add_name(identity, name->d.dNSName, certificate, names);
    }
    GENERAL_NAMES_free(all);
    return are_added;
}

static bool add_common_name(const jz_tls_identity *identity, size_t certificate, jz_tls_names *names)
{
    unsigned char *text = NULL;
    const X509_NAME *subject = X509_get_subject_name(identity->own);
    int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0)
        return true;
    int length = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    jz_tls_name name;
    /* Any text may be there: what is no name of a host is not for clients. */
    bool are_added = length < 0 || !jz_tls_name_of((const char *)text, (size_t)length, &name) ||
                     jz_tls_names_add(names, &name, certificate);
    OPENSSL_free(text);
    return are_added;
}

bool jz_tls_identity_add_names(jz_tls_identity *identity, const jz_tls_certificate *given, size_t certificate,
                               jz_tls_names *names)
{
    bool has_any = false;
    for (size_t i = 0; i < given->name_count; i++) {
        jz_tls_name name;
        if (!jz_tls_name_of(given->names[i], strlen(given->names[i]), &name) ||
            !jz_tls_names_add(names, &name, certificate))
            return false;
    }
    if (given->name_count > 0)
        return true;
    bool are_added = add_alternative_names(identity, certificate, names, &has_any) &&
                     (has_any || add_common_name(identity, certificate, names));
    ERR_clear_error(); /* of what is not there */
    return are_added;
}
