/* Events as lines of JSON on standard output, for a test to read. */
#ifndef PROBE_EVENT_LINE_H
#define PROBE_EVENT_LINE_H

#include <jazzy.h>

/* Prints one event with all its fields, as one write, so that lines of several threads do not mix. */
void event_line_print(jz_ws ws, const jz_event *event, const jz_message *message);

/* The word for a send status: "sent", "queued", "dropped" or "closed". */
const char *send_status_word(jz_send_status status);

#endif
