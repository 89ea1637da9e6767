/* A server, its peers and the kernel between them, driven by a script. One at a time. */
#ifndef JAZZY_FUZZ_PLAY_H
#define JAZZY_FUZZ_PLAY_H

#include "../../Driver/peer/peer.h"
#include "../support/fuzz_input.h"
#include "jazzy.h"
#include "kernel.h"

enum { PLAY_TOPICS = 3, PLAY_QUESTIONS = 8 };

/* How a route's upgrade hook answers. */
typedef enum play_hook { HOOK_ACCEPTS, HOOK_REJECTS, HOOK_WAITS, PLAY_HOOKS } play_hook;

/* A peer, and what its handler has seen. */
typedef struct player {
    peer peer;
    kernel_socket *socket;
    jz_ws ws;
    bool has_opened;
    bool has_closed; /* its close event has come */
    bool was_clean;
    jz_close_cause cause;
    bool has_ended; /* it sends no more */
    bool is_paused;
    bool was_closed_by_us; /* closed by a handler, or by another user of the server */
    bool may_be_subscribed[PLAY_TOPICS];
    bool is_disturbed; /* what arrives of it is not what it sent */
    void *line;        /* what the line keeps of it */
} player;

typedef struct play play;

/* What lies between the peers and their sockets: nothing (plain_line), or TLS (secure/). */
typedef struct play_line {
    /* Returns what the peer puts on its socket, which grows later. */
    const jz_buffer *(*connect)(play *play, player *player);
    /* How many bytes have not arrived yet, at least; so many more arrive. */
    size_t (*waiting)(const player *player);
    void (*deliver)(player *player, size_t count);
    /* The peer sends no more, behind what it has sent so far. */
    void (*end)(player *player);
    /* Sends what no honest peer sends. */
    void (*send_raw)(play *play, player *player);
    /* The loop is about to wait. */
    void (*turn)(play *play, player *player);
    /* What the peer has received, up to now. */
    const jz_buffer *(*received)(player *player);
    /* It is over. */
    void (*hang_up)(player *player);
} play_line;

extern const play_line plain_line;

struct play {
    jz_server *server;
    fuzz_input *input;
    const play_line *line;
    player players[KERNEL_SOCKETS];
    size_t player_count;
    play_hook hook;
    jz_handshake questions[PLAY_QUESTIONS]; /* that wait for an answer */
    size_t question_count;
    uint32_t next_number; /* of a content */
    bool is_over;         /* the script has ended: every peer leaves */
    bool has_stopped;
    bool was_disturbed; /* time passed, the server stopped or drained: not all that is due need come */
    size_t waits;
};

/* A server with options of the input, and its whole life. */
void play_all(fuzz_input *input, const play_line *line, const jz_listen_options *listening);

void play_handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message);
void play_ask(void *context, jz_handshake handshake, const jz_request *request);

/* Called for each loop iteration: continues the script. */
void play_wait(void *context);

/* The server has accepted a message for a player, with any status. */
void play_send(play *play, player *to, jz_message_kind kind, uint32_t number, size_t length, bool is_from_outside);

/* `from` NULL: from the server. */
void play_publish(play *play, player *from, uint8_t topic, uint32_t number, size_t length);

void play_subscribe(play *play, player *player, uint8_t topic, bool subscribes);
void play_close(player *player, uint16_t code);

#endif
