#include "club.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "testing.h"

static void put(club_server *server, jz_text topic, const void *bytes, size_t length)
{
    club_message *message = malloc(sizeof *message + topic.length + length);
    if (message == NULL)
        return; /* a test lets it fail: it is lost, as any may be */
    *message = (club_message){.topic_length = topic.length, .length = length};
    memcpy(message->bytes, topic.start, topic.length);
    memcpy(message->bytes + topic.length, bytes, length);
    *server->end = message;
    server->end = &message->next;
}

static void count_message(club *club, const void *bytes, size_t length)
{
    jz_company_message message;
    assert_true(jz_company_message_read(bytes, length, &message));
    club->published++;
    club->asks += message.kind == JZ_COMPANY_ASK ? 1 : 0;
    club->pieces += message.kind == JZ_COMPANY_SNAPSHOT ? 1 : 0;
    club->snapshots += message.kind == JZ_COMPANY_SNAPSHOT && message.is_last ? 1 : 0;
    if (length > club->most_bytes)
        club->most_bytes = length;
}

static bool publish(void *context, jz_text topic, const void *bytes, size_t length)
{
    club_server *server = context;
    club *club = server->club;
    if (!server->is_reached)
        return false;
    count_message(club, bytes, length);
    if (club->lose_changes > 0 && ((const uint8_t *)bytes)[1] == JZ_COMPANY_CHANGES) {
        club->lose_changes--;
        return true;
    }
    for (size_t i = 0; i < club->count; i++) {
        club_server *to = &club->servers[i];
        bool is_to_come = (to != server || club->brings_back) && to->runs && to->is_reached &&
                          topic_set_has(&to->topics, topic.start, topic.length);
        if (is_to_come)
            put(to, topic, bytes, length);
        if (is_to_come && club->double_next > 0)
            put(to, topic, bytes, length);
    }
    club->double_next -= club->double_next > 0 ? 1 : 0;
    return true;
}

static bool subscribe(void *context, jz_text topic)
{
    club_server *server = context;
    assert_true(jz_topic_is_hidden(topic));
    if (server->club->refuse_next > 0) {
        server->club->refuse_next--;
        return false;
    }
    server->wrong_topics += topic_set_add(&server->topics, topic.start, topic.length) ? 0 : 1;
    return true;
}

static void unsubscribe(void *context, jz_text topic)
{
    club_server *server = context;
    server->wrong_topics += topic_set_remove(&server->topics, topic.start, topic.length) ? 0 : 1;
}

static void ring(void *context)
{
    ((club_server *)context)->is_rung = true;
}

static void forget_messages(club_server *server)
{
    while (server->first != NULL) {
        club_message *next = server->first->next;
        free(server->first);
        server->first = next;
    }
    server->end = &server->first;
}

static void begin(club *club, club_server *server, size_t limit, uint32_t max_members)
{
    jz_options options = jz_options_default();
    options.max_members = max_members;
    if (limit > 0)
        options.presence_limit = limit;
    *server = (club_server){.club = club, .runs = true, .is_reached = true};
    server->end = &server->first;
    topic_set_init(&server->topics);
    server->presence = jz_presence_create(&options);
    assert_non_null(server->presence);
    const jz_company_bus bus = {
        .context = server, .publish = publish, .subscribe = subscribe, .unsubscribe = unsubscribe};
    server->company = jz_company_create(server->presence, &bus);
    assert_non_null(server->company);
    jz_company_set_bell(server->company, ring, server);
}

void club_begin(club *club, size_t count, size_t limit, uint32_t max_members)
{
    *club = (struct club){.now_ms = 1000, .count = count};
    test_clock_stop(club->now_ms);
    for (size_t i = 0; i < count; i++)
        begin(club, &club->servers[i], limit, max_members);
}

/* The connections of a server that does not run end without the company. */
static void leave_all(club_server *server)
{
    while (server->seat_count > 0)
        jz_presence_leave(server->presence, server->seats[--server->seat_count].attendee);
}

