/* Who is a member of a topic, and what watches are told of it. */
#include <stdio.h>

#include "pubsub/presence_state.h"
#include "support/allocation.h"
#include "support/random.h"
#include "support/testing.h"

enum { TOPICS = 3, KEYS = 8, MOST_SEATS = 64, WATCHES = 5, MOST_KNOWN = 32 };

static const char *const topics[TOPICS] = {"room/1", "room/2", "hall"};

static jz_presence *presence_with(size_t limit, uint32_t max_members)
{
    jz_options options = jz_options_default();
    options.presence_limit = limit;
    options.max_members = max_members;
    options.max_member_info = 64;
    jz_presence *presence = jz_presence_create(&options);
    assert_non_null(presence);
    return presence;
}

static jz_member member(const char *key, const char *info)
{
    return (jz_member){key, strlen(key), info, strlen(info)};
}

static jz_attendee *try_to_enter(jz_presence *presence, const char *topic, const char *key, const char *info)
{
    const jz_member who = member(key, info);
    return jz_presence_enter(presence, jz_text_of(topic), &who, NULL);
}

static jz_attendee *enter(jz_presence *presence, const char *topic, const char *key, const char *info)
{
    jz_attendee *attendee = try_to_enter(presence, topic, key, info);
    assert_non_null(attendee);
    return attendee;
}

/* What a watch was told: the last call as a line, and all calls together as the members that it knows. */
typedef struct known {
    char topic[16], key[40], info[16];
} known;

typedef struct listener {
    size_t calls;
    size_t released;
    char last[256];
    known members[MOST_KNOWN];
    size_t count;
    size_t wrong; /* left without having joined, or another number of members than is told */
} listener;

static void write_line(listener *listener, const jz_presence_change *change)
{
    char *end = listener->last + sizeof listener->last;
    char *at = listener->last;
    at += snprintf(at, (size_t)(end - at), "%.*s", (int)change->topic_length, change->topic);
    for (size_t i = 0; i < change->joined_count && at < end; i++)
        at += snprintf(at, (size_t)(end - at), " +%.*s=%.*s", (int)change->joined[i].key_length, change->joined[i].key,
                       (int)change->joined[i].info_length, (const char *)change->joined[i].info);
    for (size_t i = 0; i < change->left_count && at < end; i++)
        at += snprintf(at, (size_t)(end - at), " -%.*s=%.*s", (int)change->left[i].key_length, change->left[i].key,
                       (int)change->left[i].info_length, (const char *)change->left[i].info);
}

static known describe(const jz_presence_change *change, const jz_member *member)
{
    known described = {{0}, {0}, {0}};
    snprintf(described.topic, sizeof described.topic, "%.*s", (int)change->topic_length, change->topic);
    snprintf(described.key, sizeof described.key, "%.*s", (int)member->key_length, member->key);
    snprintf(described.info, sizeof described.info, "%.*s", (int)member->info_length, (const char *)member->info);
    return described;
}

static known *find_known(listener *listener, const known *known)
{
    for (size_t i = 0; i < listener->count; i++) {
        if (strcmp(listener->members[i].key, known->key) == 0 && strcmp(listener->members[i].topic, known->topic) == 0)
            return &listener->members[i];
    }
    return NULL;
}

static size_t count_known(const listener *listener, const char *topic, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < listener->count; i++)
        count += strlen(listener->members[i].topic) == length && memcmp(listener->members[i].topic, topic, length) == 0;
    return count;
}

