/* Names of channels: of topics, of all processes and of one, and back. */
#include "topics/channel.h"

#include "support/testing.h"

static const uint64_t ORIGIN = 0x0123456789ABCDEF;

#define BYTES(literal) literal, sizeof(literal) - 1

static void a_topic_has_its_name_but_for_what_could_be_taken_for_ours(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        size_t topic_length;
        const char *channel;
        size_t channel_length;
    } cases[] = {
        {BYTES("news"), BYTES("news")},
        {BYTES(""), BYTES("")},
        {BYTES("\0\xFF"), BYTES("\0\xFF")},
        {BYTES("\xFF"), BYTES("\xFF\xFF")},
        {BYTES("\xFF\xFF"), BYTES("\xFF\xFF\xFF")},
        {BYTES("\xFFJ*"), BYTES("\xFF\xFFJ*")},
        {BYTES("\xFFJ0123456789abcdef"), BYTES("\xFF\xFFJ0123456789abcdef")},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char channel[64];
        size_t length = (size_t)(jz_redis_channel_write(channel, cases[i].topic, cases[i].topic_length) - channel);
        assert_that(length == cases[i].channel_length && memcmp(channel, cases[i].channel, length) == 0, "%zu", i);
        assert_int_equal(jz_redis_channel_length(cases[i].topic, cases[i].topic_length), length);
        const char *topic;
        size_t topic_length;
        assert_int_equal(jz_redis_channel_read(channel, length, ORIGIN, &topic, &topic_length), JZ_REDIS_CHANNEL_TOPIC);
        assert_that(topic_length == cases[i].topic_length && memcmp(topic, cases[i].topic, topic_length) == 0, "%zu",
                    i);
    }
}

static void the_channels_that_are_no_topics_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *channel;
        size_t length;
        jz_redis_channel_kind kind;
    } cases[] = {
        {BYTES("\xFFJ*"), JZ_REDIS_CHANNEL_ALL},
        {BYTES("\xFFJ0123456789abcdef"), JZ_REDIS_CHANNEL_OWN},
        {BYTES("\xFFJ0123456789abcdee"), JZ_REDIS_CHANNEL_OTHER},
        {BYTES("\xFFJ0123456789ABCDEF"), JZ_REDIS_CHANNEL_OTHER},
        {BYTES("\xFFJ0123456789abcdef "), JZ_REDIS_CHANNEL_OTHER},
        {BYTES("\xFFJ**"), JZ_REDIS_CHANNEL_OTHER},
        {BYTES("\xFFJ"), JZ_REDIS_CHANNEL_OTHER},
        {BYTES("\xFF"), JZ_REDIS_CHANNEL_OTHER},
        {BYTES("\xFEJ*"), JZ_REDIS_CHANNEL_TOPIC},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *topic;
        size_t length;
        jz_redis_channel_kind kind = jz_redis_channel_read(cases[i].channel, cases[i].length, ORIGIN, &topic, &length);
        assert_that(kind == cases[i].kind, "%zu: %d", i, (int)kind);
    }
    char all[JZ_REDIS_OWN_CHANNEL_MOST];
    char own[JZ_REDIS_OWN_CHANNEL_MOST];
    assert_int_equal(jz_redis_channel_write_all(all) - all, cases[0].length);
    assert_memory_equal(all, cases[0].channel, cases[0].length);
    assert_int_equal(jz_redis_channel_write_own(own, ORIGIN) - own, JZ_REDIS_OWN_CHANNEL_MOST);
    assert_memory_equal(own, cases[1].channel, cases[1].length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topic_has_its_name_but_for_what_could_be_taken_for_ours),
        cmocka_unit_test(the_channels_that_are_no_topics_are_known),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("channels", tests, NULL, NULL));
}
