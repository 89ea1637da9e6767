#include "http/client_address.h"

#include <stdio.h>

#include "codec/forwarded.h"
#include "http/refusal.h"
#include "http/responding.h"
#include "loop/socket.h"
#include "shard/server.h"

/* The header is not there: the proxy may have a request of its own, for instance to see whether the server is well. */
static void tell_missing(jz_shard *shard, const jz_address *proxy, const jz_route *route)
{
    const jz_log_about about = {.route = route->path, .cause = "client_address"};
    jz_peer_log_tell_at(shard, JZ_LOG_WARNING, proxy, &about,
                        "this trusted proxy does not name its client: %.100s is missing (client_address_header); no "
                        "limit per address applies",
                        shard->server->client_address_header);
}

/* Whether the address of the client is certain. `client` is at first that of the peer. */
static jz_client_naming find(const jz_server *server, const jz_request_head *head, jz_address *client)
{
    jz_client_naming naming = JZ_CLIENT_NOT_NAMED;
    switch (server->options.client_address) {
    case JZ_CLIENT_ADDRESS_X_FORWARDED_FOR:
        if (jz_x_forwarded_for(head, server->trusted_proxies, server->trusted_proxy_count, client))
            naming = JZ_CLIENT_NAMED;
        break;
    case JZ_CLIENT_ADDRESS_FORWARDED:
        if (jz_forwarded(head, server->trusted_proxies, server->trusted_proxy_count, client))
            naming = JZ_CLIENT_NAMED;
        break;
    case JZ_CLIENT_ADDRESS_HEADER:
        naming = jz_client_in_header(head, server->client_address_header, client);
        break;
    default:
        break;
    }
    return naming;
}

bool jz_client_address_find(jz_shard *shard, const jz_connection *connection, const jz_route *route,
                            const jz_request_head *head, jz_address *client)
{
    const jz_server *server = shard->server;
    *client = jz_connection_peer(connection);
    if (!jz_server_trusts(server, client))
        return true;
    jz_client_naming naming = find(server, head, client);
    if (naming == JZ_CLIENT_NOT_NAMED && server->options.client_address == JZ_CLIENT_ADDRESS_HEADER)
        tell_missing(shard, client, route);
    return naming != JZ_CLIENT_MISNAMED;
}

bool jz_client_address_follow(jz_shard *shard, jz_connection *connection, const jz_route *route,
                              const jz_request_head *head)
{
    jz_address client;
    bool is_certain = jz_client_address_find(shard, connection, route, head, &client);
    if (is_certain)
        jz_connection_set_peer(connection, &client);
    return is_certain;
}

bool jz_client_is_passed_on(const jz_shard *shard, const jz_connection *connection, const jz_request_head *head,
                            const jz_address *client)
{
    const jz_server *server = shard->server;
    jz_address peer;
    if (!jz_ip_is_loopback(client->ip))
        return false;
    switch (server->options.client_address) {
    case JZ_CLIENT_ADDRESS_PROXY_PROTOCOL:
        return !jz_socket_peer(jz_link_descriptor(&shard->turn.links, connection->link), &peer) ||
               jz_server_trusts(server, &peer);
    case JZ_CLIENT_ADDRESS_HEADER:
        return jz_request_head_find(head, server->client_address_header, NULL) > 0;
    default:
        return false;
    }
}

/* The proxy's fault, not the client's: a warning instead of the line about a refusal. */
void jz_client_address_refuse(jz_shard *shard, jz_connection *connection, const jz_route *route)
{
    char detail[256];
    jz_address proxy = jz_connection_peer(connection);
    snprintf(
        detail, sizeof detail,
        "%.100s has to be there once, with one address and nothing else: the proxy has to set it, in place of what "
        "its client sends (client_address_header)",
        shard->server->client_address_header);
    const jz_log_about about = {.route = route->path, .cause = jz_refusal_name(JZ_REFUSAL_INVALID_HANDSHAKE)};
    jz_peer_log_tell_at(shard, JZ_LOG_WARNING, &proxy, &about, "refused: %s", detail);
    jz_refusal_count(shard, &proxy, route->path, JZ_REFUSAL_INVALID_HANDSHAKE, detail);
    jz_http_answer_refused(shard, connection, JZ_REFUSAL_INVALID_HANDSHAKE, detail);
}