static void listen(void *context, const jz_presence_change *change)
{
    listener *listener = context;
    listener->calls++;
    write_line(listener, change);
    for (size_t i = 0; i < change->joined_count; i++) {
        known now = describe(change, &change->joined[i]);
        known *before = find_known(listener, &now);
        if (before != NULL)
            *before = now;
        else if (listener->count < MOST_KNOWN)
            listener->members[listener->count++] = now;
    }
    for (size_t i = 0; i < change->left_count; i++) {
        known gone = describe(change, &change->left[i]);
        known *before = find_known(listener, &gone);
        listener->wrong += before == NULL || strcmp(before->info, gone.info) != 0;
        if (before != NULL)
            *before = listener->members[--listener->count];
    }
    if (listener->count < MOST_KNOWN)
        listener->wrong += count_known(listener, change->topic, change->topic_length) != change->member_count;
}

static void note_released(void *context)
{
    ((listener *)context)->released++;
}

static uint64_t watch(jz_presence *presence, listener *listener, const char *topic, bool is_prefix)
{
    const jz_presence_watch described = {.topic = topic,
                                         .topic_length = strlen(topic),
                                         .is_prefix = is_prefix,
                                         .changed = listen,
                                         .released = note_released,
                                         .context = listener};
    return jz_presence_add_watch(presence, &described, NULL);
}

/* Tells, and what the listener was told then; "" for nothing. */
static const char *told(jz_presence *presence, listener *listener)
{
    listener->last[0] = '\0';
    assert_true(jz_presence_tell(presence));
    assert_int_equal(listener->wrong, 0);
    return listener->last;
}

static void who_comes_and_goes_is_told_together(void **state)
{
    (void)state;
    jz_presence *presence = presence_with(1 << 20, 100);
    listener room = {0};
    assert_true(watch(presence, &room, "room/1", false) > 0);
    assert_string_equal(told(presence, &room), "");
    jz_attendee *ann = enter(presence, "room/1", "ann", "A");
    jz_attendee *bob = enter(presence, "room/1", "bob", "B");
    jz_attendee *elsewhere = enter(presence, "room/2", "cy", "C");
    assert_string_equal(told(presence, &room), "room/1 +ann=A +bob=B");
    assert_int_equal(room.calls, 1);
    jz_attendee *dan = enter(presence, "room/1", "dan", "D");
    jz_presence_leave(presence, ann);
    assert_string_equal(told(presence, &room), "room/1 +dan=D -ann=A");
    jz_presence_leave(presence, bob);
    jz_presence_leave(presence, dan);
    jz_presence_leave(presence, elsewhere);
    assert_string_equal(told(presence, &room), "room/1 -bob=B -dan=D");
    assert_string_equal(told(presence, &room), "");
    jz_presence_destroy(presence);
    assert_int_equal(room.released, 1);
}

/* Steps between two tellings: "+ann=A" enters, "-ann" leaves one of her seats. What is told of them all. */
typedef struct window {
    const char *before; /* steps that were told already */
    const char *steps;
    const char *told;
} window;

static const window windows[] = {
    {"", "+ann=A -ann", ""},
    {"", "+ann=A -ann +ann=B", "room/1 +ann=B"},
    {"+ann=A", "-ann", "room/1 -ann=A"},
    {"+ann=A", "-ann +ann=A", ""},
    {"+ann=A", "-ann +ann=A -ann", "room/1 -ann=A"},
    {"+ann=A", "-ann +ann=B", "room/1 +ann=B"},
    {"+ann=A", "-ann +ann=B -ann", "room/1 -ann=A"},
    {"+ann=A", "+ann=A", ""},
    {"+ann=A", "+ann=B", "room/1 +ann=B"},
    {"+ann=A", "+ann=B +ann=A", ""},
    {"+ann=A", "+ann=B -ann", "room/1 +ann=B"},
    {"+ann=A +ann=A", "-ann", ""},
    {"+ann=A +ann=A", "-ann -ann", "room/1 -ann=A"},
    {"+ann=A +ann=B", "-ann -ann", "room/1 -ann=B"},
    {"+ann=A +bob=B", "-ann -bob +bob=B +cy=C", "room/1 +cy=C -ann=A"},
    {"+ann=", "-ann +ann=", ""},
};

