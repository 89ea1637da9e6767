#include "pubsub/company_message.h"

#include "codec/big_endian.h"
#include "jazzy/presence.h"

enum {
    VERSION = 1,
    ID = sizeof(jz_server_id),
    HEAD = 2 + ID,
    LAST_AT = HEAD + 8 + 4,
    HERE_HEAD = 1 + 8 + 2 + 4,
    LEFT_HEAD = 1 + 2,
    LONGEST_HEAD = HEAD + 8 + 4 + 1
};

bool jz_hidden_topic_read(jz_text *hidden)
{
    if (!jz_topic_is_hidden(*hidden) || hidden->length == JZ_HIDDEN_PREFIX_LENGTH ||
        hidden->start[JZ_HIDDEN_PREFIX_LENGTH] != ':')
        return false;
    jz_text_skip(hidden, JZ_HIDDEN_PREFIX_LENGTH + 1);
    return true;
}

/* How long what follows the head is, without entries. -1: there is no such kind. */
static int fixed_length(jz_company_kind kind)
{
    switch (kind) {
    case JZ_COMPANY_BEAT:
    case JZ_COMPANY_BYE:
        return 0;
    case JZ_COMPANY_HELLO:
    case JZ_COMPANY_SNAPSHOT:
        return 8 + 4 + 1;
    case JZ_COMPANY_ASK:
        return ID;
    case JZ_COMPANY_CHANGES:
        return 8 + 1;
    }
    return -1;
}

static bool has_entries(jz_company_kind kind)
{
    return kind == JZ_COMPANY_SNAPSHOT || kind == JZ_COMPANY_CHANGES;
}

/* Each of them, and nothing behind them. */
static bool are_entries(jz_text entries)
{
    jz_company_entry entry;
    while (jz_company_entry_take(&entries, &entry)) {
    }
    return entries.length == 0;
}

/* `at` has what a message of this kind has. False: it has a value that it may not have. */
static bool read_rest(const uint8_t *at, jz_company_message *message)
{
    switch (message->kind) {
    case JZ_COMPANY_HELLO:
        message->number = jz_read_uint64(at);
        message->count = jz_read_uint32(at + 8);
        message->asks = (jz_company_asks)at[12];
        return at[12] <= JZ_ASKS_SNAPSHOT;
    case JZ_COMPANY_ASK:
        memcpy(message->asked.bytes, at, ID);
        return true;
    case JZ_COMPANY_SNAPSHOT:
        message->number = jz_read_uint64(at);
        message->count = jz_read_uint32(at + 8);
        message->is_last = at[12] != 0;
        return at[12] <= 1;
    case JZ_COMPANY_CHANGES:
        message->number = jz_read_uint64(at);
        message->is_first = at[8] != 0;
        return at[8] <= 1;
    case JZ_COMPANY_BEAT:
    case JZ_COMPANY_BYE:
        break;
    }
    return true;
}

bool jz_company_message_read(const void *bytes, size_t length, jz_company_message *message)
{
    const uint8_t *start = bytes;
    *message = (jz_company_message){.kind = JZ_COMPANY_BEAT};
    if (length < HEAD || length > jz_company_writer_capacity(JZ_COMPANY_MOST_INFO) || start[0] != VERSION)
        return false;
    message->kind = (jz_company_kind)start[1];
    int fixed = fixed_length(message->kind);
    if (fixed < 0 || length - HEAD < (size_t)fixed)
        return false;
    memcpy(message->from.bytes, start + 2, ID);
    message->entries = (jz_text){(const char *)bytes + HEAD + fixed, length - HEAD - (size_t)fixed};
    if (!has_entries(message->kind) && message->entries.length > 0)
        return false;
    return read_rest(start + HEAD, message) && are_entries(message->entries);
}

bool jz_company_message_is_from(const void *bytes, size_t length, const jz_server_id *server)
{
    return length >= HEAD && memcmp((const uint8_t *)bytes + 2, server->bytes, ID) == 0;
}

static bool is_key(size_t length)
{
    return length > 0 && length <= JZ_MAX_MEMBER_KEY;
}

