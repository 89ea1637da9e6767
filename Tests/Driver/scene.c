#define _GNU_SOURCE

#include "scene.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../Fuzz/support/require.h"

enum { CARRIERS = 2, SERVER_DEADLINE_TURNS = 60000 };

static void say_nothing(void *context, jz_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

static size_t chance(scene *scene, size_t bound)
{
    return test_random_below(&scene->random, bound);
}

static void sleep_ms(size_t ms)
{
    const struct timespec moment = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&moment, NULL);
}

static size_t count_descriptors(void)
{
    size_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    require(directory != NULL, "descriptors can be counted");
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void choose_faults(scene *scene)
{
    static const uint32_t rarities[] = {0, 40, 8, 3};
    scene->faults.shortened = rarities[chance(scene, 4)];
    scene->faults.interrupted = rarities[chance(scene, 4)] * 2;
    scene->faults.broken = chance(scene, 3) == 0 ? 2000 : 0;
    scene->faults.exhausted = chance(scene, 4) == 0 ? 10 : 0;
    scene->faults.out_of_memory = chance(scene, 4) == 0 ? 300 : 0;
    scene->faults.clock_jumps = chance(scene, 5) == 0 ? 500 : 0;
    scene->was_disturbed = scene->faults.clock_jumps > 0;
    scene->stops_early = chance(scene, 6) == 0;
    scene->drains = chance(scene, 4) == 0;
}

/* By a generator of its own, so that a scene of a seed is the same with it and without. */
static void choose_transport(scene *scene)
{
    static const size_t most[] = {0, 100, 700, 16384};
    static const uint32_t rarities[] = {0, 0, 10, 3};
    test_random random = {.state = ~scene->seed};
    scene->has_transport = test_random_below(&random, 2) == 0;
    scene->throttle.seed = test_random_next(&random);
    scene->throttle.most_received = most[test_random_below(&random, COUNT_OF(most))];
    scene->throttle.most_sent = most[test_random_below(&random, COUNT_OF(most))];
    scene->throttle.steps = (uint32_t)test_random_below(&random, 5);
    scene->throttle.contrary = rarities[test_random_below(&random, COUNT_OF(rarities))];
    scene->throttle.failing = test_random_below(&random, 5) == 0 ? 500 : 0;
    if (scene->has_transport && scene->throttle.failing > 0)
        scene->was_disturbed = true;
}

static jz_options choose_options(scene *scene)
{
    static const size_t buffer_sizes[] = {4096, 5000, 16384, 65536, 512 * 1024};
    static const size_t limits[] = {4096, 65536, 64 << 20, 64 << 20};
    jz_options options = jz_options_default();
    bool has_large_mailbox = chance(scene, 4) > 0;
    options.threads = 1 + (uint32_t)chance(scene, 3);
    options.accepting = chance(scene, 2) == 0 ? JZ_ACCEPTING_HAND_OVER : JZ_ACCEPTING_SHARED_PORT;
    options.worker_threads = 1 + (uint32_t)chance(scene, 3);
    options.receive_buffer_size = buffer_sizes[chance(scene, COUNT_OF(buffer_sizes))];
    options.backpressure_limit = limits[chance(scene, COUNT_OF(limits))];
    options.mailbox_limit = has_large_mailbox ? 64 << 20 : 64 << 10;
    options.max_connections_per_address = chance(scene, 8) == 0 ? SCENE_CLIENTS / 2 : JZ_UNLIMITED;
    options.max_handshakes = chance(scene, 8) == 0 ? 2 : JZ_UNLIMITED;
    /* Only where the clock jumps does any time-out pass. */
    bool jumps = scene->faults.clock_jumps > 0;
    options.close_timeout_ms = jumps ? 1000 : 600000;
    options.handshake_timeout_ms = jumps ? 5000 : 600000;
    options.upgrade_timeout_ms = jumps ? 5000 : 600000;
    options.idle_timeout_ms = jumps ? 5000 : JZ_NEVER;
    options.log = say_nothing;
    scene->is_roomy =
        options.backpressure_limit > LARGEST_MESSAGE * 100 && has_large_mailbox && scene->faults.out_of_memory == 0;
    return options;
}

static void add_routes(scene *scene)
{
    static const struct {
        const char *path;
        jz_deflate_mode mode;
        jz_execution execution;
    } routes[] = {{"/plain", JZ_DEFLATE_OFF, JZ_EXECUTION_LOOP},
                  {"/shared", JZ_DEFLATE_SHARED, JZ_EXECUTION_LOOP},
                  {"/dedicated", JZ_DEFLATE_DEDICATED, JZ_EXECUTION_LOOP},
                  {"/worker/plain", JZ_DEFLATE_OFF, JZ_EXECUTION_WORKERS},
                  {"/worker/dedicated", JZ_DEFLATE_DEDICATED, JZ_EXECUTION_WORKERS}};
    static const uint32_t most_waiting[] = {1, 8, 256};
    jz_route_options options = jz_route_options_default();
    options.upgrade = scene_ask;
    options.release_state = scene_release;
    options.backpressure_policy = (jz_backpressure_policy)chance(scene, 2);
    options.max_waiting_events = most_waiting[chance(scene, COUNT_OF(most_waiting))];
    /* No message is lost: it comes later. */
    if (chance(scene, 3) == 0)
        options.message_rate = (jz_message_rate){2000, 1 + (uint32_t)chance(scene, 500), JZ_EXCEEDING_PAUSE};
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        options.deflate.mode = routes[i].mode;
        options.deflate.min_message_size = chance(scene, 2) * 100;
        options.execution = routes[i].execution;
        require(jz_server_route_ws(scene->server, routes[i].path, &options, scene_handle, scene, NULL) == JZ_OK,
                "the routes are in order");
    }
}

