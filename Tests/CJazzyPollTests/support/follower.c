#define _POSIX_C_SOURCE 200809L

#include "follower.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base64.h"
#include "eventually.h"

#define OPENING "{\"t\":\"" FOLLOWED_TOPIC "\","

size_t stamp_write(stamp stamp, uint8_t *bytes)
{
    test_random random = {(uint64_t)stamp.publisher << 32 | stamp.number};
    size_t most = test_random_below(&random, 4) == 0 ? MOST_PADDING : 60;
    size_t length = sizeof stamp + test_random_below(&random, most);
    memset(bytes, (int)(stamp.number & 0x7F), length);
    memcpy(bytes, &stamp, sizeof stamp);
    return length;
}

void ledger_blame(ledger *ledger, const char *what)
{
    const char *none = NULL;
    atomic_compare_exchange_strong(&ledger->wrong, &none, what);
}

/* The number of an epoch, which a server has in that life. */
static size_t number_of(ledger *ledger, uint64_t epoch, unsigned life)
{
    for (size_t i = 0; i < MOST_EPOCHS; i++) {
        uint64_t there = 0;
        if (!atomic_compare_exchange_strong(&ledger->epochs[i].epoch, &there, epoch) && there != epoch)
            continue;
        unsigned before = 0;
        if (!atomic_compare_exchange_strong(&ledger->epochs[i].life, &before, life) && before != life)
            ledger_blame(ledger, "a server has the epoch of one that was before it");
        return i;
    }
    ledger_blame(ledger, "there are too many epochs");
    return 0;
}

const char *ledger_check(const ledger *ledger, uint32_t publishers)
{
    uint32_t *last = calloc(publishers, sizeof *last);
    const char *wrong = last != NULL ? NULL : "no memory";
    for (size_t i = 0; i < MOST_EPOCHS && wrong == NULL; i++) {
        memset(last, 0, publishers * sizeof *last);
        for (size_t offset = 1; offset < MOST_OFFSETS; offset++) {
            stamp stamp;
            uint64_t value = ledger->epochs[i].at[offset];
            memcpy(&stamp, &value, sizeof stamp);
            if (value == 0)
                continue;
            if (stamp.publisher >= publishers || stamp.number <= last[stamp.publisher])
                wrong = "messages of one publisher are there twice, or not in its order";
            else
                last[stamp.publisher] = stamp.number;
        }
    }
    free(last);
    return wrong;
}

/* --- What a follower says ----------------------------------------------------------------------------------------- */

/* A message, or only a part of its frame, which is none: the connection is lost then. */
static void publish(follower *self, bool is_whole)
{
    uint8_t bytes[MOST_MESSAGE];
    stamp stamp = {self->first_publisher + self->visits, ++self->spoken};
    size_t length = stamp_write(stamp, bytes);
    const test_frame frame = {
        .fin = true, .opcode = JZ_OPCODE_BINARY, .payload = {(const char *)bytes, length, length}};
    jz_buffer buffer = {0};
    test_frame_append(&buffer, &frame, (const uint8_t[]){1, 2, 3, 4});
    size_t sent = is_whole ? buffer.length : 1 + test_random_below(&self->random, buffer.length - 1);
    (void)test_client_send(&self->connection, buffer.bytes, sent);
    jz_buffer_free(&buffer);
}

typedef enum question {
    FROM_NOWHERE,    /* it has no position, or does not say one */
    FROM_POSITION,   /* where it is */
    FROM_ELSEWHERE,  /* from a position that may be one or not */
    FROM_NO_POSITION /* from what is none of this topic, now and ever */
} question;

