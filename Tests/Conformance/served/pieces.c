#define _DEFAULT_SOURCE

#include "pieces.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "../../CJazzyPollTests/support/poison.h"

/* The names are the linker's (ld, --wrap). */
ssize_t __real_recv(int descriptor, void *bytes, size_t capacity, int flags);
ssize_t __wrap_recv(int descriptor, void *bytes, size_t capacity, int flags);

static struct {
    pthread_mutex_t lock; /* for everything here: the server's loop reads, the test's thread steers */
    const cuts *cuts;
    size_t next; /* the cut that the next read ends at */
    size_t position;
    ptrdiff_t hold;
    bool all_is_sent;
    bool leaves_recv;
    size_t held_reads;
    uint8_t *poisoned;
    size_t poisoned_length;
} pieces = {.lock = PTHREAD_MUTEX_INITIALIZER, .hold = NO_HOLD};

void pieces_begin(const cuts *cuts, ptrdiff_t hold)
{
    pthread_mutex_lock(&pieces.lock);
    pieces.cuts = cuts;
    pieces.next = 0;
    pieces.position = 0;
    pieces.hold = hold;
    pieces.all_is_sent = false;
    pieces.held_reads = 0;
    pthread_mutex_unlock(&pieces.lock);
}

void pieces_all_is_sent(void)
{
    pthread_mutex_lock(&pieces.lock);
    pieces.all_is_sent = true;
    pthread_mutex_unlock(&pieces.lock);
}

size_t pieces_held_reads(void)
{
    pthread_mutex_lock(&pieces.lock);
    size_t count = pieces.held_reads;
    pthread_mutex_unlock(&pieces.lock);
    return count;
}

void pieces_hold_at(ptrdiff_t hold)
{
    pthread_mutex_lock(&pieces.lock);
    pieces.hold = hold;
    pieces.held_reads = 0;
    pthread_mutex_unlock(&pieces.lock);
}

static void unpoison(void)
{
    test_unpoison(pieces.poisoned, pieces.poisoned_length);
    pieces.poisoned_length = 0;
}

void pieces_end(void)
{
    pthread_mutex_lock(&pieces.lock);
    unpoison();
    pthread_mutex_unlock(&pieces.lock);
}

static size_t available_at(int descriptor)
{
    int available = 0;
    ioctl(descriptor, FIONREAD, &available);
    return (size_t)available;
}

/*
 * How many of the available bytes the next read returns, from `descriptor` if that is one: 0 if reading is held, or if
 * the piece is not complete; the capacity behind the end of the stream.
 */
static size_t next_piece(int descriptor, size_t available, size_t capacity)
{
    size_t end = pieces.next < pieces.cuts->count ? pieces.cuts->positions[pieces.next] : SIZE_MAX;
    if (pieces.hold != NO_HOLD && (size_t)pieces.hold < end)
        end = (size_t)pieces.hold;
    if (end == pieces.position) {
        pieces.held_reads++;
        return 0;
    }
    if (end == SIZE_MAX)
        return capacity;
    size_t wanted = end - pieces.position < capacity ? end - pieces.position : capacity;
    if (pieces.all_is_sent)
        return wanted;
    return (descriptor < 0 ? available : available_at(descriptor)) >= wanted ? wanted : 0;
}

static void note_read(size_t count)
{
    pieces.position += count;
    if (pieces.next < pieces.cuts->count && pieces.position == pieces.cuts->positions[pieces.next])
        pieces.next++;
}

size_t pieces_choose(size_t available, size_t capacity)
{
    pthread_mutex_lock(&pieces.lock);
    size_t count = next_piece(-1, available, capacity);
    if (count > available && available > 0)
        count = available;
    if (available > 0)
        note_read(count);
    pthread_mutex_unlock(&pieces.lock);
    return count;
}

size_t pieces_want(size_t capacity)
{
    pthread_mutex_lock(&pieces.lock);
    size_t count = next_piece(-1, SIZE_MAX, capacity);
    pthread_mutex_unlock(&pieces.lock);
    return count;
}

void pieces_note(size_t count)
{
    pthread_mutex_lock(&pieces.lock);
    note_read(count);
    pthread_mutex_unlock(&pieces.lock);
}

void pieces_leave_recv(void)
{
    pthread_mutex_lock(&pieces.lock);
    pieces.leaves_recv = true;
    pthread_mutex_unlock(&pieces.lock);
}

static ssize_t receive_piece(int descriptor, void *bytes, size_t capacity, int flags)
{
    size_t wanted = next_piece(descriptor, 0, capacity);
    if (wanted == 0) {
        errno = EAGAIN;
        return -1;
    }
    unpoison();
    ssize_t count = __real_recv(descriptor, bytes, wanted, flags);
    if (count < 0)
        return count;
    note_read((size_t)count);
    pieces.poisoned = (uint8_t *)bytes + count;
    pieces.poisoned_length = capacity - (size_t)count;
    test_poison(pieces.poisoned, pieces.poisoned_length);
    return count;
}

ssize_t __wrap_recv(int descriptor, void *bytes, size_t capacity, int flags)
{
    pthread_mutex_lock(&pieces.lock);
    if (pieces.leaves_recv) {
        pthread_mutex_unlock(&pieces.lock);
        return __real_recv(descriptor, bytes, capacity, flags);
    }
    ssize_t count = receive_piece(descriptor, bytes, capacity, flags);
    int reason = errno;
    pthread_mutex_unlock(&pieces.lock);
    if (count < 0)
        sched_yield(); /* readable and unread input makes the loop return at once */
    errno = reason;
    return count;
}
