/* The system calls of servers, with faults. The names are the linker's (ld, --wrap). */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "../CJazzyPollTests/support/poison.h"
#include "faults_state.h"
#include "wrapped.h"

WRAPPED(int, accept4, int listener, struct sockaddr *address, socklen_t *length, int flags);
WRAPPED(ssize_t, recv, int descriptor, void *bytes, size_t capacity, int flags);
WRAPPED(ssize_t, send, int descriptor, const void *bytes, size_t length, int flags);
WRAPPED(ssize_t, sendmsg, int descriptor, const struct msghdr *message, int flags);
WRAPPED(int, clock_gettime, clockid_t clock, struct timespec *now);

static _Thread_local struct {
    const uint8_t *bytes;
    size_t length;
} poisoned;

static _Atomic uint64_t clock_ahead_ns;

int wrapped_failing(int error)
{
    errno = error;
    return -1;
}

/* Whether the call is interrupted, would block or breaks; errno says which. */
static bool fails(int descriptor)
{
    if (faults_happens(faults_now.interrupted)) {
        errno = faults_chance(2) == 0 ? EINTR : EAGAIN;
        return true;
    }
    if (faults_happens(faults_now.broken)) {
        faults_note_broken(descriptor);
        errno = ECONNRESET;
        return true;
    }
    return false;
}

size_t wrapped_shortened(size_t length)
{
    if (length < 2 || !faults_happens(faults_now.shortened))
        return length;
    size_t most = (size_t)1 << faults_chance(18);
    return 1 + faults_chance(most < length ? most : length);
}

void wrapped_unpoison(void)
{
    test_unpoison(poisoned.bytes, poisoned.length);
    poisoned.length = 0;
}

int __wrap_accept4(int listener, struct sockaddr *address, socklen_t *length, int flags)
{
    static const int errors[] = {EMFILE, ENFILE, ENOMEM, ECONNABORTED, EINTR};
    if (faults_happens(faults_now.exhausted))
        return wrapped_failing(errors[faults_chance(sizeof errors / sizeof *errors)]);
    int descriptor = __real_accept4(listener, address, length, flags);
    if (descriptor >= 0 && address->sa_family == AF_INET)
        faults_note_port(descriptor, ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port));
    else if (descriptor >= 0)
        faults_note_port(descriptor, 0);
    return descriptor;
}

ssize_t __wrap_recv(int descriptor, void *bytes, size_t capacity, int flags)
{
    wrapped_unpoison();
    if (fails(descriptor))
        return -1;
    ssize_t count = __real_recv(descriptor, bytes, wrapped_shortened(capacity), flags);
    if (count > 0) {
        poisoned.bytes = (const uint8_t *)bytes + count;
        poisoned.length = capacity - (size_t)count;
        test_poison(poisoned.bytes, poisoned.length);
    }
    return count;
}

ssize_t __wrap_send(int descriptor, const void *bytes, size_t length, int flags)
{
    if (fails(descriptor))
        return -1;
    return __real_send(descriptor, bytes, wrapped_shortened(length), flags);
}

ssize_t __wrap_sendmsg(int descriptor, const struct msghdr *message, int flags)
{
    if (fails(descriptor))
        return -1;
    size_t length = message->msg_iovlen > 0 ? message->msg_iov[0].iov_len : 0;
    size_t taken = wrapped_shortened(length);
    if (taken < length)
        return __real_send(descriptor, message->msg_iov[0].iov_base, taken, flags);
    return __real_sendmsg(descriptor, message, flags);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    enum { LONGEST_JUMP_MS = 500 };
    int result = __real_clock_gettime(clock, now);
    if (clock != CLOCK_MONOTONIC)
        return result;
    if (faults_happens(faults_now.clock_jumps))
        clock_ahead_ns += (1 + faults_chance(LONGEST_JUMP_MS)) * UINT64_C(1000000);
    uint64_t ns = (uint64_t)now->tv_nsec + clock_ahead_ns;
    now->tv_sec += (time_t)(ns / 1000000000);
    now->tv_nsec = (long)(ns % 1000000000);
    return result;
}
