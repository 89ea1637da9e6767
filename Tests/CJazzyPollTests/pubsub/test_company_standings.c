/*
 * What a server makes of what comes on the bus: numbers that were missed, pieces that are missing, doubled or late,
 * what there is no room or no memory for, and what nobody can have meant.
 */
#include <stdio.h>

#include "support/allocation.h"
#include "support/club.h"
#include "support/testing.h"

static club clubs;
static const jz_server_id others[2] = {{"the first other"}, {"a second one"}};

/* "ann=A" is here, "-ann" has left; with a comma between them. The first may have a plus before it. */
static void write_entries(jz_company_writer *writer, const char *entries)
{
    char text[256];
    snprintf(text, sizeof text, "%s", entries);
    char *rest = text;
    while (*rest != '\0') {
        size_t length = strcspn(rest, ",");
        char *next = rest + length + (rest[length] == ',' ? 1 : 0);
        rest[length] = '\0';
        bool is_here = rest[0] != '-';
        rest += rest[0] == '+' || rest[0] == '-' ? 1 : 0;
        char *info = strchr(rest, '=');
        jz_company_entry entry = {.is_here = is_here, .key = {rest, strlen(rest)}};
        if (info != NULL) {
            /* Later letters are later infos. */
            entry.stamp = (uint64_t)(1000000 + info[1]);
            entry.key.length = (size_t)(info - rest);
            entry.info = (jz_text){info + 1, 1};
        }
        assert_true(jz_company_write_entry(writer, &entry));
        rest = next;
    }
}

/* "C5+ann=A" change 5, "F5" change 5 that is first, "S5.0" and "L5.1" pieces of a snapshot, the latter the last, "H5/2"
 * a hello with 2 members, "B" a beat, "Y" a bye. */
static void say(size_t other, const char *word)
{
    static uint8_t bytes[JZ_COMPANY_PIECE];
    jz_company_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    jz_company_message message = {.from = others[other]};
    char *rest;
    message.number = strtoul(word + 1, &rest, 10);
    if (*rest == '.' || *rest == '/')
        message.count = (uint32_t)strtoul(rest + 1, &rest, 10);
    message.is_first = word[0] == 'F';
    static const char letters[] = "BYH SC";
    const char *letter = strchr(letters, word[0] == 'F' ? 'C' : word[0] == 'L' ? 'S' : word[0]);
    assert_non_null(letter);
    message.kind = (jz_company_kind)(JZ_COMPANY_BEAT + (letter - letters));
    jz_company_write(&writer, &message);
    write_entries(&writer, rest);
    if (message.kind == JZ_COMPANY_SNAPSHOT)
        jz_company_write_is_last(&writer, word[0] == 'L');
    char topic[64];
    size_t length =
        message.kind > JZ_COMPANY_BYE ? jz_hidden_topic_length(strlen(CLUB_TOPIC)) : JZ_HIDDEN_PREFIX_LENGTH;
    jz_hidden_topic_write(topic, jz_text_of(CLUB_TOPIC));
    jz_company_take(clubs.servers[0].company, (jz_text){topic, length}, bytes, writer.length, clubs.now_ms);
}