typedef struct seated {
    char key[16];
    jz_attendee *attendee;
} seated;

static void take_steps(jz_presence *presence, seated *seats, size_t *count, const char *steps)
{
    char text[128];
    snprintf(text, sizeof text, "%s", steps);
    for (char *step = strtok(text, " "); step != NULL; step = strtok(NULL, " ")) {
        char *key = step + 1;
        char *info = strchr(key, '=');
        if (info != NULL) {
            *info++ = '\0';
            snprintf(seats[*count].key, sizeof seats[*count].key, "%s", key);
            seats[(*count)++].attendee = enter(presence, "room/1", key, info);
            continue;
        }
        size_t i = 0;
        while (strcmp(seats[i].key, key) != 0)
            i++;
        jz_presence_leave(presence, seats[i].attendee);
        seats[i] = seats[--*count];
    }
}

static void what_cancels_out_is_not_told_and_the_info_given_last_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(windows); i++) {
        jz_presence *presence = presence_with(1 << 20, 100);
        listener room = {0};
        seated seats[16];
        size_t count = 0;
        watch(presence, &room, "room/1", false);
        take_steps(presence, seats, &count, windows[i].before);
        jz_presence_tell(presence);
        take_steps(presence, seats, &count, windows[i].steps);
        const char *line = told(presence, &room);
        assert_that(strcmp(line, windows[i].told) == 0, "\"%s\", then \"%s\": told \"%s\"", windows[i].before,
                    windows[i].steps, line);
        while (count > 0)
            jz_presence_leave(presence, seats[--count].attendee);
        jz_presence_tell(presence);
        jz_presence_statistics left = jz_presence_statistics_of(presence);
        assert_int_equal(left.members + left.topics, 0);
        assert_true(left.bytes < 300); /* the watched topic alone */
        jz_presence_destroy(presence);
    }
}

static void a_watch_is_told_first_who_is_there(void **state)
{
    (void)state;
    jz_presence *presence = presence_with(1 << 20, 100);
    listener early = {0}, late = {0}, all = {0};
    enter(presence, "room/1", "ann", "A");
    jz_attendee *bob = enter(presence, "room/1", "bob", "B");
    watch(presence, &early, "room/1", false);
    assert_string_equal(told(presence, &early), "room/1 +ann=A +bob=B");
    watch(presence, &late, "room/1", false);
    watch(presence, &all, "room/", true);
    jz_presence_leave(presence, bob);
    enter(presence, "room/1", "cy", "C");
    assert_string_equal(told(presence, &early), "room/1 +cy=C -bob=B");
    assert_string_equal(late.last, "room/1 +ann=A +cy=C");
    assert_string_equal(all.last, "room/1 +ann=A +cy=C");
    enter(presence, "room/2", "dan", "D");
    enter(presence, "hall", "eve", "E");
    assert_string_equal(told(presence, &all), "room/2 +dan=D");
    assert_int_equal(early.calls, 2);
    assert_int_equal(late.calls, 1);
    jz_presence_destroy(presence);
}

static void who_does_not_watch_any_more_is_told_nothing_and_released(void **state)
{
    (void)state;
    jz_presence *presence = presence_with(1 << 20, 100);
    listener gone = {0}, all_gone = {0};
    uint64_t number = watch(presence, &gone, "room/1", false);
    uint64_t prefix = watch(presence, &all_gone, "room/", true);
    jz_attendee *ann = enter(presence, "room/1", "ann", "A");
    jz_presence_tell(presence);
    jz_presence_leave(presence, ann);
    assert_true(jz_presence_remove_watch(presence, number));
    assert_true(jz_presence_remove_watch(presence, prefix));
    assert_false(jz_presence_remove_watch(presence, number));
    assert_false(jz_presence_is_watched(presence));
    assert_int_equal(gone.released + all_gone.released, 2);
    jz_presence_tell(presence);
    assert_int_equal(gone.calls + all_gone.calls, 2);
    /* What was not told takes nothing. */
    assert_int_equal(jz_presence_statistics_of(presence).bytes, 0);
    jz_presence_destroy(presence);
}

