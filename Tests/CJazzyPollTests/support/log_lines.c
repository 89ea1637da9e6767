#include "log_lines.h"

#include <stdio.h>

#include "eventually.h"
#include "testing.h"

static void keep(void *context, jz_log_level level, const char *line)
{
    log_lines *log = context;
    static const char listens[] = "listens on ";
    pthread_mutex_lock(&log->lock);
    if (strncmp(line, listens, sizeof listens - 1) == 0) {
        snprintf(log->listens, sizeof log->listens, "%s", line + sizeof listens - 1);
        log->listens_count++;
        pthread_mutex_unlock(&log->lock);
        return;
    }
    if (log->count < LOG_LINES) {
        log->lines[log->count].level = level;
        snprintf(log->lines[log->count].text, LOG_LINE_SIZE, "%s", line);
        log->count++;
    }
    log->count_of_level[level]++;
    pthread_mutex_unlock(&log->lock);
}

void log_lines_begin(log_lines *log, jz_options *options)
{
    memset(log, 0, sizeof *log);
    assert_int_equal(pthread_mutex_init(&log->lock, NULL), 0);
    options->log = keep;
    options->log_context = log;
}

void log_lines_expect(log_lines *log, size_t number, jz_log_level level, const char *text)
{
    assert_eventually(log->count > number);
    pthread_mutex_lock(&log->lock);
    jz_log_level told_level = log->lines[number].level;
    char told[LOG_LINE_SIZE];
    memcpy(told, log->lines[number].text, sizeof told);
    pthread_mutex_unlock(&log->lock);
    assert_string_equal(told, text);
    assert_int_equal(told_level, level);
}

bool log_lines_have(log_lines *log, const char *text)
{
    bool is_found = false;
    pthread_mutex_lock(&log->lock);
    for (size_t i = 0; i < log->count && !is_found; i++)
        is_found = strstr(log->lines[i].text, text) != NULL;
    pthread_mutex_unlock(&log->lock);
    return is_found;
}
