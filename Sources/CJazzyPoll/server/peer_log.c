#include "peer_log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "server.h"
#include "shard.h"

enum { LONGEST_TEXT = 256 };

/* Whether another line may be told. Tells first what was left out in an earlier second. */
static bool may_tell(jz_shard *shard)
{
    jz_peer_log *log = &shard->peer_log;
    uint64_t second = shard->loop.now_ms / 1000;
    if (second != log->second) {
        if (log->left_out > 0)
            jz_server_log(shard->server, JZ_LOG_INFO, "%" PRIu64 " more lines about peers were left out",
                          log->left_out);
        *log = (jz_peer_log){.second = second};
    }
    if (log->lines < JZ_PEER_LOG_LINES_PER_SECOND) {
        log->lines++;
        return true;
    }
    log->left_out++;
    return false;
}

void jz_peer_log_tell(jz_shard *shard, const jz_address *peer, const char *format, ...)
{
    if (!may_tell(shard))
        return;
    char address[JZ_REMOTE_ADDRESS_SIZE];
    char text[LONGEST_TEXT];
    jz_address_format(peer, address, sizeof address);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    jz_server_log(shard->server, JZ_LOG_INFO, "%s: %s", address, text);
}