static const char *const malformed[] = {
    "",
    ":",
    "0",
    "0:0",
    "0000000000000000",
    "0000000000000000:",
    ":7",
    "0000000000000000:-1",
    "0000000000000000:+1",
    "0000000000000000:01",
    "0000000000000000:18446744073709551616",
    "0000000000000000:99999999999999999999999999999999999999999999",
    "00000000000000000:1",
    "000000000000000g:1",
    "0000000000000000:1:1",
    "%00%00%00%00",
    "%30%30%30%30%30%30%30%30%30%30%30%30%30%30%30%30:1%20",
    "null",
    "undefined:NaN",
    "0x00000000000000:0x1",
};

/* Writes what it says in `since`, and changes its position to it, if it is one. */
static question choose(follower *self, char text[160])
{
    size_t chosen = self->has_position ? test_random_below(&self->random, 20) : 19;
    uint64_t number = test_random_next(&self->random);
    question question = FROM_ELSEWHERE;
    text[0] = '\0';
    if (chosen == 0 && number % 3 != 0) { /* the future, which may come before it is asked for, or never */
        bool is_never = number % 3 == 1;
        self->position.offset += is_never ? MOST_OFFSETS + number % UINT32_MAX : 1 + number % 5;
        question = is_never ? FROM_NO_POSITION : FROM_ELSEWHERE;
    } else if (chosen == 0) {
        self->position.offset = UINT64_MAX - number % 3;
        question = FROM_NO_POSITION;
    } else if (chosen == 1) { /* the past, which may be kept or not */
        self->position.offset -= number % (self->position.offset + 1);
    } else if (chosen == 2) {
        self->position.epoch ^= UINT64_C(1) << number % 64;
        question = FROM_NO_POSITION;
    } else if (chosen == 3) {
        snprintf(text, 160, "%s", malformed[number % COUNT_OF(malformed)]);
        return FROM_NO_POSITION;
    } else if (chosen == 4 || !self->has_position) {
        return FROM_NOWHERE;
    } else {
        question = FROM_POSITION;
    }
    jz_position_format(self->position, text);
    if (question == FROM_ELSEWHERE && number % 50 == 0)
        text[number % strlen(text)] ^= 0x20; /* another letter case, or no digit */
    return question;
}

/* --- What it hears ------------------------------------------------------------------------------------------------ */

/* Takes the first frame. False: the connection has ended. */
static bool take_announcement(follower *self, question question, unsigned life, size_t *number)
{
    ledger *ledger = self->ledger;
    test_received frame;
    char text[160] = "";
    char epoch[17];
    char answer[6];
    unsigned long long offset;
    size_t count;
    /* The server pings whom it has not heard for long, by a clock that may have jumped. */
    do {
        if (!test_client_take_frame(&self->connection, &frame) || frame.opcode == JZ_OPCODE_CLOSE)
            return false;
    } while (frame.opcode == JZ_OPCODE_PING);
    if (frame.opcode != JZ_OPCODE_TEXT || frame.length >= sizeof text) {
        ledger_blame(ledger, "the first frame is no announcement");
        return false;
    }
    memcpy(text, frame.payload, frame.length);
    const char *rest = text;
    if (self->has_envelopes && strncmp(text, OPENING, strlen(OPENING)) == 0)
        rest = memcpy(text + strlen(OPENING) - 1, "{", 1);
    if (sscanf(rest, "{\"epoch\":\"%16[0-9a-f]\",\"offset\":%llu,\"recovered\":%5[a-z],\"count\":%zu}", epoch, &offset,
               answer, &count) != 4) {
        ledger_blame(ledger, "the announcement is not as it should be");
        return false;
    }
    jz_position announced = {strtoull(epoch, NULL, 16), offset};
    bool has_recovered = strcmp(answer, "true") == 0;
    if (has_recovered && (question == FROM_NOWHERE || question == FROM_NO_POSITION))
        ledger_blame(ledger, "who was nowhere has recovered");
    if (has_recovered && (announced.epoch != self->position.epoch || announced.offset != self->position.offset))
        ledger_blame(ledger, "a client has recovered at another position");
    if (!has_recovered && count != 0)
        ledger_blame(ledger, "a client that has not recovered gets something old");
    if (question == FROM_POSITION)
        (*(has_recovered ? &ledger->recovered : &ledger->not_recovered))++;
    else if (question != FROM_NOWHERE)
        ledger->forged++;
    /* If no other server came meanwhile, it was this one that has answered. */
    if (life != ledger->stage->life)
        return false;
    self->position = announced;
    self->has_position = true;
    self->life = life;
    *number = number_of(ledger, announced.epoch, life);
    return true;
}

