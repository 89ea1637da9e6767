#define _POSIX_C_SOURCE 200809L

#include "http/serving_files.h"

#include <string.h>

#include "codec/file_path.h"
#include "http/responding.h"
#include "http/transfer.h"
#include "output/output.h"
#include "shard/server.h"

enum { MOST_PATH = 4096 };

/* No file has this path. As for other paths that lead nowhere: see answer_of in http.c. */
static void respond_missing(jz_shard *shard, jz_connection *connection, jz_response *response,
                            char body[JZ_REFUSAL_BODY_SIZE])
{
    static const char detail[] = "there is no such file";
    const jz_page *page = shard->server->routes.not_found;
    jz_refusal_note_detail(shard, connection, JZ_REFUSAL_NOT_FOUND, detail);
    if (page == NULL)
        *response = jz_http_response_of(JZ_REFUSAL_NOT_FOUND, detail, body);
    else
        *response = (jz_response){.status = 404,
                                  .content_type = page->content_type,
                                  .body = page->body,
                                  .length = page->length,
                                  .body_lasts = true};
}

/* Sends a response that is no file. */
static void respond(jz_shard *shard, jz_connection *connection, const jz_exchange *exchange, jz_response *response)
{
    response->is_head = exchange->is_head;
    response->keeps_alive = jz_exchange_goes_on_behind(shard, connection, exchange);
    response->says_keep_alive = exchange->says_keep_alive;
    jz_http_respond(shard, connection, response);
}

/* The path within the folder, written to `path`. False: nothing that may be served has it. */
static bool find_path(const jz_route *route, const jz_route_parameters *parameters, char path[MOST_PATH],
                      size_t *length)
{
    const jz_files *files = route->files;
    jz_text within = {"", 0};
    if (jz_route_pattern_has_catch_all(route->path) && parameters->count > 0)
        within = parameters->all[parameters->count - 1].value;
    bool names_folder = within.length == 0 || within.start[within.length - 1] == '/';
    size_t index_length = names_folder ? strlen(files->index) : 0;
    if (!jz_file_path_may_be_served(within) || (names_folder && index_length == 0) ||
        within.length + index_length >= MOST_PATH)
        return false;
    memcpy(path, within.start, within.length);
    memcpy(path + within.length, files->index, index_length);
    *length = within.length + index_length;
    return true;
}

/* Has it opened, or, if it was changed just now, read. */
static void send_away(jz_shard *shard, jz_connection *connection)
{
    const jz_exchange *exchange = connection->exchange;
    if (exchange->transfer == NULL || !jz_transfer_send_away(exchange->transfer))
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
    else
        jz_timer_set(&shard->turn.loop.timers, &connection->timer, exchange->route->page_options.answer_timeout_ms);
}

void jz_file_ask(jz_shard *shard, jz_connection *connection, const jz_route *route, const jz_asked *asked)
{
    char path[MOST_PATH];
    jz_text within = {path, 0};
    jz_exchange *exchange = jz_exchange_create(shard, route, asked);
    if (exchange == NULL) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return;
    }
    if (route->files->is_folder && !find_path(route, asked->parameters, path, &within.length)) {
        char body[JZ_REFUSAL_BODY_SIZE];
        jz_response response;
        respond_missing(shard, connection, &response, body);
        respond(shard, connection, exchange, &response);
        jz_exchange_free(exchange);
        return;
    }
    jz_exchange_enter(connection, exchange);
    exchange->transfer = jz_transfer_create(shard, jz_shard_handle_of(shard, connection), route->files,
                                            route->files->is_folder ? &within : NULL, asked->text);
    send_away(shard, connection);
}

/* Logs a failure that is not the client's. */
static void tell(jz_shard *shard, jz_connection *connection, const jz_transfer *transfer, jz_file_result result,
                 int reason)
{
    const jz_route *route = connection->exchange->route;
    jz_address peer = jz_connection_peer(connection);
    const jz_log_about about = {.route = route->path, .cause = "file"};
    const char *path = transfer->path != NULL ? transfer->path : transfer->files->root;
    char why[128] = "it was changed while it was sent, and the connection ends before it is complete";
    jz_log_level level = result == JZ_FILE_FORBIDDEN || result == JZ_FILE_CHANGED ? JZ_LOG_WARNING : JZ_LOG_ERROR;
    if (result != JZ_FILE_CHANGED && strerror_r(reason, why, sizeof why) != 0)
        why[0] = '\0';
    jz_peer_log_tell_at(shard, level, &peer, &about, "the file \"%.200s\" of the page %.100s cannot be read: %s", path,
                        route->path, why);
}

