#include "settings/settings.h"

jz_redis_options jz_redis_options_default(void)
{
    return (jz_redis_options){
        .prefix = "jazzy:",
        .client_name = "jazzy",
        .queue_limit = (size_t)64 << 20,
        .publish_batch = 32768,
        .linger_ms = 5000,
        .probe_interval_ms = 5000,
        .probe_timeout_ms = 10000,
        .connect_timeout_ms = 5000,
        .stop_timeout_ms = 2000,
        .backoff_least_ms = 50,
        .backoff_most_ms = 2000,
    };
}