static bool take_left(jz_text *entries, jz_company_entry *entry)
{
    const uint8_t *at = (const uint8_t *)entries->start;
    size_t key = entries->length >= LEFT_HEAD ? jz_read_uint16(at + 1) : 0;
    if (!is_key(key) || entries->length < LEFT_HEAD + key)
        return false;
    *entry = (jz_company_entry){.key = {entries->start + LEFT_HEAD, key}};
    jz_text_skip(entries, LEFT_HEAD + key);
    return true;
}

static bool take_here(jz_text *entries, jz_company_entry *entry)
{
    const uint8_t *at = (const uint8_t *)entries->start;
    if (entries->length < HERE_HEAD)
        return false;
    uint64_t stamp = jz_read_uint64(at + 1);
    size_t key = jz_read_uint16(at + 9);
    size_t info = jz_read_uint32(at + 11);
    if (stamp == 0 || stamp > JZ_LAST_STAMP || !is_key(key) || info > JZ_COMPANY_MOST_INFO ||
        entries->length < HERE_HEAD + key + info)
        return false;
    const char *start = entries->start + HERE_HEAD;
    *entry = (jz_company_entry){.is_here = true, .stamp = stamp, .key = {start, key}, .info = {start + key, info}};
    jz_text_skip(entries, HERE_HEAD + key + info);
    return true;
}

bool jz_company_entry_take(jz_text *entries, jz_company_entry *entry)
{
    if (entries->length == 0)
        return false;
    if (entries->start[0] == 1)
        return take_here(entries, entry);
    return entries->start[0] == 0 && take_left(entries, entry);
}

size_t jz_company_writer_capacity(size_t max_info)
{
    size_t single = LONGEST_HEAD + HERE_HEAD + JZ_MAX_MEMBER_KEY + max_info;
    return single > JZ_COMPANY_PIECE ? single : JZ_COMPANY_PIECE;
}

void jz_company_write(jz_company_writer *writer, const jz_company_message *message)
{
    uint8_t *at = writer->bytes;
    int fixed = fixed_length(message->kind);
    at[0] = VERSION;
    at[1] = (uint8_t)message->kind;
    memcpy(at + 2, message->from.bytes, ID);
    at += HEAD;
    if (message->kind == JZ_COMPANY_ASK) {
        memcpy(at, message->asked.bytes, ID);
    } else if (message->kind == JZ_COMPANY_CHANGES) {
        jz_write_uint64(at, message->number);
        at[8] = message->is_first ? 1 : 0;
    } else if (fixed > 0) {
        jz_write_uint64(at, message->number);
        jz_write_uint32(at + 8, message->count);
        at[12] = message->kind == JZ_COMPANY_HELLO ? (uint8_t)message->asks : message->is_last;
    }
    writer->length = writer->empty = HEAD + (size_t)fixed;
}

static void append(jz_company_writer *writer, jz_text text)
{
    if (text.length > 0)
        memcpy(writer->bytes + writer->length, text.start, text.length);
    writer->length += text.length;
}

bool jz_company_write_entry(jz_company_writer *writer, const jz_company_entry *entry)
{
    size_t head = entry->is_here ? HERE_HEAD : LEFT_HEAD;
    size_t end = writer->length + head + entry->key.length + entry->info.length;
    if (end > writer->capacity || (end > JZ_COMPANY_PIECE && jz_company_writer_has_entries(writer)))
        return false;
    uint8_t *at = writer->bytes + writer->length;
    at[0] = entry->is_here ? 1 : 0;
    if (entry->is_here) {
        jz_write_uint64(at + 1, entry->stamp);
        jz_write_uint32(at + 11, (uint32_t)entry->info.length);
    }
    jz_write_uint16(at + (entry->is_here ? 9 : 1), (uint16_t)entry->key.length);
    writer->length += head;
    append(writer, entry->key);
    append(writer, entry->info);
    return true;
}

void jz_company_write_is_last(jz_company_writer *writer, bool is_last)
{
    writer->bytes[LAST_AT] = is_last ? 1 : 0;
}
