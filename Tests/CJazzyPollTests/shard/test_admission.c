/* How many connections are let in: the counting itself, and servers that count. */
#include "shard/admission.h"

#include <pthread.h>

#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/journal.h"
#include "support/random.h"
#include "support/serving.h"
#include "support/testing.h"

static jz_address address_of(const char *text)
{
    jz_address address;
    assert_that(jz_address_parse((jz_text){text, strlen(text)}, &address), "%s is no address", text);
    return address;
}

static jz_admission admission_of(uint32_t connections, uint32_t handshakes, uint32_t per_address)
{
    jz_options options = jz_options_default();
    options.max_connections = connections;
    options.max_handshakes = handshakes;
    options.max_connections_per_address = per_address;
    jz_admission admission;
    jz_admission_init(&admission, &options);
    return admission;
}

static void connections_are_counted_over_the_process_and_handshakes_are_not(void **state)
{
    (void)state;
    jz_admission first = admission_of(3, 2, JZ_UNLIMITED);
    jz_admission second = admission_of(JZ_UNLIMITED, JZ_UNLIMITED, JZ_UNLIMITED);
    jz_refusal why;
    assert_true(jz_admission_enter(&first, &why));
    assert_true(jz_admission_enter(&first, &why));
    assert_false(jz_admission_enter(&first, &why));
    assert_int_equal(why, JZ_REFUSAL_MAX_HANDSHAKES);
    jz_admission_end_handshake(&first);
    assert_true(jz_admission_enter(&second, &why));
    assert_true(jz_admission_enter(&second, &why)); /* it has no limit of its own */
    assert_false(jz_admission_enter(&first, &why));
    assert_int_equal(why, JZ_REFUSAL_MAX_CONNECTIONS);
    jz_admission_leave(&second, true);
    assert_false(jz_admission_enter(&first, &why));
    jz_admission_leave(&second, true);
    assert_true(jz_admission_enter(&first, &why));
    assert_int_equal(first.connections, 3);
    assert_int_equal(first.handshakes, 2);
    assert_int_equal(first.peak, 3);
    assert_int_equal(first.total, 3);
    assert_int_equal(second.connections, 0);
    assert_int_equal(second.handshakes, 0);
    assert_int_equal(second.peak, 2);
    assert_int_equal(second.total, 2);
    jz_admission_leave(&first, false);
    jz_admission_leave(&first, true);
    jz_admission_leave(&first, true);
    assert_int_equal(first.connections, 0);
    assert_int_equal(first.handshakes, 0);
    assert_int_equal(first.peak, 3);
    jz_admission_destroy(&first);
    jz_admission_destroy(&second);
}

enum { MOST_AT_ONCE = 3, ENTRIES = 20000 };

static void *enter_and_leave(void *context)
{
    jz_admission *admission = context;
    const jz_address address = {.ip = {0x20, 0x01}};
    jz_refusal why;
    for (int i = 0; i < ENTRIES; i++) {
        if (!jz_admission_enter(admission, &why))
            continue;
        if (jz_admission_count_address(admission, &address))
            jz_admission_uncount_address(admission, &address);
        jz_admission_leave(admission, true);
    }
    return NULL;
}

static void threads_never_exceed_the_limit(void **state)
{
    (void)state;
    jz_admission admission = admission_of(MOST_AT_ONCE, JZ_UNLIMITED, 1);
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, enter_and_leave, &admission), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_true(admission.peak <= MOST_AT_ONCE);
    assert_int_equal(admission.connections, 0);
    assert_int_equal(admission.handshakes, 0);
    assert_int_equal(admission.addresses.count, 0);
    jz_admission_destroy(&admission);
}

static const struct {
    const char *first;
    const char *second;
    bool counts_as_one;
} neighbours[] = {
    {"192.0.2.7", "192.0.2.7", true},
    {"192.0.2.7:80", "192.0.2.7:81", true},
    {"192.0.2.7", "192.0.2.8", false},
    {"192.0.2.7", "192.0.3.7", false},
    {"192.0.2.7", "::ffff:192.0.2.7", true},
    {"192.0.2.7", "::ffff:192.0.2.8", false},
    {"192.0.2.7", "::192.0.2.7", false},
    {"192.0.2.7", "::fffe:192.0.2.7", false},
    {"2001:db8::7", "2001:db8::7", true},
    {"2001:db8::7", "2001:db8::ffff:ffff:ffff:ffff", true},
    {"2001:db8::7", "2001:db8:0:1::7", false},
    {"2001:db8::7", "2001:db9::7", false},
    {"::1", "::2", true},
    {"::1", "127.0.0.1", false},
};

