/* A thousand subscribers, some of which do not read: memory stays bounded, and the others are not affected. */
#define _POSIX_C_SOURCE 200809L

#include <stdatomic.h>
#include <sys/resource.h>

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/fleet.h"
#include "support/serving.h"
#include "support/testing.h"

enum {
    LOOPS = 4,
    RECEIVERS = 1000, /* the first of these are flooded, and the very first do not read */
    FLOODED = 20,
    SLOW = 10,
    LIMIT = 16 * 1024, /* of unsent output */
    SMALL = 2000,      /* is copied to each receiver */
    LARGE = 3000,      /* is shared by all */
    LITTLE = 500,
    ROUNDS = 200,
    FLOODS_OF_ROUND = 4, /* together less than the limit */
    ROUNDS_OF_NEWS = 5,  /* from one for everybody to the next */
    SLOW_RECEIVE_BUFFER = 4096
};

#define NEWS "news", 4
#define FLOOD "flood", 5

static struct {
    atomic_size_t opens;
    atomic_size_t closes;
    _Atomic uint64_t first; /* connection that was opened */
} seen;

static void subscribe(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)message;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, NEWS);
        if (context != NULL)
            jz_ws_subscribe(ws, FLOOD);
        if (seen.opens++ == 0)
            seen.first = ws.value;
    } else if (event->type == JZ_EVENT_CLOSE) {
        seen.closes++;
    }
}

/* Each publication begins with its number. */
typedef struct receipts {
    size_t floods[RECEIVERS];
    size_t news[RECEIVERS];
    size_t total;
    size_t gaps; /* numbers that do not follow each other */
    uint16_t close_code;
} receipts;

static void take(void *context, size_t number, uint8_t opcode, const uint8_t *start, size_t length)
{
    receipts *receipts = context;
    if (opcode == JZ_OPCODE_CLOSE) {
        receipts->close_code = (uint16_t)(start[0] << 8 | start[1]);
        return;
    }
    uint32_t published;
    memcpy(&published, start, sizeof published);
    size_t *received = length == LITTLE ? &receipts->news[number] : &receipts->floods[number];
    receipts->gaps += published == *received ? 0 : 1;
    ++*received;
    receipts->total++;
}

static void publish(jz_server *server, const char *topic, size_t topic_length, size_t number, size_t length)
{
    static uint8_t message[LARGE];
    const uint32_t published = (uint32_t)number;
    memcpy(message, &published, sizeof published);
    assert_int_equal(jz_server_publish(server, topic, topic_length, JZ_MESSAGE_BINARY, message, length), JZ_SEND_SENT);
}

static jz_server *start(uint32_t loops)
{
    static int floods;
    memset(&seen, 0, sizeof seen);
    jz_route_options strict = jz_route_options_default();
    strict.backpressure_policy = JZ_BACKPRESSURE_CLOSE;
    const serving_route routes[] = {{"/news", subscribe, NULL, NULL},
                                    {"/flood", subscribe, &floods, NULL},
                                    {"/strict", subscribe, &floods, &strict}};
    jz_options options = serving_options(loops);
    options.backpressure_limit = LIMIT;
    return serving_start(&options, routes, COUNT_OF(routes));
}

/* Each connection has a descriptor on both sides. */
static void allow_descriptors(void)
{
    struct rlimit limits;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limits), 0);
    limits.rlim_cur = limits.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limits), 0);
    assert_true(limits.rlim_cur > 2 * RECEIVERS + 100);
}

static void open_receivers(fleet *fleet, jz_server *server)
{
    for (size_t i = 0; i < RECEIVERS; i++) {
        const char *path = i < FLOODED ? "/flood" : "/news";
        assert_true(fleet_open(fleet, i, jz_server_port(server), path, i < SLOW ? SLOW_RECEIVE_BUFFER : 0));
        assert_true(fleet_read(fleet, i, i >= SLOW));
    }
    assert_eventually(jz_server_subscriber_count(server, NEWS) == RECEIVERS);
    assert_int_equal(jz_server_subscriber_count(server, FLOOD), FLOODED);
}