static const struct {
    const char *name;
    const char *script; /* what the first of two others says; with a blank before it, the second; ">" lets time pass */
    const char *members;
    size_t asks;
} cases[] = {
    {"changes in their order", "F1+ann=A C2+bob=B C3-ann", "bob=B", 0},
    {"a change that came twice", "F1+ann=A C2+bob=B C2-bob C1-ann", "ann=A,bob=B", 0},
    {"a change of whom nothing is known", "C7+ann=A", "", 1},
    {"is asked for once, and again after a while", "C7+ann=A C8+bob=B C9+cy=C >3100 C10+dan=D", "", 2},
    {"a change that was missed", "F1+ann=A C3-ann", "ann=A", 1},
    {"and what is answered", "F1+ann=A C3-ann L3.0+bob=B C4+cy=C", "bob=B,cy=C", 1},
    {"an answer in pieces", "C7+ann=A S7.0+bob=B S7.1+cy=C L7.2+dan=D C8-cy", "bob=B,dan=D", 1},
    {"nobody leaves before all pieces are there", "F1+ann=A,bob=B C3+x=X S3.0+cy=C", "ann=A,bob=B,cy=C", 1},
    {"a piece that came twice", "C7+ann=A S7.0+bob=B S7.0+bob=B L7.1+cy=C", "bob=B,cy=C", 1},
    {"a piece that is missing", "C7+ann=A S7.0+bob=B L7.2+cy=C", "bob=B", 1},
    {"pieces in the wrong order", "C7+ann=A L7.1+cy=C S7.0+bob=B", "bob=B", 1},
    {"the end of a snapshot that began before", "L7.1+cy=C", "", 1},
    {"a snapshot that begins anew", "C7+ann=A S7.0+bob=B S8.0+cy=C L8.1+dan=D", "cy=C,dan=D", 1},
    {"one that somebody else has asked for", "F1+ann=A L1.0+bob=B", "ann=A", 0},
    {"one that is newer than what is known", "F1+ann=A L5.0+bob=B C6+cy=C", "bob=B,cy=C", 0},
    {"the first change again", "F1+ann=A F9+bob=B", "bob=B", 0},
    {"after a snapshot that was not complete", "C7+ann=A S7.0+bob=B F9+cy=C C10+dan=D", "cy=C,dan=D", 1},
    {"a hello that says the same", "F1+ann=A H1/1", "ann=A", 0},
    {"a hello that says something else", "F1+ann=A H2/1", "ann=A", 1},
    {"a hello of nobody", "F1+ann=A H2/0 C3+bob=B", "bob=B", 0},
    {"a hello of somebody unknown", "H2/3", "", 1},
    {"a hello of nobody unknown", "H2/0", "", 0},
    {"a hello within a snapshot", "C7+ann=A S7.0+bob=B H7/2 L7.1+cy=C", "bob=B,cy=C", 1},
    {"who leaves and is not there", "F1+ann=A C2-bob,-ann,-ann", "", 0},
    {"another info", "F1+ann=A C2+ann=C C3+ann=B", "ann=B", 0},
    {"a bye", "F1+ann=A Y", "", 0},
    {"a bye of somebody who goes on", "F1+ann=A Y C2+bob=B L2.0+ann=A,bob=B", "ann=A,bob=B", 1},
    {"a bye of somebody who is heard again", "F1+ann=A Y B", "", 1},
    {"a beat, and a bye, of nobody", "B Y", "", 0},
    {"two with one key", "F1+ann=A 2F1+ann=B C2-ann", "ann=B", 0},
    {"of which the later counts", "F1+ann=C 2F1+ann=B", "ann=C", 0},
    {"until it leaves", "F1+ann=C 2F1+ann=B C2-ann 2C2+bob=B", "ann=B,bob=B", 0},
    {"silence", "F1+ann=A >13000", "", 0},
    {"silence of one", "F1+ann=A 2F1+bob=B >9000 B >5000", "ann=A", 0},
    {"who comes back after silence", "F1+ann=A >13000 B L1.0+ann=A", "ann=A", 1},
    {"who comes back after a long time", "F1+ann=A >700000 B", "", 0},
};

static void play(const char *script)
{
    char text[256];
    snprintf(text, sizeof text, "%s", script);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        if (word[0] == '>')
            club_pass(&clubs, strtoul(word + 1, NULL, 10));
        else
            say(word[0] == '2' ? 1 : 0, word[0] == '2' ? word + 1 : word);
    }
}

static void set_up(size_t limit, uint32_t max_members)
{
    club_begin(&clubs, 1, limit, max_members);
    club_watch(&clubs, 0);
    club_pass(&clubs, 300);
    clubs.published = 0;
}

