#include "throttled_transport.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "random.h"

enum { BYTES_AHEAD = 4096, LONGEST_RECORD = 16384, MOST_BY_DEFAULT = 4096, MOST_RECORDS = 4 };

typedef struct channel {
    throttled *context;
    pthread_t thread; /* of its loop */
    int descriptor;
    test_random random;
    uint32_t steps_left; /* of the handshake */
    bool step_writes;
    bool wants_to_write; /* before anything is received */
    bool peer_has_ended;
    bool end_is_told; /* by us */
    bool end_is_late; /* it was put off once */
    bool is_lost;
    bool has_failed; /* by choice */
    uint8_t *record; /* being sent; NULL: none */
    size_t record_length;
    size_t record_sent;
    uint8_t *ahead; /* bytes that were read and not passed on, from `start` on; NULL: none */
    size_t start;
    size_t end;
} channel;

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "throttled transport: the server breaks a rule: %s\n", what);
    abort();
}

static bool happens(channel *self, uint32_t rarity)
{
    return rarity != 0 && test_random_below(&self->random, rarity) == 0;
}

static channel *enter(void *opaque)
{
    channel *self = opaque;
    require(pthread_equal(self->thread, pthread_self()), "calls come from the channel's own loop");
    return self;
}

/* The same where nothing may be called any more of one that is lost. Returns whether it is lost now. */
static bool loses(channel *self)
{
    require(!self->is_lost, "who is lost is only asked why");
    self->has_failed = happens(self, self->context->failing);
    self->is_lost = self->has_failed;
    self->context->lost += self->is_lost;
    return self->is_lost;
}

static jz_io lose(channel *self)
{
    self->is_lost = true;
    self->context->lost++;
    return JZ_IO_BROKEN;
}

static void *open_channel(void *context, int descriptor, const uint8_t *early, size_t early_length)
{
    throttled *through = context;
    channel *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    if (early_length > 0) {
        self->ahead = malloc(early_length);
        if (self->ahead == NULL) {
            free(self);
            return NULL;
        }
        memcpy(self->ahead, early, early_length);
        self->end = early_length;
    }
    self->context = through;
    self->thread = pthread_self();
    self->descriptor = descriptor;
    self->random.state = through->seed + through->opened++ * 1000;
    self->steps_left = through->steps > 0 ? (uint32_t)test_random_below(&self->random, through->steps + 1) : 0;
    return self;
}

static unsigned interest(void *opaque, unsigned wanted)
{
    channel *self = enter(opaque);
    require(!self->is_lost, "who is lost is only asked why");
    if (self->steps_left > 0)
        return self->step_writes ? JZ_WRITABLE : JZ_READABLE;
    if (self->wants_to_write && (wanted & JZ_READABLE) != 0)
        return JZ_WRITABLE;
    return wanted;
}

static unsigned ready(void *opaque, unsigned what)
{
    channel *self = enter(opaque);
    if (loses(self))
        return JZ_LOST;
    if (self->steps_left > 0) {
        self->steps_left--;
        /* The peer's first bytes may be here already: then there is nothing to read. */
        self->step_writes = self->ahead != NULL || happens(self, 2);
        return self->steps_left > 0 ? 0 : JZ_READABLE | JZ_WRITABLE;
    }
    if (!self->wants_to_write || (what & JZ_WRITABLE) == 0)
        return what;
    self->wants_to_write = false;
    return what | JZ_READABLE;
}

static void forget_ahead(channel *self)
{
    free(self->ahead);
    self->ahead = NULL;
    self->start = self->end = 0;
}

/* A loop's own: only what is left when a call ends is kept by a channel, and takes memory. */
static _Thread_local uint8_t read_bytes[BYTES_AHEAD];
static _Thread_local uint8_t record_bytes[LONGEST_RECORD];

