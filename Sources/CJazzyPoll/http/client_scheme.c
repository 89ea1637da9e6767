#include "http/client_scheme.h"

#include "codec/forwarded.h"
#include "shard/server.h"

static bool reads_forwarded(const jz_options *options)
{
    return options->client_address == JZ_CLIENT_ADDRESS_FORWARDED ||
           options->forwarded_host == JZ_FORWARDED_HOST_FORWARDED;
}

/* Who sets X-Real-IP or the like sets X-Forwarded-Proto. */
static bool reads_x_forwarded(const jz_options *options)
{
    return options->client_address == JZ_CLIENT_ADDRESS_X_FORWARDED_FOR ||
           options->client_address == JZ_CLIENT_ADDRESS_HEADER ||
           options->forwarded_host == JZ_FORWARDED_HOST_X_FORWARDED_HOST;
}

bool jz_client_is_secure(const jz_shard *shard, const jz_connection *connection, const jz_request_head *head)
{
    const jz_server *server = shard->server;
    jz_address peer = jz_connection_peer(connection);
    jz_scheme_naming naming = JZ_SCHEME_NOT_NAMED;
    if (jz_server_trusts(server, &peer)) {
        if (reads_forwarded(&server->options))
            naming = jz_forwarded_scheme(head, server->trusted_proxies, server->trusted_proxy_count);
        if (naming == JZ_SCHEME_NOT_NAMED && reads_x_forwarded(&server->options))
            naming = jz_x_forwarded_scheme(head);
    }
    if (naming != JZ_SCHEME_NOT_NAMED)
        return naming == JZ_SCHEME_SECURE;
    return connection->came_secured || jz_link_is_secure(&shard->turn.links, connection->link);
}
