/*
 * Input that waits unread in the kernel is taken before a time-out takes effect: more sockets are ready than one wait
 * reports, and all of their time-outs have passed, as after a suspension of the process. The tests advance the clock.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdatomic.h>
#include <sys/resource.h>

#include "support/bystander.h"
#include "support/client.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/serving.h"
#include "support/testing.h"
#include "support/throttled_transport.h"

enum {
    CLIENTS = 1500, /* more than one wait reports, which is 1024 */
    TIMEOUT_MS = 10000
};

static jz_server *server;
static int descriptors[CLIENTS];
static test_client client; /* each of them in its turn */
static jz_ws handles[CLIENTS];
static atomic_size_t opens;
static atomic_size_t clean;
static atomic_size_t messages; /* texts */
static atomic_size_t closes;
static throttled throttle;

static void count(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    messages += event->type == JZ_EVENT_MESSAGE && message->kind == JZ_MESSAGE_TEXT;
    if (event->type == JZ_EVENT_OPEN && opens < CLIENTS) {
        handles[opens] = ws;
        opens++; /* which says that the handle is there */
    }
    if (event->type == JZ_EVENT_CLOSE) {
        clean += event->was_clean ? 1 : 0;
        closes++;
    }
}

static jz_statistics statistics(void)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics;
}

/* Each client has a descriptor on both sides. */
static void allow_descriptors(void)
{
    struct rlimit limits;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limits), 0);
    limits.rlim_cur = limits.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limits), 0);
    assert_true(limits.rlim_cur > 2 * CLIENTS + 100);
}

/* Through a transport that gives up to `most_received` bytes at a time; 0: without one. */
static void start(bool has_proxy, size_t most_received)
{
    static const char *const proxies[] = {"127.0.0.0/8"};
    allow_descriptors();
    opens = messages = closes = clean = 0;
    test_clock_stop(test_real_clock_ms());
    jz_options options = serving_options(1);
    options.handshake_timeout_ms = options.close_timeout_ms = TIMEOUT_MS;
    options.idle_timeout_ms = JZ_NEVER;
    if (has_proxy) {
        options.client_address = JZ_CLIENT_ADDRESS_PROXY_PROTOCOL;
        options.trusted_proxies = proxies;
        options.trusted_proxy_count = COUNT_OF(proxies);
    }
    server = jz_server_create(&options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, count, NULL, NULL), JZ_OK);
    jz_route_options limited = jz_route_options_default();
    limited.idle_timeout_ms = TIMEOUT_MS;
    limited.message_rate = (jz_message_rate){1, 1, JZ_EXCEEDING_PAUSE};
    assert_int_equal(jz_server_route_ws(server, "/limited", &limited, count, NULL, NULL), JZ_OK);
    assert_int_equal(jz_server_route_get(server, "/page", "text/plain", "page", 4, NULL), JZ_OK);
    assert_int_equal(jz_server_route_ws(server, "/bystander", bystander_options(), bystander_handle, NULL, NULL),
                     JZ_OK);
    throttle = (throttled){.seed = 1, .most_received = (uint32_t)most_received};
    const jz_listen_options through = {.transport = most_received > 0 ? &throttled_transport : NULL,
                                       .transport_context = &throttle};
    assert_int_equal(jz_server_listen_with(server, "127.0.0.1", 0, &through, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
}

static void use(size_t number)
{
    client.descriptor = descriptors[number];
    client.start = client.end = 0;
}

static void send_text(const char *text)
{
    assert_true(test_client_send(&client, text, strlen(text)));
}

/* Until then, what was sent may be on its way. */
static void await_delivery(void)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        use(i);
        assert_eventually(test_client_has_delivered(&client));
    }
}

/* What the clients have sent before the loop is held, and what they send before their time-out passes. */
typedef struct row {
    const char *name;
    bool has_proxy;
    const char *before;
    const char *meanwhile;
    int answered; /* the status of the first; 0: there is no answer */
    int status;   /* and of the second */
    size_t body;
    size_t most_received; /* as for start */
} row;

#define PROXY "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n"
#define PAGE_REQUEST "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"

static const row rows[] = {
    {"a request", false, "", UPGRADE_REQUEST("/"), 0, 101, 0, 0},
    {"a request that a channel gives in pieces", false, "", UPGRADE_REQUEST("/"), 0, 101, 0, 30},
    {"the rest of a request", false, "GET / HTTP/1.1\r\nHost: localhost\r\n",
     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
     "Sec-WebSocket-Version: 13\r\n\r\n",
     0, 101, 0, 0},
    {"a proxy's header and a request", true, "", PROXY UPGRADE_REQUEST("/"), 0, 101, 0, 0},
    {"the next request of a connection", false, PAGE_REQUEST, PAGE_REQUEST, 200, 200, 4, 0},
};

