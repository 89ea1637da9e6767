#define _POSIX_C_SOURCE 200809L

#include "shard/registry.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "connection/handle.h"
#include "support/eventually.h"
#include "support/testing.h"

/* The registry looks into no server: any object does for one. */
typedef struct stand_in {
    int value;
} stand_in;

static jz_server *server_of(stand_in *object)
{
    return (jz_server *)(void *)object;
}

static uint8_t reserve(uint32_t *first_generation)
{
    uint8_t number = jz_registry_reserve(first_generation);
    assert_int_not_equal(number, 0);
    return number;
}

static void a_server_is_found_from_publishing_until_withdrawing(void **state)
{
    (void)state;
    stand_in object;
    uint32_t generation = 0;
    uint8_t number = reserve(&generation);
    assert_null(jz_registry_enter(number));
    jz_registry_publish(number, server_of(&object));
    for (int i = 0; i < 2; i++) {
        assert_ptr_equal(jz_registry_enter(number), server_of(&object));
        jz_registry_leave(number);
    }
    jz_registry_withdraw(number);
    assert_null(jz_registry_enter(number));
    jz_registry_release(number, generation);
    assert_null(jz_registry_enter(number));
}

static void numbers_that_no_server_has_lead_nowhere(void **state)
{
    (void)state;
    for (unsigned number = 0; number <= UINT8_MAX; number++)
        assert_null(jz_registry_enter((uint8_t)number));
}

static void each_of_255_servers_has_a_number_of_its_own_and_the_next_has_none(void **state)
{
    (void)state;
    static stand_in objects[JZ_MAX_SERVERS];
    uint8_t numbers[JZ_MAX_SERVERS];
    uint32_t generations[JZ_MAX_SERVERS];
    for (size_t i = 0; i < JZ_MAX_SERVERS; i++) {
        numbers[i] = reserve(&generations[i]);
        assert_int_not_equal(generations[i], 0);
        jz_registry_publish(numbers[i], server_of(&objects[i]));
    }
    uint32_t generation = 0;
    assert_int_equal(jz_registry_reserve(&generation), 0);
    for (size_t i = 0; i < JZ_MAX_SERVERS; i++) {
        assert_ptr_equal(jz_registry_enter(numbers[i]), server_of(&objects[i]));
        jz_registry_leave(numbers[i]);
    }
    for (size_t i = 0; i < JZ_MAX_SERVERS; i++) {
        jz_registry_withdraw(numbers[i]);
        jz_registry_release(numbers[i], generations[i]);
    }
    uint8_t number = reserve(&generation);
    jz_registry_release(number, generation);
}

static void a_number_is_used_again_with_generations_that_go_on(void **state)
{
    (void)state;
    uint32_t generation = 0;
    uint8_t number = reserve(&generation);
    jz_registry_release(number, generation + 1000);
    uint32_t next_generation = 0;
    assert_int_equal(reserve(&next_generation), number);
    assert_int_equal(next_generation, generation + 1000);
    uint32_t other_generation = 0;
    uint8_t other = reserve(&other_generation);
    assert_int_not_equal(other, number);
    jz_registry_release(other, other_generation);
    jz_registry_release(number, next_generation);
}

static void a_number_whose_generations_are_used_up_is_never_given_again(void **state)
{
    (void)state;
    uint32_t generation = 0;
    uint8_t used_up = reserve(&generation);
    jz_registry_release(used_up, JZ_MAX_GENERATION);
    uint8_t numbers[JZ_MAX_SERVERS];
    uint32_t generations[JZ_MAX_SERVERS];
    size_t count = 0;
    while ((numbers[count] = jz_registry_reserve(&generations[count])) != 0) {
        assert_int_not_equal(numbers[count], used_up);
        count++;
        assert_in_range(count, 1, JZ_MAX_SERVERS - 1);
    }
    while (count-- > 0)
        jz_registry_release(numbers[count], generations[count]);
}

typedef struct withdrawal {
    uint8_t number;
    atomic_bool is_done;
} withdrawal;

static void *withdraw(void *context)
{
    withdrawal *task = context;
    jz_registry_withdraw(task->number);
    task->is_done = true;
    return NULL;
}