static void start_server(scene *scene)
{
    jz_error error = {0};
    jz_options options = choose_options(scene);
    snprintf(scene->unix_path, sizeof scene->unix_path, "/tmp/driver-%d", (int)getpid());
    scene->server = jz_server_create(&options, &error);
    require(scene->server != NULL, "a server can be made");
    add_routes(scene);
    const jz_listen_options through = {.transport = scene->has_transport ? &throttled_transport : NULL,
                                       .transport_context = &scene->throttle};
    const jz_unix_options local = {.listening = through};
    require(jz_server_listen_with(scene->server, "127.0.0.1", 0, &through, &error) == JZ_OK, "it listens");
    require(jz_server_listen_unix_with(scene->server, scene->unix_path, &local, &error) == JZ_OK,
            "it listens on a file");
    faults_arm(&scene->faults, scene->seed);
    require(jz_server_start(scene->server, &error) == JZ_OK, "it starts");
}

/* Lets the clients come, talk and go. */
static void play_clients(scene *scene)
{
    carrier carriers[CARRIERS];
    pthread_t outside;
    require(pthread_create(&outside, NULL, act_outside, scene) == 0, "the test has threads");
    for (size_t i = 0; i < CARRIERS; i++) {
        carriers[i] =
            (carrier){.scene = scene, .from = SCENE_CLIENTS * i / CARRIERS, .to = SCENE_CLIENTS * (i + 1) / CARRIERS};
        require(pthread_create(&carriers[i].thread, NULL, carry_clients, &carriers[i]) == 0, "the test has threads");
    }
    sleep_ms(50 + chance(scene, 400));
    if (scene->stops_early) {
        scene->was_disturbed = true;
        jz_server_stop_within(scene->server, (uint32_t)chance(scene, 500));
    }
    scene->is_ending = true;
    if (scene->drains)
        jz_server_drain(scene->server, JZ_NEVER);
    for (size_t i = 0; i < CARRIERS; i++)
        pthread_join(carriers[i].thread, NULL);
    scene->is_over = true;
    pthread_join(outside, NULL);
}

static bool counts_are_zero(const scene *scene)
{
    jz_statistics now;
    jz_server_statistics(scene->server, &now);
    return now.connections + now.websockets + now.handshakes + now.buffered_bytes == 0;
}

static void end_server(scene *scene)
{
    /* Time-outs must pass here, because nothing else would end clients that were never answered. */
    bool ends_by_itself = scene->drains || scene->stops_early;
    for (size_t i = 0; i < SERVER_DEADLINE_TURNS && !ends_by_itself && !counts_are_zero(scene); i++)
        sleep_ms(1);
    require(ends_by_itself || counts_are_zero(scene), "who has left is not counted, in a server that goes on");
    if (!scene->drains)
        jz_server_stop(scene->server);
    jz_server_wait(scene->server);
    faults_disarm();
    require(counts_are_zero(scene), "nothing is counted of a server that has stopped");
    jz_ending ending = jz_server_ending(scene->server);
    require(scene->stops_early || ending.cut_off == 0, "nobody is cut off where nobody is left");
    jz_server_destroy(scene->server);
    scene->server = NULL;
    require(scene->throttle.opened == scene->throttle.closed, "every channel is closed");
}

