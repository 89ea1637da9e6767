#include "http.h"

#include <string.h>

#include "../codec/request_head.h"
#include "../session/upgrade.h"
#include "output.h"
#include "response.h"
#include "routes.h"
#include "server.h"

static const jz_head_limits head_limits = {JZ_DEFAULT_HEAD_LENGTH, JZ_DEFAULT_HEADERS};

static void respond(jz_shard *shard, jz_connection *connection, const jz_response *response)
{
    jz_buffer *output = jz_output_open(shard, connection);
    if (output == NULL || !jz_response_append(response, &shard->date, output)) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return;
    }
    jz_output_appended(shard, connection);
    if (!response->keeps_alive)
        jz_connection_finish(shard, connection, true);
    else
        jz_timer_set(&shard->loop.timers, &connection->timer, shard->server->options.handshake_timeout_ms);
}

/* A head that cannot be understood: nothing after it can be, either. */
static void refuse_head(jz_shard *shard, jz_connection *connection, jz_head_result result)
{
    int status = 400;
    if (result == JZ_HEAD_TOO_LARGE)
        status = 431;
    else if (result == JZ_HEAD_UNSUPPORTED_VERSION)
        status = 505;
    jz_response response = jz_response_refusing(status);
    respond(shard, connection, &response);
}

void jz_http_time_out(jz_shard *shard, jz_connection *connection)
{
    jz_response response = jz_response_refusing(408);
    respond(shard, connection, &response);
}

/* Whether a request announces content, which no route here takes: "Content-Length: 0" does not. */
static bool has_content(const jz_request_head *head)
{
    jz_text length;
    size_t count = jz_request_head_find(head, "Content-Length", &length);
    if (jz_request_head_find(head, "Transfer-Encoding", NULL) > 0 || count > 1)
        return true;
    return count == 1 && !jz_text_equals(length, jz_text_of("0"));
}

/* RFC 9112 §9.3. */
static bool keeps_alive(const jz_request_head *head)
{
    if (has_content(head) || jz_request_head_lists(head, "Connection", "close"))
        return false;
    return head->minor_version >= 1 || jz_request_head_lists(head, "Connection", "keep-alive");
}

/* RFC 9112 §3.2: one Host, no more and, since HTTP/1.1, no less. */
static bool has_valid_host(const jz_request_head *head)
{
    size_t count = jz_request_head_find(head, "Host", NULL);
    return count == 1 || (count == 0 && head->minor_version == 0);
}

static bool is_method(const jz_request_head *head, const char *method)
{
    return jz_text_equals(head->method, jz_text_of(method));
}

/* The answer to a request that is not an upgrade. */
static jz_response answer_of(const jz_request_head *head, const jz_route *route)
{
    bool reads = is_method(head, "GET") || is_method(head, "HEAD");
    jz_response response;
    if (!has_valid_host(head) || (reads && has_content(head))) {
        response = jz_response_refusing(400);
    } else if (route == NULL) {
        response = jz_response_refusing(404);
    } else if (!reads) {
        response = jz_response_refusing(405);
        response.extra_headers = route->page != NULL ? "Allow: GET, HEAD\r\n" : "Allow: GET\r\n";
    } else if (route->page == NULL) {
        response = jz_response_refusing(426);
        response.asks_for_upgrade = true;
    } else {
        response = (jz_response){.status = 200,
                                 .content_type = route->page->content_type,
                                 .body = route->page->body,
                                 .length = route->page->length};
    }
    response.is_head = is_method(head, "HEAD");
    return response;
}

/* The answer to a handshake that was refused. */
static jz_response refused_upgrade(const jz_upgrade *upgrade)
{
    jz_response response = jz_response_refusing(upgrade->status);
    if (upgrade->status == 426) { /* RFC 6455 §4.4 */
        response.asks_for_upgrade = true;
        response.extra_headers = "Sec-WebSocket-Version: 13\r\n";
    }
    return response;
}

