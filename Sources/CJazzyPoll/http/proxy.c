#include "http/proxy.h"

#include "codec/proxy_header.h"
#include "http/responding.h"

static void refuse_proxy(jz_shard *shard, jz_connection *connection)
{
    jz_refusal_note_of(shard, connection, JZ_REFUSAL_PROXY_HEADER);
    jz_http_finish(shard, connection, false);
}

/* What a PROXY header has told. */
static void follow_proxy(jz_shard *shard, jz_connection *connection, const jz_proxy_header *header)
{
    jz_buffer_free(&connection->head);
    connection->phase = JZ_PHASE_HEAD;
    if (header->names_source) {
        jz_connection_set_peer(connection, &header->source);
        if (!jz_shard_count_address(shard, connection))
            jz_http_refuse(shard, connection, JZ_REFUSAL_CONNECTIONS_PER_ADDRESS);
    }
}

void jz_proxy_take(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    jz_buffer *head = &connection->head;
    size_t before = head->length;
    size_t room = JZ_MAX_PROXY_HEADER - before;
    if (!jz_buffer_append(head, input->bytes, input->length < room ? input->length : room)) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return;
    }
    jz_proxy_header header;
    switch (jz_proxy_header_parse(head->bytes, head->length, &header)) {
    case JZ_PROXY_HEADER_COMPLETE:
        input->bytes += header.length - before;
        input->length -= header.length - before;
        follow_proxy(shard, connection, &header);
        break;
    case JZ_PROXY_HEADER_INCOMPLETE:
        if (head->length == JZ_MAX_PROXY_HEADER)
            refuse_proxy(shard, connection);
        break;
    default:
        refuse_proxy(shard, connection);
        break;
    }
}
