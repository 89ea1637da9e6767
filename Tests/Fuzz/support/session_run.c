#include "session_run.h"
#include "session/outgoing.h"

#include "session/incoming.h"
#include "sent_frames.h"
#include "stream_position.h"
#include "transcript.h"

enum {
    LONGEST_SPLIT_EVERYWHERE = 2048, /* a longer stream, byte by byte, takes more time than it can show */
    MOST_PARTS = 1024                /* after these, perhaps empty ones, comes all the rest */
};

typedef struct run {
    const session_script *script;
    script_splitting splitting;
    size_t next_part;
    jz_compression_workspace workspace;
    jz_session_settings settings;
    jz_session session;
    stream_position position;
    bool was_ended; /* by the server, with a failure or without */
    bool has_error;
    jz_failure failure; /* where there is an error */
    bool has_close;
    session_record record;
} run;

/* The last one is too long for a control frame, and the 123rd byte of it is within a character. */
static const char *const texts[] = {
    "",
    "Hello",
    "Hello",
    "κόσμε",
    "a text that repeats itself, a text that repeats itself, a text that repeats itself",
    "κόσμε, κόσμε, κόσμε, κόσμε, κόσμε, κόσμε, κόσμε, κόσμε, κόσμε, κόσμε, κόσμε, κόσμε, κόσμε"};

static void send_message(run *run, jz_message_kind kind, const void *bytes, size_t length)
{
    bool is_open = jz_session_is_open(&run->session);
    jz_send_status status =
        jz_session_send_with(&run->session, kind, bytes, length, run->script->compression, &run->record.output);
    bool is_too_long = (kind == JZ_MESSAGE_PING || kind == JZ_MESSAGE_PONG) && length > JZ_MAX_CONTROL_PAYLOAD;
    require(status == (!is_open      ? JZ_SEND_CLOSED
                       : is_too_long ? JZ_SEND_DROPPED
                                     : JZ_SEND_SENT),
            "an open session sends what may be sent, another nothing");
    if (status == JZ_SEND_SENT)
        transcript_append_message(&run->record.sent, kind, bytes, length);
}

static void close_session(run *run, uint16_t code, const char *reason)
{
    bool is_open = jz_session_is_open(&run->session);
    jz_send_status status = jz_session_close(&run->session, code, reason, strlen(reason), &run->record.output);
    require(status == (is_open ? JZ_SEND_SENT : JZ_SEND_CLOSED), "an open session closes, another does not");
    if (status == JZ_SEND_SENT) {
        run->record.closed_itself = true;
        run->record.own_close_code = code;
    }
}

static void handle_message(run *run, const jz_message *message)
{
    if (message->kind == JZ_MESSAGE_PING)
        transcript_append_message(&run->record.sent, JZ_MESSAGE_PONG, message->bytes, message->length);
    if (message->kind != JZ_MESSAGE_TEXT && message->kind != JZ_MESSAGE_BINARY)
        return;
    if (run->script->handler == HANDLER_ECHOES || run->script->handler == HANDLER_ECHOES_TWICE)
        send_message(run, message->kind, message->bytes, message->length);
    if (run->script->handler == HANDLER_ECHOES_TWICE)
        send_message(run, message->kind, message->bytes, message->length);
    if (run->script->handler == HANDLER_CLOSES)
        close_session(run, JZ_CLOSE_NORMAL, "");
}

static void take_message(run *run, const jz_message *message)
{
    require(!run->has_error && jz_session_is_open(&run->session), "messages come while the session is open");
    require(message->length <= (message->kind == JZ_MESSAGE_PING || message->kind == JZ_MESSAGE_PONG
                                    ? JZ_MAX_CONTROL_PAYLOAD
                                    : run->settings.max_message_size),
            "no message is larger than it may be");
    if (message->kind == JZ_MESSAGE_TEXT)
        require(jz_utf8_is_valid(message->bytes, message->length), "text is UTF-8");
    transcript_append_message(&run->record.events, message->kind, message->bytes, message->length);
    handle_message(run, message);
}

