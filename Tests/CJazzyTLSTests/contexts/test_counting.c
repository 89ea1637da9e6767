/* What is counted of handshakes, as read by another thread while they are counted. */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "contexts/contexts.h"
#include "support/setting.h"

enum { HANDSHAKES = 2000000, PER_FULL = 8 };

typedef struct counting {
    jz_tls *tls;
    atomic_bool has_ended;
} counting;

static void *count(void *context)
{
    counting *counting = context;
    for (unsigned i = 0; i < HANDSHAKES; i++)
        jz_tls_count_handshake(jz_tls_counters_of(counting->tls), i % PER_FULL != 0);
    atomic_store(&counting->has_ended, true);
    return NULL;
}

/* Pages with metrics show all handshakes without those that resumed a session as a counter, which must not fall. */
static void no_count_of_handshakes_ever_falls(void **state)
{
    (void)state;
    made certificate = authority_make(&(plan){.names = "DNS:chat.example"});
    jz_tls_certificate given = in_memory(&certificate);
    counting counting = {.tls = create_of(&given)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, count, &counting), 0);
    uint64_t full = 0;
    uint64_t resumed = 0;
    while (!atomic_load(&counting.has_ended)) {
        const jz_tls_statistics now = jz_tls_statistics_of(counting.tls);
        assert_that(now.handshakes >= now.resumed, "%" PRIu64 " of %" PRIu64 " handshakes resumed a session",
                    now.resumed, now.handshakes);
        assert_that(now.handshakes - now.resumed >= full, "full handshakes fell from %" PRIu64 " to %" PRIu64, full,
                    now.handshakes - now.resumed);
        assert_true(now.resumed >= resumed);
        full = now.handshakes - now.resumed;
        resumed = now.resumed;
    }
    pthread_join(thread, NULL);
    const jz_tls_statistics all = jz_tls_statistics_of(counting.tls);
    assert_int_equal(all.handshakes, HANDSHAKES);
    assert_int_equal(all.handshakes - all.resumed, HANDSHAKES / PER_FULL);
    jz_tls_free(counting.tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        setting_test(no_count_of_handshakes_ever_falls),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("counting", tests, NULL, NULL));
}
