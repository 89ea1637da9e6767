/*
 * Three servers whose topics a broker joins, which delays and changes the order of servers: whoever is a member on any
 * of them is one on all.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "jazzy.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/fleet.h"
#include "support/joining_broker.h"
#include "support/log_lines.h"
#include "support/serving.h"
#include "support/testing.h"

enum { LOOPS = 2, CLIENTS = 9, OF_EACH = CLIENTS / JOINED_SERVERS };

#define ROOM "room", 4

/* What a watch was told, added up. */
typedef struct tally {
    pthread_mutex_t lock;
    size_t joined, left, now;
} tally;

typedef struct party {
    joining_broker broker;
    jz_server *servers[JOINED_SERVERS];
    tally tallies[JOINED_SERVERS];
    fleet fleet;
} party;

static party party_of_three;

/* Client i is at server i % 3. */
static jz_ws opened[CLIENTS];
static atomic_size_t opened_count;

static void note_opened(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type != JZ_EVENT_OPEN)
        return;
    opened[opened_count] = ws;
    opened_count++;
}

static void ignore_frame(void *context, size_t number, uint8_t opcode, const uint8_t *start, size_t length)
{
    (void)context, (void)number, (void)opcode, (void)start, (void)length;
}

static void add_up(void *context, const jz_presence_change *change)
{
    tally *tally = context;
    pthread_mutex_lock(&tally->lock);
    tally->joined += change->joined_count;
    tally->left += change->left_count;
    tally->now = change->member_count;
    pthread_mutex_unlock(&tally->lock);
}

static size_t read_of(tally *tally, const size_t *number)
{
    pthread_mutex_lock(&tally->lock);
    size_t read = *number;
    pthread_mutex_unlock(&tally->lock);
    return read;
}

static void watch_room(jz_server *server, void (*changed)(void *, const jz_presence_change *), void *context)
{
    const jz_presence_watch watch = {.topic = "room", .topic_length = 4, .changed = changed, .context = context};
    assert_int_equal(jz_server_on_presence(server, &watch, NULL, NULL), JZ_OK);
}

/* Everything has a history, which what servers say to each other must not have. */
static jz_server *serve(party *party, size_t number)
{
    jz_error error = {0};
    const jz_options options = serving_options(LOOPS);
    const jz_history_options kept = {.keep = 10, .for_ms = 60000, .bytes = 10000};
    const jz_broker broker = joining_broker_for(&party->broker, number);
    jz_server *server = jz_server_create(&options, &error);
    assert_non_null(server);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, note_opened, NULL, &error), JZ_OK);
    assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, &error), JZ_OK);
    assert_int_equal(jz_server_history(server, "", 0, &kept, &error), JZ_OK);
    assert_int_equal(jz_server_join(server, &broker, &error), JZ_OK);
    assert_int_equal(jz_server_start(server, &error), JZ_OK);
    return server;
}

static party *set_up(uint64_t seed, bool is_ordered)
{
    party *party = &party_of_three;
    joining_broker_start(&party->broker, seed, 0);
    party->broker.is_ordered = is_ordered;
    opened_count = 0;
    for (size_t i = 0; i < JOINED_SERVERS; i++) {
        party->tallies[i] = (tally){.lock = PTHREAD_MUTEX_INITIALIZER};
        party->servers[i] = serve(party, i);
        watch_room(party->servers[i], add_up, &party->tallies[i]);
    }
    assert_true(fleet_start(&party->fleet, CLIENTS, ignore_frame, NULL));
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_true(fleet_open(&party->fleet, i, jz_server_port(party->servers[i % JOINED_SERVERS]), "/", 0));
        assert_turning(&party->fleet, opened_count == i + 1);
    }
    return party;
}

static void tear_down(party *party)
{
    fleet_finish(&party->fleet);
    for (size_t i = 0; i < JOINED_SERVERS; i++) {
        jz_server_destroy(party->servers[i]);
        assert_int_equal(party->tallies[i].now, 0);
        pthread_mutex_destroy(&party->tallies[i].lock);
    }
    joining_broker_finish(&party->broker);
}

static void enter(size_t client, const char *key, const char *info)
{
    const jz_member who = {key, strlen(key), info, strlen(info)};
    assert_int_equal(jz_ws_subscribe_as(opened[client], ROOM, &who, NULL), JZ_SEND_QUEUED);
}

