#include "http/handshake.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "session/subprotocol.h"
#include "http/client_address.h"
#include "http/client_scheme.h"
#include "http/origin_check.h"
#include "output/output.h"
#include "http/request.h"
#include "http/refusal.h"
#include "http/responding.h"
#include "config/routes.h"
#include "shard/server.h"

static jz_refusal refusal_of(int status)
{
    switch (status) {
    case 405:
        return JZ_REFUSAL_METHOD;
    case 426:
        return JZ_REFUSAL_NO_UPGRADE;
    default:
        return JZ_REFUSAL_INVALID_HANDSHAKE;
    }
}

/* The question was removed from the connection before. Returns whether the connection becomes a WebSocket. */
static bool accept_upgrade(jz_shard *shard, jz_connection *connection, const jz_route *route, const jz_upgrade *upgrade,
                           bool is_secure, void **state, jz_accepted *accepted)
{
    jz_buffer *output = jz_output_open(&shard->turn, connection);
    if (output == NULL || !jz_upgrade_append_response(upgrade, output)) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return false;
    }
    jz_output_appended(&shard->turn, connection);
    atomic_store_explicit(&connection->number, jz_route_number_of(route, upgrade->subprotocol), memory_order_release);
    *accepted = (jz_accepted){.route = route, .deflate = upgrade->deflate, .state = *state, .is_secure = is_secure};
    *state = NULL;
    return true;
}

static size_t length_of_offers(const jz_request_head *head)
{
    size_t length = 0;
    size_t position = 0;
    jz_text offered;
    while (jz_subprotocol_next(head, &position, &offered))
        length += offered.length + 1;
    return length;
}

/* NULL when there is no memory. */
static jz_question *create_question(const jz_route *route, const jz_upgrade *upgrade, const jz_request_head *head)
{
    size_t length = length_of_offers(head);
    jz_question *question = calloc(1, sizeof *question + length);
    if (question == NULL)
        return NULL;
    question->route = route;
    question->upgrade = *upgrade;
    size_t position = 0;
    jz_text offered;
    while (jz_subprotocol_next(head, &position, &offered)) {
        memcpy(question->offers + question->offers_length, offered.start, offered.length);
        question->offers_length += offered.length + 1;
    }
    return question;
}

/* The subprotocol's text in `offers`, which lives as long as the question; NULL if it was not offered. */
static const char *find_offer(const jz_question *question, jz_text subprotocol)
{
    const char *end = question->offers + question->offers_length;
    for (const char *offer = question->offers; offer < end; offer += strlen(offer) + 1) {
        if (jz_text_equals(subprotocol, jz_text_of(offer)))
            return offer;
    }
    return NULL;
}

static jz_handshake handshake_of(const jz_shard *shard, const jz_connection *connection, const jz_route *route)
{
    return (jz_handshake){.value = jz_shard_handle_of(shard, connection).value, .route = (uint32_t)route->number};
}

static void ask(jz_shard *shard, jz_connection *connection, const jz_route *route, const jz_upgrade *upgrade,
                const jz_request_head *head, const jz_route_parameters *parameters, bool is_secure)
{
    jz_question *question = create_question(route, upgrade, head);
    if (question == NULL) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return;
    }
    /* The chosen subprotocol, one of the route's, points into the request head, which will be freed: use the copy. */
    if (upgrade->subprotocol.length > 0)
        question->upgrade.subprotocol = jz_text_of(find_offer(question, upgrade->subprotocol));
    question->is_secure = is_secure;
    connection->phase = JZ_PHASE_ASKING;
    connection->question = question;
    connection->exchange = NULL;
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_ASKING, memory_order_release);
    jz_timer_set(&shard->turn.loop.timers, &connection->timer, route->options.upgrade_timeout_ms);
    jz_properties *properties = jz_properties_take(&shard->turn.links, connection->link);
    const jz_address client = jz_connection_peer(connection);
    const jz_request request = {.head = head,
                                .parameters = parameters,
                                .client = client,
                                .route = route->path,
                                .is_secure = is_secure,
                                .is_passed_on = jz_client_is_passed_on(shard, connection, head, &client),
                                .properties = properties};
    route->options.upgrade(route->context, handshake_of(shard, connection, route), &request);
    free(properties);
}

