#include "http/http.h"

#include <string.h>

#include "codec/request_head.h"
#include "session/upgrade.h"
#include "http/audience.h"
#include "http/exchange.h"
#include "http/handshake.h"
#include "http/lookup.h"
#include "http/responding.h"
#include "shard/server.h"

enum { MOST_REQUESTS = 64 /* of one connection in one iteration, so that others are served, too */ };

/* Refuses a malformed head; nothing behind it can be parsed either. */
static void refuse_head(jz_shard *shard, jz_connection *connection, jz_head_result result, const char *fault)
{
    jz_refusal refusal = JZ_REFUSAL_MALFORMED_HEAD;
    if (result == JZ_HEAD_TOO_LARGE)
        refusal = JZ_REFUSAL_HEAD_TOO_LARGE;
    else if (result == JZ_HEAD_UNSUPPORTED_VERSION)
        refusal = JZ_REFUSAL_HTTP_VERSION;
    jz_http_refuse_detail(shard, connection, refusal, fault);
}

/* Refuses bytes that are no request head. */
static void refuse_bytes(jz_shard *shard, jz_connection *connection, jz_head_result result, const char *bytes,
                         size_t length)
{
    refuse_head(shard, connection, result, result == JZ_HEAD_MALFORMED ? jz_request_head_fault(bytes, length) : NULL);
}

/* Whether a request announces content, which no route accepts. "Content-Length: 0" is no content. */
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

static bool is_method(const jz_request_head *head, const char *method)
{
    return jz_text_equals(head->method, jz_text_of(method));
}

/* What is wrong with a request of any kind; NULL if nothing. */
static const char *fault_of(const jz_request_head *head, const jz_lookup *lookup)
{
    jz_text host;
    const char *fault = jz_request_head_host(head, &host);
    bool takes_none = is_method(head, "GET") || is_method(head, "HEAD") || is_method(head, "OPTIONS");
    if (fault == NULL && takes_none && has_content(head))
        fault = "the request has content (Content-Length, Transfer-Encoding), and nothing here takes any";
    return fault != NULL ? fault : lookup->fault;
}

/* The Allow header for the target of a request (RFC 9110 §10.2.1); NULL if there is no such target. */
static const char *allow_of(const jz_request_head *head, const jz_route *route)
{
    if (jz_text_equals(head->path, jz_text_of("*")))
        return "Allow: GET, HEAD, OPTIONS\r\n";
    if (route == NULL)
        return NULL;
    return jz_route_has_page(route) ? "Allow: GET, HEAD, OPTIONS\r\n" : "Allow: GET, OPTIONS\r\n";
}

/* Pages live as long as the server. */
static jz_response response_with(int status, const jz_page *page)
{
    return (jz_response){.status = status,
                         .content_type = page->content_type,
                         .body = page->body,
                         .length = page->length,
                         .body_lasts = true};
}

/*
 * The answer to a request that is not an upgrade. `objection`: why its page is not for this client; NULL: it is. A
 * refusal is counted and logged; its body is written to `body`.
 */
static jz_response answer_of(jz_shard *shard, jz_connection *connection, const jz_request_head *head,
                             const jz_lookup *lookup, const char *objection, char body[JZ_REFUSAL_BODY_SIZE])
{
    const jz_route *route = lookup->route;
    const char *allow = allow_of(head, route);
    jz_refusal refusal = JZ_REFUSAL_NO_UPGRADE;
    const char *detail = fault_of(head, lookup);
    bool reads = is_method(head, "GET") || is_method(head, "HEAD");
    if (detail != NULL) {
        refusal = JZ_REFUSAL_MALFORMED_HEAD;
    } else if (allow == NULL) {
        refusal = JZ_REFUSAL_NOT_FOUND;
    } else if (is_method(head, "OPTIONS")) {
        return (jz_response){.status = 204, .extra_headers = allow};
    } else if (!reads) {
        refusal = JZ_REFUSAL_METHOD;
    } else if (objection != NULL) {
        refusal = JZ_REFUSAL_REJECTED;
        detail = objection;
    } else if (route->page != NULL) {
        return response_with(200, route->page);
    }
    jz_refusal_note_detail(shard, connection, refusal, detail);
    const jz_page *not_found = shard->server->routes.not_found;
    if (refusal == JZ_REFUSAL_NOT_FOUND && not_found != NULL && !jz_upgrade_is_requested(head))
        return response_with(404, not_found);
    jz_response response = jz_http_response_of(refusal, detail, body);
    if (refusal == JZ_REFUSAL_METHOD)
        response.extra_headers = allow;
    return response;
}

