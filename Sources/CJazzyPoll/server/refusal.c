/* The one table of why a connection is refused: reason, HTTP status, text. */
#include "refusal.h"

static const struct {
    int status;
    const char *text;
} refusals[] = {
    [JZ_REFUSAL_MALFORMED_HEAD] = {400, "the request is malformed"},
    [JZ_REFUSAL_HEAD_TOO_LARGE] = {431, "the request head is larger than it may be (max_head_size)"},
    [JZ_REFUSAL_HTTP_VERSION] = {505, "the HTTP version is not supported"},
    [JZ_REFUSAL_HANDSHAKE_TIMEOUT] = {408, "the request head took too long (handshake_timeout_ms)"},
    [JZ_REFUSAL_NOT_FOUND] = {404, "there is no route with this path"},
    [JZ_REFUSAL_METHOD] = {405, "the method has to be one that Allow lists"},
    [JZ_REFUSAL_NO_UPGRADE] =
        {426, "there is a WebSocket here, and no page: the request has to have Upgrade: websocket (RFC 6455, 4.2.1)"},
    [JZ_REFUSAL_INVALID_HANDSHAKE] = {400, "a header of the handshake is missing or ill-formed (RFC 6455, 4.2.1)"},
    [JZ_REFUSAL_ORIGIN] = {403, "Origin is none from which this route may be used (allowed_origins)"},
    [JZ_REFUSAL_REJECTED] = {403, "the upgrade hook rejected the request"},
    [JZ_REFUSAL_UPGRADE_TIMEOUT] = {503, "the upgrade hook did not answer in time (upgrade_timeout_ms)"},
    [JZ_REFUSAL_MAX_CONNECTIONS] = {503, "the process has as many connections as it may (max_connections)"},
    [JZ_REFUSAL_CONNECTIONS_PER_ADDRESS] = {429, "its address has as many connections as it may "
                                                 "(max_connections_per_address)"},
    [JZ_REFUSAL_MAX_HANDSHAKES] = {503, "as many handshakes are under way as may be (max_handshakes)"},
    [JZ_REFUSAL_PROXY_HEADER] = {0, "a trusted proxy did not begin with a PROXY header"},
    [JZ_REFUSAL_OUT_OF_MEMORY] = {0, "there is no memory for another connection"},
};

const char *jz_refusal_text(jz_refusal refusal)
{
    size_t row = (size_t)refusal;
    return row < sizeof refusals / sizeof refusals[0] ? refusals[row].text : "it is not known why";
}

int jz_refusal_status(jz_refusal refusal)
{
    return refusals[refusal].status;
}

void jz_refusal_note(jz_shard *shard, const jz_address *peer, jz_refusal refusal)
{
    jz_count(&shard->counters.refused[refusal], 1);
    jz_peer_log_tell(shard, peer, "refused: %s", jz_refusal_text(refusal));
}

void jz_refusal_note_of(jz_shard *shard, const jz_connection *connection, jz_refusal refusal)
{
    jz_refusal_note_detail(shard, connection, refusal, NULL);
}

void jz_refusal_note_detail(jz_shard *shard, const jz_connection *connection, jz_refusal refusal, const char *detail)
{
    jz_address peer = jz_connection_peer(connection);
    jz_count(&shard->counters.refused[refusal], 1);
    jz_peer_log_tell(shard, &peer, "refused: %s", detail != NULL ? detail : jz_refusal_text(refusal));
}
