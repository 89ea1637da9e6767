/* Real servers of Redis, which a test starts in a folder of its own, and talks to. */
#ifndef JAZZY_TESTS_REDIS_SERVER_H
#define JAZZY_TESTS_REDIS_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../../Sources/CJazzyHiredis/CJazzyHiredis.h"

typedef struct redis_server {
    char folder[64];
    char path[96]; /* of its unix socket */
    char url[128]; /* unix://... */
    uint16_t port; /* 0: it has none but the socket */
    pid_t process;
} redis_server;

/*
 * Makes its folder, and starts it. `port` 0: only on a unix socket; else on that, or another one if it was taken.
 * Everything is in memory.
 */
void redis_server_start(redis_server *redis, uint16_t port);

/* Starts it in its folder, with more arguments, up to a NULL; waits until it answers. */
void redis_server_run(redis_server *redis, const char *const *arguments);

/* Ends it at once, as -9 does. */
void redis_server_kill(redis_server *redis);

/* Ends it, and removes its folder. */
void redis_server_finish(redis_server *redis);

/* Halts it without a word to anybody, and has it go on. */
void redis_server_freeze(const redis_server *redis);
void redis_server_thaw(const redis_server *redis);

/* A command; asserts that it is no error. Returns the integer of its reply, or 0. */
long long redis_server_do(const redis_server *redis, const char *format, ...);

/* The same; -1: it was not answered, or by an error. */
long long redis_server_try(const redis_server *redis, const char *command);

/* The reply's text is copied; as by redis_server_do. */
void redis_server_ask(const redis_server *redis, char *text, size_t size, const char *format, ...);

/* A port that nobody listens on. */
uint16_t redis_free_port(void);

/* Starts another program, with arguments up to a NULL. Its output goes to a file. */
pid_t redis_spawn(const char *const *arguments, const char *output);

#endif
