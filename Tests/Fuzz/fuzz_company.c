/*
 * What anybody can publish to the topics by which servers know each other's members: arbitrary bytes as a message, and
 * messages of some servers in any order, well-formed or not, while members come and go here and time passes.
 */
#include "pubsub/company_parts.h"
#include "pubsub/presence_company.h"

#include "support/fuzz_input.h"

enum { SERVERS = 4, KEYS = 5, SEATS = 8, TOPICS = 2, LIMIT = 64 * 1024, MOST_WRITTEN = 8192 };

static const char *const topics[TOPICS] = {"room", ""};

/* What was read has to be what is written for it, so that there is one way to say it. */
static void read_arbitrary_bytes(fuzz_input input)
{
    static uint8_t written[MOST_WRITTEN];
    uint8_t *bytes = fuzz_copy(input.bytes, input.length);
    jz_company_message message;
    if (input.length <= sizeof written && jz_company_message_read(bytes, input.length, &message)) {
        jz_company_writer writer = {.bytes = written, .capacity = sizeof written};
        jz_company_entry entry;
        jz_company_write(&writer, &message);
        while (jz_company_entry_take(&message.entries, &entry)) {
            require(entry.key.length > 0 && (entry.is_here || entry.info.length == 0), "an entry has a key");
            require(jz_company_write_entry(&writer, &entry), "there is room for what was read");
        }
        require(message.entries.length == 0, "there is nothing but entries");
        require(writer.length == input.length && memcmp(written, bytes, input.length) == 0,
                "what is read is written the same way");
    }
    jz_text topic = {(const char *)bytes, input.length};
    require(!jz_hidden_topic_read(&topic) || topic.length < input.length, "the topic is shorter than the hidden one");
    free(bytes);
}

typedef struct play {
    jz_presence *presence;
    jz_company *company;
    jz_attendee *seats[SEATS];
    bool is_refusing;
    uint64_t now_ms;
    uint64_t number; /* of the last message that was made up */
} play;

static bool publish(void *context, jz_text topic, const void *bytes, size_t length)
{
    jz_company_message message;
    require(jz_topic_is_hidden(topic) && jz_company_message_read(bytes, length, &message), "what is said can be read");
    return !((play *)context)->is_refusing;
}

static bool subscribe(void *context, jz_text topic)
{
    (void)topic;
    return !((play *)context)->is_refusing;
}

static void unsubscribe(void *context, jz_text topic)
{
    (void)context, (void)topic;
}

static void take(play *play, uint8_t topic, const uint8_t *bytes, size_t length, bool is_for_all)
{
    char name[64];
    const jz_text text = jz_text_of(topics[topic]);
    jz_hidden_topic_write(name, text);
    uint8_t *copy = fuzz_copy(bytes, length);
    jz_company_take(play->company,
                    (jz_text){name, is_for_all ? JZ_HIDDEN_PREFIX_LENGTH : jz_hidden_topic_length(text.length)}, copy,
                    length, play->now_ms);
    free(copy);
}

static void write_entries(jz_company_writer *writer, fuzz_input *input)
{
    for (uint8_t count = fuzz_take_below(input, 4); count > 0; count--) {
        uint8_t choice = fuzz_take_byte(input);
        const char key = (char)('a' + choice % KEYS);
        static const char info[64] = "info";
        jz_company_entry entry = {.is_here = (choice & 0x80) != 0, .key = {&key, 1}};
        if (entry.is_here) {
            entry.stamp = 1 + (choice & 3);
            entry.info = (jz_text){info, fuzz_take_below(input, sizeof info)};
        }
        require(jz_company_write_entry(writer, &entry), "a few entries fit");
    }
}

/* Mostly the number that comes next. */
static uint64_t take_number(play *play, fuzz_input *input)
{
    uint8_t choice = fuzz_take_byte(input);
    if (choice < 0xC0)
        play->number++;
    else
        play->number = choice < 0xF0 ? choice & 0xF : UINT64_MAX - (choice & 1);
    return play->number;
}