/* `behind`: bytes of input that follow the head. */
static void answer_page(jz_shard *shard, jz_connection *connection, const jz_request_head *head,
                        const jz_lookup *lookup, const char *objection, size_t behind)
{
    char body[JZ_REFUSAL_BODY_SIZE];
    jz_response response = answer_of(shard, connection, head, lookup, objection, body);
    response.is_head = is_method(head, "HEAD");
    /* Closes if the peer sends requests faster than it reads answers, or if the server stops. Also after a refused
       upgrade: a proxy that ignores the status may pass on bytes of another client. */
    size_t buffered = atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed);
    response.keeps_alive = keeps_alive(head) && response.status != 400 && !jz_upgrade_is_requested(head) &&
                           shard->course == JZ_COURSE_SERVING && behind <= JZ_MOST_PIPELINED &&
                           buffered <= shard->server->options.backpressure_limit / 2;
    response.says_keep_alive = head->minor_version == 0;
    jz_http_respond(shard, connection, &response);
}

/* Whether the request is one for the content of a page. */
static bool is_for_page(const jz_request_head *head, const jz_lookup *lookup)
{
    return lookup->route != NULL && jz_route_has_page(lookup->route) &&
           (is_method(head, "GET") || is_method(head, "HEAD")) && fault_of(head, lookup) == NULL;
}

/* `text`: the head as it came. `behind`: bytes of input that follow it. */
static void ask_for_page(jz_shard *shard, jz_connection *connection, const jz_request_head *head,
                         const jz_lookup *lookup, jz_text text, size_t behind)
{
    const jz_asked asked = {.head = head,
                            .parameters = &lookup->parameters,
                            .text = text,
                            .keeps_alive =
                                keeps_alive(head) && !jz_upgrade_is_requested(head) && behind <= JZ_MOST_PIPELINED};
    jz_exchange_ask(shard, connection, lookup->route, &asked);
}

static void take_page_request(jz_shard *shard, jz_connection *connection, const jz_request_head *head,
                              const jz_lookup *lookup, jz_text text, size_t behind)
{
    const jz_route *route = lookup->route;
    if (!is_for_page(head, lookup)) {
        answer_page(shard, connection, head, lookup, NULL, behind);
        return;
    }
    switch (jz_audience_judge(shard, connection, route, head, &lookup->parameters)) {
    case JZ_ADMITTED:
        if (route->page != NULL)
            answer_page(shard, connection, head, lookup, NULL, behind);
        else
            ask_for_page(shard, connection, head, lookup, text, behind);
        break;
    case JZ_KEPT_OUT:
        answer_page(shard, connection, head, lookup, jz_audience_objection(&route->audience), behind);
        break;
    case JZ_CLIENT_UNKNOWN:
        break;
    }
}

/* Returns whether the connection becomes a WebSocket. `text` is the head as it came, and `behind` bytes follow it. */
static bool answer(jz_shard *shard, jz_connection *connection, const jz_request_head *head, jz_text text, size_t behind,
                   jz_accepted *accepted)
{
    jz_lookup lookup;
    bool is_accepted = false;
    if (!jz_lookup_route(&shard->server->routes, head->path, &lookup)) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return false;
    }
    bool upgrades = lookup.route != NULL && lookup.route->handler != NULL && jz_upgrade_is_requested(head) &&
                    is_method(head, "GET") && fault_of(head, &lookup) == NULL;
    if (upgrades)
        is_accepted = jz_handshake_take(shard, connection, lookup.route, head, &lookup.parameters, accepted);
    else
        take_page_request(shard, connection, head, &lookup, text, behind);
    jz_lookup_free(&lookup);
    return is_accepted;
}

