/*
 * The conformance suite: RFC 6455 and RFC 7692 as rows with a client's input and the expected result. CONFORMANCE.md
 * says which rows prove which requirement.
 *
 *     conformance                runs every row; prints how many there are, and on standard error those that fail
 *     conformance --only FILE    runs the rows of one file
 *     conformance --list         prints the rows' names, as file::name
 *     conformance --dump         prints the rows that can be played against an echo server, see dump.h
 */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "dump.h"
#include "topics.h"

enum { FEWEST_ROWS = 500 };

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A name that two rows share would hide which of them failed. */
static int count_repeated_names(const topic *topic)
{
    int repeated = 0;
    const char **names = calloc(topic->row_count, sizeof *names);
    for (size_t i = 0; i < topic->row_count; i++)
        names[i] = topic->rows[i].name;
    qsort(names, topic->row_count, sizeof *names, compare_names);
    for (size_t i = 1; i < topic->row_count; i++) {
        if (strcmp(names[i - 1], names[i]) == 0) {
            fprintf(stderr, "%s: two rows are named '%s'\n", topic->file, names[i]);
            repeated++;
        }
    }
    free(names);
    return repeated;
}

static void list_rows(const topic *topic)
{
    for (size_t i = 0; i < topic->row_count; i++)
        printf("%s::%s\n", topic->file, topic->rows[i].name);
}

/* cmocka says on standard output which rows it runs and on standard error which failed: only the latter is wanted. */
static int run_quietly(const topic *topic)
{
    fflush(stdout);
    int output = dup(STDOUT_FILENO);
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    int failed = run_session_rows(topic->file, topic->rows, topic->row_count);
    fflush(stdout);
    dup2(output, STDOUT_FILENO);
    close(nowhere);
    close(output);
    return failed;
}

static int run(const topic *topic)
{
    int failed = count_repeated_names(topic) + run_quietly(topic);
    printf("%5zu rows  %s\n", topic->row_count, topic->file);
    return failed;
}

static int run_all(const char *only)
{
    int failed = 0;
    size_t rows = 0;
    for (size_t i = 0; i < all_topics_count; i++) {
        if (only != NULL && strcmp(only, all_topics[i].file) != 0)
            continue;
        topic topic = {.file = all_topics[i].file};
        all_topics[i].add_rows(&topic);
        failed += run(&topic);
        rows += topic.row_count;
        topic_free(&topic);
    }
    printf("%5zu rows in all, %d failures\n", rows, failed);
    if (rows < (only != NULL ? 1 : FEWEST_ROWS)) {
        fprintf(stderr, "these are too few rows\n");
        failed++;
    }
    return EXIT_STATUS_OF(failed);
}

static int print_all(void (*print)(const topic *topic))
{
    for (size_t i = 0; i < all_topics_count; i++) {
        topic topic = {.file = all_topics[i].file};
        all_topics[i].add_rows(&topic);
        print(&topic);
        topic_free(&topic);
    }
    return EXIT_SUCCESS;
}

int main(int count, char **arguments)
{
    if (count == 1)
        return run_all(NULL);
    if (count == 3 && strcmp(arguments[1], "--only") == 0)
        return run_all(arguments[2]);
    if (count == 2 && strcmp(arguments[1], "--list") == 0)
        return print_all(list_rows);
    if (count == 2 && strcmp(arguments[1], "--dump") == 0)
        return print_all(dump_rows);
    fprintf(stderr, "usage: conformance [--only FILE | --list | --dump]\n");
    return 2;
}