static void open_clients(const row *row)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_true(test_client_connect(&client, jz_server_port(server), 0));
        descriptors[i] = client.descriptor;
        send_text(row->before);
        if (row->answered != 0) {
            assert_int_equal(test_client_take_head(&client), row->answered);
            assert_true(test_client_receive(&client, row->body));
        }
    }
}

static void open_bystander(bool has_proxy)
{
    if (!has_proxy) {
        bystander_open(jz_server_port(server));
        return;
    }
    bystander_open_with(jz_server_port(server), PROXY UPGRADE_REQUEST("/bystander"));
}

static void finish(void)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        use(i);
        test_client_close(&client);
    }
    bystander_close();
    jz_server_destroy(server);
    test_clocks_run();
}

static void requests_that_have_come_are_answered(void **state)
{
    (void)state;
    for (size_t r = 0; r < COUNT_OF(rows); r++) {
        start(rows[r].has_proxy, rows[r].most_received);
        open_bystander(rows[r].has_proxy);
        open_clients(&rows[r]);
        assert_eventually(statistics().connections == CLIENTS + 1);
        bystander_let_turn(); /* and the server's kernel has their input */
        bystander_hold_loop();
        for (size_t i = 0; i < CLIENTS; i++) {
            use(i);
            send_text(rows[r].meanwhile);
        }
        await_delivery();
        test_clock_advance(10 * TIMEOUT_MS);
        bystander_release_loop();
        for (size_t i = 0; i < CLIENTS; i++) {
            use(i);
            int status = test_client_take_head(&client);
            assert_that(status == rows[r].status, "%s, client %zu: %d", rows[r].name, i, status);
        }
        assert_int_equal(statistics().refused[JZ_REFUSAL_HANDSHAKE_TIMEOUT], 0);
        finish();
    }
}

static void answers_to_close_frames_that_have_come_are_taken(void **state)
{
    (void)state;
    static const row upgrade = {"", false, UPGRADE_REQUEST("/"), "", 101, 0, 0, 0};
    start(false, 0);
    open_bystander(false);
    open_clients(&upgrade);
    assert_eventually(opens == CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(jz_ws_close(handles[i], 1000, "", 0), JZ_SEND_QUEUED);
    for (size_t i = 0; i < CLIENTS; i++) {
        use(i);
        test_client_expect(&client, JZ_OPCODE_CLOSE, "\x03\xE8", 2);
    }
    bystander_hold_loop();
    for (size_t i = 0; i < CLIENTS; i++) {
        use(i);
        test_client_send_frame(&client, &(test_frame)CLOSE(1000, ""));
    }
    await_delivery();
    test_clock_advance(10 * TIMEOUT_MS);
    bystander_release_loop();
    assert_eventually(closes == CLIENTS);
    assert_int_equal(clean, CLIENTS);
    finish();
}

/* The timer that was found to be idle's is then the allowance's: not that of the next ping, seconds later. */
static void who_is_found_at_the_last_look_and_uses_up_its_rate_is_read_again_in_time(void **state)
{
    (void)state;
    enum { LATE_MS = 100 };
    static const row upgrade = {"", false, UPGRADE_REQUEST("/limited"), "", 101, 0, 0, 0};
    static const test_frame text = TEXT("x");
    start(false, 0);
    open_bystander(false);
    open_clients(&upgrade);
    assert_eventually(opens == CLIENTS);
    test_clock_advance(TIMEOUT_MS / 2 + LATE_MS);
    bystander_let_turn();
    assert_eventually(statistics().messages_sent[JZ_MESSAGE_PING] == CLIENTS);
    bystander_hold_loop();
    for (size_t i = 0; i < CLIENTS; i++) {
        use(i);
        test_client_send_frame(&client, &text);
        test_client_send_frame(&client, &text);
    }
    await_delivery();
    test_clock_advance(10 * TIMEOUT_MS);
    bystander_release_loop();
    assert_eventually(messages == CLIENTS);
    test_clock_advance(1000 + LATE_MS);
    bystander_let_turn();
    assert_eventually(messages == 2 * CLIENTS);
    assert_int_equal(closes, 0);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_that_have_come_are_answered),
        cmocka_unit_test(answers_to_close_frames_that_have_come_are_taken),
        cmocka_unit_test(who_is_found_at_the_last_look_and_uses_up_its_rate_is_read_again_in_time),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("last look", tests, NULL, NULL));
}