static void finish(club_server *server)
{
    leave_all(server);
    server->is_reached = false;
    jz_company_destroy(server->company);
    jz_presence_tell(server->presence);
    assert_int_equal(server->wrong_topics, 0);
    assert_int_equal(server->told_wrong, 0);
    const jz_presence_statistics left = jz_presence_statistics_of(server->presence);
    assert_int_equal(left.members + left.members_elsewhere + left.servers, 0);
    assert_int_equal(server->topics.table.count, 0);
    topic_set_clear(&server->topics);
    jz_presence_destroy(server->presence);
    forget_messages(server);
}

void club_finish(club *club)
{
    for (size_t i = 0; i < club->count; i++)
        finish(&club->servers[i]);
    test_clocks_run();
}

void club_replace(club *club, size_t number)
{
    finish(&club->servers[number]);
    begin(club, &club->servers[number], 0, JZ_UNLIMITED);
}

void club_enter(club *club, size_t number, const char *key, const char *info)
{
    club_server *server = &club->servers[number];
    const jz_member who = {key, strlen(key), info, strlen(info)};
    club_seat *seat = &server->seats[server->seat_count++];
    assert_true(server->seat_count < CLUB_SEATS);
    snprintf(seat->key, sizeof seat->key, "%s", key);
    seat->attendee = jz_presence_enter(server->presence, jz_text_of(CLUB_TOPIC), &who, NULL);
    assert_non_null(seat->attendee);
}

void club_leave(club *club, size_t number, const char *key)
{
    club_server *server = &club->servers[number];
    for (size_t i = 0; i < server->seat_count; i++) {
        if (strcmp(server->seats[i].key, key) != 0)
            continue;
        jz_presence_leave(server->presence, server->seats[i].attendee);
        server->seats[i] = server->seats[--server->seat_count];
        return;
    }
    fail_msg("%s is not at %zu", key, number);
}

void club_crash(club *club, size_t number)
{
    club->servers[number].runs = false;
    forget_messages(&club->servers[number]);
}

void club_end(club *club, size_t number)
{
    club_server *server = &club->servers[number];
    leave_all(server);
    jz_company_end(server->company);
    server->runs = false;
    forget_messages(server);
}

void club_reach(club *club, size_t number, bool is_reached)
{
    club_server *server = &club->servers[number];
    server->is_reached = is_reached;
    forget_messages(server);
    if (is_reached)
        jz_company_missed_all(server->company);
}

static void add_up(void *context, const jz_presence_change *change)
{
    club_server *server = context;
    server->told_joined += change->joined_count;
    server->told_left += change->left_count;
    server->told_count = change->member_count;
    server->told_wrong += change->topic_length != strlen(CLUB_TOPIC) ? 1 : 0;
}

void club_watch(club *club, size_t number)
{
    const jz_presence_watch watch = {
        .topic = CLUB_TOPIC, .topic_length = strlen(CLUB_TOPIC), .changed = add_up, .context = &club->servers[number]};
    assert_true(jz_presence_add_watch(club->servers[number].presence, &watch, NULL) > 0);
}

/* Each message in its place, as the thread of a company does. */
static bool take_messages(club_server *server)
{
    bool took_any = server->first != NULL;
    while (server->first != NULL) {
        club_message *message = server->first;
        server->first = message->next;
        if (server->first == NULL)
            server->end = &server->first;
        jz_company_take(server->company, (jz_text){message->bytes, message->topic_length},
                        message->bytes + message->topic_length, message->length, server->club->now_ms);
        free(message);
    }
    return took_any;
}

static void begin_window(club_server *server)
{
    if (server->window_ms == 0 && (server->is_rung || jz_company_is_busy(server->company)))
        server->window_ms = server->club->now_ms + JZ_COMPANY_WINDOW_MS;
    server->is_rung = false;
}

static void turn(club_server *server)
{
    uint64_t now_ms = server->club->now_ms;
    bool ticks = server->tick_ms > 0 && now_ms >= server->tick_ms;
    if (!ticks && (server->window_ms == 0 || now_ms < server->window_ms))
        return;
    if (ticks) {
        jz_company_tick(server->company, now_ms);
        server->tick_ms = 0;
    } else {
        server->window_ms = 0;
    }
    jz_company_turn(server->company, now_ms);
    if (server->tick_ms == 0 && jz_company_has_rooms(server->company))
        server->tick_ms = now_ms + JZ_COMPANY_TICK_MS;
}

