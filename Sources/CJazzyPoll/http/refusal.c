/* The one table of refusals: reason, HTTP status, text, and what was expected. */
#include "http/refusal.h"

#include <assert.h>

static const struct {
    int status;
    const char *text;
    const char *detail; /* for the client and the log; NULL: the text says enough */
} refusals[] = {
    [JZ_REFUSAL_MALFORMED_HEAD] = {400, "the request is malformed", NULL},
    [JZ_REFUSAL_HEAD_TOO_LARGE] = {431, "the request head is too large",
                                   "the request head is larger than it may be (max_head_size)"},
    [JZ_REFUSAL_HTTP_VERSION] = {505, "the HTTP version is not supported", NULL},
    [JZ_REFUSAL_HANDSHAKE_TIMEOUT] = {408, "the request head took too long",
                                      "the request head took too long (handshake_timeout_ms)"},
    [JZ_REFUSAL_NOT_FOUND] = {404, "there is no such route", "there is no route with this path"},
    [JZ_REFUSAL_METHOD] = {405, "the route has no such method", "the method has to be one that Allow lists"},
    [JZ_REFUSAL_NO_UPGRADE] = {426, "the request does not ask for version 13 of the WebSocket protocol",
                               "there is a WebSocket here, and no page: Upgrade has to list websocket (RFC 6455, "
                               "4.2.1)"},
    [JZ_REFUSAL_INVALID_HANDSHAKE] = {400, "a field of the handshake is missing or ill-formed", NULL},
    [JZ_REFUSAL_ORIGIN] = {403, "the origin is not allowed",
                           "Origin has to be one from which this route may be used (allowed_origins)"},
    [JZ_REFUSAL_REJECTED] = {403, "the upgrade hook rejected the request", NULL},
    [JZ_REFUSAL_UPGRADE_TIMEOUT] = {503, "the upgrade hook did not answer in time",
                                    "the upgrade hook did not answer in time (upgrade_timeout_ms)"},
    [JZ_REFUSAL_MAX_CONNECTIONS] = {503, "the process has as many connections as it may (max_connections)", NULL},
    [JZ_REFUSAL_CONNECTIONS_PER_ADDRESS] = {429,
                                            "its address has as many connections as it may "
                                            "(max_connections_per_address)",
                                            NULL},
    [JZ_REFUSAL_MAX_HANDSHAKES] = {503, "as many handshakes are under way as may be (max_handshakes)", NULL},
    [JZ_REFUSAL_PROXY_HEADER] = {0, "a trusted proxy did not begin with a PROXY header", NULL},
    [JZ_REFUSAL_OUT_OF_MEMORY] = {0, "there is no memory for another connection", NULL},
};

const char *jz_refusal_text(jz_refusal refusal)
{
    size_t row = (size_t)refusal;
    return row < sizeof refusals / sizeof refusals[0] ? refusals[row].text : "it is not known why";
}

const char *jz_refusal_detail(jz_refusal refusal)
{
    return refusals[refusal].detail != NULL ? refusals[refusal].detail : refusals[refusal].text;
}

int jz_refusal_status(jz_refusal refusal)
{
    return refusals[refusal].status;
}

void jz_refusal_count(jz_shard *shard, const jz_address *peer, const char *route, jz_refusal refusal,
                      const char *detail)
{
    const jz_happening happening = {.kind = JZ_INCIDENT_REFUSED,
                                    .reason = jz_refusal_name(refusal),
                                    .text = detail != NULL ? detail : jz_refusal_detail(refusal),
                                    .route = route,
                                    .peer = peer};
    jz_count(&shard->turn.counters.refused[refusal], 1);
    jz_incidents_note(&shard->incidents, &happening);
}

static void note(jz_shard *shard, const jz_address *peer, const char *route, jz_refusal refusal, const char *detail)
{
    const jz_log_about about = {
        .route = route, .cause = jz_refusal_name(refusal), .is_peers_fault = refusal != JZ_REFUSAL_OUT_OF_MEMORY};
    jz_refusal_count(shard, peer, route, refusal, detail);
    jz_peer_log_tell(shard, peer, &about, "refused: %s", detail != NULL ? detail : jz_refusal_detail(refusal));
}

void jz_refusal_note(jz_shard *shard, const jz_address *peer, jz_refusal refusal)
{
    note(shard, peer, NULL, refusal, NULL);
}

void jz_refusal_note_of(jz_shard *shard, const jz_connection *connection, jz_refusal refusal)
{
    jz_refusal_note_detail(shard, connection, refusal, NULL);
}

void jz_refusal_note_detail(jz_shard *shard, const jz_connection *connection, jz_refusal refusal, const char *detail)
{
    jz_address peer = jz_connection_peer(connection);
    note(shard, &peer, NULL, refusal, detail);
}

void jz_refusal_note_on(jz_shard *shard, const jz_connection *connection, const jz_route *route, jz_refusal refusal)
{
    jz_address peer = jz_connection_peer(connection);
    note(shard, &peer, route->path, refusal, NULL);
}

static const char *const names[] = {
    [JZ_REFUSAL_MALFORMED_HEAD] = "malformed_head",
    [JZ_REFUSAL_HEAD_TOO_LARGE] = "head_too_large",
    [JZ_REFUSAL_HTTP_VERSION] = "http_version",
    [JZ_REFUSAL_HANDSHAKE_TIMEOUT] = "handshake_timeout",
    [JZ_REFUSAL_NOT_FOUND] = "not_found",
    [JZ_REFUSAL_METHOD] = "method",
    [JZ_REFUSAL_NO_UPGRADE] = "no_upgrade",
    [JZ_REFUSAL_INVALID_HANDSHAKE] = "invalid_handshake",
    [JZ_REFUSAL_ORIGIN] = "origin",
    [JZ_REFUSAL_REJECTED] = "rejected",
    [JZ_REFUSAL_UPGRADE_TIMEOUT] = "upgrade_timeout",
    [JZ_REFUSAL_MAX_CONNECTIONS] = "max_connections",
    [JZ_REFUSAL_CONNECTIONS_PER_ADDRESS] = "connections_per_address",
    [JZ_REFUSAL_MAX_HANDSHAKES] = "max_handshakes",
    [JZ_REFUSAL_PROXY_HEADER] = "proxy_header",
    [JZ_REFUSAL_OUT_OF_MEMORY] = "out_of_memory",
};
static_assert(sizeof names / sizeof names[0] == JZ_REFUSAL_COUNT, "each reason has a name");

const char *jz_refusal_name(jz_refusal refusal)
{
    size_t row = (size_t)refusal;
    return row < JZ_REFUSAL_COUNT ? names[row] : "unknown";
}
