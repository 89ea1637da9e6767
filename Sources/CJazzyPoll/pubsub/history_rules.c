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
static inline bool may_cover(const jz_history_rule *rule, uint64_t head, jz_text topic)
{
    return ((rule->head ^ head) & rule->mask) == 0 && rule->prefix.length <= topic.length;
}

/* The same from the rule of that number on, with the rest of prefixes that are longer than their heads. */
static JZ_NEVER_INLINED int find_exactly(const jz_history_rules *rules, size_t number, uint64_t head, jz_text topic)
{
    for (; number < rules->count; number++) {
        const jz_history_rule *rule = &rules->all[number];
        jz_text rest = rule->prefix;
        jz_text_skip(&rest, rest.length < HEAD ? rest.length : (size_t)HEAD);
        if (may_cover(rule, head, topic) &&
            (rest.length == 0 || memcmp(rest.start, topic.start + HEAD, rest.length) == 0))
            return (int)number;
    }
    return -1;
}

int jz_history_rules_find(const jz_history_rules *rules, jz_text topic)
{
    uint64_t head = head_of(topic);
    for (size_t i = 0; i < rules->count; i++) {
        if (may_cover(&rules->all[i], head, topic))
            return rules->all[i].prefix.length <= HEAD ? (int)i : find_exactly(rules, i, head, topic);
    }
    return -1;
}

void jz_history_rules_free(jz_history_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        free((char *)(uintptr_t)rules->all[i].prefix.start);
    rules->count = 0;
}
