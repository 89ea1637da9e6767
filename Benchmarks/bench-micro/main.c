/*
 * The cost of the codec and the session, without sockets: nanoseconds of processor time for one operation, and GB/s
 * (billions of bytes per second).
 *
 *     bench-micro [--filter TEXT] [--repetitions N] [--milliseconds N] [--json]
 *
 * Every row is calibrated so that a repetition takes --milliseconds, then all rows are repeated in turn. The output has
 * the median and the minimum of the repetitions, and the spread: the interquartile range as a share of the median.
 * Goals are compared with the median. Inputs are never restored while the clock runs: see common/client_frame.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "row.h"

typedef struct settings {
    const char *filter;
    unsigned repetitions;
    unsigned milliseconds;
    bool json;
} settings;

/* Too large for the stack. */
static table all;

/* Parses a number from 1 to `highest`; else ends the program with an error. */
static unsigned number_of(const char *flag, const char *value, unsigned highest)
{
    char *end = NULL;
    unsigned long number = value != NULL ? strtoul(value, &end, 10) : 0;
    if (value == NULL || end == value || *end != '\0' || value[0] == '-' || number < 1 || number > highest) {
        fprintf(stderr, "bench-micro: %s takes a number from 1 to %u\n", flag, highest);
        exit(2);
    }
    return (unsigned)number;
}

/* Keeps the rows that have the text in their names, and the yardstick. */
static void keep(table *table, const char *text)
{
    size_t kept = 1;
    for (size_t i = 1; i < table->count; i++) {
        if (strstr(table->rows[i].name, text) != NULL)
            table->rows[kept++] = table->rows[i];
    }
    if (kept == 1 && strstr(table->rows[0].name, text) == NULL) {
        fprintf(stderr, "bench-micro: --filter %s: no row has that in its name; without --filter all are shown\n",
                text);
        exit(2);
    }
    table->count = kept;
}

static const char *text_of(const char *flag, const char *value)
{
    if (value == NULL || value[0] == '\0') {
        fprintf(stderr, "bench-micro: %s takes a text that is in the names of rows\n", flag);
        exit(2);
    }
    return value;
}

static settings settings_of(int count, char **arguments)
{
    settings settings = {.filter = "", .repetitions = 11, .milliseconds = 20};
    for (int i = 1; i < count; i++) {
        const char *flag = arguments[i];
        if (strcmp(flag, "--json") == 0) {
            settings.json = true;
            continue;
        }
        const char *value = i + 1 < count ? arguments[++i] : NULL;
        if (strcmp(flag, "--repetitions") == 0) {
            settings.repetitions = number_of(flag, value, MAX_REPETITIONS);
        } else if (strcmp(flag, "--milliseconds") == 0) {
            settings.milliseconds = number_of(flag, value, 10000);
        } else if (strcmp(flag, "--filter") == 0) {
            settings.filter = text_of(flag, value);
        } else {
            fprintf(stderr,
                    "bench-micro: unknown flag %s\n"
                    "usage: bench-micro [--filter TEXT] [--repetitions N] [--milliseconds N] [--json]\n",
                    flag);
            exit(2);
        }
    }
    return settings;
}

int main(int count, char **arguments)
{
    settings settings = settings_of(count, arguments);
    all.repetitions = settings.repetitions;
    add_mask_rows(&all);
    add_text_rows(&all);
    add_frame_rows(&all);
    add_session_rows(&all);
    add_compression_rows(&all);
    add_handshake_rows(&all);
    keep(&all, settings.filter);
    table_measure(&all, settings.milliseconds);
    if (settings.json)
        report_json(&all);
    else
        report_text(&all);
    return 0;
}
