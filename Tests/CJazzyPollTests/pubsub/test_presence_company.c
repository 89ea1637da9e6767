/* What servers know of each other's members, as long as nothing is lost but servers and the bus between them. */
#include <stdio.h>

#include "support/club.h"
#include "support/random.h"
#include "support/testing.h"

static club clubs;

/* Three servers each. A window of 250 ms is over after 300. */
static const struct {
    const char *name;
    const char *script;
} behaviours[] = {
    {"members are known where there are others", "0+ann=A >300 1+bob=B >600 0:ann=A,bob=B 1:ann=A,bob=B 2:"},
    {"and where somebody asks", "0+ann=A >300 1? >600 1:ann=A 2:"},
    {"and where somebody watches", "0+ann=A 1w >600 1:ann=A 1t1 0-ann >600 1: 1t1"},
    {"who was there before is asked for", "0+ann=A 0+bob=B >9000 1? >600 1:ann=A,bob=B"},
    {"who comes and goes within a window is not told", "1w 0+ann=A >600 1t1 0+bob=B 0-bob >600 1t0 1:ann=A"},
    {"who leaves and is back at once has not left", "1w 0+ann=A >600 1t1 0-ann 0+ann=A >600 1t0 1:ann=A"},
    {"another info is told once more", "1w 0+ann=A >600 1t1 0+ann=B >600 1t1 1:ann=B 0:ann=B"},
    {"one key on two servers is one member",
     "2w 0+ann=A >600 1+ann=A >600 2:ann=A 2t1 0-ann >600 2t0 1-ann >600 2: 2t1"},
    {"of its infos the one counts that was given last",
     "0+ann=A >600 1+ann=B >600 0:ann=B 1:ann=B 0+ann=C >600 0:ann=C "
     "1:ann=C 0-ann >600 1:ann=C 0-ann >600 1:ann=B 0:ann=B"},
    {"also if it is the same as before", "0+ann=A >600 1+ann=B >600 0+ann=A >600 0:ann=A 1:ann=A 1-ann >600 1:ann=A"},
    {"a server that ends takes its members with it", "1w 0+ann=A 2+bob=B >600 1t2 0. >50 1:bob=B >300 1t1"},
    {"one that crashes is found out", "1w 0+ann=A 1+bob=B >4000 1t2 0! >8000 1:ann=A,bob=B >5300 1:bob=B 1t1"},
    {"another one in its place is another one",
     "1w 0+ann=A >4000 0! 0r 0+ann=B >600 1:ann=B >15000 1:ann=B 0:ann=B 0-ann >600 1:"},
    {"a bus that is lost for a moment changes nothing",
     "0+ann=A 1+bob=B 1w >4000 1t2 0x >5000 0o >4000 0:ann=A,bob=B 1:ann=A,bob=B 1t0"},
    {"what was missed meanwhile is told",
     "0+ann=A 1+bob=B 1w >4000 1t2 1x 0+cy=C 0-ann 1+dan=D >5000 1o >4000 0:bob=B,cy=C,dan=D 1:bob=B,cy=C,dan=D"},
    {"a bus that is lost for long takes all others away, and brings them back",
     "0+ann=A 1+bob=B 0w >4000 0t2 1x >14000 0:ann=A 1:bob=B 0t1 1o >4000 0:ann=A,bob=B 1:ann=A,bob=B 0t1"},
    {"also the one of two that notices nothing",
     "0+ann=A 1+bob=B 2+cy=C >4000 2x >14000 2:cy=C 0:ann=A,bob=B 2o >4000 2:ann=A,bob=B,cy=C 0:ann=A,bob=B,cy=C "
     "1:ann=A,bob=B,cy=C"},
    {"a topic that nobody is interested in is forgotten after a minute",
     "0+ann=A 1? >600 1:ann=A >58000 1:ann=A >8000 1: 1? >600 1:ann=A"},
    {"but not while there are members", "0+ann=A 1+bob=B >100000 1:ann=A,bob=B 1-bob >50000 1:ann=A >16000 1:"},
    {"whose server was gone for long comes back", "0+ann=A 1+bob=B >4000 0x >100000 1:bob=B 0o >4000 1:ann=A,bob=B"},
    {"all at the same time", "0+ann=A 1+bob=B 2+cy=C >600 0:ann=A,bob=B,cy=C 1:ann=A,bob=B,cy=C 2:ann=A,bob=B,cy=C"},
};

static void members_are_known_on_all_servers(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(behaviours); i++) {
        club_begin(&clubs, 3, 0, JZ_UNLIMITED);
        clubs.brings_back = i % 2 == 1; /* as a broker does that is_ordered */
        club_play(&clubs, behaviours[i / 2].name, behaviours[i / 2].script);
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(jz_presence_statistics_of(clubs.servers[j].presence).malformed, 0);
        club_finish(&clubs);
    }
}

/* The same time everywhere, and neither knows of the other. */
static void of_two_infos_at_the_same_time_all_choose_the_same(void **state)
{
    (void)state;
    size_t first = 0;
    for (size_t i = 0; i < 16; i++) {
        char chosen[CLUB_TEXT];
        club_begin(&clubs, 3, 0, JZ_UNLIMITED);
        club_play(&clubs, "at once", "2? >600 0+ann=A 1+ann=B >600");
        snprintf(chosen, sizeof chosen, "%s", club_members(&clubs, 2));
        assert_string_equal(club_members(&clubs, 0), chosen);
        assert_string_equal(club_members(&clubs, 1), chosen);
        first += strcmp(chosen, "ann=A") == 0 ? 1 : 0;
        club_finish(&clubs);
    }
    assert_true(first > 0 && first < 16); /* servers are numbered at random */
}

