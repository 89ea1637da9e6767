/* The script of a session: its settings, the client's input, and actions of the server. */
#ifndef JAZZY_FUZZ_SESSION_SCRIPT_H
#define JAZZY_FUZZ_SESSION_SCRIPT_H

#include "session/session.h"
#include "fuzz_input.h"

enum { SCRIPT_MAX_PARTS = 8, SCRIPT_MAX_ACTIONS = 16 };

/* How the handler reacts to a text or binary message. */
typedef enum script_handler {
    HANDLER_LISTENS,
    HANDLER_ECHOES,
    HANDLER_ECHOES_TWICE,
    HANDLER_CLOSES,
    SCRIPT_HANDLERS
} script_handler;

typedef enum script_action_type { ACTION_SEND, ACTION_CLOSE, ACTION_END, SCRIPT_ACTION_TYPES } script_action_type;

/* Something that the server does when it has been fed the first `offset` bytes. */
typedef struct script_action {
    size_t offset;
    script_action_type type;
    uint8_t choice; /* indices of tables in session_run.c: what is sent, the close code, how it ends */
} script_action;

typedef struct session_script {
    jz_session_settings settings;   /* without a workspace */
    jz_deflate_agreement agreement; /* perhaps none */
    jz_compression compression;     /* of what the server sends */
    script_handler handler;
    size_t parts[SCRIPT_MAX_PARTS];            /* the lengths of the input's parts, used in rotation */
    jz_buffer bytes;                           /* what the client sends */
    script_action actions[SCRIPT_MAX_ACTIONS]; /* by offset */
    size_t action_count;
} session_script;

/* Takes all but the bytes and the actions from the front of the input: 16 bytes. */
void session_script_choose(session_script *script, fuzz_input *input);

void session_script_add_action(session_script *script, script_action_type type, uint8_t choice);

static inline void session_script_free(session_script *script)
{
    jz_buffer_free(&script->bytes);
}

#endif