static void what_is_missed_is_asked_for_and_what_is_doubled_does_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        set_up(0, JZ_UNLIMITED);
        play(cases[i].script);
        const char *members = club_members(&clubs, 0);
        assert_that(strcmp(members, cases[i].members) == 0, "%s: there are \"%s\"", cases[i].name, members);
        assert_that(clubs.asks == cases[i].asks, "%s: %zu were asked", cases[i].name, clubs.asks);
        assert_int_equal(jz_presence_statistics_of(clubs.servers[0].presence).malformed, 0);
        club_finish(&clubs);
    }
}

static jz_presence_statistics statistics(void)
{
    return jz_presence_statistics_of(clubs.servers[0].presence);
}

static void what_nobody_can_have_meant_is_counted(void **state)
{
    (void)state;
    set_up(0, JZ_UNLIMITED);
    uint64_t before = statistics().bytes;
    static uint8_t bytes[JZ_COMPANY_PIECE];
    jz_company_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    jz_company_message message = {.kind = JZ_COMPANY_CHANGES, .from = others[0], .is_first = true};
    char topic[64];
    const jz_text room = {topic, jz_hidden_topic_length(strlen(CLUB_TOPIC))};
    jz_hidden_topic_write(topic, jz_text_of(CLUB_TOPIC));
    jz_company *company = clubs.servers[0].company;
    jz_company_take(company, room, "hello", 5, 0);
    jz_company_take(company, room, NULL, 0, 0);
    assert_int_equal(statistics().malformed, 2);
    /* The topic of all is for beats, those of rooms are for the rest. */
    jz_company_write(&writer, &message);
    jz_company_take(company, (jz_text){topic, JZ_HIDDEN_PREFIX_LENGTH}, bytes, writer.length, 0);
    message.kind = JZ_COMPANY_BEAT;
    jz_company_write(&writer, &message);
    jz_company_take(company, room, bytes, writer.length, 0);
    assert_int_equal(statistics().malformed, 4);
    /* What is not of interest is left alone. */
    message.kind = JZ_COMPANY_CHANGES;
    jz_company_write(&writer, &message);
    jz_company_take(company, (jz_text){topic, room.length - 1}, bytes, writer.length, 0);
    assert_int_equal(statistics().malformed, 4);
    assert_int_equal(statistics().bytes, before);
    club_finish(&clubs);
}

static void members_that_there_is_no_room_for_are_counted_and_asked_for_again(void **state)
{
    (void)state;
    set_up(0, 2);
    play("F1+ann=A,bob=B,cy=C");
    assert_string_equal(club_members(&clubs, 0), "ann=A,bob=B");
    assert_int_equal(statistics().not_kept, 1);
    play("C2+ann=B,dan=D C3-bob");
    assert_string_equal(club_members(&clubs, 0), "ann=B");
    assert_int_equal(statistics().not_kept, 2);
    /* Half a minute later there may be room. */
    play("B >10000 B >10000 B >10000 B >3100");
    assert_int_equal(clubs.asks, 1);
    play("L3.0+ann=B,cy=C C4+dan=D");
    assert_string_equal(club_members(&clubs, 0), "ann=B,cy=C");
    club_finish(&clubs);
}

/* Whoever floods the bus takes no more than the limit, and not the room of those who are here. */
static void all_that_comes_stays_within_the_limit(void **state)
{
    (void)state;
    enum { LIMIT = 64 * 1024, MESSAGES = 3000 };
    set_up(LIMIT, JZ_UNLIMITED);
    size_t before = test_live_bytes();
    for (size_t i = 0; i < MESSAGES; i++) {
        static uint8_t bytes[JZ_COMPANY_PIECE];
        jz_company_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
        char key[16];
        jz_company_message message = {.kind = JZ_COMPANY_CHANGES, .number = i + 1, .is_first = true};
        jz_company_entry entry = {.is_here = true, .stamp = 1};
        char topic[64];
        snprintf((char *)message.from.bytes, sizeof message.from.bytes, "%zu", i);
        snprintf(key, sizeof key, "k%zu", i);
        entry.key = jz_text_of(key);
        jz_company_write(&writer, &message);
        assert_true(jz_company_write_entry(&writer, &entry));
        jz_hidden_topic_write(topic, jz_text_of(CLUB_TOPIC));
        jz_company_take(clubs.servers[0].company, (jz_text){topic, jz_hidden_topic_length(strlen(CLUB_TOPIC))}, bytes,
                        writer.length, clubs.now_ms);
    }
    const jz_presence_statistics now = statistics();
    assert_true(now.members_elsewhere > 10 && now.not_kept > MESSAGES / 2);
    assert_that(now.bytes <= LIMIT * 3 / 4 + 1024, "%zu bytes", (size_t)now.bytes);
    assert_true(now.servers <= JZ_COMPANY_MOST);
    size_t taken = test_live_bytes() - before;
    assert_that(taken < LIMIT + 3 * 16 * 4096 + JZ_COMPANY_MOST * 128, "%zu bytes are taken", taken);
    club_enter(&clubs, 0, "ann", "A");
    club_pass(&clubs, 30000);
    assert_string_equal(club_members(&clubs, 0), "ann=A");
    club_finish(&clubs);
}