static void add_member(void *context, const jz_member *member)
{
    char *text = context;
    size_t length = strlen(text);
    snprintf(text + length, 256 - length, "%.*s=%.*s ", (int)member->key_length, member->key, (int)member->info_length,
             (const char *)member->info);
}

static bool all_know(party *party, size_t count)
{
    for (size_t i = 0; i < JOINED_SERVERS; i++) {
        if (jz_server_member_count(party->servers[i], ROOM) != count ||
            read_of(&party->tallies[i], &party->tallies[i].now) != count)
            return false;
    }
    return true;
}

static bool knows(const party *party, size_t server, const char *member)
{
    char text[256] = "";
    assert_int_equal(jz_server_members(party->servers[server], ROOM, add_member, text, NULL), JZ_OK);
    return strstr(text, member) != NULL;
}

static void whoever_is_a_member_on_any_server_is_one_on_all(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        party *party = set_up(seed, seed % 2 == 0);
        char key[8];
        for (size_t i = 0; i < CLIENTS; i++) {
            snprintf(key, sizeof key, "k%zu", i);
            enter(i, key, "info");
        }
        assert_turning(&party->fleet, all_know(party, CLIENTS));
        assert_true(knows(party, 0, "k1=info") && knows(party, 1, "k2=info") && knows(party, 2, "k0=info"));
        for (size_t i = 0; i < CLIENTS; i += 2)
            fleet_close(&party->fleet, i);
        assert_turning(&party->fleet, all_know(party, CLIENTS / 2));
        for (size_t i = 0; i < JOINED_SERVERS; i++) {
            assert_int_equal(party->tallies[i].joined, CLIENTS);
            assert_int_equal(party->tallies[i].left, CLIENTS - CLIENTS / 2);
        }
        tear_down(party);
    }
}

static void one_key_on_several_servers_is_one_member_with_the_last_info(void **state)
{
    (void)state;
    party *party = set_up(1, false);
    enter(0, "ann", "A");
    assert_turning(&party->fleet, all_know(party, 1));
    enter(1, "ann", "B");
    enter(4, "ann", "B");
    assert_turning(&party->fleet, knows(party, 0, "ann=B") && knows(party, 2, "ann=B"));
    fleet_close(&party->fleet, 1);
    fleet_close(&party->fleet, 4);
    assert_turning(&party->fleet, knows(party, 1, "ann=A") && knows(party, 2, "ann=A"));
    assert_true(all_know(party, 1));
    fleet_close(&party->fleet, 0);
    assert_turning(&party->fleet, all_know(party, 0));
    for (size_t i = 0; i < JOINED_SERVERS; i++)
        assert_int_equal(party->tallies[i].left, 1);
    tear_down(party);
}

/* Who has no key gets one that no other server makes. */
static void keys_that_servers_make_are_different_on_all(void **state)
{
    (void)state;
    party *party = set_up(2, false);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(jz_ws_subscribe_as(opened[i], ROOM, NULL, NULL), JZ_SEND_QUEUED);
    assert_turning(&party->fleet, all_know(party, CLIENTS));
    tear_down(party);
}

static bool knows_of_all(jz_server *server)
{
    jz_presence_statistics presence;
    jz_server_presence_statistics(server, &presence);
    return presence.members_elsewhere == 2 * (JOINED_SERVERS - 1);
}

/* What servers say to each other is neither published nor a topic of theirs, and is told apart. */
static void statistics_tell_of_what_is_elsewhere(void **state)
{
    (void)state;
    party *party = set_up(3, true);
    for (size_t i = 0; i < CLIENTS; i++)
        enter(i, i < JOINED_SERVERS ? "ann" : "bob", "info");
    for (size_t i = 0; i < JOINED_SERVERS; i++) {
        assert_turning(&party->fleet, knows_of_all(party->servers[i]));
        jz_presence_statistics presence;
        jz_server_presence_statistics(party->servers[i], &presence);
        assert_int_equal(presence.servers, JOINED_SERVERS - 1);
        assert_int_equal(presence.members, 2);
        assert_int_equal(presence.topics, 1);
        assert_int_equal(presence.not_kept + presence.malformed, 0);
        jz_statistics statistics;
        jz_server_statistics(party->servers[i], &statistics);
        assert_int_equal(statistics.broker.topics, 1);
        assert_int_equal(statistics.broker.published + statistics.broker.delivered + statistics.broker.refused, 0);
        assert_true(joining_broker_has_topic(&party->broker, i, "\xFFjazzy.presence", 15));
        assert_true(joining_broker_has_topic(&party->broker, i, "\xFFjazzy.presence:room", 20));
    }
    tear_down(party);
}