/* The file could not be opened, or its first piece not read. */
static void respond_failure(jz_shard *shard, jz_connection *connection, jz_transfer *transfer)
{
    char body[JZ_REFUSAL_BODY_SIZE];
    jz_exchange *exchange = connection->exchange;
    jz_file_result result = transfer->answer.result != JZ_FILE_OK ? transfer->answer.result : transfer->result;
    int status = transfer->answer.result != JZ_FILE_OK ? transfer->answer.status : 503;
    jz_response response = jz_response_refusing(status);
    if (status == 404)
        respond_missing(shard, connection, &response, body);
    else
        tell(shard, connection, transfer, result,
             transfer->answer.result != JZ_FILE_OK ? transfer->answer.reason : transfer->reason);
    if (status == 503)
        response.extra_headers = "Retry-After: 10\r\n";
    jz_exchange_leave(connection);
    respond(shard, connection, exchange, &response);
}

/* The head of the response, with the length of its content. False when there is no memory. */
static bool send_head(jz_shard *shard, jz_connection *connection, jz_transfer *transfer)
{
    jz_exchange *exchange = connection->exchange;
    const jz_file_answer *answer = &transfer->answer;
    exchange->keeps_alive = jz_exchange_goes_on_behind(shard, connection, exchange);
    const jz_response response = {.status = answer->status,
                                  .content_type = answer->content_type,
                                  .length = (size_t)answer->length,
                                  .further_headers = {(const char *)answer->headers.bytes, answer->headers.length},
                                  .is_head = true,
                                  .keeps_alive = exchange->keeps_alive,
                                  .says_keep_alive = exchange->says_keep_alive};
    jz_buffer *output = jz_output_open(&shard->turn, connection);
    if (output == NULL || !jz_response_append(&response, &shard->date, output))
        return false;
    jz_output_appended(&shard->turn, connection);
    transfer->has_begun = true;
    return true;
}

/* What is there of the content. False when there is no memory. */
static bool send_content(jz_shard *shard, jz_connection *connection, jz_transfer *transfer)
{
    jz_turn *turn = &shard->turn;
    jz_file_answer *answer = &transfer->answer;
    jz_buffer *piece = &transfer->piece;
    if (connection->exchange->is_head) {
        answer->left = 0;
    } else if (answer->packed != NULL) {
        size_t frame_length;
        size_t length = jz_publication_length(answer->packed);
        const uint8_t *frame = jz_publication_plain_frame(answer->packed, &frame_length);
        answer->left = 0;
        return jz_output_share(turn, connection, answer->packed, frame + frame_length - length, length);
    } else if (piece->length > 0) {
        jz_buffer *output = jz_output_open(turn, connection);
        if (output == NULL || !jz_buffer_append(output, piece->bytes, piece->length))
            return false;
        answer->left -= piece->length;
        piece->length = 0;
        jz_output_appended(turn, connection);
    }
    return true;
}

/* It came back because it was changed just now. */
static void let_settle(jz_shard *shard, jz_connection *connection, jz_transfer *transfer)
{
    if (transfer->settles_in > 0)
        jz_timer_set(&shard->turn.loop.timers, &connection->timer, transfer->settles_in);
    transfer->settles_in = 0;
}

bool jz_file_has_settled(jz_shard *shard, jz_connection *connection)
{
    const jz_transfer *transfer = connection->exchange->transfer;
    if (transfer == NULL || transfer->is_away || transfer->is_opened)
        return false;
    send_away(shard, connection);
    return true;
}

bool jz_file_send(jz_shard *shard, jz_connection *connection)
{
    jz_transfer *transfer = connection->exchange->transfer;
    const jz_file_answer *answer = &transfer->answer;
    if (!transfer->is_opened) {
        let_settle(shard, connection, transfer);
        return false;
    }
    if (!transfer->has_begun && (answer->result != JZ_FILE_OK || transfer->result != JZ_FILE_OK)) {
        respond_failure(shard, connection, transfer);
        return true;
    }
    if (!transfer->has_begun && (answer->status == 412 || answer->status == 416)) {
        jz_response response = jz_response_refusing(answer->status);
        response.further_headers = (jz_text){(const char *)answer->headers.bytes, answer->headers.length};
        jz_exchange *exchange = connection->exchange;
        jz_exchange_leave(connection);
        respond(shard, connection, exchange, &response);
        return true;
    }
    if (transfer->result != JZ_FILE_OK) {
        tell(shard, connection, transfer, transfer->result, transfer->reason);
        connection->broken = JZ_BROKEN_OFF;
        return false;
    }
    if ((!transfer->has_begun && !send_head(shard, connection, transfer)) ||
        !send_content(shard, connection, transfer)) {
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
        return false;
    }
    connection->timer.tag = 0;
    jz_timer_set(&shard->turn.loop.timers, &connection->timer, shard->server->options.handshake_timeout_ms);
    if (answer->left > 0)
        return false;
    jz_exchange_leave(connection);
    return true;
}

void jz_file_go_on(jz_shard *shard, jz_connection *connection)
{
    (void)shard;
    jz_transfer *transfer = connection->exchange->transfer;
    if (!transfer->has_begun || transfer->is_away || transfer->answer.left == 0 || connection->unsent != NULL)
        return;
    if (!jz_transfer_send_away(transfer))
        connection->broken = JZ_FAILURE_OUT_OF_MEMORY;
}