static void take_error(run *run, const jz_event *event)
{
    require(!run->has_error, "there is one error at most");
    require(event->failure != JZ_FAILURE_NONE, "an error says what went wrong");
    require(event->failure != JZ_FAILURE_OUT_OF_MEMORY, "there is memory");
    run->has_error = true;
    run->failure = event->failure;
    run->record.has_failed = !run->was_ended;
    transcript_append_error(&run->record.events, event->failure);
}

static void take_close(run *run, const jz_event *event)
{
    const uint8_t *reason = (const uint8_t *)event->close_reason;
    require(!event->was_clean || !run->has_error, "what failed was not closed cleanly");
    require(jz_utf8_is_valid(reason, event->close_reason_length), "the reason is UTF-8");
    run->has_close = true;
    run->record.was_clean = event->was_clean;
    run->record.close_code = event->close_code;
    transcript_append_close(&run->record.events, event->close_code, event->was_clean, reason,
                            event->close_reason_length);
}

/* Messages, then perhaps an error, then a close event, and nothing after it. The open event is not the session's. */
static void take_event(run *run, const jz_event *event, const jz_message *message)
{
    require(!run->has_close, "nothing comes after the close event");
    require(event->close_reason != NULL && message->bytes != NULL, "no pointer is NULL");
    require(event->type == JZ_EVENT_MESSAGE || message->length == 0, "only a message has a message");
    switch (event->type) {
    case JZ_EVENT_MESSAGE:
        take_message(run, message);
        break;
    case JZ_EVENT_ERROR:
        take_error(run, event);
        break;
    case JZ_EVENT_CLOSE:
        take_close(run, event);
        break;
    case JZ_EVENT_OPEN:
        require(false, "a session is open from the beginning");
    }
}

static bool is_about_a_header(jz_failure failure)
{
    return failure >= JZ_FAILURE_RESERVED_BITS && failure <= JZ_FAILURE_EXPECTED_CONTINUATION;
}

/* After the first `received` bytes of the stream: a header that breaks a rule ends the session, and no other does. */
static void require_rules(run *run, size_t received)
{
    stream_position_move(&run->position, run->script->bytes.bytes, received);
    require(jz_session_has_ended(&run->session) || !run->position.breaks_a_rule, "who breaks a rule is not heard");
    require(!is_about_a_header(run->failure) || run->position.breaks_a_rule, "who breaks no rule is heard");
}

/* The memory of the session, after the first `received` bytes of the stream. */
static void require_little_memory(const run *run, size_t received)
{
    const jz_incoming *incoming = run->session.incoming;
    if (jz_session_has_ended(&run->session)) {
        require(run->has_close, "a session has ended when its close event was yielded");
        require(incoming == NULL, "an ended session owns nothing");
        return;
    }
    bool is_between = stream_position_is_between_messages(&run->position, received);
    require((incoming == NULL) == is_between, "a session owns nothing between messages, and something within one");
    if (incoming != NULL)
        require(incoming->payload.capacity <= 256 || incoming->payload.capacity < 2 * incoming->payload.length,
                "memory grows with what has come");
}

/* Feeds a copy that is freed afterwards, so that AddressSanitizer finds reads beyond its end, or too late. */
static void feed(run *run, const uint8_t *bytes, size_t length)
{
    uint8_t *copy = fuzz_copy(bytes, length);
    jz_input input = {copy, length};
    jz_event event;
    jz_message message;
    while (jz_session_next(&run->session, &input, &run->record.output, &event, &message))
        take_event(run, &event, &message);
    require(input.length == 0, "all input is taken");
    free(copy);
    if (run->splitting != SPLIT_NOWHERE)
        jz_compression_workspace_trim(&run->workspace);
}

