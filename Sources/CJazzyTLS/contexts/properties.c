/* What is known of a channel and its peer, property by property. */
#include <string.h>

#include "contexts/contexts.h"

bool jz_tls_property(SSL *ssl, size_t index, const char **name, const char **value, size_t *length)
{
    const struct {
        const char *name;
        const char *value; /* NULL: there is none */
    } properties[] = {
        {"tls.version", SSL_get_version(ssl)},
        {"tls.cipher", SSL_get_cipher_name(ssl)},
        {"tls.server_name", SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)},
        {"tls.resumed", SSL_session_reused(ssl) ? "true" : NULL},
    };
    for (size_t i = 0, nth = 0; i < sizeof properties / sizeof properties[0]; i++) {
        if (properties[i].value != NULL && nth++ == index) {
            *name = properties[i].name;
            *value = properties[i].value;
            *length = strlen(*value);
            return true;
        }
    }
    return false;
}