static void slow_receivers_miss_messages_and_nobody_else_does(void **state)
{
    (void)state;
    static receipts received;
    allow_descriptors();
    size_t live = test_live_allocations();
    jz_server *server = start(LOOPS);
    fleet fleet;
    assert_true(fleet_start(&fleet, RECEIVERS, take, &received));
    open_receivers(&fleet, server);
    size_t before = test_live_bytes();
    (void)test_most_live_bytes();
    size_t floods = 0;
    size_t news = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < FLOODS_OF_ROUND; i++)
            publish(server, FLOOD, floods++, i % 2 == 0 ? SMALL : LARGE);
        if (round % ROUNDS_OF_NEWS == 0)
            publish(server, NEWS, news++, LITTLE);
        assert_turning(&fleet, received.total >= floods * (FLOODED - SLOW) + news * (RECEIVERS - SLOW));
    }
    /*
     * Upper bound: for peers that do not read, twice the limit (buffers grow by doubling) and sent bytes that were not
     * removed yet; for all others, twice the data of a round. The published data is many times as much.
     */
    size_t most = test_most_live_bytes() - before;
    const size_t bound =
        SLOW * 2 * (LIMIT + LARGE + 64 * 1024) + FLOODED * 2 * FLOODS_OF_ROUND * LARGE + RECEIVERS * 2 * (LITTLE + 256);
    assert_true(bound < floods / 2 * (SMALL + LARGE) * SLOW / 4);
    assert_that(most < bound, "%zu bytes, not less than %zu", most, bound);
    assert_int_equal(received.gaps, 0);
    for (size_t i = SLOW; i < RECEIVERS; i++) {
        assert_int_equal(received.news[i], news);
        assert_int_equal(received.floods[i], i < FLOODED ? floods : 0);
    }
    /* Every message that a slow receiver does not find when it reads at last was dropped, and counted. */
    size_t total = received.total;
    size_t dropped = (size_t)jz_server_dropped_count(server);
    assert_true(dropped > SLOW * floods / 2);
    for (size_t i = 0; i < SLOW; i++)
        assert_true(fleet_read(&fleet, i, true));
    assert_turning(&fleet, received.total - total + dropped >= SLOW * (floods + news));
    assert_int_equal(received.total - total + dropped, SLOW * (floods + news));
    assert_int_equal(jz_server_dropped_count(server), dropped);
    fleet_finish(&fleet);
    assert_eventually(seen.closes == RECEIVERS);
    jz_server_destroy(server);
    assert_int_equal(test_live_allocations(), live);
}

static void where_the_route_says_so_a_slow_receiver_is_closed_with_1013(void **state)
{
    (void)state;
    static receipts received;
    enum { CLIENTS = 2, MOST_FLOODS = 4000 };
    jz_server *server = start(1);
    fleet fleet;
    assert_true(fleet_start(&fleet, CLIENTS, take, &received));
    assert_true(fleet_open(&fleet, 0, jz_server_port(server), "/strict", SLOW_RECEIVE_BUFFER));
    assert_true(fleet_open(&fleet, 1, jz_server_port(server), "/strict", 0));
    assert_true(fleet_read(&fleet, 0, false));
    assert_eventually(jz_server_subscriber_count(server, FLOOD) == CLIENTS);
    size_t floods = 0;
    while (jz_server_dropped_count(server) == 0 && floods < MOST_FLOODS) {
        publish(server, FLOOD, floods, floods % 2 == 0 ? SMALL : LARGE);
        floods++;
        assert_turning(&fleet, received.total == floods);
    }
    assert_int_equal(jz_server_dropped_count(server), 1);
    assert_false(jz_ws_is_open((jz_ws){seen.first}));
    /* It still gets all that was accepted for it, and then the reason for the close. */
    assert_true(fleet_read(&fleet, 0, true));
    assert_turning(&fleet, received.close_code != 0);
    assert_int_equal(received.close_code, JZ_CLOSE_TRY_AGAIN_LATER);
    assert_int_equal(received.floods[0], floods - 1);
    assert_int_equal(received.gaps, 0);
    assert_true(fleet_send(&fleet, 0, JZ_OPCODE_CLOSE, "\x03\xF5", 2));
    assert_turning(&fleet, fleet.clients[0].has_ended);
    assert_eventually(seen.closes == 1);
    publish(server, FLOOD, floods++, SMALL);
    assert_turning(&fleet, received.floods[1] == floods);
    assert_int_equal(jz_server_dropped_count(server), 1);
    fleet_finish(&fleet);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_receivers_miss_messages_and_nobody_else_does),
        cmocka_unit_test(where_the_route_says_so_a_slow_receiver_is_closed_with_1013),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("slow receivers", tests, NULL, NULL));
}