static size_t decode_base64(const uint8_t *text, size_t length, uint8_t *bytes)
{
    size_t written = 0;
    for (size_t i = 0; i + 4 <= length; i += 4) {
        uint32_t group = 0;
        size_t padding = 0;
        for (size_t j = 0; j < 4; j++) {
            const char *digit = memchr(jz_base64_digits, text[i + j], 64);
            padding += text[i + j] == '=' ? 1 : 0;
            group = group << 6 | (digit != NULL ? (uint32_t)(digit - jz_base64_digits) : 0);
        }
        for (size_t j = 0; j < 3 - padding; j++)
            bytes[written++] = (uint8_t)(group >> (16 - 8 * j));
    }
    return written;
}

/* Takes the payload out of its envelope. */
static bool open_envelope(follower *self, test_received *frame, uint8_t *bytes, size_t capacity)
{
    static const size_t opening = sizeof OPENING - 1;
    char head[64] = "";
    unsigned long long offset = 0;
    int length = 0;
    if (frame->opcode != JZ_OPCODE_TEXT || frame->length < opening + 8 || frame->length / 4 * 3 > capacity ||
        memcmp(frame->payload, OPENING, opening) != 0)
        return false;
    size_t rest = frame->length - opening;
    memcpy(head, frame->payload + opening, rest < sizeof head ? rest : sizeof head - 1);
    if (sscanf(head, "\"o\":%llu,\"b\":\"%n", &offset, &length) != 1 || length == 0)
        return false;
    if (offset != self->position.offset + 1)
        ledger_blame(self->ledger, "an envelope says another offset than that of the message");
    size_t start = opening + (size_t)length;
    frame->length = decode_base64(frame->payload + start, frame->length - start - 2, bytes);
    frame->payload = bytes;
    return true;
}

static void take_message(follower *self, test_received *frame, size_t number)
{
    ledger *ledger = self->ledger;
    uint8_t bytes[2 * MOST_MESSAGE];
    if (self->has_envelopes && !open_envelope(self, frame, bytes, sizeof bytes))
        ledger_blame(ledger, "something else than an envelope was received");
    uint8_t expected[MOST_MESSAGE];
    stamp stamp;
    uint64_t value;
    uint64_t offset = ++self->position.offset;
    if (frame->length < sizeof stamp || offset >= MOST_OFFSETS) {
        ledger_blame(ledger, "something else was received");
        return;
    }
    memcpy(&stamp, frame->payload, sizeof stamp);
    memcpy(&value, frame->payload, sizeof value);
    if (frame->length != stamp_write(stamp, expected) || memcmp(expected, frame->payload, frame->length) != 0)
        ledger_blame(ledger, "a payload was changed");
    uint64_t there = 0;
    if (!atomic_compare_exchange_strong(&ledger->epochs[number].at[offset], &there, value) && there != value)
        ledger_blame(ledger, "two clients have different messages at one offset");
}

static bool is_at_end(const follower *self)
{
    const stage *stage = self->ledger->stage;
    return stage->is_over && self->has_position && self->life == stage->life && self->position.offset == stage->end;
}

/* Whether there is something to take; false: it has ended, or the client has all that there will be. */
static bool waits_for_more(follower *self)
{
    uint64_t deadline = test_deadline();
    while (self->connection.start == self->connection.end && test_client_hears_nothing(&self->connection)) {
        if (is_at_end(self) || self->ledger->wrong != NULL)
            return false;
        if (!test_pause_before(deadline)) {
            ledger_blame(self->ledger, "a client waits for a message that does not come");
            return false;
        }
    }
    return true;
}

