#include "http/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/text.h"
#include "http/client_address.h"
#include "http/client_scheme.h"
#include "http/request.h"
#include "http/refusal.h"
#include "http/responding.h"
#include "http/serving_files.h"
#include "http/transfer.h"
#include "shard/server.h"

static jz_page_request request_of(const jz_shard *shard, const jz_connection *connection, const jz_exchange *exchange)
{
    return (jz_page_request){.value = jz_shard_handle_of(shard, connection).value,
                             .route = (uint32_t)exchange->route->number,
                             .number = exchange->number};
}

void jz_exchange_enter(jz_connection *connection, jz_exchange *exchange)
{
    connection->phase = JZ_PHASE_ASKING;
    connection->question = NULL;
    connection->exchange = exchange;
}

jz_exchange *jz_exchange_leave(jz_connection *connection)
{
    jz_exchange *exchange = connection->exchange;
    connection->phase = JZ_PHASE_HEAD;
    connection->head = (jz_buffer){0};
    return exchange;
}

/* The same for one that has not been answered; tells the page that it is over. */
static jz_exchange *end(jz_shard *shard, jz_connection *connection)
{
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
    jz_exchange *exchange = jz_exchange_leave(connection);
    const jz_route *route = exchange->route;
    bool was_called = exchange->job != NULL ? jz_page_job_end(exchange->job) : exchange->was_called;
    exchange->job = NULL;
    if (was_called && route->page_options.ended != NULL)
        route->page_options.ended(route->page_context, request_of(shard, connection, exchange));
    return exchange;
}

void jz_exchange_free(jz_exchange *exchange)
{
    if (exchange->transfer != NULL)
        jz_transfer_end(exchange->transfer);
    jz_answer_free(exchange->answer);
    jz_buffer_free(&exchange->rest);
    free(exchange);
}

jz_exchange *jz_exchange_create(jz_shard *shard, const jz_route *route, const jz_asked *asked)
{
    jz_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    exchange->route = route;
    if (++shard->exchange_number == 0)
        shard->exchange_number = 1; /* 0 is in answers to handshakes */
    exchange->number = shard->exchange_number;
    exchange->is_head = jz_text_equals(asked->head->method, jz_text_of("HEAD"));
    exchange->keeps_alive = asked->keeps_alive;
    exchange->says_keep_alive = asked->head->minor_version == 0;
    return exchange;
}

/* On a worker. */
static void have_handler_called(jz_shard *shard, jz_connection *connection, const jz_asked *asked,
                                const jz_request *request)
{
    jz_exchange *exchange = connection->exchange;
    const jz_request_source source = {.head = asked->text,
                                      .route = request->route,
                                      .client = request->client,
                                      .is_secure = request->is_secure,
                                      .is_passed_on = request->is_passed_on,
                                      .properties = request->properties};
    exchange->job =
        jz_page_job_start(&shard->server->workers, exchange->route, request_of(shard, connection, exchange), &source);
    if (exchange->job == NULL)
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
}

static void call_handler(jz_shard *shard, jz_connection *connection, const jz_asked *asked, const jz_address *client)
{
    jz_exchange *exchange = connection->exchange;
    const jz_route *route = exchange->route;
    jz_properties *properties = jz_properties_take(&shard->turn.links, connection->link);
    const jz_request request = {.head = asked->head,
                                .parameters = asked->parameters,
                                .client = *client,
                                .route = route->path,
                                .is_secure = jz_client_is_secure(shard, connection, asked->head),
                                .is_passed_on = jz_client_is_passed_on(shard, connection, asked->head, client),
                                .properties = properties};
    exchange->was_called = route->page_options.execution == JZ_EXECUTION_LOOP;
    if (!exchange->was_called)
        have_handler_called(shard, connection, asked, &request);
    else
        route->page_handler(route->page_context, request_of(shard, connection, exchange), &request);
    free(properties);
}