bool jz_handshake_take(jz_shard *shard, jz_connection *connection, const jz_route *route, const jz_request_head *head,
                       const jz_route_parameters *parameters, jz_accepted *accepted)
{
    const jz_route_options *options = &route->options;
    jz_upgrade upgrade = jz_upgrade_judge(head, &options->deflate);
    bool is_secure = jz_client_is_secure(shard, connection, head);
    if (upgrade.status != 101) {
        jz_http_refuse_detail(shard, connection, refusal_of(upgrade.status), upgrade.fault);
    } else if (!jz_subprotocols_are_valid(head)) {
        jz_http_refuse_detail(shard, connection, JZ_REFUSAL_INVALID_HANDSHAKE,
                              "Sec-WebSocket-Protocol has to be a list of tokens that are "
                              "all different, at most 64 (RFC 6455, 4.1)");
    } else if (!jz_origin_is_let_in(shard, connection, route, head, is_secure)) {
        jz_http_answer_refused(shard, connection, JZ_REFUSAL_ORIGIN, NULL);
    } else if (!jz_client_address_follow(shard, connection, route, head)) {
        jz_client_address_refuse(shard, connection, route);
    } else if (!jz_shard_count_address(shard, connection)) {
        jz_http_refuse(shard, connection, JZ_REFUSAL_CONNECTIONS_PER_ADDRESS);
    } else {
        void *no_state = NULL;
        size_t choice = jz_subprotocol_choose(head, options->subprotocols, options->subprotocol_count);
        if (choice < options->subprotocol_count)
            upgrade.subprotocol = jz_text_of(options->subprotocols[choice]);
        if (options->upgrade == NULL)
            return accept_upgrade(shard, connection, route, &upgrade, is_secure, &no_state, accepted);
        ask(shard, connection, route, &upgrade, head, parameters, is_secure);
    }
    return false;
}

/*
 * Removes the question from the connection, which is then as before the question, and tells the route that it is over.
 * The caller frees the question.
 */
static jz_question *take_question(jz_shard *shard, jz_connection *connection)
{
    jz_question *question = connection->question;
    const jz_route *route = question->route;
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
    connection->phase = JZ_PHASE_HEAD;
    connection->head = (jz_buffer){0};
    if (route->options.upgrade_ended != NULL)
        route->options.upgrade_ended(route->context, handshake_of(shard, connection, route));
    return question;
}

static void free_question(jz_question *question)
{
    jz_answer_free(question->answer);
    jz_buffer_free(&question->kept_head);
    jz_buffer_free(&question->rest);
    free(question);
}

static void give_up(jz_shard *shard, jz_connection *connection, jz_refusal refusal, const char *detail)
{
    free_question(take_question(shard, connection));
    jz_http_refuse_detail(shard, connection, refusal, detail);
}

void jz_handshake_keep_head(jz_connection *connection, jz_text head, jz_buffer *buffer)
{
    jz_question *question = connection->question;
    if (buffer != NULL) {
        question->kept_head = *buffer;
        *buffer = (jz_buffer){0};
    } else if (question->answer == NULL) {
        if (!jz_buffer_append(&question->kept_head, head.start, head.length))
            return;
        head.start = (const char *)question->kept_head.bytes;
    }
    question->head = head;
}

void jz_handshake_keep_input(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    /* A client may not send before it has the answer (RFC 6455 §4.1); a small amount is tolerated. */
    jz_question *question = connection->question;
    if (question->rest.length + input->length > shard->server->options.max_head_size)
        give_up(shard, connection, JZ_REFUSAL_INVALID_HANDSHAKE,
                "the client sent much before it had the answer to its handshake, for which it has to wait (RFC 6455, "
                "4.1)");
    else if (!jz_buffer_append(&question->rest, input->bytes, input->length))
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    input->length = 0;
}

jz_answer_status jz_handshake_answer(jz_shard *shard, jz_connection *connection, jz_answer *answer)
{
    if (connection->phase != JZ_PHASE_ASKING || connection->question == NULL || connection->question->answer != NULL ||
        connection->broken != JZ_FAILURE_NONE)
        return JZ_ANSWER_LATE;
    answer->release_state = connection->question->route->options.release_state;
    connection->question->answer = answer;
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
    jz_turn_mark_dirty(&shard->turn, connection);
    return JZ_ANSWER_TAKEN;
}

