#include "http.h"

#include <string.h>

#include "../codec/request_head.h"
#include "../session/upgrade.h"
#include "handshake.h"
#include "output.h"
#include "routes.h"
#include "server.h"

/*
 * The body of a page is not copied, unless it is small: pages live as long as the server, so that who asks for a large
 * one and does not read it costs no more than who does.
 */
static bool append_response(jz_shard *shard, jz_connection *connection, const jz_response *response)
{
    jz_response part = *response;
    part.is_head = response->is_head || response->body_lasts;
    jz_buffer *output = jz_output_open(shard, connection);
    if (output == NULL || !jz_response_append(&part, &shard->date, output))
        return false;
    jz_output_appended(shard, connection);
    return response->is_head || !response->body_lasts ||
           jz_output_share(shard, connection, NULL, response->body, response->length);
}

void jz_http_respond(jz_shard *shard, jz_connection *connection, const jz_response *response)
{
    if (!append_response(shard, connection, response)) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return;
    }
    /* What the kernel takes does not count as waiting when the next request of this read is looked at. */
    if (connection->unsent != NULL)
        jz_output_flush(shard, connection);
    connection->timer.tag = 0;
    if (!response->keeps_alive)
        jz_connection_finish(shard, connection, true);
    else
        jz_timer_set(&shard->loop.timers, &connection->timer, shard->server->options.handshake_timeout_ms);
    connection->was_answered = true;
}

static jz_response response_of(jz_refusal refusal)
{
    jz_response response = jz_response_refusing(jz_refusal_status(refusal));
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
    jz_refusal_note_of(shard, connection, refusal);
    jz_http_answer_refused(shard, connection, refusal);
}

void jz_http_answer_refused(jz_shard *shard, jz_connection *connection, jz_refusal refusal)
{
    jz_response response = response_of(refusal);
    jz_http_respond(shard, connection, &response);
}

void jz_http_turn_away(jz_shard *shard, int descriptor, jz_refusal refusal)
{
    jz_response response = response_of(refusal);
    size_t count = 0;
    uint8_t unread[4096]; /* not the loop's buffer: a handler may be reading what is there */
    jz_buffer output = {0};
    if (jz_response_append(&response, &shard->date, &output))
        (void)jz_socket_send(descriptor, output.bytes, output.length, &count);
    jz_buffer_free(&output);
    jz_socket_finish_sending(descriptor);
    /* With input that was not read, closing would be a reset, which destroys the answer on its way. */
    (void)jz_socket_receive(descriptor, unread, sizeof unread, &count);
    jz_socket_end(descriptor);
}

/* A head that cannot be understood: nothing after it can be, either. */
static void refuse_head(jz_shard *shard, jz_connection *connection, jz_head_result result)
{
    jz_refusal refusal = JZ_REFUSAL_MALFORMED_HEAD;
    if (result == JZ_HEAD_TOO_LARGE)
        refusal = JZ_REFUSAL_HEAD_TOO_LARGE;
    else if (result == JZ_HEAD_UNSUPPORTED_VERSION)
        refusal = JZ_REFUSAL_HTTP_VERSION;
    jz_http_refuse(shard, connection, refusal);
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

/* The answer to a request that is not an upgrade; `refusal` is set where it is one. */
static jz_response answer_of(const jz_request_head *head, const jz_route *route, jz_refusal *refusal)
{
    bool reads = is_method(head, "GET") || is_method(head, "HEAD");
    jz_response response;
    if (!has_valid_host(head) || (reads && has_content(head))) {
        *refusal = JZ_REFUSAL_MALFORMED_HEAD;
        response = response_of(*refusal);
    } else if (route == NULL) {
        *refusal = JZ_REFUSAL_NOT_FOUND;
        response = response_of(*refusal);
    } else if (!reads) {
        *refusal = JZ_REFUSAL_METHOD;
        response = response_of(*refusal);
        response.extra_headers = route->page != NULL ? "Allow: GET, HEAD\r\n" : "Allow: GET\r\n";
    } else if (route->page == NULL) {
        *refusal = JZ_REFUSAL_NO_UPGRADE;
        response = response_of(*refusal);
    } else {
        *refusal = JZ_REFUSAL_COUNT;
        response = (jz_response){.status = 200,
                                 .content_type = route->page->content_type,
                                 .body = route->page->body,
                                 .length = route->page->length,
                                 .body_lasts = true};
    }
    response.is_head = is_method(head, "HEAD");
    return response;
}

static void answer_page(jz_shard *shard, jz_connection *connection, const jz_request_head *head, const jz_route *route)
{
    jz_refusal refusal;
    jz_response response = answer_of(head, route, &refusal);
    if (refusal != JZ_REFUSAL_COUNT)
        jz_refusal_note_of(shard, connection, refusal);
    /* A peer that sends requests faster than it reads answers is not served further, nor while the server ends. What
       follows a refused upgrade may be another's: a proxy that does not look at the status passes on anything. */
    size_t buffered = atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed);
    response.keeps_alive = keeps_alive(head) && response.status != 400 && !jz_upgrade_is_requested(head) &&
                           shard->course == JZ_COURSE_SERVING &&
                           buffered <= shard->server->options.backpressure_limit / 2;
    response.says_keep_alive = head->minor_version == 0;
    jz_http_respond(shard, connection, &response);
}

static void answer(jz_shard *shard, jz_connection *connection, const jz_request_head *head)
{
    jz_route_parameters parameters;
    const jz_route *route = jz_routes_find(&shard->server->routes, head->path, &parameters);
    bool upgrades = route != NULL && route->handler != NULL && jz_upgrade_is_requested(head) && has_valid_host(head) &&
                    !has_content(head) && is_method(head, "GET");
    if (upgrades)
        jz_handshake_take(shard, connection, route, head, &parameters);
    else
        answer_page(shard, connection, head, route);
}

static void parse_and_answer(jz_shard *shard, jz_connection *connection, const char *bytes, size_t head_length)
{
    jz_request_head head;
    jz_head_result result = jz_request_head_parse(bytes, head_length, &shard->server->head_limits, &head);
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
    jz_head_result result =
        jz_request_head_find_end(bytes, input->length, &shard->server->head_limits, &scanned, &head_length);
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
    size_t max = shard->server->head_limits.max_length;
    size_t room = scanned < max ? max - scanned : 0;
    size_t before = scanned;
    if (!jz_buffer_append(&connection->head, input->bytes, input->length < room ? input->length : room)) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return;
    }
    size_t head_length = 0;
    jz_head_result result = jz_request_head_find_end((const char *)connection->head.bytes, connection->head.length,
                                                     &shard->server->head_limits, &scanned, &head_length);
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