static size_t next_part(run *run, size_t rest)
{
    size_t part = rest;
    if (run->splitting == SPLIT_EVERYWHERE)
        part = 1;
    if (run->splitting == SPLIT_IN_PARTS && run->next_part < MOST_PARTS)
        part = run->script->parts[run->next_part++ % SCRIPT_MAX_PARTS];
    return part < rest ? part : rest;
}

static size_t feed_up_to(run *run, size_t start, size_t end)
{
    while (start < end) {
        size_t part = next_part(run, end - start);
        feed(run, run->script->bytes.bytes + start, part);
        start += part;
        require_rules(run, start);
        require_little_memory(run, start);
    }
    return start;
}

static void act(run *run, const script_action *action)
{
    static const uint16_t codes[] = {1000, 1001, 3000, 4999};
    static const jz_failure failures[] = {JZ_FAILURE_NONE, JZ_FAILURE_TRANSPORT};
    const char *text = texts[action->choice % COUNT_OF(texts)];
    switch (action->type) {
    case ACTION_SEND:
        send_message(run, (jz_message_kind)(action->choice % 4u), text, strlen(text));
        break;
    case ACTION_CLOSE:
        close_session(run, codes[action->choice % COUNT_OF(codes)], text);
        break;
    default:
        run->was_ended = run->was_ended || run->session.state <= JZ_SESSION_CLOSE_SENT;
        jz_session_end(&run->session, failures[action->choice % COUNT_OF(failures)]);
    }
    feed(run, NULL, 0);
}

/* The end of the connection ends the session in any state. After that nothing changes it. */
static void end(run *run)
{
    static const uint8_t too_late[] = {0x81, 0x80, 0, 0, 0, 0, 0xFF};
    act(run, &(script_action){.type = ACTION_END});
    require(run->has_close && jz_session_has_ended(&run->session), "every session yields its close event");
    size_t sent = run->record.output.length;
    feed(run, too_late, sizeof too_late);
    send_message(run, JZ_MESSAGE_TEXT, "too late", 8);
    close_session(run, JZ_CLOSE_NORMAL, "too late");
    act(run, &(script_action){.type = ACTION_END, .choice = 1});
    require(run->record.output.length == sent, "an ended session sends nothing");
    require_little_memory(run, run->script->bytes.length);
}

session_record session_run(const session_script *script, script_splitting splitting)
{
    run run = {.script = script, .splitting = splitting, .settings = script->settings};
    run.settings.workspace = &run.workspace;
    run.position.allows_compression = script->agreement.is_agreed;
    jz_session_init(&run.session, &run.settings);
    if (script->agreement.is_agreed)
        jz_session_use_deflate(&run.session, &script->agreement);
    size_t fed = 0;
    for (size_t i = 0; i < script->action_count; i++) {
        fed = feed_up_to(&run, fed, script->actions[i].offset);
        act(&run, &script->actions[i]);
    }
    feed_up_to(&run, fed, script->bytes.length);
    end(&run);
    jz_session_free(&run.session);
    jz_compression_workspace_free(&run.workspace);
    return run.record;
}

void session_record_free(session_record *record)
{
    jz_buffer_free(&record->events);
    jz_buffer_free(&record->output);
    jz_buffer_free(&record->sent);
}

void session_check(const session_script *script, const jz_buffer *expected_events)
{
    session_record whole = session_run(script, SPLIT_NOWHERE);
    if (expected_events != NULL)
        require(transcript_begins_with(&whole.events, expected_events), "what is right is understood");
    sent_frames_check(script, &whole);
    for (script_splitting splitting = SPLIT_IN_PARTS; splitting <= SPLIT_EVERYWHERE; splitting++) {
        if (splitting == SPLIT_EVERYWHERE && script->bytes.length > LONGEST_SPLIT_EVERYWHERE)
            continue;
        session_record split = session_run(script, splitting);
        require(transcript_equals(&split.events, &whole.events),
                "the events do not depend on where the input is split");
        require(transcript_equals(&split.output, &whole.output), "nor does the output");
        session_record_free(&split);
    }
    session_record_free(&whole);
}
