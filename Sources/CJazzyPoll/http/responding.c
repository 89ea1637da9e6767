#include "http/responding.h"

#include <stdio.h>
#include <string.h>

#include "http/asking.h"
#include "output/output.h"
#include "shard/server.h"

void jz_http_leave(jz_shard *shard, jz_connection *connection)
{
    if (connection->phase == JZ_PHASE_ASKING)
        jz_asking_discard(shard, connection);
    if (connection->phase == JZ_PHASE_HEAD || connection->phase == JZ_PHASE_PROXY)
        jz_buffer_free(&connection->head);
}

void jz_http_finish(jz_shard *shard, jz_connection *connection, bool lingers)
{
    jz_http_leave(shard, connection);
    jz_shard_finish(shard, connection, lingers);
}

/*
 * Does not copy the body of a page unless it is small, because pages live as long as the server. So a client that
 * requests a large page and does not read it costs no memory.
 */
static bool append_response(jz_shard *shard, jz_connection *connection, const jz_response *response)
{
    jz_response part = *response;
    part.is_head = response->is_head || response->body_lasts;
    jz_buffer *output = jz_output_open(&shard->turn, connection);
    if (output == NULL || !jz_response_append(&part, &shard->date, output))
        return false;
    jz_output_appended(&shard->turn, connection);
    return response->is_head || !response->body_lasts ||
           jz_output_share(&shard->turn, connection, NULL, response->body, response->length);
}

void jz_http_respond(jz_shard *shard, jz_connection *connection, const jz_response *response)
{
    if (!append_response(shard, connection, response)) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return;
    }
    /* Flush, so that bytes that the kernel takes do not count as buffered when the next request of this read is
       judged. */
    if (connection->unsent != NULL)
        jz_output_flush(&shard->turn, connection);
    jz_http_conclude(shard, connection, response->keeps_alive);
}

void jz_http_conclude(jz_shard *shard, jz_connection *connection, bool keeps_alive)
{
    connection->timer.tag = 0;
    if (!keeps_alive)
        jz_http_finish(shard, connection, true);
    connection->was_answered = true;
    jz_http_await_request(shard, connection);
}

void jz_http_await_request(jz_shard *shard, jz_connection *connection)
{
    const jz_options *options = &shard->server->options;
    if (connection->phase != JZ_PHASE_HEAD || !connection->was_answered || connection->head.length > 0)
        return;
    /* While the answer is being sent, a client that takes none of it gets the shorter of the two times. */
    jz_timer_set(&shard->turn.loop.timers, &connection->timer,
                 connection->unsent != NULL ? options->handshake_timeout_ms : options->keep_alive_timeout_ms);
}

jz_response jz_http_response_of(jz_refusal refusal, const char *detail, char body[JZ_REFUSAL_BODY_SIZE])
{
    jz_response response = jz_response_refusing(jz_refusal_status(refusal));
    snprintf(body, JZ_REFUSAL_BODY_SIZE, "%s: %s\n", jz_response_reason(response.status),
             detail != NULL ? detail : jz_refusal_detail(refusal));
    response.body = body;
    response.length = strlen(body);
    if (response.status == 426) { /* RFC 6455 §4.4 */
        response.asks_for_upgrade = true;
        response.extra_headers = "Sec-WebSocket-Version: 13\r\n";
    } else if (response.status == 503 || response.status == 429) {
        response.extra_headers = "Retry-After: 10\r\n";
    }
    return response;
}

void jz_http_refuse(jz_shard *shard, jz_connection *connection, jz_refusal refusal)
{
    jz_http_refuse_detail(shard, connection, refusal, NULL);
}

void jz_http_answer_refused(jz_shard *shard, jz_connection *connection, jz_refusal refusal, const char *detail)
{
    char body[JZ_REFUSAL_BODY_SIZE];
    jz_response response = jz_http_response_of(refusal, detail, body);
    jz_http_respond(shard, connection, &response);
}

void jz_http_refuse_detail(jz_shard *shard, jz_connection *connection, jz_refusal refusal, const char *detail)
{
    jz_refusal_note_detail(shard, connection, refusal, detail);
    jz_http_answer_refused(shard, connection, refusal, detail);
}

void jz_http_turn_away(jz_shard *shard, int descriptor, jz_refusal refusal)
{
    char body[JZ_REFUSAL_BODY_SIZE];
    jz_response response = jz_http_response_of(refusal, NULL, body);
    size_t count = 0;
    uint8_t unread[4096]; /* not the loop's buffer: a handler may be using its content */
    jz_buffer output = {0};
    if (jz_response_append(&response, &shard->date, &output))
        (void)jz_socket_send(descriptor, output.bytes, output.length, &count);
    jz_buffer_free(&output);
    jz_socket_finish_sending(descriptor);
    /* With unread input, close would send a reset, which would destroy the answer. */
    (void)jz_socket_receive(descriptor, unread, sizeof unread, &count);
    jz_socket_end(descriptor);
}
