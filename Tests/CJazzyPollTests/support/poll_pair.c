#define _GNU_SOURCE

#include "poll_pair.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testing.h"

void poll_pair_start(poll_pair *f)
{
    f->poll = jz_poll_create();
    assert_non_null(f->poll);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, f->pair), 0);
}

void poll_pair_finish(poll_pair *f)
{
    jz_poll_destroy(f->poll);
    close(f->pair[OURS]);
    if (f->pair[PEERS] >= 0)
        close(f->pair[PEERS]);
}

int poll_pair_look(poll_pair *f)
{
    return jz_poll_wait(f->poll, f->ready, COUNT_OF(f->ready), 0);
}

void poll_pair_write(const poll_pair *f)
{
    assert_int_equal(write(f->pair[PEERS], "x", 1), 1);
}

void poll_pair_fill(const poll_pair *f)
{
    static const uint8_t much[65536];
    while (write(f->pair[OURS], much, sizeof much) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
}
