#include "link/publish_command.h"

#include <string.h>

#include "link/command.h"
#include "topics/channel.h"

enum { LONGEST_MESSAGE = 512 * 1024 * 1024 /* proto-max-bulk-len of Redis */ };

static const char command_start[] = "*3\r\n$7\r\nPUBLISH\r\n";

bool jz_redis_publish_plan(size_t prefix_length, jz_redis_publish *plan)
{
    char all[JZ_REDIS_OWN_CHANNEL_MOST];
    size_t suffix = plan->topic != NULL ? jz_redis_channel_length(plan->topic, plan->topic_length)
                                        : (size_t)(jz_redis_channel_write_all(all) - all);
    if (suffix > LONGEST_MESSAGE - prefix_length || plan->length > LONGEST_MESSAGE - plan->header_length)
        return false;
    plan->channel_length = prefix_length + suffix;
    size_t content = plan->header_length + plan->length;
    plan->size = sizeof command_start - 1 + jz_redis_length_size(plan->channel_length) + plan->channel_length + 2 +
                 jz_redis_length_size(content) + content + 2;
    return true;
}

void jz_redis_publish_write(const char *prefix, size_t prefix_length, const jz_redis_publish *plan, char *to)
{
    memcpy(to, command_start, sizeof command_start - 1);
    to = jz_redis_write_length(to + sizeof command_start - 1, '$', plan->channel_length);
    memcpy(to, prefix, prefix_length);
    to += prefix_length;
    to = plan->topic != NULL ? jz_redis_channel_write(to, plan->topic, plan->topic_length)
                             : jz_redis_channel_write_all(to);
    *to++ = '\r';
    *to++ = '\n';
    to = jz_redis_write_length(to, '$', plan->header_length + plan->length);
    memcpy(to, plan->header, plan->header_length);
    to += plan->header_length;
    if (plan->length > 0)
        memcpy(to, plan->bytes, plan->length);
    memcpy(to + plan->length, "\r\n", 2);
}