static void live(club *club)
{
    for (size_t i = 0; i < club->count; i++) {
        club_server *server = &club->servers[i];
        if (!server->runs)
            continue;
        begin_window(server);
        turn(server);
        jz_presence_tell(server->presence);
    }
    for (bool goes_on = true; goes_on;) {
        goes_on = false;
        for (size_t i = 0; i < club->count; i++) {
            if (club->servers[i].runs)
                goes_on = take_messages(&club->servers[i]) || goes_on;
        }
    }
    for (size_t i = 0; i < club->count; i++) {
        if (club->servers[i].runs)
            begin_window(&club->servers[i]);
    }
}

void club_pass(club *club, uint64_t ms)
{
    enum { STEP = 50 };
    live(club);
    for (; ms >= STEP; ms -= STEP) {
        club->now_ms += STEP;
        test_clock_stop(club->now_ms);
        live(club);
    }
}

static int compare(const void *left, const void *right)
{
    return strcmp(left, right);
}

const char *club_members(club *club, size_t number)
{
    enum { MOST = 64, LENGTH = 64 };
    static char text[CLUB_TEXT];
    char lines[MOST][LENGTH];
    size_t count = 0;
    jz_presence *presence = club->servers[number].presence;
    /* Without jz_presence_roll, which would be interest. */
    uint64_t hash = jz_presence_hash(presence, jz_text_of(CLUB_TOPIC));
    jz_presence_topic *topic = jz_presence_part_find(jz_presence_part_of(presence, hash), jz_text_of(CLUB_TOPIC), hash);
    text[0] = '\0';
    if (topic == NULL)
        return text;
    for (jz_circle *place = topic->present.next; place != &topic->present && count < MOST; place = place->next) {
        const jz_profile *profile = jz_attendee_of_present(place)->profile;
        snprintf(lines[count++], LENGTH, "%.*s=%.*s", (int)profile->key_length, profile->bytes,
                 (int)profile->info_length, profile->bytes + profile->key_length);
    }
    assert_int_equal(count, topic->count);
    qsort(lines, count, LENGTH, compare);
    char *at = text;
    for (size_t i = 0; i < count; i++)
        at += snprintf(at, sizeof text - (size_t)(at - text), "%s%s", i > 0 ? "," : "", lines[i]);
    return text;
}

static void check_members(club *club, size_t number, const char *expected, const char *name, const char *script)
{
    const char *members = club_members(club, number);
    assert_that(strcmp(members, expected) == 0, "%s (%s): at %zu there are \"%s\", not \"%s\"", name, script, number,
                members, expected);
}

static void check_told(club_server *server, size_t expected, const char *name, const char *script)
{
    jz_presence_tell(server->presence);
    size_t told = server->told_joined + server->told_left;
    server->told_joined = server->told_left = 0;
    assert_that(told == expected, "%s (%s): told of %zu", name, script, told);
}

static void take_word(club *club, char *word, const char *name, const char *script)
{
    if (word[0] == '>') {
        club_pass(club, strtoul(word + 1, NULL, 10));
        return;
    }
    size_t number = (size_t)(word[0] - '0');
    assert_that(number < club->count, "%s: %s", name, word);
    char *key = word + 2;
    char *info = strchr(key, '=');
    switch (word[1]) {
    case '+':
        *info = '\0';
        club_enter(club, number, key, info + 1);
        break;
    case '-':
        club_leave(club, number, key);
        break;
    case '?':
        jz_presence_count_members(club->servers[number].presence, jz_text_of(CLUB_TOPIC));
        break;
    case 'w':
        club_watch(club, number);
        break;
    case '!':
        club_crash(club, number);
        break;
    case '.':
        club_end(club, number);
        break;
    case 'r':
        club_replace(club, number);
        break;
    case 'x':
    case 'o':
        club_reach(club, number, word[1] == 'o');
        break;
    case ':':
        check_members(club, number, key, name, script);
        break;
    case 't':
        check_told(&club->servers[number], strtoul(key, NULL, 10), name, script);
        break;
    default:
        fail_msg("%s: %s", name, word);
    }
}

void club_play(club *club, const char *name, const char *script)
{
    char text[CLUB_TEXT];
    assert_true(strlen(script) < sizeof text);
    snprintf(text, sizeof text, "%s", script);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        take_word(club, word, name, script);
}