/* Each allocation fails once: then something is late, and in the end all is known. */
static void without_memory_it_takes_longer(void **state)
{
    (void)state;
    size_t failed = 1;
    for (size_t i = 0; failed > 0; i++) {
        club_begin(&clubs, 2, 0, JZ_UNLIMITED);
        club_play(&clubs, "before", "0+ann=A 0+bob=B 0w 1? >600 1+cy=C 1+ann=B 0-bob 0+dan=D");
        test_allocation_fails_once_after(i);
        club_pass(&clubs, 5000);
        failed = test_allocations_succeed();
        char name[32];
        snprintf(name, sizeof name, "without the %zuth", i);
        club_play(&clubs, name, ">40000 0:ann=B,cy=C,dan=D 1:ann=B,cy=C,dan=D 0-dan 1-cy >600 0:ann=B 1:ann=B");
        club_finish(&clubs);
        assert_true(i < 1000);
    }
}

/* Nothing is said, and nothing lost, as long as a topic cannot be subscribed. */
static void what_cannot_be_subscribed_is_tried_again(void **state)
{
    (void)state;
    for (size_t refused = 1; refused <= 4; refused++) {
        club_begin(&clubs, 2, 0, JZ_UNLIMITED);
        club_play(&clubs, "first", "0+ann=A >600");
        clubs.refuse_next = refused;
        club_play(&clubs, "then", "1+bob=B >250 1:bob=B >2000 0:ann=A,bob=B 1:ann=A,bob=B");
        assert_int_equal(statistics().not_kept, 0);
        assert_int_equal(jz_presence_statistics_of(clubs.servers[1].presence).not_kept, refused);
        club_finish(&clubs);
        clubs.refuse_next = 0;
    }
}

/* What a broker loses it says, for one topic or for all. */
static void what_was_lost_on_the_way_is_asked_for_when_that_is_said(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        club_begin(&clubs, 2, 0, JZ_UNLIMITED);
        club_play(&clubs, "before", "0+ann=A 1? >4000");
        clubs.lose_changes = 1;
        club_play(&clubs, "lost", "0+bob=B >300 1:ann=A >10000 1:ann=A");
        char topic[64];
        jz_hidden_topic_write(topic, jz_text_of(CLUB_TOPIC));
        if (i == 0)
            jz_company_missed_all(clubs.servers[1].company);
        else
            jz_company_missed(clubs.servers[1].company, (jz_text){topic, jz_hidden_topic_length(strlen(CLUB_TOPIC))});
        club_play(&clubs, "said", ">1000 1:ann=A,bob=B");
        club_finish(&clubs);
    }
}

static void what_comes_twice_is_there_once(void **state)
{
    (void)state;
    club_begin(&clubs, 2, 0, JZ_UNLIMITED);
    clubs.double_next = 1000;
    club_play(&clubs, "twice", "0+ann=A 1w >4000 0+bob=B >600 0-ann >600 1:bob=B 1t3 >20000 1:bob=B 1t0");
    club_finish(&clubs);
}

