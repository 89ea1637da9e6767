#define _POSIX_C_SOURCE 200809L

#include "resources.h"

#include <dirent.h>
#include <pthread.h>

#include "allocation.h"
#include "eventually.h"
#include "serving.h"
#include "testing.h"

static struct {
    size_t descriptors;
    size_t threads;
    size_t allocations;
} noted;

static size_t threads(void)
{
    DIR *directory = opendir("/proc/self/task");
    assert_non_null(directory);
    size_t count = 0;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void *do_nothing(void *context)
{
    return context;
}

/* With the first thread of a program ThreadSanitizer starts one of its own. */
static void start_first_thread(void)
{
    static bool was_started;
    if (was_started)
        return;
    was_started = true;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, do_nothing, NULL), 0);
    pthread_join(thread, NULL);
}

int resources_note(void **state)
{
    (void)state;
    start_first_thread();
    noted.descriptors = serving_descriptors();
    noted.threads = threads();
    noted.allocations = test_live_allocations();
    return 0;
}

int resources_expect_none_left(void **state)
{
    (void)state;
    assert_int_equal(serving_descriptors(), noted.descriptors);
    assert_int_equal(test_live_allocations(), noted.allocations);
    /* The kernel takes a moment to forget a thread that was waited for. */
    assert_eventually(threads() <= noted.threads);
    return 0;
}