/* Processes, not members, send heartbeats; and who comes in one window costs one message. */
static void what_is_said_does_not_depend_on_how_many_members_there_are(void **state)
{
    (void)state;
    club_begin(&clubs, 2, 0, JZ_UNLIMITED);
    char key[8];
    for (size_t i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "k%zu", i);
        club_enter(&clubs, 0, key, "info");
    }
    club_pass(&clubs, 300);
    assert_int_equal(clubs.published, 2); /* a hello, and all changes */
    club_play(&clubs, "asks", "1? >10000");
    assert_int_equal(clubs.snapshots, 1);
    assert_int_equal(jz_presence_statistics_of(clubs.servers[1].presence).members_elsewhere, 50);
    assert_int_equal(jz_presence_statistics_of(clubs.servers[1].presence).servers, 1);
    clubs.published = 0;
    club_pass(&clubs, 30000);
    assert_in_range(clubs.published, 18, 22); /* ten beats each */
    club_finish(&clubs);
}

static void nobody_says_anything_where_nobody_is_interested(void **state)
{
    (void)state;
    club_begin(&clubs, 2, 0, JZ_UNLIMITED);
    club_pass(&clubs, 10000);
    assert_int_equal(clubs.published, 0);
    assert_int_equal(clubs.servers[0].topics.table.count, 0);
    club_play(&clubs, "once", "0+ann=A >600 0-ann >70000");
    clubs.published = 0;
    club_pass(&clubs, 10000);
    assert_int_equal(clubs.published, 0);
    assert_int_equal(clubs.servers[0].topics.table.count, 0);
    assert_int_equal(jz_presence_statistics_of(clubs.servers[0].presence).bytes, 0);
    club_finish(&clubs);
}

/* A process that stood still was taken for gone, and says how it is when it goes on. */
static void who_was_paused_is_back_and_takes_nobody_for_gone(void **state)
{
    (void)state;
    club_begin(&clubs, 2, 0, JZ_UNLIMITED);
    club_play(&clubs, "before", "0+ann=A 1+bob=B >4000");
    clubs.servers[0].runs = false;
    club_play(&clubs, "paused", ">20000 1:bob=B");
    clubs.servers[0].runs = true;
    club_play(&clubs, "afterwards", ">50 0:ann=A,bob=B >5000 0:ann=A,bob=B 1:ann=A,bob=B");
    club_finish(&clubs);
}

/* However it goes: when it has been quiet, all know the same, and watches were told it. */
static void play_at_random(uint64_t seed)
{
    static const char *const keys[] = {"ann", "bob", "cy", "dan", "eve"};
    static const char *const infos[] = {"A", "B", "C"};
    test_random random = {seed};
    club_begin(&clubs, 3, 0, JZ_UNLIMITED);
    clubs.brings_back = seed % 3 == 0;
    for (size_t i = 0; i < 3; i++)
        club_watch(&clubs, i);
    for (size_t step = 0; step < 150; step++) {
        size_t number = test_random_below(&random, 3);
        club_server *server = &clubs.servers[number];
        size_t choice = test_random_below(&random, 40);
        if (choice < 16 && server->seat_count < 20)
            club_enter(&clubs, number, keys[test_random_below(&random, 5)], infos[test_random_below(&random, 3)]);
        else if (choice < 26 && server->seat_count > 0)
            club_leave(&clubs, number, server->seats[test_random_below(&random, server->seat_count)].key);
        else if (choice < 28)
            club_reach(&clubs, number, !server->is_reached);
        else if (choice == 28) {
            club_crash(&clubs, number);
            club_replace(&clubs, number);
            club_watch(&clubs, number);
        } else if (choice == 29)
            club_pass(&clubs, 1000 * test_random_below(&random, 20));
        else
            club_pass(&clubs, 50 * test_random_below(&random, 12));
    }
    for (size_t i = 0; i < 3; i++) {
        if (!clubs.servers[i].is_reached)
            club_reach(&clubs, i, true);
    }
    club_pass(&clubs, 20000);
    char members[CLUB_TEXT];
    snprintf(members, sizeof members, "%s", club_members(&clubs, 0));
    size_t seats = 0;
    for (size_t i = 0; i < 3; i++) {
        const char *known = club_members(&clubs, i);
        assert_that(strcmp(known, members) == 0, "seed %zu: at %zu \"%s\", at 0 \"%s\"", (size_t)seed, i, known,
                    members);
        assert_int_equal(clubs.servers[i].told_count, jz_presence_statistics_of(clubs.servers[i].presence).members);
        for (size_t j = 0; j < clubs.servers[i].seat_count; j++)
            assert_non_null(strstr(members, clubs.servers[i].seats[j].key));
        seats += clubs.servers[i].seat_count;
    }
    assert_true(seats > 0 || members[0] == '\0');
    club_finish(&clubs);
}

static void however_it_goes_in_the_end_all_know_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++)
        play_at_random(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_known_on_all_servers),
        cmocka_unit_test(of_two_infos_at_the_same_time_all_choose_the_same),
        cmocka_unit_test(what_is_said_does_not_depend_on_how_many_members_there_are),
        cmocka_unit_test(nobody_says_anything_where_nobody_is_interested),
        cmocka_unit_test(who_was_paused_is_back_and_takes_nobody_for_gone),
        cmocka_unit_test(however_it_goes_in_the_end_all_know_the_same),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("presence_company", tests, NULL, NULL));
}