static void an_ipv6_address_counts_with_its_network(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(neighbours); i++) {
        jz_admission admission = admission_of(JZ_UNLIMITED, JZ_UNLIMITED, 1);
        const jz_address first = address_of(neighbours[i].first);
        const jz_address second = address_of(neighbours[i].second);
        assert_true(jz_admission_count_address(&admission, &first));
        assert_that(jz_admission_count_address(&admission, &second) != neighbours[i].counts_as_one, "%s and %s",
                    neighbours[i].first, neighbours[i].second);
        jz_admission_uncount_address(&admission, &first);
        if (!neighbours[i].counts_as_one)
            jz_admission_uncount_address(&admission, &second);
        assert_true(jz_admission_count_address(&admission, &second));
        jz_admission_destroy(&admission);
    }
}

enum { ADDRESSES = 3000, STEPS = 200000, MOST_OF_ONE = 3 };

/* Half of them IPv4, half IPv6 networks; some differ in one bit only. */
static jz_address numbered_address(size_t number)
{
    jz_address address = {.ip = {0x20, 0x01}, .port = (uint16_t)number};
    const uint8_t ipv4[4] = {10, 0, (uint8_t)(number >> 9), (uint8_t)(number >> 1)};
    if (number % 2 == 0) {
        jz_ip_map_ipv4(ipv4, address.ip);
    } else {
        address.ip[6] = (uint8_t)(number >> 9);
        address.ip[7] = (uint8_t)(number >> 1);
        address.ip[15] = (uint8_t)number;
    }
    return address;
}

static size_t check_table(const jz_admission *admission, const uint32_t counts[ADDRESSES])
{
    size_t taken = 0;
    for (size_t i = 0; i < ADDRESSES; i++)
        taken += counts[i] > 0;
    assert_int_equal(admission->addresses.count, taken);
    return taken;
}

static void take_all_out(jz_admission *admission, uint32_t counts[ADDRESSES], test_random *random)
{
    size_t left = 0;
    for (size_t i = 0; i < ADDRESSES; i++)
        left += counts[i];
    for (; left > 0; left--) {
        size_t number = test_random_below(random, ADDRESSES);
        while (counts[number] == 0)
            number = (number + 1) % ADDRESSES;
        const jz_address address = numbered_address(number);
        jz_admission_uncount_address(admission, &address);
        counts[number]--;
    }
}

static void many_addresses_are_counted_as_a_list_would(void **state)
{
    (void)state;
    static uint32_t counts[ADDRESSES];
    jz_admission admission = admission_of(JZ_UNLIMITED, JZ_UNLIMITED, MOST_OF_ONE);
    test_random random = {1};
    size_t most = 0;
    for (size_t i = 0; i < STEPS; i++) {
        size_t number = test_random_below(&random, ADDRESSES);
        const jz_address address = numbered_address(number);
        /* It fills for one half of the steps, and empties for the other. */
        if (test_random_below(&random, 3) < (i < STEPS / 2 ? 2U : 1U)) {
            bool is_let_in = jz_admission_count_address(&admission, &address);
            assert_int_equal(is_let_in, counts[number] < MOST_OF_ONE);
            counts[number] += is_let_in;
        } else if (counts[number] > 0) {
            jz_admission_uncount_address(&admission, &address);
            counts[number]--;
        }
        if (i % 1000 == 0) {
            size_t taken = check_table(&admission, counts);
            most = taken > most ? taken : most;
        }
    }
    assert_true(most > ADDRESSES / 2);
    take_all_out(&admission, counts, &random);
    check_table(&admission, counts);
    assert_true(admission.addresses.bucket_count <= 64); /* memory went down with the connections */
    jz_admission_destroy(&admission);
}

static void without_memory_new_addresses_are_refused_and_old_ones_stay_counted(void **state)
{
    (void)state;
    jz_admission admission = admission_of(JZ_UNLIMITED, JZ_UNLIMITED, 1);
    size_t live = test_live_bytes();
    size_t let_in = 0;
    size_t refused_number = 0;
    test_allocations_fail_after(66); /* the first buckets, and one for each address */
    while (refused_number == 0) {
        const jz_address address = numbered_address(let_in);
        if (jz_admission_count_address(&admission, &address))
            let_in++;
        else
            refused_number = let_in;
    }
    assert_true(test_allocations_succeed() > 0);
    assert_int_equal(let_in, 64);
    for (size_t i = 0; i < let_in; i++) {
        const jz_address address = numbered_address(i);
        assert_false(jz_admission_count_address(&admission, &address));
    }
    /* Nor is any lost where there is none to shrink with. */
    test_allocations_fail_after(0);
    for (size_t i = 0; i + 1 < let_in; i++) {
        const jz_address address = numbered_address(i);
        jz_admission_uncount_address(&admission, &address);
    }
    test_allocations_succeed();
    const jz_address last = numbered_address(let_in - 1);
    assert_int_equal(admission.addresses.count, 1);
    assert_false(jz_admission_count_address(&admission, &last));
    jz_admission_uncount_address(&admission, &last);
    assert_true(jz_admission_count_address(&admission, &last));
    jz_admission_destroy(&admission);
    assert_int_equal(test_live_bytes(), live);
}

static test_client first;
static test_client second;
static test_client third;
static journal visits = JOURNAL_INITIALIZER;

