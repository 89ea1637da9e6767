/* The script: what happens while the loop waits, byte by byte of the fuzzer's input. */
#include <errno.h>

#include "shard/shard.h"
#include "play.h"

typedef enum operation {
    CONNECT,
    MESSAGE,
    CONTROL,
    CLOSE,
    RAW,
    DELIVER,
    DELIVER_ALL,
    WINDOW,
    END,
    OUTSIDE,
    FAIL,
    TIME,
    SHORT_SENDS,
    ROTATE,
    STOP,
    TURN,
    OPERATIONS
} operation;

/* Lengths near limits: of header forms, of answers in place, of buffers. */
static size_t take_length(fuzz_input *input)
{
    static const size_t lengths[] = {0, 1, 125, 126, 1000, 4081, 8191, 8192, 16384, 65535, 65536, 140000};
    uint8_t choice = fuzz_take_byte(input);
    return choice < 128 ? choice : lengths[choice % COUNT_OF(lengths)] + choice / 12 % 3;
}

static player *take_player(play *play)
{
    uint8_t number = fuzz_take_byte(play->input);
    return play->player_count > 0 ? &play->players[number % play->player_count] : NULL;
}

static void connect_player(play *play)
{
    static const char *const paths[] = {"/plain", "/shared", "/dedicated", "/hook", "/page", "/none"};
    uint8_t choice = fuzz_take_byte(play->input);
    bool asks = choice % 16 != 15;
    if (play->player_count == KERNEL_SOCKETS || play->is_over)
        return;
    player *player = &play->players[play->player_count];
    *player = (struct player){0};
    player->socket = kernel_connect(play->line->connect(play, player));
    play->player_count++;
    if (asks) {
        const char *path = paths[choice % COUNT_OF(paths)];
        bool has_deflate = path[1] == 's' || path[1] == 'd';
        peer_ask(&player->peer, path, has_deflate && choice < 192);
    }
    if (choice % 2 == 0)
        play->line->deliver(player, SIZE_MAX);
}

static void take_key(fuzz_input *input, uint8_t key[4])
{
    uint8_t first = fuzz_take_byte(input);
    for (size_t i = 0; i < 4; i++)
        key[i] = (uint8_t)(first * (i + 1));
}

static void send_message(play *play, player *player)
{
    uint8_t how = fuzz_take_byte(play->input);
    peer_message message = {.kind = how % 2 == 0 ? JZ_MESSAGE_TEXT : JZ_MESSAGE_BINARY,
                            .number = ++play->next_number,
                            .length = take_length(play->input),
                            .action = fuzz_take_below(play->input, PEER_ACTIONS),
                            .target = fuzz_take_byte(play->input)};
    peer_framing framing = {.fragments = (uint8_t)(1 + how / 2 % 8 / 2),
                            .is_compressed = how / 16 % 2 == 0,
                            .has_ping_between = how / 32 % 2 == 1};
    take_key(play->input, framing.key);
    peer_send(&player->peer, &message, &framing);
}

static void send_control(play *play, player *player)
{
    uint8_t how = fuzz_take_byte(play->input);
    peer_message message = {.kind = how % 2 == 0 ? JZ_MESSAGE_PING : JZ_MESSAGE_PONG,
                            .number = ++play->next_number,
                            .length = how / 2 % 126};
    peer_framing framing = {.fragments = 1};
    take_key(play->input, framing.key);
    peer_send(&player->peer, &message, &framing);
}

static void send_close(play *play, player *player)
{
    static const uint16_t codes[] = {0, 1000, 1001, 3000, 4999};
    uint16_t code = codes[fuzz_take_below(play->input, COUNT_OF(codes))];
    uint8_t key[4];
    take_key(play->input, key);
    peer_send_close(&player->peer, code, key);
}

/* Some bytes, or all but some. */
static void deliver(play *play, player *player)
{
    uint8_t amount = fuzz_take_byte(play->input);
    size_t waiting = play->line->waiting(player);
    play->line->deliver(player, amount < 128 ? amount : waiting > amount - 128u ? waiting - (amount - 128u) : 0);
}

static void set_window(play *play, player *player)
{
    uint8_t choice = fuzz_take_byte(play->input);
    player->socket->window = choice == 255 ? SIZE_MAX : (size_t)choice * choice;
}

static void end(play *play, player *player)
{
    if (fuzz_take_byte(play->input) % 2 == 0) {
        play->line->end(player);
        player->has_ended = true;
    } else {
        player->socket->is_reset = true;
        play->was_disturbed = true;
    }
}

static void answer_question(play *play, uint8_t choice)
{
    static const jz_rejection rejection = {.status = 503};
    if (play->question_count == 0)
        return;
    jz_handshake handshake = play->questions[--play->question_count];
    if (choice % 2 == 0)
        jz_handshake_accept(handshake, NULL);
    else
        jz_handshake_reject(handshake, &rejection);
}

/* Acts like another thread, whose calls go through the loop's mailbox. */
static void act_from_outside(play *play, player *player)
{
    uint8_t choice = fuzz_take_byte(play->input);
    uint8_t topic = choice / 16 % PLAY_TOPICS;
    jz_shard *shard = jz_current_shard;
    jz_current_shard = NULL;
    switch (choice % 10) {
    case 0:
        play_send(play, player, JZ_MESSAGE_TEXT, ++play->next_number, take_length(play->input), true);
        break;
    case 1:
        play_close(player, choice % 32 < 16 ? JZ_CLOSE_NORMAL : JZ_CLOSE_NO_STATUS);
        break;
    case 2:
        jz_ws_pause_reading(player->ws);
        break;
    case 3:
        jz_ws_resume_reading(player->ws);
        break;
    case 4:
    case 5:
        play_subscribe(play, player, topic, choice % 10 == 4);
        break;
    case 6:
        play_publish(play, player, topic, ++play->next_number, take_length(play->input));
        break;
    case 7:
        play_publish(play, NULL, topic, ++play->next_number, take_length(play->input));
        break;
    case 8:
        answer_question(play, choice / 16);
        break;
    default:
        player->was_closed_by_us = true;
        jz_ws_terminate(player->ws);
        break;
    }
    jz_current_shard = shard;
}

