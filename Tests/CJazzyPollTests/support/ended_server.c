#include "ended_server.h"

#include <string.h>

#include "clock.h"
#include "eventually.h"
#include "serving.h"
#include "testing.h"

jz_server *ended_server_start(journal *seen, const jz_options *options, const jz_route_options *route, journal_act act,
                              test_client *clients, size_t count)
{
    memset(seen, 0, sizeof *seen);
    assert_int_equal(pthread_mutex_init(&seen->lock, NULL), 0);
    seen->act = act;
    const serving_route routes[] = {{"/", journal_handle, seen, route}};
    jz_server *server = serving_start(options, routes, COUNT_OF(routes));
    seen->context = server;
    for (size_t i = 0; i < count; i++)
        assert_true(test_client_open(&clients[i], jz_server_port(server), UPGRADE_REQUEST("/")));
    assert_eventually(seen->opens == count);
    return server;
}

void ended_server_finish(jz_server *server, journal *seen, test_client *clients, size_t count)
{
    for (size_t i = 0; i < count; i++)
        test_client_close(&clients[i]);
    jz_server_destroy(server);
    assert_int_equal(seen->opens, seen->closes);
    pthread_mutex_destroy(&seen->lock);
}

void ended_server_expect_service(test_client *client)
{
    test_client_send_frame(client, &(test_frame)TEXT("x"));
    test_client_expect(client, JZ_OPCODE_TEXT, "x", 1);
}

void ended_server_leave(test_client *client)
{
    test_client_send_frame(client, &(test_frame)CLOSE(1000, ""));
    assert_true(test_client_sees_end(client));
}

bool ended_server_refuses(const jz_server *server)
{
    static test_client late;
    if (!test_client_connect(&late, jz_server_port(server), 0))
        return true;
    test_client_close(&late);
    return false;
}

uint64_t ended_server_wait(jz_server *server)
{
    uint64_t began = test_real_clock_ms();
    jz_server_wait(server);
    return test_real_clock_ms() - began;
}
