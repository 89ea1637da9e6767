/* Errors of calls that set up a server, and failures of connections. */
#ifndef JAZZY_ERROR_H
#define JAZZY_ERROR_H

#include <stdint.h>

#include "compiler.h"

JZ_BEGIN_DECLARATIONS

/* The result of a call that sets up a server. */
typedef enum jz_status {
    JZ_OK = 0,
    JZ_STATUS_OUT_OF_MEMORY,
    JZ_STATUS_INVALID_OPTION,      /* an option is outside its range */
    JZ_STATUS_INVALID_ROUTE,       /* a path that is malformed or already taken, or no handler */
    JZ_STATUS_INVALID_ADDRESS,     /* a host that is not an address and does not resolve to one */
    JZ_STATUS_ADDRESS_IN_USE,      /* the port is taken */
    JZ_STATUS_ADDRESS_UNAVAILABLE, /* the address belongs to no interface of this machine */
    JZ_STATUS_PERMISSION_DENIED,   /* for instance a port below 1024 without the privilege */
    JZ_STATUS_NO_DESCRIPTORS,      /* the limit of open files is reached (`ulimit -n`) */
    JZ_STATUS_INVALID_STATE,       /* the call does not fit the server's state, e.g. run before listen */
    JZ_STATUS_TOO_MANY_SERVERS,    /* more than JZ_MAX_SERVERS in one process */
    JZ_STATUS_SYSTEM,              /* any other error of the operating system */
    JZ_STATUS_LIMIT_REACHED        /* as many as an option allows, e.g. max_connections: it may be let in later */
} jz_status;

/* Filled in by a call that fails: the status, and a sentence that says what is wrong and what to do. */
typedef struct jz_error {
    jz_status status;
    char message[256]; /* UTF-8, ends with NUL */
} jz_error;

/*
 * Why a connection failed: a rule that the peer broke, or a failure of this server or of the network. session/failure.c
 * has the close code for each; jz_failure_text and jz_failure_close_code read that table.
 */
typedef enum jz_failure {
    JZ_FAILURE_NONE = 0,
    JZ_FAILURE_RESERVED_BITS,           /* RSV1-3 set without an extension that gives them meaning, §5.2 */
    JZ_FAILURE_RESERVED_OPCODE,         /* opcodes 3-7 and 11-15, §5.2 */
    JZ_FAILURE_NOT_MASKED,              /* a client must mask every frame, §5.1 */
    JZ_FAILURE_LENGTH_NOT_MINIMAL,      /* the shortest length encoding is required, §5.2 */
    JZ_FAILURE_LENGTH_TOO_LARGE,        /* the most significant bit of a 64-bit length is set, §5.2 */
    JZ_FAILURE_CONTROL_FRAGMENTED,      /* a control frame without FIN, §5.5 */
    JZ_FAILURE_CONTROL_TOO_LONG,        /* a control frame with more than 125 bytes, §5.5 */
    JZ_FAILURE_UNEXPECTED_CONTINUATION, /* a continuation frame without a message to continue, §5.4 */
    JZ_FAILURE_EXPECTED_CONTINUATION,   /* a new message before the previous one ended, §5.4 */
    JZ_FAILURE_INVALID_UTF8,            /* text that is not UTF-8, §8.1 */
    JZ_FAILURE_INVALID_CLOSE_LENGTH,    /* a close frame with a payload of one byte, §5.5.1 */
    JZ_FAILURE_INVALID_CLOSE_CODE,      /* a close code that may not be sent, §7.4 */
    JZ_FAILURE_MESSAGE_TOO_BIG,         /* larger than the route's max_message_size, §7.4.1 */
    JZ_FAILURE_TOO_MANY_FRAMES,         /* more empty frames than max_frames_per_message allows */
    JZ_FAILURE_INVALID_COMPRESSION,     /* compressed data that does not inflate, RFC 7692 §7.2.2 */
    JZ_FAILURE_OUT_OF_MEMORY,           /* this server had no memory */
    JZ_FAILURE_IDLE_TIMEOUT,            /* nothing was received for the route's idle_timeout_ms, not even a pong */
    JZ_FAILURE_TRANSPORT,               /* the socket failed, for instance it was reset by the peer */
    JZ_FAILURE_COUNT
} jz_failure;

/* A sentence for logs that says what went wrong. Never NULL; static. From any thread. */
JZ_PUBLIC const char *jz_failure_text(jz_failure failure);

/*
 * A word for programs, such as "invalid_utf8": that of the enumerator. It never changes. Never NULL; static. From any
 * thread.
 */
JZ_PUBLIC const char *jz_failure_name(jz_failure failure);

/* The close code that is sent to the peer for this failure; 1006 if none can be sent. From any thread. */
JZ_PUBLIC uint16_t jz_failure_close_code(jz_failure failure);

JZ_END_DECLARATIONS

#endif
