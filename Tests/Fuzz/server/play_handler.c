/* The server's handlers: they do what each message says, and check their events. */
#include <stdio.h>
#include <string.h>

#include "../../Driver/peer/content.h"
#include "play.h"

static const char *const topics[PLAY_TOPICS] = {"", "a", "a topic with a longer name"};

/* The player whose handle this is: the one of that port. */
static player *player_of(play *play, jz_ws ws)
{
    char text[JZ_REMOTE_ADDRESS_SIZE];
    size_t length = jz_ws_remote_address(ws, text);
    const char *colon = strrchr(text, ':');
    require(length > 0 && colon != NULL, "a connection has an address");
    size_t number = (size_t)atoi(colon + 1) - KERNEL_FIRST_PORT;
    require(number < play->player_count, "a connection has the address of its peer");
    return &play->players[number];
}

/* A call of the server, in which allocations may fail. */
#define IN_SERVER(call) (kernel_enter_server(true), (call))
#define LEAVE_SERVER() kernel_enter_server(false)

void play_send(play *play, player *to, jz_message_kind kind, uint32_t number, size_t length, bool is_from_outside)
{
    (void)play;
    uint8_t *bytes = fuzz_allocate(length + 1);
    content_fill(bytes, length, number);
    jz_send_status status = IN_SERVER(jz_ws_send(to->ws, kind, bytes, length));
    LEAVE_SERVER();
    bool is_accepted = status == JZ_SEND_SENT || status == JZ_SEND_QUEUED;
    require(!is_accepted || (to->has_opened && !to->has_closed), "nothing is accepted for who is gone");
    if (is_accepted && kind <= JZ_MESSAGE_BINARY)
        peer_add_due(&to->peer, kind, bytes, length, is_from_outside || kernel_has_failed());
    free(bytes);
}

void play_publish(play *play, player *from, uint8_t topic, uint32_t number, size_t length)
{
    uint8_t *bytes = fuzz_allocate(length + 1);
    content_fill(bytes, length, number);
    const char *name = topics[topic];
    jz_send_status status =
        from != NULL ? IN_SERVER(jz_ws_publish(from->ws, name, strlen(name), JZ_MESSAGE_TEXT, bytes, length))
                     : IN_SERVER(jz_server_publish(play->server, name, strlen(name), JZ_MESSAGE_TEXT, bytes, length));
    LEAVE_SERVER();
    for (size_t i = 0; i < play->player_count && status != JZ_SEND_CLOSED; i++) {
        player *to = &play->players[i];
        if (to != from && to->may_be_subscribed[topic])
            peer_add_due(&to->peer, JZ_MESSAGE_TEXT, bytes, length, true);
    }
    free(bytes);
}

void play_subscribe(play *play, player *player, uint8_t topic, bool subscribes)
{
    (void)play;
    const char *name = topics[topic];
    jz_send_status status = subscribes ? IN_SERVER(jz_ws_subscribe(player->ws, name, strlen(name)))
                                       : IN_SERVER(jz_ws_unsubscribe(player->ws, name, strlen(name)));
    LEAVE_SERVER();
    player->may_be_subscribed[topic] |= subscribes && status != JZ_SEND_CLOSED;
}

void play_close(player *player, uint16_t code)
{
    player->was_closed_by_us = true;
    IN_SERVER(jz_ws_close(player->ws, code, "that is enough", 14));
    LEAVE_SERVER();
}

/* Echoed from where the message is, because the server may then send it in place. */
static void echo(player *player, const jz_message *message, size_t length)
{
    jz_send_status status = IN_SERVER(jz_ws_send(player->ws, message->kind, message->bytes, length));
    LEAVE_SERVER();
    if (status == JZ_SEND_SENT || status == JZ_SEND_QUEUED)
        peer_add_due(&player->peer, message->kind, message->bytes, length, kernel_has_failed());
}

static void pause_reading(player *player, bool pauses)
{
    jz_send_status status =
        pauses ? IN_SERVER(jz_ws_pause_reading(player->ws)) : IN_SERVER(jz_ws_resume_reading(player->ws));
    LEAVE_SERVER();
    (void)status;
    player->is_paused = pauses;
}