/* Reads what there is, to read_bytes. OK: at least one byte. */
static jz_io read_some(channel *self, size_t *length)
{
    ssize_t count;
    if (self->peer_has_ended)
        return JZ_IO_ENDED;
    do {
        count = recv(self->descriptor, read_bytes, BYTES_AHEAD, 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
        return errno == EAGAIN ? JZ_IO_WOULD_BLOCK : lose(self);
    *length = (size_t)count;
    self->peer_has_ended = count == 0;
    return count > 0 ? JZ_IO_OK : JZ_IO_ENDED;
}

/* Keeps what was read and not passed on. False: no memory. */
static bool keep_ahead(channel *self, const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return true;
    self->ahead = malloc(length);
    if (self->ahead == NULL)
        return false;
    memcpy(self->ahead, bytes, length);
    self->end = length;
    return true;
}

static size_t choose(channel *self, size_t most)
{
    if (most == 0)
        most = MOST_BY_DEFAULT;
    return 1 + test_random_below(&self->random, most < LONGEST_RECORD ? most : LONGEST_RECORD);
}

static jz_io receive(void *opaque, uint8_t *bytes, size_t capacity, size_t *received, bool *has_more)
{
    channel *self = enter(opaque);
    require(self->steps_left == 0, "nothing is received before the handshake is done");
    require(capacity > 0 && *received == 0 && !*has_more, "what is to be filled in is empty");
    if (loses(self))
        return JZ_IO_BROKEN;
    if (happens(self, self->context->contrary)) {
        self->wants_to_write = true;
        return JZ_IO_WOULD_BLOCK;
    }
    size_t length = self->end - self->start;
    if (self->ahead == NULL) {
        jz_io result = read_some(self, &length);
        if (result != JZ_IO_OK)
            return result;
    }
    size_t count = choose(self, self->context->most_received);
    if (count > length)
        count = length;
    if (count > capacity)
        count = capacity;
    if (self->ahead == NULL) {
        memcpy(bytes, read_bytes, count);
        if (!keep_ahead(self, read_bytes + count, length - count))
            return lose(self);
    } else {
        memcpy(bytes, self->ahead + self->start, count);
        self->start += count;
        if (count == length)
            forget_ahead(self);
    }
    *received = count;
    *has_more = self->ahead != NULL || happens(self, self->context->contrary);
    return JZ_IO_OK;
}

static void forget_record(channel *self)
{
    free(self->record);
    self->record = NULL;
    self->record_length = self->record_sent = 0;
}

/* Part of it has gone, or nothing: the same has to come again. False: no memory. */
static bool keep_record(channel *self, size_t length)
{
    if (self->record != NULL)
        return true;
    self->record = malloc(length);
    if (self->record == NULL)
        return false;
    memcpy(self->record, record_bytes, length);
    self->record_length = length;
    return true;
}

/*
 * Sends the next record, or the rest of the one that is under way, which comes again from elsewhere. OK: all of it has
 * gone, `length` bytes.
 */
static jz_io send_record(channel *self, const jz_piece *pieces, size_t count, size_t skipped, size_t *length)
{
    size_t most = self->record != NULL ? self->record_length : choose(self, self->context->most_sent);
    *length = jz_pieces_join(pieces, count, skipped, record_bytes, most);
    require(self->record == NULL || (*length == most && memcmp(record_bytes, self->record, most) == 0),
            "what was not taken comes again, first and whole");
    while (self->record_sent < *length) {
        size_t left = *length - self->record_sent;
        ssize_t sent = send(self->descriptor, record_bytes + self->record_sent, left, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN)
            return lose(self);
        if (sent < 0)
            return keep_record(self, *length) ? JZ_IO_WOULD_BLOCK : lose(self);
        self->record_sent += (size_t)sent;
    }
    forget_record(self);
    return JZ_IO_OK;
}

/* Tells the peer the end, sometimes only when asked again. */
static jz_io tell_end(channel *self)
{
    if (!self->end_is_late && happens(self, self->context->contrary)) {
        self->end_is_late = true;
        return JZ_IO_WOULD_BLOCK;
    }
    self->end_is_told = true;
    self->context->ended++;
    return JZ_IO_OK;
}

static jz_io send_pieces(void *opaque, const jz_piece *pieces, size_t count, bool is_last, size_t *sent)
{
    channel *self = enter(opaque);
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        require(pieces[i].length > 0 && pieces[i].bytes != NULL, "pieces are not empty");
        length += pieces[i].length;
    }
    require(self->steps_left == 0, "nothing is sent before the handshake is done");
    require(!self->end_is_told, "nothing is sent behind the end");
    require(count <= JZ_MOST_PIECES && *sent == 0 && (count > 0 || is_last), "there is something to send");
    if (loses(self))
        return JZ_IO_BROKEN;
    if (happens(self, self->context->contrary))
        return JZ_IO_WOULD_BLOCK;
    for (int i = 0; i < MOST_RECORDS && *sent < length; i++) {
        size_t taken;
        jz_io result = send_record(self, pieces, count, *sent, &taken);
        if (result != JZ_IO_OK)
            return result;
        *sent += taken;
    }
    return is_last && *sent == length ? tell_end(self) : JZ_IO_OK;
}

static const char *protocol(void *opaque)
{
    enter(opaque);
    return "http/1.1";
}

static const char *failure(void *opaque)
{
    channel *self = enter(opaque);
    require(self->is_lost, "only who is lost is asked why");
    return self->has_failed ? THROTTLED_FAILURE : NULL;
}

static void close_channel(void *opaque)
{
    channel *self = enter(opaque);
    self->context->closed++;
    forget_ahead(self);
    forget_record(self);
    free(self);
}

const jz_transport throttled_transport = {.open = open_channel,
                                          .interest = interest,
                                          .ready = ready,
                                          .receive = receive,
                                          .send = send_pieces,
                                          .protocol = protocol,
                                          .failure = failure,
                                          .close = close_channel};
