/* Whatever servers say of members, nobody else waits for a lock until all of it is taken. */
#include <stdio.h>

#include "pubsub/company_parts.h"
#include "pubsub/presence_company.h"
#include "support/testing.h"

enum { SERVERS = 1000, FEWEST_PORTIONS = 4 };

static bool accept(void *context, jz_text topic, const void *bytes, size_t length)
{
    (void)context, (void)topic, (void)bytes, (void)length;
    return true;
}

static bool subscribe(void *context, jz_text topic)
{
    (void)context, (void)topic;
    return true;
}

static void unsubscribe(void *context, jz_text topic)
{
    (void)context, (void)topic;
}

static void ignore_change(void *context, const jz_presence_change *change)
{
    (void)context, (void)change;
}

typedef struct hall {
    jz_presence *presence;
    jz_company *company;
    size_t portions; /* rung with each, just before the lock is released */
} hall;

static void count_portion(void *context)
{
    hall *hall = context;
    hall->portions++;
    jz_presence_bell_answer(&hall->presence->tells);
}

/* A change that server `from` tells: its member "key", so often. */
static void tell(hall *hall, uint16_t from, uint64_t number, size_t times)
{
    static uint8_t bytes[JZ_COMPANY_PIECE];
    char name[64];
    jz_hidden_topic_write(name, jz_text_of("room"));
    jz_company_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    jz_company_message message = {.kind = JZ_COMPANY_CHANGES, .number = number, .is_first = number == 1};
    memcpy(message.from.bytes, &from, sizeof from);
    message.from.bytes[sizeof message.from.bytes - 1] = 1;
    jz_company_write(&writer, &message);
    jz_company_entry entry = {.is_here = true, .stamp = number, .key = jz_text_of("key")};
    for (size_t i = 0; i < times && jz_company_write_entry(&writer, &entry); i++)
        entry.stamp++;
    jz_company_take(hall->company, (jz_text){name, jz_hidden_topic_length(4)}, bytes, writer.length, 1);
}

static void a_message_that_takes_long_is_taken_in_portions(void **state)
{
    (void)state;
    const jz_options options = jz_options_default();
    const jz_company_bus bus = {.publish = accept, .subscribe = subscribe, .unsubscribe = unsubscribe};
    const jz_presence_watch watch = {.topic = "room", .topic_length = 4, .changed = ignore_change};
    hall hall = {.presence = jz_presence_create(&options)};
    hall.company = jz_company_create(hall.presence, &bus);
    assert_non_null(hall.company);
    assert_true(jz_presence_add_watch(hall.presence, &watch, NULL) > 0);
    jz_company_turn(hall.company, 1);
    for (uint16_t from = 0; from < SERVERS; from++)
        tell(&hall, from, 1, 1);
    assert_int_equal(jz_presence_statistics_of(hall.presence).members_elsewhere, SERVERS);
    jz_presence_set_bell(hall.presence, count_portion, &hall);
    jz_presence_bell_answer(&hall.presence->tells);
    tell(&hall, 0, 2, SIZE_MAX);
    assert_true(hall.portions >= FEWEST_PORTIONS);
    assert_int_equal(jz_presence_statistics_of(hall.presence).members_elsewhere, SERVERS);
    jz_company_destroy(hall.company);
    jz_presence_destroy(hall.presence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_message_that_takes_long_is_taken_in_portions)};
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("company_portions", tests, NULL, NULL));
}
