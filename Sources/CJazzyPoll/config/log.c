#include "config/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A longer text does not fit into the line either, where it is visibly cut. */
enum { LONGEST_TEXT = JZ_LOG_LINE_SIZE + 1 };

static const char *name_of(jz_log_level level)
{
    switch (level) {
    case JZ_LOG_DEBUG:
        return "debug";
    case JZ_LOG_INFO:
        return "info";
    case JZ_LOG_WARNING:
        return "warning";
    default:
        return "error";
    }
}

/* Writes whom the line is about, which needs no escapes. Returns its length. */
static size_t begin(const jz_log_about *about, char text[LONGEST_TEXT])
{
    const char *who = about->address != NULL ? about->address : about->nobody;
    if (who == NULL)
        return 0;
    return (size_t)snprintf(text, LONGEST_TEXT, "%.*s: ", JZ_REMOTE_ADDRESS_SIZE, who);
}

static const char *shown(jz_text text, char line[JZ_LOG_LINE_SIZE])
{
    jz_log_escape(text.start, text.length, line, JZ_LOG_LINE_SIZE);
    return line;
}

static void tell_record(const jz_options *options, jz_log_record *record, const jz_log_about *about)
{
    char route[JZ_LOG_LINE_SIZE];
    char origin[JZ_LOG_LINE_SIZE];
    char cause[JZ_LOG_LINE_SIZE];
    record->is_peers_fault = about->is_peers_fault;
    record->address = about->address;
    record->route = about->route != NULL ? shown(jz_text_of(about->route), route) : NULL;
    record->origin = about->origin.length > 0 ? shown(about->origin, origin) : NULL;
    record->cause = about->cause != NULL ? shown(jz_text_of(about->cause), cause) : NULL;
    options->log_record(options->log_context, record);
}

void jz_log_text(const jz_options *options, jz_log_level level, const jz_log_about *about, const char *text,
                 size_t length)
{
    char whole[LONGEST_TEXT];
    char line[JZ_LOG_LINE_SIZE];
    if (level < options->log_level)
        return;
    size_t begins = begin(about, whole);
    size_t room = sizeof whole - begins;
    size_t taken = length < room ? length : room;
    if (taken > 0)
        memcpy(whole + begins, text, taken);
    jz_log_escape(whole, begins + taken, line, sizeof line);
    if (options->log_record != NULL)
        tell_record(options, &(jz_log_record){.level = level, .line = line, .message = line + begins}, about);
    else if (options->log != NULL)
        options->log(options->log_context, level, line);
    else if (level >= JZ_LOG_WARNING || options->log_level == JZ_LOG_DEBUG)
        fprintf(stderr, "jazzy: %s: %s\n", name_of(level), line);
}

static void format_and_tell(const jz_options *options, jz_log_level level, const jz_log_about *about,
                            const char *format, va_list arguments)
{
    char text[LONGEST_TEXT];
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length > 0)
        jz_log_text(options, level, about, text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

void jz_log(const jz_options *options, jz_log_level level, const char *format, ...)
{
    const jz_log_about nobody = {0};
    va_list arguments;
    va_start(arguments, format);
    format_and_tell(options, level, &nobody, format, arguments);
    va_end(arguments);
}

void jz_log_of(const jz_options *options, jz_log_level level, const jz_log_about *about, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    format_and_tell(options, level, about, format, arguments);
    va_end(arguments);
}
