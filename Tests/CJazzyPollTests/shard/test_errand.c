#include "shard/errand.h"

#include "shard/server.h"
#include "support/allocation.h"
#include "support/testing.h"

static jz_server *server;

static jz_errand *create(void)
{
    jz_errand *errand = jz_errand_create_topic_closing((jz_text){"news", 4}, 1000, (jz_text){"", 0});
    assert_non_null(errand);
    return errand;
}

static int create_server_that_has_ended(void **state)
{
    (void)state;
    server = jz_server_create(NULL, NULL);
    assert_non_null(server);
    assert_null(jz_loop_close_mailbox(&server->shards[0].turn.loop));
    return 0;
}

static int destroy_server(void **state)
{
    (void)state;
    jz_server_destroy(server);
    return 0;
}

/* Whoever has an errand for each loop links them, and posts one after the other. */
static void an_errand_that_is_linked_to_others_is_refused_alone(void **state)
{
    (void)state;
    jz_errand *errand = create();
    jz_errand *other = create();
    errand->letter.next = &other->letter;
    size_t live = test_live_allocations();
    assert_int_equal(jz_errand_post(&server->shards[0], errand), JZ_SEND_CLOSED);
    assert_int_equal(test_live_allocations(), live - 1);
    jz_errand_free(other);
}

static void a_chain_is_refused_as_a_whole(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    jz_errand *first = create();
    jz_errand *last = create();
    first->letter.next = NULL;
    last->letter.next = &first->letter;
    assert_int_equal(jz_errand_post_chain(&server->shards[0], last, first), JZ_SEND_CLOSED);
    assert_int_equal(test_live_allocations(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_errand_that_is_linked_to_others_is_refused_alone),
        cmocka_unit_test(a_chain_is_refused_as_a_whole),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("errands", tests, create_server_that_has_ended, destroy_server));
}
