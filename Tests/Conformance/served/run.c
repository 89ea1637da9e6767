#include "run.h"

#include <assert.h>
#include <stdio.h>

#include "../../CJazzyPollTests/support/allocation.h"
#include "../topics.h"
#include "pieces.h"
#include "player.h"

enum { MOST_TOLD = 20, MOST_WAYS = 8 };

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
    if (run->way->check != NULL)
        run->way->check();
    assert_int_equal(test_live_allocations(), live_before);
    topic_free(&topic);
}

size_t run_topics(const row_way *ways, size_t count, const char *file)
{
    size_t failed = 0;
    assert(count <= MOST_WAYS);
    for (size_t i = 0; i < all_topics_count; i++) {
        const topic_source *source = &all_topics[i];
        if (file != NULL && strcmp(file, source->file) != 0)
            continue;
        topic_run runs[MOST_WAYS];
        struct CMUnitTest tests[MOST_WAYS];
        for (size_t k = 0; k < count; k++) {
            runs[k] = (topic_run){source, &ways[k]};
            tests[k] = (struct CMUnitTest){.name = source->file, .test_func = play_topic, .initial_state = &runs[k]};
        }
        failed += (size_t)_cmocka_run_group_tests(source->file, tests, count, NULL, NULL);
    }
    return failed;
}
