#define _POSIX_C_SOURCE 200809L

#include "serving.h"

#include <dirent.h>

#include "shard/stop_request.h"
#include "clock.h"
#include "eventually.h"
#include "testing.h"

jz_options serving_options(uint32_t threads)
{
    jz_options options = jz_options_default();
    options.threads = threads;
    options.accepting = JZ_ACCEPTING_HAND_OVER;
    options.receive_buffer_size = 16 * 1024;
    return options;
}

static jz_server *create(const jz_options *options)
{
    jz_error error = {0};
    jz_server *server = jz_server_create(options, &error);
    assert_that(server != NULL, "%s", error.message);
    return server;
}

static void run(jz_server *server, const serving_route *routes, size_t count)
{
    jz_error error = {0};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(
            jz_server_route_ws(server, routes[i].path, routes[i].options, routes[i].handler, routes[i].context, &error),
            JZ_OK);
    assert_that(jz_server_listen(server, "127.0.0.1", 0, &error) == JZ_OK, "%s", error.message);
    assert_that(jz_server_start(server, &error) == JZ_OK, "%s", error.message);
}

jz_server *serving_start(const jz_options *options, const serving_route *routes, size_t count)
{
    jz_server *server = create(options);
    run(server, routes, count);
    return server;
}

jz_server *serving_start_with_history(const jz_options *options, const jz_broker *broker,
                                      const jz_history_options *kept, const serving_route *route)
{
    jz_server *server = create(options);
    if (broker != NULL)
        assert_int_equal(jz_server_join(server, broker, NULL), JZ_OK);
    assert_int_equal(jz_server_history(server, "room/", 5, kept, NULL), JZ_OK);
    run(server, route, 1);
    return server;
}

size_t serving_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    size_t count = 0;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

void serving_let_pass(jz_server *server, uint64_t by_ms)
{
    jz_statistics now;
    jz_server_statistics(server, &now);
    uint64_t before = now.iterations;
    test_clock_jump(by_ms);
    /* Of two iterations one has begun after that; a loop that has ended makes none. */
    assert_eventually((jz_server_wake_all(server), jz_server_statistics(server, &now),
                       now.iterations >= before + 2 || now.connections == 0));
}