static void a_server_that_stops_takes_its_members_with_it_at_once(void **state)
{
    (void)state;
    party *party = set_up(4, false);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(jz_ws_subscribe_as(opened[i], ROOM, NULL, NULL), JZ_SEND_QUEUED);
    assert_turning(&party->fleet, all_know(party, CLIENTS));
    jz_server_stop_within(party->servers[0], 0);
    jz_server_wait(party->servers[0]);
    uint64_t stopped_ms = test_real_clock_ms();
    assert_turning(&party->fleet, jz_server_member_count(party->servers[1], ROOM) == CLIENTS - OF_EACH);
    assert_turning(&party->fleet, jz_server_member_count(party->servers[2], ROOM) == CLIENTS - OF_EACH);
    assert_true(test_real_clock_ms() - stopped_ms < 9000); /* before it would be missed */
    tear_down(party);
}

/*
 * Until the condition holds time passes twice as fast: with every second that a thread waits in the kernel, or for a
 * core, two have passed, which must not look as if its process had stood still.
 */
#define assert_as_time_flies(party, condition)                                                                         \
    do {                                                                                                               \
        uint64_t began_ = test_real_clock_ms(), jumped_ = 0;                                                           \
        while (!(condition)) {                                                                                         \
            uint64_t passed_ = test_real_clock_ms() - began_;                                                          \
            assert_that(passed_ < 3 * TEST_DEADLINE_MS, "in vain: %s", #condition);                                    \
            test_clock_jump(passed_ - jumped_);                                                                        \
            jumped_ = passed_;                                                                                         \
            fleet_turn(&(party)->fleet);                                                                               \
        }                                                                                                              \
    } while (0)

static void a_server_that_is_lost_takes_its_members_with_it_and_brings_them_back(void **state)
{
    (void)state;
    party *party = set_up(5, false);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(jz_ws_subscribe_as(opened[i], ROOM, NULL, NULL), JZ_SEND_QUEUED);
    assert_turning(&party->fleet, all_know(party, CLIENTS));
    joining_broker_reach(&party->broker, 0, false);
    assert_as_time_flies(party, jz_server_member_count(party->servers[0], ROOM) == OF_EACH);
    assert_as_time_flies(party, jz_server_member_count(party->servers[1], ROOM) == CLIENTS - OF_EACH);
    assert_as_time_flies(party, jz_server_member_count(party->servers[2], ROOM) == CLIENTS - OF_EACH);
    test_clocks_run();
    joining_broker_reach(&party->broker, 0, true);
    assert_turning(&party->fleet, all_know(party, CLIENTS));
    tear_down(party);
}

static void what_happens_while_the_broker_is_lost_is_told_when_it_is_back(void **state)
{
    (void)state;
    party *party = set_up(6, false);
    for (size_t i = 0; i < JOINED_SERVERS; i++)
        assert_int_equal(jz_ws_subscribe_as(opened[i], ROOM, NULL, NULL), JZ_SEND_QUEUED);
    assert_turning(&party->fleet, all_know(party, JOINED_SERVERS));
    joining_broker_reach(&party->broker, 1, false);
    enter(0, "ann", "A");
    enter(1, "bob", "B");
    enter(2, "cy", "C");
    assert_turning(&party->fleet, knows(party, 2, "ann=A"));
    assert_false(knows(party, 1, "ann=A") || knows(party, 2, "bob=B"));
    joining_broker_reach(&party->broker, 1, true);
    assert_turning(&party->fleet, knows(party, 1, "ann=A") && knows(party, 1, "cy=C"));
    assert_turning(&party->fleet, knows(party, 0, "bob=B") && knows(party, 2, "bob=B"));
    assert_turning(&party->fleet, all_know(party, JOINED_SERVERS));
    tear_down(party);
}

/* Who is told of members may block: this holds up no heartbeat. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_size_t gate_calls;

static void wait_at_the_gate(void *context, const jz_presence_change *change)
{
    (void)context, (void)change;
    gate_calls++;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void a_server_whose_watch_blocks_is_not_taken_for_gone(void **state)
{
    (void)state;
    party *party = set_up(7, false);
    gate_calls = 0;
    pthread_mutex_lock(&gate);
    watch_room(party->servers[0], wait_at_the_gate, NULL);
    enter(0, "ann", "A");
    assert_turning(&party->fleet, gate_calls == 1 && knows(party, 1, "ann=A"));
    /* Beats, since nothing else happens. */
    size_t before = joining_broker_delivered(&party->broker, 0, 1);
    assert_as_time_flies(party, joining_broker_delivered(&party->broker, 0, 1) >= before + 4);
    test_clocks_run();
    pthread_mutex_unlock(&gate);
    assert_turning(&party->fleet, all_know(party, 1));
    tear_down(party);
}

