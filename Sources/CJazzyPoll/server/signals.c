/* Ctrl-C and SIGTERM stop a server gracefully. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "loop/report.h"
#include "shard/server.h"

static _Atomic(jz_server *) signalled_server;
static _Atomic int stops_under_way; /* signal handlers, on any thread, that may be using the server */

static _Atomic bool was_signalled;

/* A second signal, of either kind, ends the process at once. */
static void end_at_once(int signal_number)
{
    const struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal_number, &action, NULL);
    /* The signal is blocked while its handler runs, and is delivered when this handler returns. */
    raise(signal_number);
}

static void stop_on_signal(int signal_number)
{
    int errno_before = errno;
    if (atomic_exchange(&was_signalled, true)) {
        end_at_once(signal_number);
        errno = errno_before;
        return;
    }
    atomic_fetch_add(&stops_under_way, 1);
    jz_server *server = atomic_load(&signalled_server);
    if (server != NULL)
        jz_server_stop(server);
    atomic_fetch_sub(&stops_under_way, 1);
    errno = errno_before;
}

jz_status jz_server_run_until_signal(jz_server *server, jz_error *error)
{
    jz_server *nobody = NULL;
    if (!atomic_compare_exchange_strong(&signalled_server, &nobody, server))
        return jz_report(error, JZ_STATUS_INVALID_STATE,
                         "cannot run until a signal: another server of this process does; run this one with "
                         "jz_server_start or jz_server_run");

    atomic_store(&was_signalled, false);
    struct sigaction action = {.sa_handler = stop_on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    struct sigaction interrupt_before;
    struct sigaction terminate_before;
    sigaction(SIGINT, &action, &interrupt_before);
    sigaction(SIGTERM, &action, &terminate_before);

    jz_status status = jz_server_run(server, error);

    sigaction(SIGINT, &interrupt_before, NULL);
    sigaction(SIGTERM, &terminate_before, NULL);
    atomic_store(&signalled_server, NULL);
    /* The caller may destroy the server as soon as this returns. */
    while (atomic_load(&stops_under_way) > 0)
        sched_yield();
    return status;
}