static void as_many_prefixes_as_there_are_bits_can_be_watched_again_and_again(void **state)
{
    (void)state;
    jz_presence *presence = presence_with(1 << 20, 100);
    listener all = {0};
    enter(presence, "room/1", "ann", "A");
    for (size_t round = 0; round < 3; round++) {
        uint64_t numbers[JZ_MAX_WATCHED_PREFIXES];
        all.count = all.calls = 0;
        for (size_t i = 0; i < JZ_MAX_WATCHED_PREFIXES; i++)
            assert_true((numbers[i] = watch(presence, &all, "room", true)) > 0);
        const jz_presence_watch more = {.topic = "r", .topic_length = 1, .is_prefix = true, .changed = listen};
        jz_error error = {0};
        assert_int_equal(jz_presence_add_watch(presence, &more, &error), 0);
        assert_int_equal(error.status, JZ_STATUS_LIMIT_REACHED);
        assert_non_null(strstr(error.message, "watch another prefix"));
        jz_presence_tell(presence);
        assert_int_equal(all.calls, JZ_MAX_WATCHED_PREFIXES);
        for (size_t i = 0; i < JZ_MAX_WATCHED_PREFIXES; i++)
            assert_true(jz_presence_remove_watch(presence, numbers[i]));
    }
    assert_int_equal(all.released, 3 * JZ_MAX_WATCHED_PREFIXES);
    jz_presence_destroy(presence);
}

static void a_member_without_a_key_is_one_of_its_own(void **state)
{
    (void)state;
    jz_presence *presence = presence_with(1 << 20, 100);
    enter(presence, "room/1", "", "A");
    enter(presence, "room/1", "", "A");
    jz_roll *roll = jz_presence_roll(presence, jz_text_of("room/1"));
    assert_int_equal(roll->count, 2);
    assert_int_equal(roll->profiles[0]->key_length, 32);
    assert_memory_not_equal(roll->profiles[0]->bytes, roll->profiles[1]->bytes, 32);
    jz_roll_free(roll);
    jz_presence_destroy(presence);
}

static void limits_are_named_and_what_exceeds_them_changes_nothing(void **state)
{
    (void)state;
    static char long_text[JZ_MAX_MEMBER_KEY + 1];
    const struct {
        jz_member member;
        jz_status status;
        const char *words;
    } cases[] = {
        {{long_text, JZ_MAX_MEMBER_KEY + 1, "", 0}, JZ_STATUS_INVALID_OPTION, "the key of a member has 257 bytes"},
        {{"ann", 3, long_text, 65}, JZ_STATUS_INVALID_OPTION, "has 65 bytes, and option max_member_info is 64"},
        {{"cy", 2, "C", 1}, JZ_STATUS_LIMIT_REACHED, "\"room/1\" has 2 members, as many as option max_members"},
    };
    jz_presence *presence = presence_with(1 << 20, 2);
    jz_attendee *ann = enter(presence, "room/1", "ann", "A");
    enter(presence, "room/1", "bob", "B");
    uint64_t bytes = jz_presence_statistics_of(presence).bytes;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        jz_error error = {0};
        assert_null(jz_presence_enter(presence, jz_text_of("room/1"), &cases[i].member, &error));
        assert_int_equal(error.status, cases[i].status);
        assert_that(strstr(error.message, cases[i].words) != NULL, "%s: %s", cases[i].words, error.message);
        assert_int_equal(jz_presence_statistics_of(presence).bytes, bytes);
    }
    /* Who is there already may come again, and there is room for others when somebody has left. */
    jz_presence_leave(presence, enter(presence, "room/1", "ann", "A"));
    jz_presence_leave(presence, ann);
    enter(presence, "room/1", "cy", "C");
    jz_presence_destroy(presence);
}

