#include "journal.h"

#include <stdarg.h>
#include <stdio.h>

#include "eventually.h"

static void write_down(journal *journal, const char *format, ...) JZ_PRINTF(2, 3);

static void write_down(journal *journal, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = JOURNAL_SIZE - journal->length;
    int length = vsnprintf(journal->text + journal->length, room, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < room)
        journal->length += (size_t)length;
}

static void write_event(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    static const char *const kinds[] = {"text", "binary", "ping", "pong"};
    if (journal->length > 0)
        write_down(journal, " ");
    switch (event->type) {
    case JZ_EVENT_OPEN:
        write_down(journal, "open");
        if (journal->opens < JOURNAL_CONNECTIONS)
            journal->handles[journal->opens] = ws;
        journal->opens++;
        break;
    case JZ_EVENT_MESSAGE:
        write_down(journal, "%s(%.*s)", kinds[message->kind], (int)(message->length < 40 ? message->length : 40),
                   (const char *)message->bytes);
        journal->messages++;
        break;
    case JZ_EVENT_ERROR:
        write_down(journal, "error(%s)", jz_failure_text(event->failure));
        break;
    case JZ_EVENT_CLOSE:
        write_down(journal, "close(%u %s%s%.*s)", event->close_code, event->was_clean ? "clean" : "unclean",
                   event->close_reason_length > 0 ? " " : "", (int)event->close_reason_length, event->close_reason);
        break;
    }
}

void journal_handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    journal *journal = context;
    if (journal->calls_under_way++ > 0)
        journal->was_reentered = true;
    pthread_mutex_lock(&journal->lock);
    write_event(journal, ws, event, message);
    pthread_mutex_unlock(&journal->lock);
    if (journal->act != NULL)
        journal->act(journal, ws, event, message);
    journal->calls_under_way--;
    if (event->type == JZ_EVENT_CLOSE)
        journal->closes++;
}

jz_ws journal_handle_of(journal *journal, size_t number)
{
    pthread_mutex_lock(&journal->lock);
    jz_ws ws = journal->handles[number];
    pthread_mutex_unlock(&journal->lock);
    return ws;
}

void journal_expect(journal *journal, size_t closes, const char *text)
{
    assert_eventually(journal->closes >= closes);
    pthread_mutex_lock(&journal->lock);
    char written[JOURNAL_SIZE];
    memcpy(written, journal->text, journal->length + 1);
    pthread_mutex_unlock(&journal->lock);
    assert_string_equal(written, text);
}
