#include "contexts/contexts.h"

#include <stdlib.h>
#include <string.h>

#include "contexts/peer.h"

struct jz_tls_facts {
    const char *version; /* OpenSSL's own text, as is the cipher's name */
    const char *cipher;
    const char *protocol; /* of ALPN; NULL: none */
    char *server_name;    /* NULL: the client named none */
    X509 *certificate;    /* the client's; NULL: it has none */
    jz_tls_peer *peer;    /* what the certificate says, while that is asked for */
    bool is_resumed;
};

static char *copy_of(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

/* What is chosen is one of these: contexts/policy.c. */
static const char *protocol_of(const SSL *ssl)
{
    static const char *const names[] = {"http/1.1", "http/1.0"};
    const unsigned char *chosen = NULL;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl, &chosen, &length);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (length == strlen(names[i]) && memcmp(chosen, names[i], length) == 0)
            return names[i];
    }
    return length == 0 ? NULL : "a protocol that is not spoken here";
}

jz_tls_facts *jz_tls_facts_of(const SSL *ssl)
{
    const char *server_name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    jz_tls_facts *facts = calloc(1, sizeof *facts);
    if (facts == NULL)
        return NULL;
    facts->version = SSL_get_version(ssl);
    facts->cipher = SSL_get_cipher_name(ssl);
    facts->protocol = protocol_of(ssl);
    facts->certificate = SSL_get1_peer_certificate(ssl);
    facts->is_resumed = SSL_session_reused(ssl) == 1;
    if (server_name == NULL)
        return facts;
    facts->server_name = copy_of(server_name);
    if (facts->server_name != NULL)
        return facts;
    jz_tls_facts_free(facts);
    return NULL;
}

const char *jz_tls_protocol(const jz_tls_facts *facts)
{
    return facts->protocol;
}

void jz_tls_facts_free(jz_tls_facts *facts)
{
    if (facts == NULL)
        return;
    jz_tls_peer_free(facts->peer);
    X509_free(facts->certificate);
    free(facts->server_name);
    free(facts);
}

/* Who asks for properties asks for all of them, until there is none: then they are forgotten. */
static bool peer_property(jz_tls_facts *facts, size_t index, const char **name, const char **value)
{
    if (facts->peer == NULL && facts->certificate != NULL) {
        facts->peer = jz_tls_peer_create(facts->certificate);
        ERR_clear_error();
    }
    if (facts->peer == NULL)
        return false;
    if (index < facts->peer->count) {
        *name = facts->peer->properties[index].name;
        *value = facts->peer->properties[index].value;
        return true;
    }
    jz_tls_peer_free(facts->peer);
    facts->peer = NULL;
    return false;
}

bool jz_tls_property(jz_tls_facts *facts, size_t index, const char **name, const char **value, size_t *length)
{
    const struct {
        const char *name;
        const char *value; /* NULL: there is none */
    } of_channel[] = {
        {"tls.version", facts->version},
        {"tls.cipher", facts->cipher},
        {"tls.server_name", facts->server_name},
        {"tls.resumed", facts->is_resumed ? "true" : NULL},
    };
    size_t count = 0;
    bool is_found = false;
    for (size_t i = 0; !is_found && i < sizeof of_channel / sizeof of_channel[0]; i++) {
        if (of_channel[i].value == NULL)
            continue;
        is_found = count++ == index;
        *name = of_channel[i].name;
        *value = of_channel[i].value;
    }
    if (!is_found)
        is_found = peer_property(facts, index - count, name, value);
    *length = is_found ? strlen(*value) : 0;
    return is_found;
}
