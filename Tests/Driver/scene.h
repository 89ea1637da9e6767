/*
 * A scene: a server with options chosen by a seed, its clients, and threads that use it from outside of handlers. The
 * threads of clients.c drive the clients; handlers.c has the handlers.
 */
#ifndef JAZZY_DRIVER_SCENE_H
#define JAZZY_DRIVER_SCENE_H

#include <pthread.h>
#include <stdatomic.h>

#include "../CJazzyPollTests/support/random.h"
#include "../CJazzyPollTests/support/throttled_transport.h"
#include "faults.h"
#include "jazzy.h"
#include "peer/peer_reader.h"

enum { SCENE_CLIENTS = 24, SCENE_TOPICS = 3, SCENE_QUESTIONS = SCENE_CLIENTS, LARGEST_MESSAGE = 200000 };

typedef struct client {
    size_t number;
    pthread_mutex_t lock; /* for the peer, and what handlers note: one at a time, or all in their order */
    peer peer;
    jz_ws ws;
    bool has_opened;
    bool has_closed;
    bool has_ended_itself;      /* by its handler */
    bool may_have_ended_itself; /* with a topic: only its loop knows whether it was subscribed then */
    bool was_clean;
    jz_close_cause cause;
    size_t releases; /* of its state */
    bool may_be_subscribed[SCENE_TOPICS];

    /* The client thread's own. */
    test_random random;
    int descriptor;
    uint16_t port;  /* 0: a Unix domain socket's */
    size_t carried; /* of what the peer sends */
    size_t messages_left;
    bool turns_hostile;
    bool was_reset; /* by the client itself */
    bool has_end;   /* the server sends no more */
    jz_buffer received;
    peer_reader reader;
} client;

typedef struct scene {
    uint64_t seed;
    test_random random;
    jz_server *server;
    char unix_path[64];
    bool stops_early;
    bool drains;
    bool is_roomy; /* no message is dropped for want of room */
    faults faults;
    throttled throttle;
    bool has_transport; /* all connections travel through the throttle */
    client clients[SCENE_CLIENTS];
    _Atomic uint32_t next_number; /* of a content */
    atomic_bool is_ending;        /* no connection is paused any more, and paused ones are resumed */
    atomic_bool is_over;          /* all clients have gone */
    atomic_bool was_disturbed;    /* the server stopped while clients were there, or the clock jumped */

    pthread_mutex_t questions_lock;
    jz_handshake questions[SCENE_QUESTIONS];
    client *askers[SCENE_QUESTIONS];
    size_t question_count;
    atomic_size_t accepted; /* answers that were taken, and whose state has to be released */
    atomic_size_t released;
} scene;

/* Plays one scene from its seed. Ends the process where something does not hold. */
void scene_play(uint64_t seed);

/* Prints the progress of the scene to standard error, to debug scenes that do not end. */
void scene_describe(void);

/* handlers.c */
void scene_handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message);
void scene_ask(void *context, jz_handshake handshake, const jz_request *request);
void scene_release(void *state);
void scene_keep_question(scene *scene, jz_handshake handshake, client *client);

/* Whether the question was answered. */
bool scene_answer(scene *scene, jz_handshake handshake, client *client, bool accepts);
void scene_send(scene *scene, client *to, jz_message_kind kind, size_t length);
void scene_publish(scene *scene, client *from, uint8_t topic, size_t length);
void scene_subscribe(client *client, uint8_t topic, bool subscribes);
size_t scene_subscribers(scene *scene, uint8_t topic, jz_ws *found, size_t capacity);
void scene_close_topic(scene *scene, uint8_t topic);
void scene_pause(scene *scene, client *client, bool pauses);
jz_ws scene_ws(client *client);

/* clients.c */
void client_prepare(client *client, scene *scene, size_t number);
void client_finish(client *client);

/* Carries the clients `from` to `to`, until they have gone. */
typedef struct carrier {
    scene *scene;
    size_t from;
    size_t to;
    pthread_t thread;
} carrier;
void *carry_clients(void *carrier);

/* outside.c: a thread that is no loop's uses the server, until the scene is over. */
void *act_outside(void *scene);

#endif
