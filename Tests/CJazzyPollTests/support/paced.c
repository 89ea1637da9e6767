#define _POSIX_C_SOURCE 200809L

#include "paced.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bystander.h"
#include "clock.h"
#include "eventually.h"
#include "serving.h"
#include "testing.h"
#include "throttled_transport.h"

paced paced_server;

static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    char text[16] = "";
    size_t length = message->length < sizeof text ? message->length : 0;
    switch (event->type) {
    case JZ_EVENT_OPEN:
        paced_server.ws = ws.value;
        paced_server.opens++;
        break;
    case JZ_EVENT_CLOSE:
        paced_server.cause = (int)event->cause;
        paced_server.closes++;
        break;
    case JZ_EVENT_MESSAGE:
        if (message->kind > JZ_MESSAGE_BINARY) {
            paced_server.pings++;
            break;
        }
        memcpy(text, message->bytes, length);
        if ((size_t)atoi(text) != paced_server.messages)
            paced_server.breaks++;
        paced_server.messages++;
        paced_server.holds++;
        test_hold_while(paced_server.is_held);
        break;
    default:
        break;
    }
}

const paced_manner paced_manners[PACED_MANNERS] = {
    {"on the loop", JZ_EXECUTION_LOOP, false},
    {"on workers", JZ_EXECUTION_WORKERS, false},
    {"on the loop, over channels", JZ_EXECUTION_LOOP, true},
    {"on workers, over channels", JZ_EXECUTION_WORKERS, true},
};

jz_route_options paced_options(uint32_t per_second, uint32_t burst, jz_exceeding exceeding)
{
    jz_route_options route = jz_route_options_default();
    route.message_rate = (jz_message_rate){per_second, burst, exceeding};
    return route;
}

static throttled throttle;

/* Listens for clients in memory, too. */
static void listen_in_memory(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0 && bind(descriptor, (struct sockaddr *)&address, length) == 0 &&
                listen(descriptor, 16) == 0 && getsockname(descriptor, (struct sockaddr *)&address, &length) == 0);
    paced_server.memory_port = ntohs(address.sin_port);
    const jz_listen_options options = {.transport = &memory_transport, .transport_context = &paced_server.network};
    assert_int_equal(jz_server_listen_descriptor_with(paced_server.server, descriptor, &options, NULL), JZ_OK);
}

void paced_start(const paced_manner *manner, const jz_route_options *options)
{
    memset(&paced_server, 0, sizeof paced_server);
    test_clock_stop(test_real_clock_ms() / JZ_TICK_MS * JZ_TICK_MS);
    paced_server.network = (memory_network){.seed = 7, .most_received = 300, .contrary = 9};
    memory_network_begin(&paced_server.network);
    jz_route_options route = *options;
    route.execution = manner->execution;
    jz_options server_options = serving_options(1);
    server_options.close_timeout_ms = PACED_LONG_MS;
    throttle = (throttled){.seed = 1, .most_received = 512, .contrary = 7};
    const jz_listen_options channels = {.transport = &throttled_transport, .transport_context = &throttle};
    assert_non_null(paced_server.server = jz_server_create(&server_options, NULL));
    assert_int_equal(jz_server_route_ws(paced_server.server, "/", &route, handle, NULL, NULL), JZ_OK);
    assert_int_equal(
        jz_server_route_ws(paced_server.server, "/bystander", bystander_options(), bystander_handle, NULL, NULL),
        JZ_OK);
    assert_int_equal(
        jz_server_listen_with(paced_server.server, "127.0.0.1", 0, manner->has_channels ? &channels : NULL, NULL),
        JZ_OK);
    listen_in_memory();
    snprintf(paced_server.path, sizeof paced_server.path, "/tmp/jazzy-paced-%ld", (long)getpid());
    assert_int_equal(jz_server_listen_unix(paced_server.server, paced_server.path, NULL), JZ_OK);
    assert_int_equal(jz_server_start(paced_server.server, NULL), JZ_OK);
    bystander_open(jz_server_port(paced_server.server));
    assert_true(test_client_open(&paced_server.peer, jz_server_port(paced_server.server), UPGRADE_REQUEST("/")));
    assert_eventually(paced_server.opens == 1);
}

void paced_finish(void)
{
    test_client_close(&paced_server.peer);
    bystander_close();
    jz_server_destroy(paced_server.server);
    memory_network_end(&paced_server.network);
    test_clocks_run();
    assert_int_equal(paced_server.opens, paced_server.closes);
    assert_int_equal(paced_server.breaks, 0);
}

jz_statistics paced_statistics(void)
{
    jz_statistics now;
    jz_server_statistics(paced_server.server, &now);
    return now;
}

void paced_let_turn(void)
{
    bystander_let_turn();
    bystander_let_turn();
}

void paced_advance(uint64_t by_ms)
{
    paced_server.passed_ms += by_ms;
    test_clock_advance(by_ms);
    paced_let_turn();
}

jz_buffer paced_numbers(size_t first, size_t count)
{
    static const uint8_t no_key[4];
    jz_buffer bytes = {0};
    for (size_t number = first; number < first + count; number++) {
        char text[16];
        int length = snprintf(text, sizeof text, "%zu", number);
        const test_frame frame = {
            .fin = true, .opcode = JZ_OPCODE_TEXT, .payload = {text, (size_t)length, (size_t)length}};
        test_frame_append(&bytes, &frame, no_key);
    }
    return bytes;
}

void paced_send_numbers(size_t first, size_t count)
{
    jz_buffer bytes = paced_numbers(first, count);
    assert_true(test_client_send(&paced_server.peer, bytes.bytes, bytes.length));
    jz_buffer_free(&bytes);
}

void paced_expect_messages(const char *name, size_t count)
{
    uint64_t deadline = test_deadline();
    while (paced_server.messages < count)
        assert_that(test_pause_before(deadline), "%s: %zu messages instead of %zu", name, paced_server.messages, count);
    paced_let_turn();
    assert_that(paced_server.messages == count, "%s: %zu messages instead of %zu", name, paced_server.messages, count);
}

void paced_expect_close(uint16_t code, const char *reason)
{
    uint8_t payload[128] = {(uint8_t)(code >> 8), (uint8_t)code};
    memcpy(payload + 2, reason, strlen(reason));
    test_client_expect(&paced_server.peer, JZ_OPCODE_CLOSE, payload, 2 + strlen(reason));
}
