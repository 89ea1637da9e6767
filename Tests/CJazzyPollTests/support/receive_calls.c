#define _DEFAULT_SOURCE

#include "receive_calls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

/* The names are the linker's (ld, --wrap). */
ssize_t __real_recv(int descriptor, void *bytes, size_t capacity, int flags);
ssize_t __wrap_recv(int descriptor, void *bytes, size_t capacity, int flags);

static pthread_t chooser;
static const size_t *pieces;
static size_t piece_count;
static atomic_size_t next_piece;
static atomic_bool is_cutting;

void test_receive_in_pieces(const size_t *sizes, size_t count)
{
    is_cutting = false;
    chooser = pthread_self();
    pieces = sizes;
    piece_count = count;
    next_piece = 0;
    is_cutting = count > 0;
}

bool test_received_all_pieces(void)
{
    return !is_cutting || next_piece >= piece_count;
}

ssize_t __wrap_recv(int descriptor, void *bytes, size_t capacity, int flags)
{
    if (!is_cutting || pthread_equal(pthread_self(), chooser) || next_piece >= piece_count)
        return __real_recv(descriptor, bytes, capacity, flags);
    size_t most = pieces[next_piece];
    ssize_t received = __real_recv(descriptor, bytes, capacity < most ? capacity : most, flags);
    if (received > 0)
        next_piece++;
    return received;
}