static void fail(play *play)
{
    static const struct {
        kernel_call call;
        int error;
    } failures[] = {{KERNEL_RECV, EINTR},    {KERNEL_RECV, EAGAIN},      {KERNEL_RECV, ECONNRESET},
                    {KERNEL_SEND, EINTR},    {KERNEL_SEND, EAGAIN},      {KERNEL_SEND, EPIPE},
                    {KERNEL_ACCEPT, EMFILE}, {KERNEL_ACCEPT, EINTR},     {KERNEL_ACCEPT, ECONNABORTED},
                    {KERNEL_ACCEPT, ENOMEM}, {KERNEL_EPOLL_CTL, ENOMEM}, {KERNEL_ALLOCATE, ENOMEM}};
    uint8_t choice = fuzz_take_byte(play->input);
    uint8_t after = fuzz_take_byte(play->input);
    size_t number = choice % COUNT_OF(failures);
    kernel_fail(failures[number].call, failures[number].error, after);
}

static void pass_time(play *play)
{
    static const uint16_t amounts[] = {1, 50, 500, 1000, 3000, 60000};
    kernel_advance(amounts[fuzz_take_below(play->input, COUNT_OF(amounts))]);
    play->was_disturbed = true;
}

static void stop(play *play)
{
    uint8_t choice = fuzz_take_byte(play->input);
    play->was_disturbed = true;
    if (choice % 4 == 0)
        jz_server_drain(play->server, JZ_NEVER);
    else
        jz_server_stop_within(play->server, choice * 100);
    play->has_stopped |= choice % 4 != 0;
}

static void operate_on(play *play, operation operation, player *player)
{
    void (*const operations[OPERATIONS])(struct play * play, struct player * player) = {
        [MESSAGE] = send_message, [CONTROL] = send_control, [CLOSE] = send_close, [RAW] = play->line->send_raw,
        [DELIVER] = deliver,      [WINDOW] = set_window,    [END] = end,          [OUTSIDE] = act_from_outside};
    if (operation == DELIVER_ALL)
        play->line->deliver(player, SIZE_MAX);
    else if (operations[operation] != NULL && !(player->has_ended && operation < DELIVER))
        operations[operation](play, player);
}

/* Returns whether there are more steps before the loop continues. */
static bool operate(play *play)
{
    operation operation = (enum operation)fuzz_take_below(play->input, OPERATIONS);
    switch (operation) {
    case CONNECT:
        connect_player(play);
        return true;
    case FAIL:
        fail(play);
        return true;
    case TIME:
        pass_time(play);
        return true;
    case SHORT_SENDS:
        kernel_limit_sends(1u + fuzz_take_byte(play->input) * 16u);
        return true;
    case ROTATE:
        kernel_rotate(fuzz_take_byte(play->input));
        return true;
    case STOP:
        stop(play);
        return true;
    case TURN:
        return false;
    default: {
        player *player = take_player(play);
        if (player != NULL)
            operate_on(play, operation, player);
        return true;
    }
    }
}

/* Every peer receives its output, sends the rest of its input, and leaves; paused connections are resumed. */
static void end_script(play *play)
{
    static const uint8_t key[4] = {1, 2, 3, 4};
    jz_shard *shard = jz_current_shard;
    play->is_over = true;
    kernel_limit_sends(SIZE_MAX);
    jz_current_shard = NULL;
    while (play->question_count > 0)
        answer_question(play, 0);
    for (size_t i = 0; i < play->player_count; i++) {
        player *player = &play->players[i];
        if (!player->has_ended && !player->peer.is_hostile && !player->peer.has_closed)
            peer_send_close(&player->peer, JZ_CLOSE_NORMAL, key);
        play->line->deliver(player, SIZE_MAX);
        play->line->end(player);
        player->has_ended = true;
        player->socket->window = SIZE_MAX;
        jz_ws_resume_reading(player->ws);
    }
    jz_current_shard = shard;
}

void play_wait(void *context)
{
    enum { MOST_WAITS = 100000 };
    play *play = context;
    require(play->waits++ < MOST_WAITS, "a server comes to its end");
    for (size_t i = 0; i < play->player_count; i++)
        play->line->turn(play, &play->players[i]);
    if (play->input->length > 0) {
        while (play->input->length > 0 && operate(play))
            continue;
        return;
    }
    if (!play->is_over) {
        end_script(play);
        return;
    }
    if (kernel_is_ready() || kernel_timeout() == 0)
        return;
    if (!play->has_stopped) {
        for (size_t i = 0; i < play->player_count; i++) {
            const player *player = &play->players[i];
            require(player->has_opened == player->has_closed || player->peer.is_hostile || player->is_disturbed ||
                        play->was_disturbed || player->was_closed_by_us || kernel_has_failed(),
                    "who has closed in order is not waited for");
        }
        play->has_stopped = true;
        jz_server_stop_within(play->server, 1000);
        return;
    }
    require(kernel_timeout() > 0, "a server that stops waits for something");
    kernel_advance((uint64_t)kernel_timeout());
}