void jz_exchange_ask(jz_shard *shard, jz_connection *connection, const jz_route *route, const jz_asked *asked)
{
    jz_address client;
    if (route->files != NULL) {
        jz_file_ask(shard, connection, route, asked);
        return;
    }
    if (!jz_client_address_find(shard, connection, route, asked->head, &client)) {
        jz_client_address_refuse(shard, connection, route);
        return;
    }
    jz_exchange *exchange = jz_exchange_create(shard, route, asked);
    if (exchange == NULL) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return;
    }
    jz_exchange_enter(connection, exchange);
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_ASKING, memory_order_release);
    call_handler(shard, connection, asked, &client);
    if (exchange->answer != NULL)
        jz_exchange_proceed(shard, connection);
    else
        jz_timer_set(&shard->turn.loop.timers, &connection->timer, route->page_options.answer_timeout_ms);
}

void jz_exchange_keep_input(jz_connection *connection, jz_input *input)
{
    jz_exchange *exchange = connection->exchange;
    if (input->length > JZ_MOST_PIPELINED - exchange->rest.length)
        exchange->has_dropped = true;
    if (exchange->has_dropped && exchange->is_resting)
        connection->broken = JZ_BROKEN_OFF; /* no answer can say any more that the connection ends */
    if (!exchange->has_dropped && !jz_buffer_append(&exchange->rest, input->bytes, input->length))
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    input->length = 0;
}

void jz_exchange_rest(jz_shard *shard, jz_connection *connection, jz_input *input)
{
    jz_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return;
    }
    exchange->is_resting = true;
    jz_exchange_enter(connection, exchange);
    jz_exchange_keep_input(connection, input);
    jz_turn_mark_dirty(&shard->turn, connection);
}

bool jz_exchange_is_sending(const jz_connection *connection)
{
    const jz_exchange *exchange = connection->phase == JZ_PHASE_ASKING ? connection->exchange : NULL;
    return exchange != NULL && (exchange->is_resting || (exchange->transfer != NULL && exchange->transfer->has_begun));
}

bool jz_exchange_is_resting(const jz_connection *connection)
{
    return connection->phase == JZ_PHASE_ASKING && connection->exchange != NULL && connection->exchange->is_resting;
}

jz_buffer jz_exchange_take_rest(jz_connection *connection)
{
    jz_exchange *exchange = jz_exchange_leave(connection);
    jz_buffer rest = exchange->rest;
    exchange->rest = (jz_buffer){0};
    jz_exchange_free(exchange);
    return rest;
}

jz_answer_status jz_exchange_answer(jz_shard *shard, jz_connection *connection, jz_answer *answer)
{
    jz_exchange *exchange = connection->phase == JZ_PHASE_ASKING ? connection->exchange : NULL;
    if (exchange == NULL || exchange->number != answer->exchange || exchange->transfer != NULL ||
        exchange->answer != NULL || exchange->is_resting || connection->broken != JZ_FAILURE_NONE)
        return JZ_ANSWER_LATE;
    exchange->answer = answer;
    atomic_store_explicit(&connection->visible, JZ_VISIBLE_NOT, memory_order_relaxed);
    jz_turn_mark_dirty(&shard->turn, connection);
    return JZ_ANSWER_TAKEN;
}

/* As for pages with fixed content: see answer_page in http.c. */
bool jz_exchange_goes_on_behind(const jz_shard *shard, const jz_connection *connection, const jz_exchange *exchange)
{
    size_t buffered = atomic_load_explicit(&connection->buffered_amount, memory_order_relaxed);
    return exchange->keeps_alive && !exchange->has_dropped && shard->course == JZ_COURSE_SERVING &&
           buffered <= shard->server->options.backpressure_limit / 2;
}

