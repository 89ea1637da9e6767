/* A whole server, from its options to its end, and what must hold then. */
#include "../../Driver/peer/peer_reader.h"
#include "play.h"

static void say_nothing(void *context, jz_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

static jz_options take_options(fuzz_input *input)
{
    static const size_t buffer_sizes[] = {4096, 5000, 16384, 65536};
    static const size_t limits[] = {1 << 20, 4096, 16384, 65536};
    jz_options options = jz_options_default();
    uint8_t choice = fuzz_take_byte(input);
    options.threads = 1;
    options.receive_buffer_size = buffer_sizes[choice % 4];
    options.backpressure_limit = limits[choice / 4 % 4];
    options.max_message_size = choice / 16 % 4 == 3 ? 9000 : 1 << 20;
    options.idle_timeout_ms = choice / 64 == 3 ? 2000 : 120000;
    options.max_connections_per_address = choice / 64 == 2 ? 4 : JZ_UNLIMITED;
    options.handshake_timeout_ms = 1000;
    options.upgrade_timeout_ms = 1000;
    options.close_timeout_ms = 1000;
    options.log = say_nothing;
    return options;
}

static void add_routes(play *play, fuzz_input *input)
{
    uint8_t choice = fuzz_take_byte(input);
    jz_route_options options = jz_route_options_default();
    options.backpressure_policy = (jz_backpressure_policy)(choice % 2);
    options.max_frames_per_message = choice / 2 % 2 == 0 ? 0 : 3;
    options.deflate.min_message_size = choice / 4 % 2 == 0 ? 0 : 100;
    if (choice / 128 == 1) /* no message is lost: it comes later */
        options.message_rate = (jz_message_rate){200, 1, JZ_EXCEEDING_PAUSE};
    bool is_well = jz_server_route_ws(play->server, "/plain", &options, play_handle, play, NULL) == JZ_OK;
    options.deflate.mode = JZ_DEFLATE_SHARED;
    is_well &= jz_server_route_ws(play->server, "/shared", &options, play_handle, play, NULL) == JZ_OK;
    options.deflate.mode = JZ_DEFLATE_DEDICATED;
    options.deflate.memory_level = 1;
    is_well &= jz_server_route_ws(play->server, "/dedicated", &options, play_handle, play, NULL) == JZ_OK;
    options.deflate.mode = JZ_DEFLATE_OFF;
    options.upgrade = play_ask;
    play->hook = (play_hook)(choice / 8 % PLAY_HOOKS);
    is_well &= jz_server_route_ws(play->server, "/hook", &options, play_handle, play, NULL) == JZ_OK;
    is_well &= jz_server_route_get(play->server, "/page", "text/plain", "a page", 6, NULL) == JZ_OK;
    is_well &= jz_server_route_get(play->server, "/page/*rest", "text/plain", "a page", 6, NULL) == JZ_OK;
    is_well &= jz_server_route_not_found(play->server, "text/plain", "no page", 7, NULL) == JZ_OK;
    require(is_well, "the routes are in order");
}

/* Whether nothing happened that would excuse a message that is missing. */
static bool must_have_all(const play *play, const player *player)
{
    return player->has_closed && player->was_clean && player->cause == JZ_CAUSE_PEER && !player->peer.is_hostile &&
           !player->is_disturbed && !play->was_disturbed && !kernel_has_failed();
}

static void check_player(const play *play, player *player)
{
    peer_reader reader;
    const jz_buffer *output = play->line->received(player);
    peer_reader_init(&reader);
    peer_reader_read(&reader, &player->peer, output->bytes, output->length);
    require(player->has_opened == player->has_closed, "who opens closes");
    require(!player->has_opened || reader.status == 101 || !reader.has_head, "who opens was let in");
    if (must_have_all(play, player)) {
        require(peer_reader_is_between_frames(&reader, output->length), "nothing that is sent is cut off");
        require(peer_reader_has_all(&reader, &player->peer), "all that was accepted comes");
        require(player->peer.told == player->peer.messages.length / sizeof(peer_message), "all that is sent is told");
        require(reader.has_close, "a close frame is answered");
    }
    peer_reader_free(&reader);
}

static void check_statistics(const play *play)
{
    jz_statistics now;
    jz_server_statistics(play->server, &now);
    require(now.connections == 0 && now.websockets == 0 && now.handshakes == 0, "no connection stays");
    require(now.buffered_bytes == 0, "no byte is counted as waiting");
}

void play_all(fuzz_input *input, const play_line *line, const jz_listen_options *listening)
{
    static play play;
    play = (struct play){.input = input, .line = line};
    jz_options options = take_options(input);
    int listener = kernel_begin(play_wait, &play);
    play.server = jz_server_create(&options, NULL);
    require(play.server != NULL, "a server can be made");
    add_routes(&play, input);
    require(jz_server_listen_descriptor_with(play.server, listener, listening, NULL) == JZ_OK, "it listens");
    require(jz_server_run(play.server, NULL) == JZ_OK, "it runs");
    kernel_enter_server(false);
    for (size_t i = 0; i < play.player_count; i++)
        check_player(&play, &play.players[i]);
    check_statistics(&play);
    kernel_unpoison();
    jz_server_destroy(play.server);
    for (size_t i = 0; i < play.player_count; i++) {
        line->hang_up(&play.players[i]);
        peer_free(&play.players[i].peer);
    }
    require(kernel_end(), "every descriptor is closed");
}