static bool parse_and_answer(jz_shard *shard, jz_connection *connection, jz_text text, size_t behind,
                             jz_accepted *accepted)
{
    jz_request_head head;
    jz_head_result result = jz_request_head_parse(text.start, text.length, &shard->server->head_limits, &head);
    if (result == JZ_HEAD_COMPLETE) {
        bool is_accepted = answer(shard, connection, &head, text, behind, accepted);
        accepted->head = text;
        return is_accepted;
    }
    refuse_head(shard, connection, result, head.fault);
    return false;
}

/* Whether an upgrade hook has been asked. */
static bool asks_for_upgrade(const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_ASKING && connection->question != NULL;
}

/* Parses a head that is complete in the input in place. */
static bool take_from_input(jz_shard *shard, jz_connection *connection, jz_input *input, jz_accepted *accepted)
{
    size_t scanned = 0;
    size_t head_length = 0;
    const char *bytes = (const char *)input->bytes;
    jz_head_result result =
        jz_request_head_find_end(bytes, input->length, &shard->server->head_limits, &scanned, &head_length);
    if (result == JZ_HEAD_COMPLETE) {
        input->bytes += head_length;
        input->length -= head_length;
        const jz_text head = {bytes, head_length};
        bool is_accepted = parse_and_answer(shard, connection, head, input->length, accepted);
        if (asks_for_upgrade(connection))
            jz_handshake_keep_head(connection, head, NULL);
        return is_accepted;
    }
    if (result != JZ_HEAD_INCOMPLETE) {
        refuse_bytes(shard, connection, result, bytes, input->length);
    } else if (jz_buffer_append(&connection->head, input->bytes, input->length)) {
        input->length = 0;
        if (connection->was_answered) /* the time limit for the first head began when the connection was accepted */
            jz_timer_set(&shard->turn.loop.timers, &connection->timer, shard->server->options.handshake_timeout_ms);
    } else {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    }
    return false;
}

/* The rest of a head that began in an earlier read. */
static bool take_carried(jz_shard *shard, jz_connection *connection, jz_input *input, jz_accepted *accepted)
{
    size_t scanned = connection->head.length;
    size_t max = shard->server->head_limits.max_length;
    size_t room = scanned < max ? max - scanned : 0;
    size_t before = scanned;
    if (!jz_buffer_append(&connection->head, input->bytes, input->length < room ? input->length : room)) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return false;
    }
    size_t head_length = 0;
    jz_head_result result = jz_request_head_find_end((const char *)connection->head.bytes, connection->head.length,
                                                     &shard->server->head_limits, &scanned, &head_length);
    size_t taken = (result == JZ_HEAD_COMPLETE ? head_length : connection->head.length) - before;
    input->bytes += taken;
    input->length -= taken;
    if (result == JZ_HEAD_INCOMPLETE)
        return false;

    /* Answering may change the phase, and then other members of the union replace `head`. */
    jz_buffer head = connection->head;
    connection->head = (jz_buffer){0};
    bool is_accepted = false;
    const jz_text text = {(const char *)head.bytes, head_length};
    if (result == JZ_HEAD_COMPLETE)
        is_accepted = parse_and_answer(shard, connection, text, input->length, accepted);
    else
        refuse_bytes(shard, connection, result, (const char *)head.bytes, head.length);
    if (is_accepted)
        connection->head = head;
    else if (asks_for_upgrade(connection))
        jz_handshake_keep_head(connection, text, &head);
    else
        jz_buffer_free(&head);
    return is_accepted;
}

bool jz_http_take(jz_shard *shard, jz_connection *connection, jz_input *input, jz_accepted *accepted)
{
    bool is_accepted = false;
    uint32_t before = shard->exchange_number;
    for (int taken = 0; !is_accepted && connection->phase == JZ_PHASE_HEAD && input->length > 0 &&
                        connection->broken == JZ_FAILURE_NONE;
         taken++) {
        if (taken == MOST_REQUESTS || shard->exchange_number != before) {
            jz_exchange_rest(shard, connection, input);
            break;
        }
        if (connection->head.length == 0)
            is_accepted = take_from_input(shard, connection, input, accepted);
        else
            is_accepted = take_carried(shard, connection, input, accepted);
    }
    return is_accepted;
}