static void withdrawing_waits_for_those_who_use_the_server(void **state)
{
    (void)state;
    stand_in object;
    uint32_t generation = 0;
    withdrawal task = {.number = reserve(&generation)};
    jz_registry_publish(task.number, server_of(&object));
    assert_non_null(jz_registry_enter(task.number));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, withdraw, &task), 0);
    /* When no other thread can enter any more, the withdrawal has begun. */
    while (jz_registry_enter(task.number) != NULL) {
        jz_registry_leave(task.number);
        sched_yield();
    }
    for (int i = 0; i < 100; i++) {
        assert_false(task.is_done);
        sched_yield();
    }
    jz_registry_leave(task.number);
    pthread_join(thread, NULL);
    assert_true(task.is_done);
    jz_registry_release(task.number, generation);
}

enum { ASKING_THREADS = 32 };

typedef struct asking {
    uint8_t number;
    atomic_bool is_over;
    atomic_size_t threads;
} asking;

static void *ask_on(void *context)
{
    asking *shared = context;
    shared->threads++;
    while (!shared->is_over) {
        if (jz_registry_enter(shared->number) != NULL)
            jz_registry_leave(shared->number);
    }
    return NULL;
}

/* With so many threads there is hardly a moment at which none of them uses the server. */
static void withdrawing_does_not_wait_for_those_who_find_nothing(void **state)
{
    (void)state;
    stand_in object;
    uint32_t generation = 0;
    static asking shared;
    withdrawal task = {.number = reserve(&generation)};
    shared.number = task.number;
    jz_registry_publish(task.number, server_of(&object));
    pthread_t askers[ASKING_THREADS];
    for (size_t i = 0; i < ASKING_THREADS; i++)
        assert_int_equal(pthread_create(&askers[i], NULL, ask_on, &shared), 0);
    assert_eventually(shared.threads == ASKING_THREADS);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, withdraw, &task), 0);
    uint64_t deadline = test_deadline();
    while (!task.is_done && test_pause_before(deadline))
        continue;
    bool was_done = task.is_done;
    shared.is_over = true;
    for (size_t i = 0; i < ASKING_THREADS; i++)
        pthread_join(askers[i], NULL);
    pthread_join(thread, NULL);
    assert_true(was_done);
    jz_registry_release(task.number, generation);
}

enum { ALIVE = 4711, READERS = 2, SERVERS = 200 };

typedef struct visit {
    uint8_t number;
    atomic_bool is_over;
    atomic_size_t found;
    atomic_size_t found_dead;
} visit;

static void *visit_servers(void *context)
{
    visit *shared = context;
    while (!shared->is_over) {
        const stand_in *object = (const stand_in *)(const void *)jz_registry_enter(shared->number);
        if (object == NULL) {
            sched_yield();
            continue;
        }
        shared->found++;
        shared->found_dead += object->value == ALIVE ? 0 : 1;
        jz_registry_leave(shared->number);
    }
    return NULL;
}

/* A server's memory is freed while threads look for it; sanitizers find accesses after that. */
static void nobody_meets_a_server_that_was_withdrawn(void **state)
{
    (void)state;
    static visit shared;
    uint32_t generation = 0;
    shared.number = reserve(&generation);
    pthread_t threads[READERS];
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, visit_servers, &shared), 0);
    uint64_t deadline = test_deadline();
    for (size_t i = 0; i < SERVERS || (shared.found == 0 && test_is_before(deadline)); i++) {
        stand_in *object = malloc(sizeof *object);
        assert_non_null(object);
        object->value = ALIVE;
        jz_registry_publish(shared.number, server_of(object));
        sched_yield();
        jz_registry_withdraw(shared.number);
        object->value = 0;
        free(object);
    }
    shared.is_over = true;
    for (size_t i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_not_equal(shared.found, 0);
    assert_int_equal(shared.found_dead, 0);
    jz_registry_release(shared.number, generation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_is_found_from_publishing_until_withdrawing),
        cmocka_unit_test(numbers_that_no_server_has_lead_nowhere),
        cmocka_unit_test(each_of_255_servers_has_a_number_of_its_own_and_the_next_has_none),
        cmocka_unit_test(a_number_is_used_again_with_generations_that_go_on),
        cmocka_unit_test(withdrawing_waits_for_those_who_use_the_server),
        cmocka_unit_test(withdrawing_does_not_wait_for_those_who_find_nothing),
        cmocka_unit_test(nobody_meets_a_server_that_was_withdrawn),
        cmocka_unit_test(a_number_whose_generations_are_used_up_is_never_given_again),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("registry", tests, NULL, NULL));
}