static jz_server *start(const jz_options *options)
{
    const serving_route routes[] = {{"/", journal_handle, &visits, NULL}};
    return serving_start(options, routes, COUNT_OF(routes));
}

static jz_statistics statistics_of(const jz_server *server)
{
    jz_statistics statistics;
    jz_server_statistics(server, &statistics);
    return statistics;
}

static void expect_turned_away(jz_server *server, int status, jz_refusal why)
{
    static test_client client;
    jz_statistics before = statistics_of(server);
    assert_true(test_client_connect(&client, jz_server_port(server), 0));
    /* It is answered before it sends anything. */
    assert_int_equal(test_client_take_head(&client), status);
    assert_true(test_client_sees_end(&client));
    test_client_close(&client);
    jz_statistics after = statistics_of(server);
    assert_int_equal(after.refused[why], before.refused[why] + 1);
    assert_int_equal(after.websockets_total, before.websockets_total);
}

static void open_one(test_client *client, const jz_server *server)
{
    assert_true(test_client_open(client, jz_server_port(server), UPGRADE_REQUEST("/")));
}

/* The process counts who has left a little longer than the server does. */
static bool is_let_in(test_client *client, const jz_server *server)
{
    if (test_client_open(client, jz_server_port(server), UPGRADE_REQUEST("/")))
        return true;
    test_client_close(client);
    return false;
}

static void a_process_has_at_most_max_connections(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 2; threads++) {
        jz_options options = serving_options(threads);
        jz_server *unlimited = start(&options);
        options.max_connections = 3;
        jz_server *limited = start(&options);
        open_one(&first, unlimited);
        open_one(&second, limited);
        open_one(&third, unlimited);
        for (int i = 0; i < 5; i++)
            expect_turned_away(limited, 503, JZ_REFUSAL_MAX_CONNECTIONS);
        test_client_close(&third);
        assert_eventually(statistics_of(unlimited).connections == 1);
        assert_eventually(is_let_in(&third, limited));
        expect_turned_away(limited, 503, JZ_REFUSAL_MAX_CONNECTIONS);
        test_client_reset(&second);
        assert_eventually(statistics_of(limited).connections == 1);
        assert_eventually(is_let_in(&second, limited));
        assert_int_equal(statistics_of(limited).connections_peak, 2);
        test_client_close(&first);
        test_client_close(&second);
        test_client_close(&third);
        assert_eventually(statistics_of(limited).connections == 0);
        jz_server_destroy(limited);
        jz_server_destroy(unlimited);
    }
}

static void an_address_has_at_most_max_connections_per_address(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 2; threads++) {
        jz_options options = serving_options(threads);
        options.max_connections_per_address = 2;
        jz_server *server = start(&options);
        open_one(&first, server);
        assert_true(test_client_connect(&second, jz_server_port(server), 0)); /* before its handshake, too */
        assert_eventually(statistics_of(server).connections == 2);
        for (int i = 0; i < 5; i++)
            expect_turned_away(server, 429, JZ_REFUSAL_CONNECTIONS_PER_ADDRESS);
        test_client_close(&second);
        assert_eventually(statistics_of(server).connections == 1);
        open_one(&second, server);
        expect_turned_away(server, 429, JZ_REFUSAL_CONNECTIONS_PER_ADDRESS);
        test_client_reset(&first);
        assert_eventually(statistics_of(server).connections == 1);
        open_one(&first, server);
        test_client_close(&first);
        test_client_close(&second);
        jz_server_destroy(server);
    }
}

static void a_server_has_at_most_max_handshakes(void **state)
{
    (void)state;
    jz_options options = serving_options(1);
    options.max_handshakes = 1;
    jz_server *server = start(&options);
    open_one(&first, server);
    open_one(&second, server);
    assert_true(test_client_connect(&third, jz_server_port(server), 0));
    assert_eventually(statistics_of(server).handshakes == 1);
    expect_turned_away(server, 503, JZ_REFUSAL_MAX_HANDSHAKES);
    assert_true(test_client_send(&third, UPGRADE_REQUEST("/"), strlen(UPGRADE_REQUEST("/"))));
    assert_int_equal(test_client_take_head(&third), 101);
    test_client_close(&first);
    open_one(&first, server);
    assert_int_equal(statistics_of(server).handshakes, 0);
    test_client_close(&first);
    test_client_close(&second);
    test_client_close(&third);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_counted_over_the_process_and_handshakes_are_not),
        cmocka_unit_test(threads_never_exceed_the_limit),
        cmocka_unit_test(an_ipv6_address_counts_with_its_network),
        cmocka_unit_test(many_addresses_are_counted_as_a_list_would),
        cmocka_unit_test(without_memory_new_addresses_are_refused_and_old_ones_stay_counted),
        cmocka_unit_test(a_process_has_at_most_max_connections),
        cmocka_unit_test(an_address_has_at_most_max_connections_per_address),
        cmocka_unit_test(a_server_has_at_most_max_handshakes),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("admission", tests, NULL, NULL));
}
