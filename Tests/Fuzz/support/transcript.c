#include "transcript.h"

#include "require.h"

static void append(jz_buffer *transcript, jz_event_type type, unsigned detail, const uint8_t *bytes, size_t length)
{
    uint64_t fields[] = {(uint64_t)type, detail, length};
    require(jz_buffer_append(transcript, fields, sizeof fields) && jz_buffer_append(transcript, bytes, length),
            "the fuzzer has memory");
}

void transcript_append_message(jz_buffer *transcript, jz_message_kind kind, const uint8_t *bytes, size_t length)
{
    append(transcript, JZ_EVENT_MESSAGE, (unsigned)kind, bytes, length);
}

void transcript_append_error(jz_buffer *transcript, jz_failure failure)
{
    append(transcript, JZ_EVENT_ERROR, (unsigned)failure, NULL, 0);
}

void transcript_append_close(jz_buffer *transcript, uint16_t code, bool was_clean, const uint8_t *reason,
                             size_t reason_length)
{
    append(transcript, JZ_EVENT_CLOSE, code | (was_clean ? 0x10000u : 0), reason, reason_length);
}
