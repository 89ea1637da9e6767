/* A server of several loops where the kernel gives all connections of a port to one listener, as macOS does. */
#include "connection/handle.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/port_calls.h"
#include "support/resources.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LOOPS = 4, OF_EACH = 2, CLIENTS = LOOPS * OF_EACH };

static journal seen;
static test_client clients[CLIENTS];

static size_t count_of_loop_of(size_t number)
{
    uint16_t loop = jz_handle_shard(journal_handle_of(&seen, number));
    size_t count = 0;
    for (size_t i = 0; i < CLIENTS; i++)
        count += jz_handle_shard(journal_handle_of(&seen, i)) == loop ? 1 : 0;
    return count;
}

static void every_loop_has_its_part_of_the_connections(void **state)
{
    (void)state;
    static const jz_accepting ways[] = {JZ_ACCEPTING_SHARED_PORT, JZ_ACCEPTING_HAND_OVER};
    test_ports_cannot_be_shared(true);
    for (size_t way = 0; way < COUNT_OF(ways); way++) {
        seen = (journal)JOURNAL_INITIALIZER;
        jz_options options = serving_options(LOOPS);
        options.accepting = ways[way];
        const serving_route routes[] = {{"/", journal_handle, &seen, NULL}};
        jz_server *server = serving_start(&options, routes, COUNT_OF(routes));
        for (size_t i = 0; i < CLIENTS; i++)
            assert_true(test_client_open(&clients[i], jz_server_port(server), UPGRADE_REQUEST("/")));
        assert_eventually(seen.opens == CLIENTS);
        for (size_t i = 0; i < CLIENTS; i++)
            assert_int_equal(count_of_loop_of(i), OF_EACH);
        for (size_t i = 0; i < CLIENTS; i++)
            test_client_close(&clients[i]);
        jz_server_destroy(server);
    }
    test_ports_cannot_be_shared(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_without_leaks(every_loop_has_its_part_of_the_connections),
    };
    int failed = cmocka_run_group_tests_name("unshared ports", tests, NULL, NULL);
    return EXIT_STATUS_OF(failed);
}
