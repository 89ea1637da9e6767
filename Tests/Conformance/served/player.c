#include "player.h"

#include <stdio.h>

#include "../../CJazzyPollTests/support/eventually.h"
#include "../../CJazzyPollTests/support/sent_frames.h"
#include "client.h"
#include "pieces.h"

static bool says(char text[PLAYER_TEXT_SIZE], const char *what)
{
    snprintf(text, PLAYER_TEXT_SIZE, "%s", what);
    return false;
}

/* The response must have the expected compression parameters. */
static bool is_let_in(client *client, const session_row *row, char text[PLAYER_TEXT_SIZE])
{
    static const char name[] = "Sec-WebSocket-Extensions: ";
    char head[512];
    if (!client_take_head(client, head, sizeof head))
        return says(text, "no response");
    if (strncmp(head, "HTTP/1.1 101 ", 13) != 0)
        return says(text, head);
    const char *due = row->deflate != NULL ? row->deflate->answer : NULL;
    const char *answer = strstr(head, name);
    if (due == NULL)
        return answer == NULL || says(text, head);
    answer = answer != NULL ? answer + strlen(name) : "";
    return (strncmp(answer, due, strlen(due)) == 0 && answer[strlen(due)] == '\r') || says(text, head);
}

/* The server's loop has turned, and taken letters, since it had been held this often; or it reads this one no more. */
static bool await_turns(row_server *server, size_t held_before, size_t turns)
{
    uint64_t deadline = test_deadline();
    while (pieces_held_reads() < held_before + turns && !row_server_has_closed(server)) {
        if (!test_is_before(deadline))
            return false;
    }
    return true;
}

/* From another thread, so that what would be sent at once is queued. */
static bool take_step(jz_ws ws, const session_step *step)
{
    jz_buffer bytes = {0};
    test_bytes_append(&bytes, step->bytes);
    jz_send_status status = step->type == STEP_SEND
                                ? jz_ws_send(ws, step->kind, bytes.bytes, bytes.length)
                                : jz_ws_close(ws, step->close_code, (const char *)bytes.bytes, bytes.length);
    jz_buffer_free(&bytes);
    return status == (step->status == JZ_SEND_SENT ? JZ_SEND_QUEUED : step->status);
}

/* The server's own steps between the client's: reading is paused meanwhile. */
static bool take_steps(row_server *server, const client_stream *stream, char text[PLAYER_TEXT_SIZE])
{
    enum { UNTIL_LETTERS_WERE_TAKEN = 4 }; /* because a transport is read up to twice per iteration */
    for (size_t i = 0; i < stream->step_count; i++) {
        pieces_hold_at((ptrdiff_t)stream->steps[i].position);
        if (!await_turns(server, 0, 1))
            return says(text, "what comes before a step of the server's is not read");
        if (!take_step(row_server_ws(server), stream->steps[i].step))
            return says(text, "a step of the server's has another status");
        if (!await_turns(server, pieces_held_reads(), UNTIL_LETTERS_WERE_TAKEN))
            return says(text, "a step of the server's is not taken");
    }
    pieces_hold_at(NO_HOLD);
    return true;
}

/* A clean close ends the connection at once: later bytes of the client may not be received. */
static bool ends_cleanly(const session_row *row)
{
    size_t count = row->events.count;
    return count > 0 && row->events.first[count - 1].was_clean;
}

/*
 * Over TLS a client sends something for its end, too. After its close frame it waits for the server's end, as it should
 * (RFC 6455, 7.1.1): what it sends to a socket that is closed destroys what it has not received yet.
 */
static bool finishes(const row_server *server, const session_row *row)
{
    return row_server_connect(server) == NULL || !ends_cleanly(row);
}

static bool is_answered(client *client, row_server *server, const session_row *row, const client_stream *stream,
                        bool sends_at_once, char text[PLAYER_TEXT_SIZE])
{
    char why[SENT_FRAMES_TEXT_SIZE];
    client_send(client, &stream->bytes, sends_at_once ? stream->bytes.length : stream->request_length,
                sends_at_once && finishes(server, row));
    if (!is_let_in(client, row, text))
        return false;
    if (!sends_at_once)
        client_send(client, &stream->bytes, stream->bytes.length, finishes(server, row));
    if (!take_steps(server, stream, text))
        return false;
    if (!client_take_all(client))
        return says(text, "the connection does not end");
    if (client->has_lost && !ends_cleanly(row))
        return says(text, "the connection ends with a reset, which may destroy what was sent before");
    return sent_frames_are_due(row, &client->received, why) || says(text, why);
}

bool player_play(row_server *server, const session_row *row, const client_stream *stream, const manner *manner,
                 char text[PLAYER_TEXT_SIZE])
{
    char why[600];
    cuts cuts = cuts_of(stream, manner);
    bool sends_at_once = cuts.positions[0] != stream->request_length;
    row_server_forget_events(server);
    pieces_begin(&cuts, stream->step_count > 0 ? (ptrdiff_t)stream->steps[0].position : NO_HOLD);
    client client = client_connect(row_server_port(server), row_server_network(server), row_server_connect(server));
    bool is_well = is_answered(&client, server, row, stream, sends_at_once, text);
    client_close(&client);
    if (!row_server_is_quiet(server))
        is_well = is_well && says(text, "connections, or what is counted of them, stay");
    else if (is_well && !row_server_events_are_due(server, row, why))
        is_well = says(text, why);
    cuts_free(&cuts);
    return is_well;
}
