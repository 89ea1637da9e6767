/* The server's handlers, which do what each message says; and calls of the server by any thread. */
#include <stdlib.h>
#include <string.h>

#include "../Fuzz/support/require.h"
#include "peer/content.h"
#include "scene.h"

static const char *const topics[SCENE_TOPICS] = {"", "a", "a topic with a longer name"};

/* The server's own part of a handler, in which calls may fail; a handler's own is spared. */
#define OF_SERVER(call) (faults_spare_no_more(), (call))

static bool is_accepted(jz_send_status status)
{
    return status == JZ_SEND_SENT || status == JZ_SEND_QUEUED;
}

jz_ws scene_ws(client *client)
{
    pthread_mutex_lock(&client->lock);
    jz_ws ws = client->ws;
    pthread_mutex_unlock(&client->lock);
    return ws;
}

void scene_send(scene *scene, client *to, jz_message_kind kind, size_t length)
{
    uint8_t *bytes = malloc(length + 1);
    require(bytes != NULL, "the test has memory");
    content_fill(bytes, length, ++scene->next_number);
    pthread_mutex_lock(&to->lock);
    jz_send_status status = OF_SERVER(jz_ws_send(to->ws, kind, bytes, length));
    faults_spare();
    require(!is_accepted(status) || to->has_opened, "nothing is accepted for who has not opened");
    if (is_accepted(status) && kind <= JZ_MESSAGE_BINARY)
        peer_add_due_from_elsewhere(&to->peer, kind, bytes, length, !scene->is_roomy);
    pthread_mutex_unlock(&to->lock);
    free(bytes);
}

/* All are locked in their order, so that each has the publications of one topic in one order. */
void scene_publish(scene *scene, client *from, uint8_t topic, size_t length)
{
    const char *name = topics[topic];
    uint8_t *bytes = malloc(length + 1);
    require(bytes != NULL, "the test has memory");
    content_fill(bytes, length, ++scene->next_number);
    for (size_t i = 0; i < SCENE_CLIENTS; i++)
        pthread_mutex_lock(&scene->clients[i].lock);
    jz_send_status status =
        from != NULL ? OF_SERVER(jz_ws_publish(from->ws, name, strlen(name), JZ_MESSAGE_TEXT, bytes, length))
                     : OF_SERVER(jz_server_publish(scene->server, name, strlen(name), JZ_MESSAGE_TEXT, bytes, length));
    faults_spare();
    for (size_t i = 0; i < SCENE_CLIENTS; i++) {
        client *to = &scene->clients[i];
        if (status != JZ_SEND_CLOSED && to != from && to->may_be_subscribed[topic])
            peer_add_due(&to->peer, JZ_MESSAGE_TEXT, bytes, length, true);
    }
    for (size_t i = SCENE_CLIENTS; i > 0; i--)
        pthread_mutex_unlock(&scene->clients[i - 1].lock);
    free(bytes);
}

void scene_subscribe(client *client, uint8_t topic, bool subscribes)
{
    const char *name = topics[topic];
    pthread_mutex_lock(&client->lock);
    client->may_be_subscribed[topic] |= subscribes;
    jz_ws ws = client->ws;
    pthread_mutex_unlock(&client->lock);
    if (subscribes)
        OF_SERVER(jz_ws_subscribe(ws, name, strlen(name)));
    else
        OF_SERVER(jz_ws_unsubscribe(ws, name, strlen(name)));
    faults_spare();
}

size_t scene_subscribers(scene *scene, uint8_t topic, jz_ws *found, size_t capacity)
{
    const char *name = topics[topic];
    size_t count = OF_SERVER(jz_server_subscribers(scene->server, name, strlen(name), found, capacity));
    faults_spare();
    return count;
}

void scene_close_topic(scene *scene, uint8_t topic)
{
    const char *name = topics[topic];
    OF_SERVER(jz_server_close_topic(scene->server, name, strlen(name), JZ_CLOSE_TRY_AGAIN_LATER, "enough", 6));
    faults_spare();
}

void scene_pause(scene *scene, client *client, bool pauses)
{
    jz_ws ws = scene_ws(client);
    if (pauses && !scene->is_ending)
        OF_SERVER(jz_ws_pause_reading(ws));
    else
        OF_SERVER(jz_ws_resume_reading(ws));
    faults_spare();
}