/* What others publish there, by mistake or not, is no message of anybody. */
static void what_nobody_can_have_meant_is_counted_and_nothing_else(void **state)
{
    (void)state;
    party *party = set_up(8, false);
    enter(0, "ann", "A");
    assert_turning(&party->fleet, all_know(party, 1));
    assert_int_equal(jz_server_publish(party->servers[1], "\xFFjazzy.presence:room", 20, JZ_MESSAGE_TEXT, "hello", 5),
                     JZ_SEND_SENT);
    jz_presence_statistics presence = {0};
    while (presence.malformed == 0) {
        fleet_turn(&party->fleet);
        jz_server_presence_statistics(party->servers[0], &presence);
    }
    assert_int_equal(presence.malformed, 1);
    assert_true(all_know(party, 1));
    jz_broker_missed(party->servers[0], "\xFFjazzy.presence:room", 20);
    jz_broker_missed(party->servers[0], "\xFFjazzy.presence", 15);
    assert_int_equal(jz_broker_deliver(party->servers[0], "\xFFjazzy.presence", 15, JZ_MESSAGE_TEXT, NULL, 0),
                     JZ_SEND_SENT);
    tear_down(party);
}

/* Members come and go on all servers and threads: in the end all know the same. */
typedef struct stormer {
    size_t server;
    pthread_t thread;
} stormer;

static void *storm(void *context)
{
    const stormer *stormer = context;
    test_random random = {stormer->server + 1};
    for (size_t i = 0; i < 300; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%zu", test_random_below(&random, 5));
        const jz_member who = {key, strlen(key), "info", test_random_below(&random, 5)};
        jz_ws ws = opened[stormer->server + JOINED_SERVERS * test_random_below(&random, OF_EACH)];
        if (i % 3 == 2)
            jz_ws_unsubscribe(ws, ROOM);
        else
            jz_ws_subscribe_as(ws, ROOM, &who, NULL);
        if (i % 50 == 0)
            jz_server_member_count(party_of_three.servers[stormer->server], ROOM);
    }
    return NULL;
}

static void members_may_come_and_go_on_all_servers_at_once(void **state)
{
    (void)state;
    party *party = set_up(9, false);
    stormer stormers[JOINED_SERVERS];
    for (size_t i = 0; i < JOINED_SERVERS; i++) {
        stormers[i].server = i;
        assert_int_equal(pthread_create(&stormers[i].thread, NULL, storm, &stormers[i]), 0);
    }
    for (size_t i = 0; i < JOINED_SERVERS; i++) {
        joining_broker_reach(&party->broker, i, false);
        joining_broker_reach(&party->broker, i, true);
    }
    for (size_t i = 0; i < JOINED_SERVERS; i++)
        pthread_join(stormers[i].thread, NULL);
    for (size_t i = 0; i < CLIENTS; i++)
        enter(i, i % 2 == 0 ? "ann" : "bob", "last");
    /* Looked at once: changes of before may still be on their way, and pass. */
    assert_turning(&party->fleet, all_know(party, 2));
    for (size_t i = 0; i < CLIENTS; i++)
        fleet_close(&party->fleet, i);
    assert_turning(&party->fleet, all_know(party, 0));
    tear_down(party);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_is_a_member_on_any_server_is_one_on_all),
        cmocka_unit_test(one_key_on_several_servers_is_one_member_with_the_last_info),
        cmocka_unit_test(keys_that_servers_make_are_different_on_all),
        cmocka_unit_test(statistics_tell_of_what_is_elsewhere),
        cmocka_unit_test(a_server_that_stops_takes_its_members_with_it_at_once),
        cmocka_unit_test(a_server_that_is_lost_takes_its_members_with_it_and_brings_them_back),
        cmocka_unit_test(what_happens_while_the_broker_is_lost_is_told_when_it_is_back),
        cmocka_unit_test(a_server_whose_watch_blocks_is_not_taken_for_gone),
        cmocka_unit_test(what_nobody_can_have_meant_is_counted_and_nothing_else),
        cmocka_unit_test(members_may_come_and_go_on_all_servers_at_once),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("members_of_joined_servers", tests, NULL, NULL));
}
