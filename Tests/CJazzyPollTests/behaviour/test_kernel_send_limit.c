/* How much the kernel takes for a peer that does not read, before its output waits. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <unistd.h>

#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/serving.h"
#include "support/slow_reader.h"
#include "support/testing.h"

enum {
    PART = 8 * 1024, /* bytes: goes out at once */
    MUCH = 8 * 1024 * 1024,
    LIMIT = 16 * 1024,
    PACKET = 64 * 1024,           /* of loopback */
    PEERS = 32 * 1024,            /* more than a small receive buffer takes */
    MEGABYTES = 1536 * 1024,      /* less than what Linux buffers by default */
    SOCKET_BUFFER = 2 * 64 * 1024 /* more than the limit of a Unix domain socket */
};

static jz_server *server;
static journal seen;
static test_client client;
static atomic_size_t taken; /* by the kernel */
static atomic_bool was_asked;

/* Sends, in parts or all at once, until something waits. */
static void send_until_it_waits(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    static uint8_t bytes[MUCH];
    (void)journal;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    size_t length = message->bytes[0] == 'p' ? PART : MUCH;
    size_t sent = 0;
    do {
        jz_ws_send(ws, JZ_MESSAGE_BINARY, bytes, length);
        sent += length;
    } while (jz_ws_buffered_amount(ws) == 0 && sent < MUCH);
    taken = sent - jz_ws_buffered_amount(ws);
    was_asked = true;
}

static void start(uint32_t limit, const char *unix_path)
{
    memset(&seen, 0, sizeof seen);
    assert_int_equal(pthread_mutex_init(&seen.lock, NULL), 0);
    seen.act = send_until_it_waits;
    was_asked = false;
    jz_options options = serving_options(1);
    options.backpressure_limit = 4UL * MUCH;
    options.close_timeout_ms = 100;
    jz_route_options route = jz_route_options_default();
    route.kernel_send_limit = limit;
    server = jz_server_create(&options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_ws(server, "/", &route, journal_handle, &seen, NULL), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_listen_unix(server, unix_path, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
}

static void finish(void)
{
    test_client_close(&client);
    jz_server_destroy(server);
    pthread_mutex_destroy(&seen.lock);
}

static const struct {
    const char *name;
    bool is_unix;
    uint32_t limit;
    size_t least;
    size_t most;
} rows[] = {
    {"TCP, as the system has it", false, 0, MEGABYTES, MUCH},
    {"TCP", false, LIMIT, 1, LIMIT + PACKET + PEERS},
    {"TCP, the lowest limit", false, 4096, 1, 4096 + PACKET + PEERS},
    {"a Unix domain socket", true, LIMIT, 1, SOCKET_BUFFER},
};

static void output_waits_when_the_kernel_has_as_much_as_the_route_says(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "/tmp/jazzy-kernel-send-limit-%d", (int)getpid());
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int in_parts = 0; in_parts < 2; in_parts++) {
            start(rows[i].limit, path);
            assert_true(rows[i].is_unix ? test_client_connect_unix(&client, path)
                                        : test_client_connect(&client, jz_server_port(server), SLOW_READER_BUFFER));
            assert_true(test_client_upgrade(&client, UPGRADE_REQUEST("/")));
            test_client_send_frame(&client, in_parts ? &(test_frame)TEXT("parts") : &(test_frame)TEXT("all"));
            assert_eventually(was_asked);
            assert_that(taken >= rows[i].least && taken < rows[i].most, "%s: %zu bytes", rows[i].name, (size_t)taken);
            finish();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_waits_when_the_kernel_has_as_much_as_the_route_says),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("kernel send limit", tests, NULL, NULL));
}
