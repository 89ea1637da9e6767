/* Where Redis is: the URL of the options, taken apart. */
#ifndef JAZZY_REDIS_SETTINGS_URL_H
#define JAZZY_REDIS_SETTINGS_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/error.h"

typedef enum jz_redis_where {
    JZ_REDIS_AT_HOST,    /* hosts[0] */
    JZ_REDIS_AT_PATH,    /* a unix socket */
    JZ_REDIS_AT_SENTINEL /* ask the hosts for the master of this name */
} jz_redis_where;

typedef struct jz_redis_host {
    char *name; /* without brackets */
    uint16_t port;
} jz_redis_host;

/* All texts are the url's own, NUL-terminated, with %XX decoded; NULL where there is none. */
typedef struct jz_redis_url {
    jz_redis_where where;
    bool is_tls;
    jz_redis_host *hosts;
    size_t host_count;
    char *path;     /* of the unix socket */
    char *master;   /* the name that Sentinels know */
    char *user;     /* NULL with a password: the default user */
    char *password; /* NULL: no AUTH */
    uint32_t database;
} jz_redis_url;

/*
 * Takes a URL apart. INVALID_OPTION: the error says what is wrong and how it is written, and never shows the password.
 * `error` is never NULL. Free what it has made of it also then.
 */
jz_status jz_redis_url_parse(const char *text, jz_redis_url *url, jz_error *error);

/* Overwrites and frees its texts; all is zero again. */
void jz_redis_url_clear(jz_redis_url *url);

/* Where Redis is for logs, without user and password: "127.0.0.1:6379", "[::1]:6379", "/run/redis.sock", "mymaster of
   the Sentinels at a:26379, b:26379". Cut to the capacity. */
void jz_redis_url_describe(const jz_redis_url *url, char *to, size_t capacity);

#endif