/* Echoed from where the message is, because the server may then send it in place. */
static void echo(scene *scene, client *self, const jz_message *message, size_t length)
{
    pthread_mutex_lock(&self->lock);
    jz_send_status status = OF_SERVER(jz_ws_send(self->ws, message->kind, message->bytes, length));
    faults_spare();
    /* QUEUED may mean a letter, if more letters wait than this iteration takes. */
    if (status == JZ_SEND_SENT)
        peer_add_due(&self->peer, message->kind, message->bytes, length, false);
    else if (status == JZ_SEND_QUEUED)
        peer_add_due_from_elsewhere(&self->peer, message->kind, message->bytes, length, !scene->is_roomy);
    pthread_mutex_unlock(&self->lock);
}

/* CLOSED: the peer, or another thread, was first. */
static void note_end(client *self, const client *ended, jz_send_status status)
{
    faults_spare();
    pthread_mutex_lock(&self->lock);
    self->has_ended_itself |= ended == self && status != JZ_SEND_DROPPED;
    pthread_mutex_unlock(&self->lock);
}

static void close_client(client *self, client *closed, uint16_t code)
{
    jz_ws ws = scene_ws(closed);
    note_end(self, closed, OF_SERVER(jz_ws_close(ws, code, "enough", 6)));
}

static void close_topic(scene *scene, client *self, uint8_t topic)
{
    scene_close_topic(scene, topic);
    pthread_mutex_lock(&self->lock);
    self->may_have_ended_itself |= self->may_be_subscribed[topic];
    pthread_mutex_unlock(&self->lock);
}

static void act(scene *scene, client *self, const peer_message *wanted, const jz_message *message)
{
    enum { LARGE = 40000 };
    client *other = &scene->clients[wanted->target % SCENE_CLIENTS];
    uint8_t topic = wanted->target % SCENE_TOPICS;
    switch (wanted->action) {
    case ACTION_LISTEN:
        break;
    case ACTION_ECHO_TWICE:
        echo(scene, self, message, message->length);
        echo(scene, self, message, message->length);
        break;
    case ACTION_ECHO_PART:
        echo(scene, self, message, message->length / 2);
        break;
    case ACTION_ANSWER_LARGE:
        scene_send(scene, self, JZ_MESSAGE_BINARY, LARGE);
        break;
    case ACTION_PUBLISH:
        scene_publish(scene, self, topic, message->length);
        break;
    case ACTION_PUBLISH_TO_ALL:
        scene_publish(scene, NULL, topic, message->length);
        break;
    case ACTION_SUBSCRIBE:
    case ACTION_UNSUBSCRIBE:
        scene_subscribe(self, topic, wanted->action == ACTION_SUBSCRIBE);
        break;
    case ACTION_SEND_TO_OTHER:
        scene_send(scene, other, JZ_MESSAGE_TEXT, message->length);
        break;
    case ACTION_CLOSE_OTHER:
        close_client(self, other, JZ_CLOSE_NORMAL);
        break;
    case ACTION_PAUSE:
    case ACTION_RESUME_OTHER:
        scene_pause(scene, wanted->action == ACTION_PAUSE ? self : other, wanted->action == ACTION_PAUSE);
        break;
    case ACTION_PING:
        scene_send(scene, other, JZ_MESSAGE_PING, message->length % 126);
        break;
    case ACTION_ECHO_AND_CLOSE:
        echo(scene, self, message, message->length);
        close_client(self, self, 4000);
        break;
    case ACTION_CLOSE:
        if (wanted->target % 4 == 0)
            close_topic(scene, self, topic);
        else
            close_client(self, self, JZ_CLOSE_NORMAL);
        break;
    case ACTION_TERMINATE: {
        jz_ws ws = scene_ws(self);
        note_end(self, self, OF_SERVER(jz_ws_terminate(ws)));
        break;
    }
    default:
        echo(scene, self, message, message->length);
        break;
    }
}