static void all_members_together_stay_within_their_limit(void **state)
{
    (void)state;
    enum { LIMIT = 64 * 1024, MOST = 1000 };
    jz_presence *presence = presence_with(LIMIT, JZ_UNLIMITED);
    jz_attendee *attendees[MOST];
    char text[32];
    size_t count = 0;
    size_t before = test_live_bytes();
    for (; count < MOST; count++) {
        snprintf(text, sizeof text, "member %zu", count);
        attendees[count] = try_to_enter(presence, count % 2 == 0 ? "room/1" : text, text, "info");
        if (attendees[count] == NULL)
            break;
    }
    assert_true(count > 100 && count < MOST);
    size_t taken = test_live_bytes() - before;
    assert_that(taken < LIMIT + 3 * 16 * 4096, "%zu bytes are taken", taken); /* and the tables' first buckets */
    const jz_member who = member("one more", "info");
    jz_error error = {0};
    assert_null(jz_presence_enter(presence, jz_text_of("room/1"), &who, &error));
    assert_int_equal(error.status, JZ_STATUS_LIMIT_REACHED);
    assert_non_null(strstr(error.message, "option presence_limit"));
    while (count > 0)
        jz_presence_leave(presence, attendees[--count]);
    assert_int_equal(jz_presence_statistics_of(presence).bytes, 0);
    jz_presence_destroy(presence);
}

static void ring(void *context)
{
    ++*(size_t *)context;
}

static void the_bell_rings_once_for_all_changes_until_they_are_told(void **state)
{
    (void)state;
    jz_presence *presence = presence_with(1 << 20, 100);
    size_t rings = 0;
    listener room = {0};
    jz_presence_set_bell(presence, ring, &rings);
    enter(presence, "room/1", "ann", "A");
    assert_int_equal(rings, 0); /* nobody watches */
    watch(presence, &room, "room/1", false);
    enter(presence, "room/1", "bob", "B");
    enter(presence, "room/1", "cy", "C");
    assert_int_equal(rings, 1);
    jz_presence_tell(presence);
    enter(presence, "room/2", "dan", "D");
    assert_int_equal(rings, 1);
    enter(presence, "room/1", "dan", "D");
    assert_int_equal(rings, 2);
    jz_presence_destroy(presence);
}

/* Few calls, however many come: N joins do not cost N times N. */
typedef struct crowd {
    size_t calls, joined, left, most;
    size_t wrong; /* another number of members than was told */
} crowd;

static void count_crowd(void *context, const jz_presence_change *change)
{
    crowd *crowd = context;
    crowd->calls++;
    crowd->joined += change->joined_count;
    crowd->left += change->left_count;
    crowd->wrong += change->member_count != crowd->joined - crowd->left;
    if (change->joined_count + change->left_count > crowd->most)
        crowd->most = change->joined_count + change->left_count;
}

static void a_crowd_is_told_in_a_few_calls(void **state)
{
    (void)state;
    enum { CROWD = 100000 };
    jz_presence *presence = presence_with(1 << 30, CROWD);
    jz_attendee **attendees = calloc(CROWD, sizeof(jz_attendee *));
    crowd counted = {0};
    const jz_presence_watch described = {
        .topic = "room/1", .topic_length = 6, .changed = count_crowd, .context = &counted};
    jz_presence_add_watch(presence, &described, NULL);
    for (size_t i = 0; i < CROWD; i++) {
        char key[16];
        snprintf(key, sizeof key, "%zu", i);
        attendees[i] = enter(presence, "room/1", key, "");
    }
    jz_presence_tell(presence);
    assert_int_equal(counted.calls, CROWD / 4096 + 1);
    assert_int_equal(counted.joined, CROWD);
    assert_int_equal(counted.most, 4096);
    for (size_t i = 0; i < CROWD; i++)
        jz_presence_leave(presence, attendees[i]);
    jz_presence_tell(presence);
    assert_int_equal(counted.calls, 2 * (CROWD / 4096 + 1));
    assert_int_equal(counted.left, CROWD);
    assert_int_equal(counted.wrong, 0);
    free(attendees);
    jz_presence_destroy(presence);
}

