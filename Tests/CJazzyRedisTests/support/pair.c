#include "support/pair.h"

redis_server redis;
node here;
node there;

int pair_set_up(void **state)
{
    (void)state;
    redis = (redis_server){0};
    redis_server_start(&redis, 0);
    return 0;
}

int pair_tear_down(void **state)
{
    (void)state;
    redis_server_finish(&redis);
    return 0;
}

void start_both(void)
{
    jz_redis_options options = node_options(&here, redis.url);
    node_start(&here, &options);
    options = node_options(&there, redis.url);
    node_start(&there, &options);
}

void finish_both(void)
{
    node_finish(&here);
    node_finish(&there);
}
