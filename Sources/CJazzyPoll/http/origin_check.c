#include "http/origin_check.h"

#include "codec/forwarded.h"
#include "codec/origin.h"
#include "http/refusal.h"
#include "config/log.h"
#include "shard/server.h"

enum { MOST_QUOTED = 60 }; /* bytes of an origin or a host in a log line */

/* The host that the client asked for; empty if unknown. `told` has the text if a trusted proxy named it. */
static jz_text host_of(const jz_server *server, const jz_connection *connection, const jz_request_head *head,
                       jz_host_value *told)
{
    jz_text host;
    jz_address peer = jz_connection_peer(connection);
    bool is_told = false;
    (void)jz_request_head_host(head, &host); /* a malformed Host was refused before */
    if (server->options.forwarded_host == JZ_FORWARDED_HOST_NONE || !jz_server_trusts(server, &peer))
        return host;
    if (server->options.forwarded_host == JZ_FORWARDED_HOST_X_FORWARDED_HOST)
        is_told = jz_x_forwarded_host(head, told);
    else
        is_told = jz_forwarded_host_of(head, server->trusted_proxies, server->trusted_proxy_count, told);
    return is_told ? (jz_text){told->bytes, told->length} : host;
}

static bool is_allowed(const jz_route *route, jz_text origin, jz_text host, bool is_secure)
{
    if (route->options.origin_policy == JZ_ORIGIN_SAME_HOST)
        return jz_origin_is_of_host(origin, host, is_secure);
    for (size_t i = 0; i < route->options.allowed_origin_count; i++) {
        if (jz_origin_is_as_listed(origin, jz_text_of(route->options.allowed_origins[i])))
            return true;
    }
    return false;
}

static int quoted(jz_text text)
{
    return text.length < MOST_QUOTED ? (int)text.length : MOST_QUOTED;
}

static void warn(jz_shard *shard, const jz_connection *connection, const jz_route *route, jz_text origin, jz_text host)
{
    char address[JZ_REMOTE_ADDRESS_SIZE];
    jz_address peer = jz_connection_peer(connection);
    jz_address_format(&peer, address, sizeof address);
    jz_refusal_count(shard, &peer, route->path, JZ_REFUSAL_ORIGIN, NULL);
    bool goes_by_host = route->options.origin_policy == JZ_ORIGIN_SAME_HOST;
    bool lacks_tls = goes_by_host && jz_origin_is_of_host(origin, host, false);
    const jz_log_about about = {
        .address = address, .route = route->path, .cause = jz_refusal_name(JZ_REFUSAL_ORIGIN), .origin = origin};
    jz_log_of(&shard->server->options, JZ_LOG_WARNING, &about,
              "refused: a page of the origin \"%.*s\" may not use the route %.60s of the host \"%.*s\"%s; if it "
              "may, list the origin in the route's allowed_origins (in Swift, origins)%s. Others are told at level "
              "info",
              quoted(origin), origin.start, route->path, quoted(host), host.start,
              lacks_tls ? ", which was reached by TLS, because the page was not: load it over https" : "",
              goes_by_host && !lacks_tls
                  ? ", or, if a proxy changes Host, say in forwarded_host where it tells the client's"
                  : "");
}

bool jz_origin_is_let_in(jz_shard *shard, const jz_connection *connection, const jz_route *route,
                         const jz_request_head *head, bool is_secure)
{
    jz_host_value told;
    jz_text origin;
    size_t count = jz_request_head_find(head, "Origin", &origin);
    /* A client that sends no origin is not a browser; it could send any origin anyway. */
    if (count == 0 || route->options.origin_policy == JZ_ORIGIN_ANY)
        return true;
    jz_text host = host_of(shard->server, connection, head, &told);
    if (count == 1 && is_allowed(route, origin, host, is_secure))
        return true;
    if (atomic_exchange(route->has_refused_origin, true))
        jz_refusal_note_on(shard, connection, route, JZ_REFUSAL_ORIGIN);
    else
        warn(shard, connection, route, origin, host);
    return false;
}