/*
 * Plays: members come and go, watches, too, and allocations fail; a model knows who is there. Whenever all was told,
 * every watch knows exactly that.
 */
typedef struct seat {
    jz_attendee *attendee;
    size_t topic, key;
} seat;

typedef struct play {
    jz_presence *presence;
    test_random random;
    seat seats[MOST_SEATS];
    size_t seat_count;
    size_t present[TOPICS][KEYS]; /* seats */
    char infos[TOPICS][KEYS][4];
    listener listeners[WATCHES];
    uint64_t numbers[WATCHES]; /* 0: it does not watch */
} play;

/* What each of the watches is of. */
static const struct {
    const char *topic;
    bool is_prefix;
} watched[WATCHES] = {{"room/1", false}, {"room/", true}, {"", true}, {"room/1", false}, {"hall", false}};

static bool matches(size_t watch, size_t topic)
{
    return watched[watch].is_prefix ? strncmp(topics[topic], watched[watch].topic, strlen(watched[watch].topic)) == 0
                                    : strcmp(topics[topic], watched[watch].topic) == 0;
}

static void play_entering(play *play)
{
    char key[8], info[4];
    size_t topic = test_random_below(&play->random, TOPICS);
    size_t number = test_random_below(&play->random, KEYS);
    if (play->seat_count == MOST_SEATS)
        return;
    snprintf(key, sizeof key, "k%zu", number);
    snprintf(info, sizeof info, "%zu", test_random_below(&play->random, 3));
    if (test_random_below(&play->random, 8) == 0)
        test_allocation_fails_once_after(test_random_below(&play->random, 5));
    jz_attendee *attendee = try_to_enter(play->presence, topics[topic], key, info);
    test_allocations_succeed();
    if (attendee == NULL)
        return;
    play->seats[play->seat_count++] = (seat){attendee, topic, number};
    play->present[topic][number]++;
    memcpy(play->infos[topic][number], info, sizeof info);
}

static void play_leaving(play *play)
{
    if (play->seat_count == 0)
        return;
    seat *left = &play->seats[test_random_below(&play->random, play->seat_count)];
    jz_presence_leave(play->presence, left->attendee);
    play->present[left->topic][left->key]--;
    *left = play->seats[--play->seat_count];
}

static void play_watching(play *play)
{
    size_t i = test_random_below(&play->random, WATCHES);
    listener *listener = &play->listeners[i];
    if (play->numbers[i] != 0) {
        assert_true(jz_presence_remove_watch(play->presence, play->numbers[i]));
        assert_int_equal(listener->released, 1);
        play->numbers[i] = 0;
        return;
    }
    *listener = (struct listener){0};
    if (test_random_below(&play->random, 4) == 0)
        test_allocations_fail_after(test_random_below(&play->random, 3));
    play->numbers[i] = watch(play->presence, listener, watched[i].topic, watched[i].is_prefix);
    test_allocations_succeed();
    assert_int_equal(listener->released, 0);
}

static size_t count_present(const play *play, size_t topic)
{
    size_t count = 0;
    for (size_t key = 0; key < KEYS; key++)
        count += play->present[topic][key] > 0;
    return count;
}