static void make_up(play *play, fuzz_input *input)
{
    static uint8_t bytes[MOST_WRITTEN];
    jz_company_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    uint8_t choice = fuzz_take_byte(input);
    jz_company_message message = {.kind = (jz_company_kind)(JZ_COMPANY_BEAT + choice % 6)};
    uint8_t server = fuzz_take_below(input, SERVERS + 1);
    message.from.bytes[0] = server;
    message.asked = play->presence->self;
    if (server == SERVERS)
        message.from = play->presence->self;
    bool has_number = message.kind == JZ_COMPANY_SNAPSHOT || message.kind == JZ_COMPANY_CHANGES;
    if (has_number || message.kind == JZ_COMPANY_HELLO)
        message.number = take_number(play, input);
    message.count = choice >> 6;
    message.asks = (jz_company_asks)(choice % 3);
    message.is_last = message.is_first = (choice & 0x20) != 0;
    jz_company_write(&writer, &message);
    if (has_number)
        write_entries(&writer, input);
    take(play, fuzz_take_below(input, TOPICS), bytes, writer.length, message.kind <= JZ_COMPANY_BYE);
}

static void come_or_go(play *play, fuzz_input *input)
{
    jz_attendee **seat = &play->seats[fuzz_take_below(input, SEATS)];
    uint8_t choice = fuzz_take_byte(input);
    const char key = (char)('a' + choice % KEYS);
    const jz_member who = {&key, 1, "own", choice >> 6};
    if (*seat != NULL) {
        jz_presence_leave(play->presence, *seat);
        *seat = NULL;
    } else {
        *seat = jz_presence_enter(play->presence, jz_text_of(topics[choice >> 5 & 1]), &who, NULL);
    }
}

static void take_step(play *play, fuzz_input *input)
{
    uint8_t choice = fuzz_take_byte(input);
    switch (choice % 8) {
    case 0: {
        fuzz_input raw = fuzz_take_bytes(input, fuzz_take_byte(input));
        take(play, choice >> 7, raw.bytes, raw.length, (choice & 0x40) != 0);
        break;
    }
    case 1:
        come_or_go(play, input);
        break;
    case 2:
        jz_presence_count_members(play->presence, jz_text_of(topics[choice >> 7]));
        break;
    case 3:
        play->now_ms += 100 * (uint64_t)fuzz_take_byte(input);
        jz_company_tick(play->company, play->now_ms);
        jz_company_turn(play->company, play->now_ms);
        break;
    case 4:
        play->is_refusing = (choice & 0x80) != 0;
        jz_company_missed_all(play->company);
        break;
    case 5:
        play->now_ms += JZ_COMPANY_WINDOW_MS;
        jz_company_turn(play->company, play->now_ms);
        jz_presence_tell(play->presence);
        break;
    default:
        make_up(play, input);
    }
}

static void tell_nobody(void *context, const jz_presence_change *change)
{
    (void)context;
    require(change->joined_count + change->left_count > 0, "something is told");
}

static void hear_in_any_order(fuzz_input input)
{
    jz_options options = jz_options_default();
    options.presence_limit = LIMIT;
    options.max_members = KEYS - 1;
    play play = {.now_ms = 1, .presence = jz_presence_create(&options)};
    require(play.presence != NULL, "the fuzzer has memory");
    const jz_company_bus bus = {
        .context = &play, .publish = publish, .subscribe = subscribe, .unsubscribe = unsubscribe};
    play.company = jz_company_create(play.presence, &bus);
    const jz_presence_watch watch = {.is_prefix = true, .changed = tell_nobody};
    require(play.company != NULL && jz_presence_add_watch(play.presence, &watch, NULL) > 0, "the fuzzer has memory");
    while (input.length > 0)
        take_step(&play, &input);
    require(jz_presence_statistics_of(play.presence).bytes <= LIMIT, "all stays within the limit");
    for (size_t i = 0; i < SEATS; i++) {
        if (play.seats[i] != NULL)
            jz_presence_leave(play.presence, play.seats[i]);
    }
    jz_company_destroy(play.company);
    jz_presence_tell(play.presence);
    const jz_presence_statistics left = jz_presence_statistics_of(play.presence);
    require(left.members == 0 && left.members_elsewhere == 0 && left.servers == 0 && left.bytes == 0,
            "in the end nothing is left");
    jz_presence_destroy(play.presence);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    read_arbitrary_bytes((fuzz_input){bytes, length});
    hear_in_any_order((fuzz_input){bytes, length});
    return 0;
}
