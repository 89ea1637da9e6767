#include "pubsub/history_rules.h"

#include <stdlib.h>
#include <string.h>

#include "codec/big_endian.h"
#include "loop/timer.h"

enum { HEAD = sizeof(uint64_t), HALF = sizeof(uint32_t), BITS = 8 };

/* The first bytes of a text, the first one highest; those that it does not have are zero. */
static inline uint64_t head_of(jz_text text)
{
    const uint8_t *bytes = (const uint8_t *)text.start;
    if (JZ_LIKELY(text.length >= HEAD))
        return jz_read_uint64(bytes);
    if (text.length >= HALF) /* both halves have what is in the middle */
        return (uint64_t)jz_read_uint32(bytes) << HALF * BITS | (uint64_t)jz_read_uint32(bytes + text.length - HALF)
                                                                    << (HEAD - text.length) * BITS;
    uint64_t head = 0;
    for (size_t i = 0; i < text.length; i++)
        head |= (uint64_t)bytes[i] << (HEAD - 1 - i) * BITS;
    return head;
}

static uint64_t mask_of(size_t length)
{
    if (length == 0)
        return 0;
    return length < HEAD ? UINT64_MAX << (HEAD - length) * BITS : UINT64_MAX;
}

bool jz_history_rules_add(jz_history_rules *rules, jz_text prefix, const jz_history_options *options)
{
    char *copy = malloc(prefix.length + 1);
    if (copy == NULL)
        return false;
    if (prefix.length > 0)
        memcpy(copy, prefix.start, prefix.length);
    size_t place = rules->count++;
    for (; place > 0 && rules->all[place - 1].prefix.length < prefix.length; place--)
        rules->all[place] = rules->all[place - 1];
    rules->all[place] = (jz_history_rule){.prefix = {copy, prefix.length},
                                          .head = head_of(prefix),
                                          .mask = mask_of(prefix.length),
                                          .keep = (uint32_t)options->keep,
                                          .ticks = jz_tick_of(options->for_ms) + 1,
                                          .bytes = options->bytes,
                                          .options = *options};
    return true;
}

bool jz_history_rules_have(const jz_history_rules *rules, jz_text prefix)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (jz_text_equals(rules->all[i].prefix, prefix))
            return true;
    }
    return false;
}

/* `head` is the topic's; a byte of it that the topic does not have may be one of a prefix, a NUL. */
static inline bool covers(const jz_history_rule *rule, uint64_t head, jz_text topic)
{
    size_t length = rule->prefix.length;
    return ((rule->head ^ head) & rule->mask) == 0 && length <= topic.length &&
           (JZ_LIKELY(length <= HEAD) || memcmp(rule->prefix.start + HEAD, topic.start + HEAD, length - HEAD) == 0);
}

int jz_history_rules_find(const jz_history_rules *rules, jz_text topic)
{
    uint64_t head = head_of(topic);
    for (size_t i = 0; i < rules->count; i++) {
        if (covers(&rules->all[i], head, topic))
            return (int)i;
    }
    return -1;
}

void jz_history_rules_free(jz_history_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        free((char *)(uintptr_t)rules->all[i].prefix.start);
    rules->count = 0;
}
