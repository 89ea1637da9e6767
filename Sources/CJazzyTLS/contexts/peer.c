#define _POSIX_C_SOURCE 200809L

#include "contexts/peer.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "jazzy/compiler.h"

enum { IPV4_BYTES = 4, IPV6_BYTES = 16 };

/* "KINDTEXT" as a property. Text that is not in the value's language is left out, so that nobody takes it for another.
 */
static bool add(jz_tls_peer *peer, const char *name, const char *kind, const char *text, size_t length)
{
    if (peer->count == peer->capacity) {
        size_t capacity = peer->capacity > 0 ? peer->capacity * 2 : 8;
        jz_tls_peer_property *grown =
            capacity <= SIZE_MAX / sizeof *grown ? realloc(peer->properties, capacity * sizeof *grown) : NULL;
        if (grown == NULL)
            return false;
        peer->properties = grown;
        peer->capacity = capacity;
    }
    size_t kind_length = strlen(kind);
    char *value = malloc(kind_length + length + 1);
    if (value == NULL)
        return false;
    memcpy(value, kind, kind_length);
    memcpy(value + kind_length, text, length);
    value[kind_length + length] = '\0';
    peer->properties[peer->count++] = (jz_tls_peer_property){name, value};
    return true;
}

/* RFC 2253, but what is not ASCII as UTF-8 instead of escapes. */
static bool add_name(jz_tls_peer *peer, const char *name, const X509_NAME *value)
{
    unsigned long form = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    BIO *text = BIO_new(BIO_s_mem());
    if (text == NULL)
        return false;
    char *bytes = NULL;
    bool is_told = X509_NAME_print_ex(text, value, 0, form) >= 0;
    long length = BIO_get_mem_data(text, &bytes);
    /* A subject may be empty; a NUL was escaped. */
    bool is_added = !is_told || length <= 0 || add(peer, name, "", bytes, (size_t)length);
    BIO_free(text);
    return is_added;
}

static bool add_hexadecimal(jz_tls_peer *peer, const char *name, const unsigned char *bytes, size_t length)
{
    char text[2 * EVP_MAX_MD_SIZE + 1] = "";
    for (size_t i = 0; i < length && i < EVP_MAX_MD_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return add(peer, name, "", text, strlen(text));
}

/* Without leading zeros, and with a sign for what should not be: serial numbers are positive (RFC 5280 §4.1.2.2). */
static bool add_serial(jz_tls_peer *peer, const ASN1_INTEGER *serial)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *text = number != NULL ? BN_bn2hex(number) : NULL;
    for (char *at = text; at != NULL && *at != '\0'; at++)
        *at = *at >= 'A' && *at <= 'F' ? (char)(*at - 'A' + 'a') : *at;
    bool is_added = text != NULL && add(peer, "tls.client.serial", "", text, strlen(text));
    OPENSSL_free(text);
    BN_free(number);
    return is_added;
}

static bool add_fingerprint(jz_tls_peer *peer, const X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    return X509_digest(certificate, EVP_sha256(), digest, &length) == 1 &&
           add_hexadecimal(peer, "tls.client.fingerprint", digest, length);
}

/* What hosts, URIs and mail addresses consist of; others could look like another name. */
static bool is_plain(const unsigned char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return false;
    }
    return length > 0;
}

static bool add_text(jz_tls_peer *peer, const char *kind, const ASN1_STRING *text)
{
    const unsigned char *bytes = ASN1_STRING_get0_data(text);
    size_t length = (size_t)ASN1_STRING_length(text);
    return !is_plain(bytes, length) || add(peer, "tls.client.san", kind, (const char *)bytes, length);
}

static bool add_address(jz_tls_peer *peer, const ASN1_OCTET_STRING *address)
{
    char text[INET6_ADDRSTRLEN];
    int length = ASN1_STRING_length(address);
    if (length != IPV4_BYTES && length != IPV6_BYTES)
        return true;
    if (inet_ntop(length == IPV4_BYTES ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text, sizeof text) == NULL)
        return true;
    return add(peer, "tls.client.san", "IP:", text, strlen(text));
}

static bool add_alternative_name(jz_tls_peer *peer, const GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DNS:
        return add_text(peer, "DNS:", name->d.dNSName);
    case GEN_URI:
        return add_text(peer, "URI:", name->d.uniformResourceIdentifier);
    case GEN_EMAIL:
        return add_text(peer, "email:", name->d.rfc822Name);
    case GEN_IPADD:
        return add_address(peer, name->d.iPAddress);
    default:
        return true;
    }
}

static bool add_alternative_names(jz_tls_peer *peer, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool are_added = true;
    for (int i = 0; are_added && i < sk_GENERAL_NAME_num(names); i++)
        are_added = add_alternative_name(peer, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    return are_added;
}

jz_tls_peer *jz_tls_peer_create(X509 *certificate)
{
    jz_tls_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return NULL;
    if (add_name(peer, "tls.client.subject", X509_get_subject_name(certificate)) &&
        add_name(peer, "tls.client.issuer", X509_get_issuer_name(certificate)) &&
        add_serial(peer, X509_get0_serialNumber(certificate)) && add_fingerprint(peer, certificate) &&
        add_alternative_names(peer, certificate))
        return peer;
    jz_tls_peer_free(peer);
    return NULL;
}

void jz_tls_peer_free(jz_tls_peer *peer)
{
    if (peer == NULL)
        return;
    for (size_t i = 0; i < peer->count; i++)
        free(peer->properties[i].value);
    free(peer->properties);
    free(peer);
}