static void accept_upgrade(jz_shard *shard, jz_connection *connection, const jz_route *route, const jz_upgrade *upgrade)
{
    jz_buffer *output = jz_output_open(shard, connection);
    if (output == NULL || !jz_upgrade_append_response(upgrade, output)) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return;
    }
    jz_output_appended(shard, connection);
    jz_connection_begin_websocket(shard, connection, route, &upgrade->deflate);
}

static void answer(jz_shard *shard, jz_connection *connection, const jz_request_head *head)
{
    jz_route_parameters parameters;
    const jz_route *route = jz_routes_find(&shard->server->routes, head->path, &parameters);
    jz_response response;
    bool upgrades = route != NULL && route->handler != NULL && jz_upgrade_is_requested(head) && has_valid_host(head) &&
                    !has_content(head) && is_method(head, "GET");
    if (upgrades) {
        jz_upgrade upgrade = jz_upgrade_judge(head, &route->deflate);
        if (upgrade.status == 101) {
            accept_upgrade(shard, connection, route, &upgrade);
            return;
        }
        response = refused_upgrade(&upgrade);
    } else {
        response = answer_of(head, route);
    }
    /* A peer that sends requests faster than it reads answers is not served further. */
    size_t buffered = atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed);
    response.keeps_alive = keeps_alive(head) && response.status != 400 && !upgrades &&
                           buffered <= shard->server->options.backpressure_limit / 2;
    response.says_keep_alive = head->minor_version == 0;
    respond(shard, connection, &response);
}

static void parse_and_answer(jz_shard *shard, jz_connection *connection, const char *bytes, size_t head_length)
{
    jz_request_head head;
    jz_head_result result = jz_request_head_parse(bytes, head_length, &head_limits, &head);
    if (result == JZ_HEAD_COMPLETE)
        answer(shard, connection, &head);
    else
        refuse_head(shard, connection, result);
}

/* A head that is whole in the input is read where it lies. */
static void take_from_input(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    size_t scanned = 0;
    size_t head_length = 0;
    const char *bytes = (const char *)input->bytes;
    jz_head_result result = jz_request_head_find_end(bytes, input->length, &head_limits, &scanned, &head_length);
    if (result == JZ_HEAD_COMPLETE) {
        input->bytes += head_length;
        input->length -= head_length;
        parse_and_answer(shard, connection, bytes, head_length);
    } else if (result != JZ_HEAD_INCOMPLETE) {
        refuse_head(shard, connection, result);
    } else if (jz_buffer_append(&connection->head, input->bytes, input->length)) {
        input->length = 0;
    } else {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    }
}

/* The rest of a head that began in an earlier read. */
static void take_carried(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    size_t scanned = connection->head.length;
    size_t room = head_limits.max_length - scanned;
    size_t before = scanned;
    if (!jz_buffer_append(&connection->head, input->bytes, input->length < room ? input->length : room)) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return;
    }
    size_t head_length = 0;
    jz_head_result result = jz_request_head_find_end((const char *)connection->head.bytes, connection->head.length,
                                                     &head_limits, &scanned, &head_length);
    size_t taken = (result == JZ_HEAD_COMPLETE ? head_length : connection->head.length) - before;
    input->bytes += taken;
    input->length -= taken;
    if (result == JZ_HEAD_INCOMPLETE)
        return;

    /* Answering may change the phase, and with it what shares the head's memory. */
    jz_buffer head = connection->head;
    connection->head = (jz_buffer){0};
    if (result == JZ_HEAD_COMPLETE)
        parse_and_answer(shard, connection, (const char *)head.bytes, head_length);
    else
        refuse_head(shard, connection, result);
    jz_buffer_free(&head);
}

void jz_http_take(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    while (connection->phase == JZ_PHASE_HEAD && input->length > 0 && connection->broken == JZ_FAILURE_NONE) {
        if (connection->head.length == 0)
            take_from_input(shard, connection, input);
        else
            take_carried(shard, connection, input);
    }
}
