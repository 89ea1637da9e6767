/*
 * settings/: what is chosen before the server runs: the options, checked and copied, and the URL. Not here: anything
 * that changes later.
 */
#ifndef JAZZY_REDIS_SETTINGS_SETTINGS_H
#define JAZZY_REDIS_SETTINGS_SETTINGS_H

#include "jazzy/error.h"
#include "jazzy/redis.h"
#include "settings/url.h"

typedef struct jz_redis_settings {
    jz_redis_options options; /* every text is a copy, and has its default where it was NULL */
    jz_redis_url url;
    size_t prefix_length;
} jz_redis_settings;

/*
 * Checks the options and copies them. INVALID_OPTION names the option, its value and its range. `error` is never NULL.
 * If it fails, there is nothing to free.
 */
jz_status jz_redis_settings_take(jz_redis_settings *settings, const jz_redis_options *options, jz_error *error);

/* Overwrites what is secret, and frees all texts; all is zero again. */
void jz_redis_settings_clear(jz_redis_settings *settings);

#endif
