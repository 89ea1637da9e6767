#include "http/proxy.h"

#include "codec/proxy_header.h"
#include "http/responding.h"

static void refuse_silently(jz_shard *shard, jz_connection *connection, jz_refusal refusal)
{
    jz_refusal_note_of(shard, connection, refusal);
    jz_http_finish(shard, connection, false);
}

/* From now on all bytes go through the listener's transport. */
static void open_channel(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    if (!jz_links_open(&shard->turn.links, connection->link, input->bytes, input->length))
        refuse_silently(shard, connection, JZ_REFUSAL_OUT_OF_MEMORY);
    input->length = 0;
}

/* Applies a complete PROXY header. */
static void follow_proxy(jz_shard *shard, jz_connection *connection, const jz_proxy_header *header, jz_input *input)
{
    bool has_channel = jz_link_is_channel(connection->link);
    jz_buffer_free(&connection->head);
    connection->phase = JZ_PHASE_HEAD;
    connection->came_secured = header->is_secure;
    if (header->names_source)
        jz_connection_set_peer(connection, &header->source);
    bool is_let_in = !header->names_source || jz_shard_count_address(shard, connection);
    if (is_let_in && has_channel)
        open_channel(shard, connection, input);
    else if (!is_let_in && has_channel) /* as in admitting.c: the client would not understand plain HTTP */
        refuse_silently(shard, connection, JZ_REFUSAL_CONNECTIONS_PER_ADDRESS);
    else if (!is_let_in)
        jz_http_refuse(shard, connection, JZ_REFUSAL_CONNECTIONS_PER_ADDRESS);
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
        follow_proxy(shard, connection, &header, input);
        break;
    case JZ_PROXY_HEADER_INCOMPLETE:
        if (head->length == JZ_MAX_PROXY_HEADER)
            refuse_silently(shard, connection, JZ_REFUSAL_PROXY_HEADER);
        break;
    default:
        refuse_silently(shard, connection, JZ_REFUSAL_PROXY_HEADER);
        break;
    }
}
