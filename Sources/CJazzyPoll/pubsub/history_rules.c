#include "pubsub/history_rules.h"

#include <stdlib.h>
#include <string.h>

#include "loop/timer.h"

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

int jz_history_rules_find(const jz_history_rules *rules, jz_text topic)
{
    for (size_t i = 0; i < rules->count; i++) {
        jz_text prefix = rules->all[i].prefix;
        if (prefix.length <= topic.length && jz_text_equals(prefix, (jz_text){topic.start, prefix.length}))
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