/* In pieces of 32 KiB, a megabyte in each window; what changes meanwhile comes behind it. */
static void many_members_are_told_in_pieces(void **state)
{
    (void)state;
    enum { MEMBERS = 4000 };
    static char info[1000];
    static jz_attendee *attendees[MEMBERS];
    club_begin(&clubs, 2, 0, JZ_UNLIMITED);
    jz_presence *presence = clubs.servers[0].presence;
    for (size_t i = 0; i < MEMBERS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%zu", i);
        const jz_member who = {key, strlen(key), info, sizeof info};
        attendees[i] = jz_presence_enter(presence, jz_text_of(CLUB_TOPIC), &who, NULL);
        assert_non_null(attendees[i]);
    }
    club_pass(&clubs, 300);
    club_play(&clubs, "asks", "1? >550");
    assert_int_equal(clubs.pieces, 32);
    for (size_t i = 0; i < MEMBERS; i += 2)
        jz_presence_leave(presence, attendees[i]);
    club_pass(&clubs, 300);
    assert_int_equal(clubs.pieces, 64);
    assert_true(jz_presence_statistics_of(clubs.servers[1].presence).members > MEMBERS / 2);
    club_pass(&clubs, 1000);
    assert_int_equal(clubs.snapshots, 1);
    assert_true(clubs.most_bytes <= JZ_COMPANY_PIECE);
    assert_int_equal(jz_presence_statistics_of(clubs.servers[1].presence).members, MEMBERS / 2);
    assert_int_equal(clubs.asks, 0);
    for (size_t i = 1; i < MEMBERS; i += 2)
        jz_presence_leave(presence, attendees[i]);
    club_finish(&clubs);
}

/* Nor does what comes in the meantime break anything where there is none for long. */
static void without_any_memory_nothing_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < 12; i++) {
        set_up(0, JZ_UNLIMITED);
        test_allocations_fail_after(i);
        play("F1+ann=A,bob=B 2F1+cy=C C3+dan=D");
        test_allocations_succeed();
        play("L3.0+ann=A,bob=B 2L1.0+cy=C B 2B");
        club_finish(&clubs);
    }
}

/* A company for which there is no memory, where somebody watches already. */
static void a_company_without_memory_leaves_presence_as_it_was(void **state)
{
    (void)state;
    const jz_options options = jz_options_default();
    const jz_company_bus bus = {.context = NULL};
    const jz_presence_watch watch = {
        .topic = "a", .topic_length = 1, .changed = (void (*)(void *, const jz_presence_change *))abort};
    jz_company *company = NULL;
    for (size_t i = 0; company == NULL; i++) {
        jz_presence *presence = jz_presence_create(&options);
        assert_true(jz_presence_add_watch(presence, &watch, NULL) > 0);
        uint64_t bytes = jz_presence_statistics_of(presence).bytes;
        test_allocations_fail_after(i);
        company = jz_company_create(presence, &bus);
        test_allocations_succeed();
        if (company == NULL)
            assert_int_equal(jz_presence_statistics_of(presence).bytes, bytes);
        else
            assert_true(jz_presence_statistics_of(presence).bytes > bytes);
        jz_company_destroy(company);
        jz_presence_destroy(presence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missed_is_asked_for_and_what_is_doubled_does_nothing),
        cmocka_unit_test(what_nobody_can_have_meant_is_counted),
        cmocka_unit_test(members_that_there_is_no_room_for_are_counted_and_asked_for_again),
        cmocka_unit_test(all_that_comes_stays_within_the_limit),
        cmocka_unit_test(without_memory_it_takes_longer),
        cmocka_unit_test(what_cannot_be_subscribed_is_tried_again),
        cmocka_unit_test(what_was_lost_on_the_way_is_asked_for_when_that_is_said),
        cmocka_unit_test(what_comes_twice_is_there_once),
        cmocka_unit_test(many_members_are_told_in_pieces),
        cmocka_unit_test(without_any_memory_nothing_is_taken),
        cmocka_unit_test(a_company_without_memory_leaves_presence_as_it_was),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("company_standings", tests, NULL, NULL));
}