/* Takes up to `left` messages, and says something now and then. */
static void listen(follower *self, size_t number, size_t left)
{
    test_received frame = {0};
    while (left-- > 0 && waits_for_more(self) && test_client_take_frame(&self->connection, &frame) &&
           frame.opcode != JZ_OPCODE_CLOSE) {
        if (frame.opcode == (self->has_envelopes ? JZ_OPCODE_TEXT : JZ_OPCODE_BINARY))
            take_message(self, &frame, number);
        if (self->spoken_before + self->spoken < MOST_SPOKEN && test_random_below(&self->random, 10) == 0)
            publish(self, true);
        if (test_random_below(&self->random, 25) == 0)
            test_pause_before(test_deadline());
    }
    if (frame.opcode == JZ_OPCODE_CLOSE && frame.length >= 2 && frame.payload[0] == JZ_CLOSE_BEHIND >> 8 &&
        frame.payload[1] == (JZ_CLOSE_BEHIND & 0xFF))
        self->ledger->behind++;
}

/*
 * Loses the connection, with what was sent to it and it has not taken: whole frames and a part of one. What it sends
 * itself may have been in the middle of a frame.
 */
static void leave(follower *self)
{
    if (test_random_below(&self->random, 4) == 0)
        publish(self, false);
    if (test_random_below(&self->random, 2) == 0)
        test_client_reset(&self->connection);
    else
        test_client_close(&self->connection);
    self->ledger->lost++;
    self->visits++;
    self->spoken_before += self->spoken;
    self->spoken = 0;
}

/* Loses the connection in the middle of its request, or before it hears anything. */
static void leave_early(follower *self, const char *request)
{
    size_t length = strlen(request);
    bool is_whole = test_random_below(&self->random, 2) == 0;
    (void)test_client_send(&self->connection, request, is_whole ? length : test_random_below(&self->random, length));
    if (test_random_below(&self->random, 2) == 0)
        test_pause_before(test_deadline());
}

static void visit(follower *self)
{
    unsigned life = self->ledger->stage->life;
    unsigned port = self->ledger->stage->port;
    jz_position before = self->position;
    char request[512];
    char since[160];
    size_t number;
    if (port == 0 ||
        !test_client_connect(&self->connection, (uint16_t)port, test_random_below(&self->random, 4) == 0 ? 8192 : 0)) {
        test_pause_before(test_deadline());
        return;
    }
    question question = choose(self, since);
    self->has_envelopes = test_random_below(&self->random, 2) == 0;
    snprintf(request, sizeof request, UPGRADE_REQUEST("/?%s%s%s"), self->has_envelopes ? "enveloped&" : "",
             question != FROM_NOWHERE ? "since=" : "", since);
    size_t left = test_random_below(&self->random, 3) == 0 ? SIZE_MAX : test_random_below(&self->random, 80);
    bool is_early = test_random_below(&self->random, 20) == 0;
    if (is_early)
        leave_early(self, request);
    if (!is_early && test_client_upgrade(&self->connection, request) &&
        take_announcement(self, question, life, &number))
        listen(self, number, left);
    else
        self->position = before; /* it has heard nothing */
    leave(self);
}

void follower_follow(follower *self)
{
    const stage *stage = self->ledger->stage;
    uint64_t deadline = test_deadline();
    uint32_t visits = 0;
    while (self->ledger->wrong == NULL && !stage->has_failed && !is_at_end(self)) {
        visit(self);
        if (self->visits == MOST_VISITS)
            ledger_blame(self->ledger, "a client never reaches the end");
        if (self->visits != visits)
            deadline = test_deadline();
        visits = self->visits;
        if (!test_is_before(deadline))
            ledger_blame(self->ledger, "a client finds no server");
    }
}