static void act(play *play, player *self, const peer_message *wanted, const jz_message *message)
{
    enum { LARGE = 40000 };
    player *other = &play->players[wanted->target % play->player_count];
    uint8_t topic = wanted->target % PLAY_TOPICS;
    switch (wanted->action) {
    case ACTION_ECHO_TWICE:
        echo(self, message, message->length);
        echo(self, message, message->length);
        break;
    case ACTION_ECHO_PART:
        echo(self, message, message->length / 2);
        break;
    case ACTION_ANSWER_LARGE:
        play_send(play, self, JZ_MESSAGE_BINARY, ++play->next_number, LARGE, false);
        break;
    case ACTION_LISTEN:
        break;
    case ACTION_PUBLISH:
        play_publish(play, self, topic, ++play->next_number, message->length);
        break;
    case ACTION_PUBLISH_TO_ALL:
        play_publish(play, NULL, topic, ++play->next_number, message->length);
        break;
    case ACTION_SUBSCRIBE:
    case ACTION_UNSUBSCRIBE:
        play_subscribe(play, self, topic, wanted->action == ACTION_SUBSCRIBE);
        break;
    case ACTION_SEND_TO_OTHER:
        play_send(play, other, JZ_MESSAGE_TEXT, ++play->next_number, message->length, false);
        break;
    case ACTION_CLOSE_OTHER:
        play_close(other, JZ_CLOSE_NORMAL);
        break;
    case ACTION_PAUSE:
        if (!play->is_over) /* nobody would resume it */
            pause_reading(self, true);
        break;
    case ACTION_RESUME_OTHER:
        pause_reading(other, false);
        break;
    case ACTION_PING:
        play_send(play, other, JZ_MESSAGE_PING, ++play->next_number, message->length % 126, false);
        break;
    case ACTION_ECHO_AND_CLOSE:
        echo(self, message, message->length);
        play_close(self, 4000);
        break;
    case ACTION_CLOSE:
        play_close(self, JZ_CLOSE_NORMAL);
        break;
    case ACTION_TERMINATE:
        self->was_closed_by_us = true;
        IN_SERVER(jz_ws_terminate(self->ws));
        LEAVE_SERVER();
        break;
    default:
        echo(self, message, message->length);
        break;
    }
}

/* The request, if there is memory for it, is that of this connection: in whichever buffer its head was. */
static void check_request(jz_ws ws)
{
    char address[JZ_REMOTE_ADDRESS_SIZE];
    char told[JZ_REMOTE_ADDRESS_SIZE];
    const jz_request *request = IN_SERVER(jz_ws_request(ws));
    jz_kept_request *kept = IN_SERVER(jz_ws_keep_request(ws));
    jz_request *again = kept != NULL ? IN_SERVER(jz_kept_request_parse(kept)) : NULL;
    LEAVE_SERVER();
    const jz_request *all[] = {request, again};
    jz_ws_remote_address(ws, address);
    for (size_t i = 0; i < 2; i++) {
        if (all[i] == NULL)
            continue;
        jz_request_remote_address(all[i], told);
        require(strcmp(told, address) == 0, "a request has the address of its connection");
        require(jz_request_path(all[i]).start[0] == '/' && jz_request_header(all[i], "Sec-WebSocket-Key", NULL),
                "the request in an open event is one for a WebSocket");
    }
    jz_request_free(again);
    jz_kept_request_free(kept);
}

static void take_open(player *player, jz_ws ws)
{
    require(!player->has_opened, "a connection opens once");
    require(jz_ws_is_open(ws), "a connection is open in its open event");
    player->has_opened = true;
    player->ws = ws;
    jz_ws_set_state(ws, player);
}

static void take_close(player *player, const jz_event *event)
{
    player->has_closed = true;
    player->was_clean = event->was_clean;
    player->cause = event->cause;
    require(!jz_ws_is_open(player->ws), "a connection is not open in its close event");
    require(jz_ws_send(player->ws, JZ_MESSAGE_TEXT, "", 0) == JZ_SEND_CLOSED, "what is closed takes nothing");
}

void play_handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    play *play = context;
    LEAVE_SERVER();
    player *player = event->type == JZ_EVENT_OPEN ? player_of(play, ws) : jz_ws_state(ws);
    require(player != NULL && player->has_opened == (event->type != JZ_EVENT_OPEN), "the open event comes first");
    require(!player->has_closed, "the close event comes last");
    if (event->type == JZ_EVENT_OPEN) {
        check_request(ws);
        take_open(player, ws);
    } else if (event->type == JZ_EVENT_CLOSE) {
        take_close(player, event);
    } else if (event->type == JZ_EVENT_MESSAGE) {
        peer_message wanted = peer_is_told(&player->peer, message);
        if (message->kind <= JZ_MESSAGE_BINARY)
            act(play, player, &wanted, message);
    }
    kernel_enter_server(true);
}

void play_ask(void *context, jz_handshake handshake, const jz_request *request)
{
    static const jz_rejection rejection = {.status = 403};
    play *play = context;
    require(jz_request_path(request).length > 0, "a request has a path");
    if (play->hook == HOOK_ACCEPTS)
        jz_handshake_accept(handshake, NULL);
    else if (play->hook == HOOK_REJECTS)
        jz_handshake_reject(handshake, &rejection);
    else if (play->question_count < PLAY_QUESTIONS)
        play->questions[play->question_count++] = handshake;
}
