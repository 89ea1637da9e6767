/* What servers tell each other of members, as bytes: what is written is read, and nothing else is. */
#include "pubsub/company_message.h"
#include "support/testing.h"

static const jz_server_id sender = {"0123456789abcde"};

static jz_company_writer writer_of(uint8_t *bytes, size_t capacity)
{
    return (jz_company_writer){.bytes = bytes, .capacity = capacity};
}

static jz_company_entry here(const char *key, const char *info, uint64_t stamp)
{
    return (jz_company_entry){.is_here = true, .stamp = stamp, .key = jz_text_of(key), .info = jz_text_of(info)};
}

static void a_message_is_read_as_it_was_written(void **state)
{
    (void)state;
    const jz_company_message messages[] = {
        {.kind = JZ_COMPANY_BEAT},
        {.kind = JZ_COMPANY_BYE},
        {.kind = JZ_COMPANY_HELLO, .number = UINT64_C(5) << 32, .count = 7, .asks = JZ_ASKS_SNAPSHOT},
        {.kind = JZ_COMPANY_ASK, .asked = {"edcba9876543210"}},
        {.kind = JZ_COMPANY_SNAPSHOT, .number = UINT64_MAX, .count = UINT32_MAX},
        {.kind = JZ_COMPANY_CHANGES, .number = 1, .is_first = true},
    };
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        uint8_t bytes[256];
        jz_company_writer writer = writer_of(bytes, sizeof bytes);
        jz_company_message message = messages[i], read;
        message.from = sender;
        jz_company_write(&writer, &message);
        assert_true(jz_company_message_read(bytes, writer.length, &read));
        assert_int_equal(read.kind, message.kind);
        assert_true(jz_server_id_equals(&read.from, &sender));
        assert_true(jz_server_id_equals(&read.asked, &message.asked));
        assert_int_equal(read.number, message.number);
        assert_int_equal(read.count, message.count);
        assert_int_equal(read.asks, message.asks);
        assert_int_equal(read.is_first, message.is_first);
        assert_int_equal(read.is_last, false);
        assert_int_equal(read.entries.length, 0);
        assert_true(jz_company_message_is_from(bytes, writer.length, &sender));
        assert_false(jz_company_message_is_from(bytes, writer.length, &messages[3].asked));
        /* No shorter one is one. */
        for (size_t length = 0; length < writer.length; length++)
            assert_false(jz_company_message_read(bytes, length, &read));
    }
}

static void entries_are_read_in_their_order(void **state)
{
    (void)state;
    uint8_t bytes[256];
    jz_company_writer writer = writer_of(bytes, sizeof bytes);
    jz_company_message message = {.kind = JZ_COMPANY_SNAPSHOT, .from = sender, .number = 3};
    const jz_company_entry entries[] = {
        here("ann", "A", 1), {.key = {"bob", 3}}, here("k", "", JZ_LAST_STAMP), here("cy", "\0\xFF", 2)};
    jz_company_write(&writer, &message);
    assert_false(jz_company_writer_has_entries(&writer));
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        assert_true(jz_company_write_entry(&writer, &entries[i]));
    assert_true(jz_company_writer_has_entries(&writer));
    jz_company_write_is_last(&writer, true);
    assert_true(jz_company_message_read(bytes, writer.length, &message));
    assert_true(message.is_last);
    for (size_t i = 0; i < COUNT_OF(entries); i++) {
        jz_company_entry read;
        assert_true(jz_company_entry_take(&message.entries, &read));
        assert_int_equal(read.is_here, entries[i].is_here);
        assert_int_equal(read.stamp, entries[i].stamp);
        assert_true(jz_text_equals(read.key, entries[i].key));
        assert_true(jz_text_equals(read.info, entries[i].info));
    }
    jz_company_entry none;
    assert_false(jz_company_entry_take(&message.entries, &none));
}