/* What one watch knows of one topic is who is there. */
static void check_listener(play *play, size_t watch, size_t topic, uint64_t seed)
{
    listener *listener = &play->listeners[watch];
    size_t count = count_known(listener, topics[topic], strlen(topics[topic]));
    assert_that(count == (matches(watch, topic) ? count_present(play, topic) : 0), "seed %llu: watch %zu knows %zu",
                (unsigned long long)seed, watch, count);
    for (size_t key = 0; key < KEYS && count > 0; key++) {
        known wanted = {{0}, {0}, {0}};
        snprintf(wanted.topic, sizeof wanted.topic, "%s", topics[topic]);
        snprintf(wanted.key, sizeof wanted.key, "k%zu", key);
        const known *found = find_known(listener, &wanted);
        assert_that((found != NULL) == (play->present[topic][key] > 0), "seed %llu", (unsigned long long)seed);
        if (found != NULL)
            assert_string_equal(found->info, play->infos[topic][key]);
    }
}

static void play_telling(play *play, uint64_t seed)
{
    if (test_random_below(&play->random, 4) == 0)
        test_allocation_fails_once_after(0);
    bool is_done = jz_presence_tell(play->presence);
    test_allocations_succeed();
    while (!is_done)
        is_done = jz_presence_tell(play->presence);
    for (size_t i = 0; i < WATCHES; i++) {
        assert_that(play->listeners[i].wrong == 0, "seed %llu: %s", (unsigned long long)seed, play->listeners[i].last);
        for (size_t topic = 0; topic < TOPICS && play->numbers[i] != 0; topic++)
            check_listener(play, i, topic, seed);
    }
}

static void check_rolls(play *play)
{
    size_t members = 0;
    for (size_t topic = 0; topic < TOPICS; topic++) {
        size_t count = count_present(play, topic);
        jz_roll *roll = jz_presence_roll(play->presence, jz_text_of(topics[topic]));
        assert_int_equal(roll->count, count);
        assert_int_equal(jz_presence_count_members(play->presence, jz_text_of(topics[topic])), count);
        jz_roll_free(roll);
        members += count;
    }
    assert_int_equal(jz_presence_statistics_of(play->presence).members, members);
}

static void play_once(uint64_t seed, size_t steps)
{
    static play play;
    play = (struct play){.random = {seed}, .presence = presence_with(1 << 20, JZ_UNLIMITED)};
    if (seed % 2 == 0)
        play.presence->most_told = 1 + seed % 3;
    for (size_t i = 0; i < steps; i++) {
        size_t what = test_random_below(&play.random, 20);
        if (what < 8)
            play_entering(&play);
        else if (what < 15)
            play_leaving(&play);
        else if (what < 17)
            play_watching(&play);
        else
            play_telling(&play, seed);
    }
    check_rolls(&play);
    while (play.seat_count > 0)
        play_leaving(&play);
    play_telling(&play, seed);
    for (size_t i = 0; i < WATCHES; i++) {
        if (play.numbers[i] != 0)
            assert_true(jz_presence_remove_watch(play.presence, play.numbers[i]));
    }
    jz_presence_tell(play.presence);
    assert_int_equal(jz_presence_statistics_of(play.presence).bytes, 0);
    jz_presence_destroy(play.presence);
}

static void what_watches_are_told_adds_up_to_who_is_there(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++)
        play_once(seed, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_and_goes_is_told_together),
        cmocka_unit_test(what_cancels_out_is_not_told_and_the_info_given_last_counts),
        cmocka_unit_test(a_watch_is_told_first_who_is_there),
        cmocka_unit_test(who_does_not_watch_any_more_is_told_nothing_and_released),
        cmocka_unit_test(as_many_prefixes_as_there_are_bits_can_be_watched_again_and_again),
        cmocka_unit_test(a_member_without_a_key_is_one_of_its_own),
        cmocka_unit_test(limits_are_named_and_what_exceeds_them_changes_nothing),
        cmocka_unit_test(all_members_together_stay_within_their_limit),
        cmocka_unit_test(the_bell_rings_once_for_all_changes_until_they_are_told),
        cmocka_unit_test(a_crowd_is_told_in_a_few_calls),
        cmocka_unit_test(what_watches_are_told_adds_up_to_who_is_there),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("members", tests, NULL, NULL));
}
