/*
 * Plays the rows of the conformance suite over TCP, and through two transports, against a whole server whose reads are
 * cut at every byte of every frame's header, and merged with their neighbours: see cuts.h. The transports, which make
 * portions of their own, are given every row, each in a quarter of these manners. With AddressSanitizer the memory
 * behind the received bytes is poisoned.
 *
 *     conformance-served                plays every row
 *     conformance-served FILE           plays the rows of one file
 */
#include <stdio.h>

#include "../../CJazzyPollTests/support/allocation.h"
#include "../../CJazzyPollTests/support/throttled_transport.h"
#include "../topics.h"
#include "pieces.h"
#include "player.h"

enum { MOST_TOLD = 20 };

static throttled throttle = {.seed = 1, .most_received = 3000, .most_sent = 3000, .steps = 3, .contrary = 16};

static memory_network network = {
    .seed = 1, .most_sent = 3000, .room = 20000, .steps = 3, .contrary = 16, .choose_received = pieces_choose};

/* 512 KiB is the default; 4 KiB the least, which larger frames fill many times. */
static const row_way ways[] = {
    {.name = "TCP", .receive_buffer_size = 512 * 1024},
    {.name = "TCP", .receive_buffer_size = 4 * 1024},
    {.name = "a throttled transport",
     .transport = &throttled_transport,
     .context = &throttle,
     .receive_buffer_size = 4 * 1024,
     .play_every = 4},
    {.name = "memory",
     .transport = &memory_transport,
     .context = &network,
     .network = &network,
     .receive_buffer_size = 512 * 1024,
     .play_every = 4},
};

typedef struct topic_run {
    const topic_source *source;
    const row_way *way;
} topic_run;

/* Returns in how many manners it failed. */
static size_t play_row(row_server *server, const topic_run *run, const session_row *row, size_t number)
{
    size_t failed = 0;
    manner manners[MOST_MANNERS];
    char text[PLAYER_TEXT_SIZE];
    char manner[MANNER_TEXT_SIZE];
    client_stream stream = client_stream_of(row, number);
    size_t count = manners_of(&stream, run->way->receive_buffer_size, manners);
    size_t step = run->way->play_every > 0 ? run->way->play_every : 1;
    for (size_t i = count > 0 ? number % step % count : 0; i < count; i += step) {
        if (player_play(server, row, &stream, &manners[i], text))
            continue;
        failed++;
        describe_manner(&manners[i], manner);
        print_error("%s::%s, %s: %s\n", run->source->file, row->name, manner, text);
    }
    client_stream_free(&stream);
    return failed;
}

static void play_topic(void **state)
{
    const topic_run *run = *state;
    topic topic = {.file = run->source->file};
    run->source->add_rows(&topic);
    size_t live_before = test_live_allocations();
    row_server *server = row_server_start(&topic, run->way);
    size_t failed = 0;
    for (size_t i = 0; i < topic.row_count && failed < MOST_TOLD; i++)
        failed += play_row(server, run, &topic.rows[i], i);
    pieces_end();
    row_server_end(server);
    assert_that(failed == 0, "%zu failures over %s, with a receive buffer of %zu bytes", failed, run->way->name,
                run->way->receive_buffer_size);
    assert_int_equal(throttle.opened, throttle.closed);
    assert_int_equal(network.opened, network.closed);
    assert_int_equal(test_live_allocations(), live_before);
    topic_free(&topic);
}

int main(int count, char **arguments)
{
    int failed = 0;
    memory_network_begin(&network);
    for (size_t i = 0; i < all_topics_count; i++) {
        const topic_source *source = &all_topics[i];
        if (count > 1 && strcmp(arguments[1], source->file) != 0)
            continue;
        topic_run runs[COUNT_OF(ways)];
        struct CMUnitTest tests[COUNT_OF(runs)];
        for (size_t k = 0; k < COUNT_OF(runs); k++) {
            runs[k] = (topic_run){source, &ways[k]};
            tests[k] = (struct CMUnitTest){.name = source->file, .test_func = play_topic, .initial_state = &runs[k]};
        }
        failed += cmocka_run_group_tests_name(source->file, tests, NULL, NULL);
    }
    memory_network_end(&network);
    return EXIT_STATUS_OF(failed);
}
