#include "topics/asked.h"

#include <stdlib.h>
#include <string.h>

bool jz_redis_asked_add(jz_redis_asked *asked, bool is_subscribe, jz_redis_topic *const *topics, size_t count)
{
    jz_redis_command_asked *command = malloc(sizeof *command + count * sizeof *topics);
    if (command == NULL)
        return false;
    *command = (jz_redis_command_asked){.is_subscribe = is_subscribe, .count = count};
    memcpy(command->topics, topics, count * sizeof *topics);
    if (asked->last != NULL)
        asked->last->next = command;
    else
        asked->first = command;
    asked->last = command;
    return true;
}

static jz_redis_command_asked *take_first(jz_redis_asked *asked)
{
    jz_redis_command_asked *first = asked->first;
    asked->first = first->next;
    if (asked->first == NULL)
        asked->last = NULL;
    return first;
}

bool jz_redis_asked_answered(jz_redis_asked *asked)
{
    if (asked->first == NULL)
        return false;
    if (++asked->first->answered == asked->first->count)
        free(take_first(asked));
    return true;
}

jz_redis_command_asked *jz_redis_asked_refused(jz_redis_asked *asked)
{
    const jz_redis_command_asked *first = asked->first;
    return first != NULL && first->is_subscribe && first->answered == 0 ? take_first(asked) : NULL;
}

void jz_redis_asked_clear(jz_redis_asked *asked)
{
    while (asked->first != NULL)
        free(take_first(asked));
}