/* What one byte, set to this value, makes of a good message. */
static void what_no_server_writes_is_not_read(void **state)
{
    (void)state;
    enum { HEAD = 18, ENTRY = HEAD + 9 };
    static const struct {
        const char *name;
        jz_company_kind kind;
        size_t place;
        uint8_t value;
    } cases[] = {
        {"another version", JZ_COMPANY_CHANGES, 0, 2},
        {"no kind", JZ_COMPANY_CHANGES, 1, 0},
        {"a kind that there is not", JZ_COMPANY_CHANGES, 1, 7},
        {"entries where there are none", JZ_COMPANY_CHANGES, 1, JZ_COMPANY_BEAT},
        {"a change that is first twice", JZ_COMPANY_CHANGES, HEAD + 8, 2},
        {"a piece that is last twice", JZ_COMPANY_SNAPSHOT, HEAD + 12, 2},
        {"a hello that asks for what there is not", JZ_COMPANY_HELLO, HEAD + 12, 3},
        {"a stamp of 0", JZ_COMPANY_CHANGES, ENTRY + 8, 0},
        {"a stamp that is too high", JZ_COMPANY_CHANGES, ENTRY + 1, 0x80},
        {"a key without a byte", JZ_COMPANY_CHANGES, ENTRY + 10, 0},
        {"a key that is too long", JZ_COMPANY_CHANGES, ENTRY + 9, 2},
        {"a key that goes beyond the end", JZ_COMPANY_CHANGES, ENTRY + 10, 5},
        {"an info that goes beyond the end", JZ_COMPANY_CHANGES, ENTRY + 14, 2},
        {"an info that is too long", JZ_COMPANY_CHANGES, ENTRY + 11, 0xFF},
        {"an entry of no sort", JZ_COMPANY_CHANGES, ENTRY, 2},
        {"what has left and has an info", JZ_COMPANY_CHANGES, ENTRY, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t bytes[128];
        jz_company_writer writer = writer_of(bytes, sizeof bytes);
        const jz_company_entry entry = here("ann", "A", 1);
        jz_company_message message = {.kind = cases[i].kind, .from = sender, .number = 1}, read;
        jz_company_write(&writer, &message);
        if (cases[i].kind != JZ_COMPANY_HELLO)
            assert_true(jz_company_write_entry(&writer, &entry));
        assert_true(jz_company_message_read(bytes, writer.length, &read));
        bytes[cases[i].place] = cases[i].value;
        assert_that(!jz_company_message_read(bytes, writer.length, &read), "%s", cases[i].name);
    }
}

/* However many entries it has: what is taken under a lock is not much. */
static void what_is_longer_than_any_message_is_not_read(void **state)
{
    (void)state;
    static uint8_t bytes[80 * 1024];
    jz_company_writer writer = writer_of(bytes, sizeof bytes);
    jz_company_message message = {.kind = JZ_COMPANY_CHANGES, .from = sender};
    jz_company_write(&writer, &message);
    const uint8_t left[] = {0, 0, 1, 'k'};
    size_t length = writer.length;
    for (; length + sizeof left <= jz_company_writer_capacity(JZ_COMPANY_MOST_INFO); length += sizeof left)
        memcpy(bytes + length, left, sizeof left);
    assert_true(jz_company_message_read(bytes, length, &message));
    memcpy(bytes + length, left, sizeof left);
    assert_false(jz_company_message_read(bytes, length + sizeof left, &message));
}

/* A message has 32 KiB, unless one entry alone has more. */
static void a_message_is_full_at_its_limit(void **state)
{
    (void)state;
    static char info[JZ_COMPANY_MOST_INFO];
    static uint8_t bytes[JZ_COMPANY_MOST_INFO + 1024];
    char key[256] = {0};
    jz_company_writer writer = writer_of(bytes, jz_company_writer_capacity(sizeof info));
    assert_true(writer.capacity <= sizeof bytes);
    jz_company_message message = {.kind = JZ_COMPANY_CHANGES, .from = sender};
    jz_company_entry entry = {.is_here = true, .stamp = 1, .key = {key, sizeof key}, .info = {info, sizeof info}};
    jz_company_write(&writer, &message);
    assert_true(jz_company_write_entry(&writer, &entry));
    assert_false(jz_company_write_entry(&writer, &entry));
    assert_true(jz_company_message_read(bytes, writer.length, &message));
    entry.info.length = 1024;
    size_t count = 0;
    jz_company_write(&writer, &message);
    while (jz_company_write_entry(&writer, &entry))
        count++;
    assert_int_equal(count, 25);
    assert_true(writer.length <= JZ_COMPANY_PIECE);
    assert_int_equal(jz_company_writer_capacity(1024), JZ_COMPANY_PIECE);
}

static void hidden_topics_are_told_from_all_others(void **state)
{
    (void)state;
    static const struct {
        const char *topic;
        bool is_hidden;
        const char *of; /* NULL: of no topic */
    } cases[] = {
        {"\xFFjazzy.presence", true, NULL},
        {"\xFFjazzy.presence:", true, ""},
        {"\xFFjazzy.presence:room", true, "room"},
        {"\xFFjazzy.presence:\xFFjazzy.presence", true, "\xFFjazzy.presence"},
        {"\xFFjazzy.presencex", true, NULL},
        {"\xFFjazzy.presenc", false, NULL},
        {"jazzy.presence", false, NULL},
        {"", false, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jz_text topic = jz_text_of(cases[i].topic);
        assert_int_equal(jz_topic_is_hidden(topic), cases[i].is_hidden);
        assert_int_equal(jz_hidden_topic_read(&topic), cases[i].of != NULL);
        if (cases[i].of == NULL)
            continue;
        char written[64];
        assert_true(jz_text_equals(topic, jz_text_of(cases[i].of)));
        jz_hidden_topic_write(written, topic);
        assert_memory_equal(written, cases[i].topic, jz_hidden_topic_length(topic.length));
    }
    assert_false(jz_topic_is_hidden((jz_text){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_read_as_it_was_written),
        cmocka_unit_test(entries_are_read_in_their_order),
        cmocka_unit_test(what_no_server_writes_is_not_read),
        cmocka_unit_test(what_is_longer_than_any_message_is_not_read),
        cmocka_unit_test(a_message_is_full_at_its_limit),
        cmocka_unit_test(hidden_topics_are_told_from_all_others),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("company_message", tests, NULL, NULL));
}