/* The answer is on its way, and the connection has left its phase: what is behind the request has its turn later. */
static void conclude(jz_connection *connection, jz_exchange *exchange)
{
    if (exchange->rest.length == 0 || connection->phase != JZ_PHASE_HEAD || connection->broken != JZ_FAILURE_NONE) {
        jz_exchange_free(exchange);
        return;
    }
    jz_answer_free(exchange->answer);
    if (exchange->transfer != NULL)
        jz_transfer_end(exchange->transfer);
    exchange->answer = NULL;
    exchange->transfer = NULL;
    exchange->is_resting = true;
    jz_exchange_enter(connection, exchange);
}

static void send_answer(jz_shard *shard, jz_connection *connection)
{
    jz_exchange *exchange = end(shard, connection);
    jz_response response = jz_response_of_answer(exchange->answer);
    response.is_head = exchange->is_head;
    response.keeps_alive = jz_exchange_goes_on_behind(shard, connection, exchange);
    response.says_keep_alive = exchange->says_keep_alive;
    jz_http_respond(shard, connection, &response);
    conclude(connection, exchange);
}

static void send_file(jz_shard *shard, jz_connection *connection)
{
    jz_exchange *exchange = connection->exchange;
    if (exchange->transfer->is_away || !jz_file_send(shard, connection))
        return;
    if (exchange->transfer->has_begun)
        jz_http_conclude(shard, connection, exchange->keeps_alive);
    conclude(connection, exchange);
}

void jz_exchange_proceed(jz_shard *shard, jz_connection *connection)
{
    const jz_exchange *exchange = connection->exchange;
    if (exchange->transfer != NULL)
        send_file(shard, connection);
    else if (exchange->answer != NULL)
        send_answer(shard, connection);
}

void jz_exchange_follow(jz_shard *shard, jz_connection *connection)
{
    jz_exchange *exchange = connection->exchange;
    if (exchange->transfer != NULL && connection->broken == JZ_FAILURE_NONE)
        jz_file_go_on(shard, connection);
    /* One answer after the other, so that a client that asks for many and takes none costs no more than one. */
    if (!exchange->is_resting || exchange->is_noted || connection->unsent != NULL)
        return;
    exchange->is_noted = true;
    jz_kept_input_note(shard, connection);
}

/* The application's fault, or its disk's, not the client's: a warning instead of the line about a refusal. */
void jz_exchange_time_out(jz_shard *shard, jz_connection *connection)
{
    if (jz_file_has_settled(shard, connection))
        return;
    const jz_route *route = connection->exchange->route;
    const char *option = route->files != NULL ? "upgrade_timeout_ms" : "answer_timeout_ms";
    jz_address peer = jz_connection_peer(connection);
    const jz_log_about about = {.route = route->path, .cause = jz_refusal_name(JZ_REFUSAL_UPGRADE_TIMEOUT)};
    jz_peer_log_tell_at(shard, JZ_LOG_WARNING, &peer, &about,
                        "refused: the page %.100s was not answered within %" PRIu32 " ms (%s)", route->path,
                        route->page_options.answer_timeout_ms, option);
    char told[64];
    snprintf(told, sizeof told, "the page was not made in time (%s)", option);
    jz_refusal_count(shard, &peer, route->path, JZ_REFUSAL_UPGRADE_TIMEOUT, told);
    jz_exchange_free(end(shard, connection));
    jz_http_answer_refused(shard, connection, JZ_REFUSAL_UPGRADE_TIMEOUT, told);
}

void jz_exchange_stop(jz_shard *shard, jz_connection *connection, bool lingers)
{
    jz_exchange *exchange = connection->exchange;
    exchange->keeps_alive = false;
    if (exchange->is_resting) {
        jz_http_finish(shard, connection, lingers);
    } else if (exchange->answer == NULL && !jz_exchange_is_sending(connection)) {
        jz_exchange_free(end(shard, connection));
        jz_http_answer_refused(shard, connection, JZ_REFUSAL_UPGRADE_TIMEOUT, "the server stops");
    }
}

void jz_exchange_discard(jz_shard *shard, jz_connection *connection)
{
    jz_exchange_free(connection->exchange->is_resting ? jz_exchange_leave(connection) : end(shard, connection));
}
