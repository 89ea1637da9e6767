#include "contexts/properties.h"

#include <string.h>

#include "contexts/contexts.h"
#include "contexts/peer.h"

/* Where an SSL keeps what is known of its peer, while it is asked for; -1: nothing is prepared yet. */
static atomic_int peer_index = -1;

static void free_peer(void *ssl, void *peer, CRYPTO_EX_DATA *data, int index, long number, void *context)
{
    (void)ssl;
    (void)data;
    (void)index;
    (void)number;
    (void)context;
    jz_tls_peer_free(peer);
}

bool jz_tls_properties_prepare(void)
{
    if (peer_index >= 0)
        return true;
    int none = -1;
    int index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_peer);
    /* Another thread may have been first: then its index counts, and this one is not used. */
    return index >= 0 && (atomic_compare_exchange_strong(&peer_index, &none, index) || none >= 0);
}

static jz_tls_peer *peer_of(SSL *ssl)
{
    jz_tls_peer *peer = SSL_get_ex_data(ssl, peer_index);
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (peer != NULL || certificate == NULL)
        return peer;
    peer = jz_tls_peer_create(certificate);
    if (peer != NULL && SSL_set_ex_data(ssl, peer_index, peer) != 1) {
        jz_tls_peer_free(peer);
        peer = NULL;
    }
    ERR_clear_error();
    return peer;
}

/* Who asks for properties asks for all of them, until there is none: then they are forgotten. */
static bool peer_property(SSL *ssl, size_t index, const char **name, const char **value)
{
    jz_tls_peer *peer = peer_of(ssl);
    if (peer == NULL)
        return false;
    if (index < peer->count) {
        *name = peer->properties[index].name;
        *value = peer->properties[index].value;
        return true;
    }
    SSL_set_ex_data(ssl, peer_index, NULL);
    jz_tls_peer_free(peer);
    return false;
}

bool jz_tls_property(SSL *ssl, size_t index, const char **name, const char **value, size_t *length)
{
    const struct {
        const char *name;
        const char *value; /* NULL: there is none */
    } of_channel[] = {
        {"tls.version", SSL_get_version(ssl)},
        {"tls.cipher", SSL_get_cipher_name(ssl)},
        {"tls.server_name", SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)},
        {"tls.resumed", SSL_session_reused(ssl) ? "true" : NULL},
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
        is_found = peer_property(ssl, index - count, name, value);
    *length = is_found ? strlen(*value) : 0;
    return is_found;
}