static void reject(jz_shard *shard, jz_connection *connection, const jz_route *route, const jz_answer *answer)
{
    jz_response response = jz_response_of_answer(answer);
    jz_refusal_note_on(shard, connection, route, JZ_REFUSAL_REJECTED);
    jz_http_respond(shard, connection, &response);
}

/*
 * Applies the answer's choices to the upgrade. False: it chooses a subprotocol that the client does not offer (§4.2.2).
 */
static bool follow_choice(const jz_question *question, jz_upgrade *upgrade)
{
    const jz_answer *answer = question->answer;
    upgrade->further_headers = answer->headers;
    if (answer->declines_compression)
        upgrade->deflate = (jz_deflate_agreement){0};
    if (!answer->names_subprotocol)
        return true;
    upgrade->subprotocol = answer->subprotocol;
    return answer->subprotocol.length == 0 || find_offer(question, answer->subprotocol) != NULL;
}

static void tell_wrong_choice(jz_shard *shard, const jz_connection *connection, const jz_question *question,
                              jz_text chosen)
{
    jz_address peer = jz_connection_peer(connection);
    const jz_log_about about = {.route = question->route->path, .cause = "wrong_subprotocol"};
    jz_peer_log_tell_at(shard, JZ_LOG_ERROR, &peer, &about,
                        "the upgrade hook of %.100s chose the subprotocol \"%.*s\", which the client does not offer",
                        question->route->path, (int)(chosen.length < 100 ? chosen.length : 100), chosen.start);
}

bool jz_handshake_proceed(jz_shard *shard, jz_connection *connection, jz_buffer *rest, jz_accepted *accepted)
{
    *rest = (jz_buffer){0};
    if (connection->question->answer == NULL)
        return false;
    jz_question *question = take_question(shard, connection);
    jz_answer *answer = question->answer;
    jz_upgrade upgrade = question->upgrade;
    bool is_accepted = false;
    if (!answer->accepts) {
        reject(shard, connection, question->route, answer);
    } else if (!follow_choice(question, &upgrade)) {
        tell_wrong_choice(shard, connection, question, upgrade.subprotocol);
        answer->status = 500;
        answer->headers.length = 0;
        reject(shard, connection, question->route, answer);
    } else {
        is_accepted =
            accept_upgrade(shard, connection, question->route, &upgrade, question->is_secure, &answer->state, accepted);
        if (is_accepted) {
            accepted->head = question->head;
            connection->head = question->kept_head;
            question->kept_head = (jz_buffer){0};
            *rest = question->rest;
            question->rest = (jz_buffer){0};
        }
    }
    free_question(question);
    return is_accepted;
}

void jz_handshake_give_up(jz_shard *shard, jz_connection *connection, jz_refusal refusal)
{
    give_up(shard, connection, refusal, NULL);
}

/* The application's fault, not the client's: logs a warning instead of the line about a refusal. */
void jz_handshake_time_out(jz_shard *shard, jz_connection *connection)
{
    const jz_route *route = connection->question->route;
    jz_address peer = jz_connection_peer(connection);
    const jz_log_about about = {.route = route->path, .cause = jz_refusal_name(JZ_REFUSAL_UPGRADE_TIMEOUT)};
    jz_peer_log_tell_at(shard, JZ_LOG_WARNING, &peer, &about,
                        "refused: the upgrade hook of %.100s did not answer within %" PRIu32 " ms (upgrade_timeout_ms)",
                        route->path, route->options.upgrade_timeout_ms);
    jz_refusal_count(shard, &peer, route->path, JZ_REFUSAL_UPGRADE_TIMEOUT, NULL);
    free_question(take_question(shard, connection));
    jz_http_answer_refused(shard, connection, JZ_REFUSAL_UPGRADE_TIMEOUT, NULL);
}

void jz_handshake_discard(jz_shard *shard, jz_connection *connection)
{
    free_question(take_question(shard, connection));
}