/* The request in the open event, if there is memory for it, is the client's own: in whichever buffer its head was. */
static void check_request(const client *client, jz_ws ws)
{
    jz_string number;
    const jz_request *request = OF_SERVER(jz_ws_request(ws));
    jz_kept_request *kept = OF_SERVER(jz_ws_keep_request(ws));
    jz_request *again = kept != NULL ? OF_SERVER(jz_kept_request_parse(kept)) : NULL;
    faults_spare();
    const jz_request *all[] = {request, again};
    for (size_t i = 0; i < 2; i++) {
        require(all[i] == NULL || (jz_request_query_value(all[i], "n", &number) &&
                                   (size_t)atoi(number.start) % SCENE_CLIENTS == client->number),
                "the request in an open event is the client's own");
    }
    jz_request_free(again);
    jz_kept_request_free(kept);
}

/* Notes an event. Returns what to do about a message. */
static peer_message note(client *client, jz_ws ws, const jz_event *event, const jz_message *message)
{
    peer_message wanted = {.action = ACTION_LISTEN};
    pthread_mutex_lock(&client->lock);
    require(client->has_opened == (event->type != JZ_EVENT_OPEN), "the open event comes first, and once");
    require(!client->has_closed, "the close event comes last");
    if (event->type == JZ_EVENT_OPEN) {
        client->ws = ws;
        client->has_opened = true;
    } else if (event->type == JZ_EVENT_CLOSE) {
        client->has_closed = true;
        client->was_clean = event->was_clean;
        client->cause = event->cause;
    } else if (event->type == JZ_EVENT_MESSAGE) {
        require(!client->has_ended_itself, "a handler that has ended its connection gets no more messages");
        wanted = peer_is_told(&client->peer, message);
    }
    pthread_mutex_unlock(&client->lock);
    return wanted;
}

void scene_handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    faults_spare();
    client *client = jz_ws_state(ws);
    require(client != NULL, "a connection has the state with which it was accepted");
    peer_message wanted = note(client, ws, event, message);
    if (event->type == JZ_EVENT_OPEN)
        check_request(client, ws);
    else
        require(jz_ws_request(ws) == NULL, "there is a request in the open event alone");
    if (wanted.action != ACTION_LISTEN)
        act(context, client, &wanted, message);
    faults_spare_no_more();
}

bool scene_answer(scene *scene, jz_handshake handshake, client *client, bool accepts)
{
    static const jz_rejection rejection = {.status = 403};
    const jz_acceptance acceptance = {.state = client};
    scene->accepted += accepts ? 1 : 0;
    jz_answer_status status = accepts ? OF_SERVER(jz_handshake_accept(handshake, &acceptance))
                                      : OF_SERVER(jz_handshake_reject(handshake, &rejection));
    faults_spare();
    scene->accepted -= accepts && status != JZ_ANSWER_TAKEN ? 1 : 0;
    return status != JZ_ANSWER_OUT_OF_MEMORY;
}

void scene_release(void *state)
{
    client *client = state;
    faults_spare();
    pthread_mutex_lock(&client->lock);
    require(client->releases++ == 0, "a state is released once");
    require(client->has_opened == client->has_closed, "a state is released after the close event");
    pthread_mutex_unlock(&client->lock);
    faults_spare_no_more();
}

void scene_keep_question(scene *scene, jz_handshake handshake, client *client)
{
    pthread_mutex_lock(&scene->questions_lock);
    require(scene->question_count < SCENE_QUESTIONS, "there are no more questions than clients");
    scene->askers[scene->question_count] = client;
    scene->questions[scene->question_count++] = handshake;
    pthread_mutex_unlock(&scene->questions_lock);
}

/* Answered at once or, also if that is not possible, later by another thread. */
void scene_ask(void *context, jz_handshake handshake, const jz_request *request)
{
    scene *scene = context;
    faults_spare();
    jz_string number;
    require(jz_request_query_value(request, "n", &number), "a request says whose it is");
    client *client = &scene->clients[(size_t)atoi(number.start) % SCENE_CLIENTS];
    bool is_answered = client->number % 4 != 1 && scene_answer(scene, handshake, client, client->number % 16 != 2);
    if (!is_answered)
        scene_keep_question(scene, handshake, client);
    faults_spare_no_more();
}
