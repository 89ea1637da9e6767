/* The server's side of a connection without its socket: does with received bytes what lifecycle/reading.c does. */
#ifndef BENCHMARKS_READER_H
#define BENCHMARKS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/session.h"

typedef enum reader_handler {
    READER_LOOKS,  /* the handler touches the message and sends nothing */
    READER_ECHOES, /* it sends each message back */
} reader_handler;

/* Does not move while it is open. */
typedef struct reader {
    jz_session session;
    jz_session_settings settings;
    jz_compression_workspace workspace;
    jz_buffer output; /* as the loop's cork: it keeps its memory, and is empty again once it was "sent" */
    void (*handler)(struct reader *reader, const jz_message *message);
} reader;

/* Opens a session. `compresses`: in shared mode, with the defaults of a route. */
void reader_open(reader *reader, reader_handler handler, bool compresses);
void reader_close(reader *reader);

/* Reads all that was received, calls the handler for each message, and empties the output. Returns how many came. */
size_t reader_read(reader *reader, uint8_t *bytes, size_t length);

/* Ends the program unless two reads bring so many messages each, and answers where the handler echoes. */
void reader_check(reader *reader, uint8_t *bytes, size_t length, size_t messages);

/* Answers a handshake: finds the head's end, parses, judges, appends the response. Returns its status. */
int reader_shake_hands(reader *reader, const char *request, size_t length);

#endif