/* Whether no fault hit it, nor anything else that excuses it from getting everything. */
static bool is_whole(const scene *scene, const client *client)
{
    return !client->peer.is_hostile && !client->was_reset && !scene->was_disturbed && !faults_had_no_memory() &&
           !faults_broke(client->port);
}

static void check_client(const scene *scene, const client *client)
{
    const peer_reader *reader = &client->reader;
    require(client->has_opened == client->has_closed, "who opens closes");
    require(!client->has_opened || client->releases == 1, "who opens has its state released");
    if (!is_whole(scene, client) || !client->has_opened || client->cause != JZ_CAUSE_PEER)
        return;
    require(client->was_clean, "who closes in order has closed cleanly");
    require(peer_reader_is_between_frames(reader, client->received.length), "nothing that is sent is cut off");
    require(reader->has_close, "a close frame is answered");
    require(peer_reader_has_all(reader, &client->peer), "all that was accepted comes");
    size_t messages = client->peer.messages.length / sizeof(peer_message);
    require(client->peer.told == messages || client->has_ended_itself || client->may_have_ended_itself,
            "all that is sent is told to who has not ended its connection");
}

static struct scene played; /* one at a time */

void scene_describe(void)
{
    jz_statistics now = {0};
    if (played.server != NULL)
        jz_server_statistics(played.server, &now);
    fprintf(stderr, "%zu connections, %zu handshakes, %zu bytes buffered; ending %d over %d stops %d drains %d\n",
            (size_t)now.connections, (size_t)now.handshakes, (size_t)now.buffered_bytes, played.is_ending,
            played.is_over, played.stops_early, played.drains);
    const faults *faults = &played.faults;
    fprintf(stderr,
            "roomy %d; one in so many: shortened %u interrupted %u broken %u exhausted %u out of memory %u jumps %u\n",
            played.is_roomy, faults->shortened, faults->interrupted, faults->broken, faults->exhausted,
            faults->out_of_memory, faults->clock_jumps);
    const throttled *throttle = &played.throttle;
    fprintf(stderr, "transport %d: received %zu sent %zu steps %u contrary %u failing %u; opened %zu closed %zu\n",
            played.has_transport, throttle->most_received, throttle->most_sent, throttle->steps, throttle->contrary,
            throttle->failing, (size_t)throttle->opened, (size_t)throttle->closed);
    for (size_t i = 0; i < SCENE_CLIENTS; i++) {
        const client *client = &played.clients[i];
        fprintf(stderr,
                "client %zu: descriptor %d, carried %zu of %zu, received %zu, status %d, opened %d, closed %d, hostile "
                "%d, broken %d\n",
                i, client->descriptor, client->carried, client->peer.sent.length, client->received.length,
                client->reader.status, client->has_opened, client->has_closed, client->peer.is_hostile,
                faults_broke(client->port));
    }
}

void scene_play(uint64_t seed)
{
    size_t descriptors = count_descriptors();
    size_t live = faults_live_allocations();
    played = (struct scene){.seed = seed, .random = {seed}};
    pthread_mutex_init(&played.questions_lock, NULL);
    choose_faults(&played);
    choose_transport(&played);
    for (size_t i = 0; i < SCENE_CLIENTS; i++)
        client_prepare(&played.clients[i], &played, i);
    start_server(&played);
    play_clients(&played);
    end_server(&played);
    for (size_t i = 0; i < SCENE_CLIENTS; i++)
        check_client(&played, &played.clients[i]);
    size_t releases = 0;
    for (size_t i = 0; i < SCENE_CLIENTS; i++)
        releases += played.clients[i].releases;
    require(releases == played.accepted, "each state that was taken is released");
    for (size_t i = 0; i < SCENE_CLIENTS; i++)
        client_finish(&played.clients[i]);
    pthread_mutex_destroy(&played.questions_lock);
    require(count_descriptors() == descriptors, "every descriptor is closed");
    require(faults_live_allocations() == live, "every piece of memory is given back");
}
