#define _GNU_SOURCE

#include "support/redis_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/eventually.h"

enum { MOST_ARGUMENTS = 48, MOST_PORTS = 10 };

pid_t redis_spawn(const char *const *arguments, const char *output)
{
    pid_t process = fork();
    assert_true(process >= 0);
    if (process > 0)
        return process;
    int file = open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

uint16_t redis_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(descriptor, (const struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &length), 0);
    close(descriptor);
    return ntohs(address.sin_port);
}

static bool answers(const redis_server *redis)
{
    redisContext *context = redisConnectUnix(redis->path);
    redisReply *reply = context != NULL && context->err == 0 ? redisCommand(context, "PING") : NULL;
    /* Also an error, as long as it is not one of loading. */
    bool is_there = reply != NULL && strncmp(reply->str, "LOADING", 7) != 0;
    freeReplyObject(reply);
    redisFree(context);
    return is_there;
}

static void begin(redis_server *redis, const char *const *arguments)
{
    char port[8];
    char output[96];
    const char *all[MOST_ARGUMENTS] = {"redis-server",
                                       "--port",
                                       port,
                                       "--unixsocket",
                                       redis->path,
                                       "--save",
                                       "",
                                       "--dir",
                                       redis->folder,
                                       "--enable-debug-command",
                                       "yes",
                                       "--bind",
                                       "127.0.0.1",
                                       "--repl-diskless-sync-delay",
                                       "0"};
    size_t count = 15;
    for (size_t i = 0; arguments != NULL && arguments[i] != NULL; i++)
        all[count++] = arguments[i];
    snprintf(port, sizeof port, "%u", redis->port);
    snprintf(output, sizeof output, "%s/output", redis->folder);
    redis->process = redis_spawn(all, output);
}

void redis_server_run(redis_server *redis, const char *const *arguments)
{
    begin(redis, arguments);
    assert_eventually(answers(redis));
}

static bool has_ended(redis_server *redis)
{
    if (waitpid(redis->process, NULL, WNOHANG) == redis->process)
        redis->process = 0;
    return redis->process == 0;
}

void redis_server_start(redis_server *redis, uint16_t port)
{
    /* Of the connections of these tests, which hiredis makes: a Redis ends them at once, where a Sentinel wants that.
       The library's threads are sent no signals. */
    signal(SIGPIPE, SIG_IGN);
    snprintf(redis->folder, sizeof redis->folder, "/tmp/jazzy-redis-XXXXXX");
    assert_non_null(mkdtemp(redis->folder));
    snprintf(redis->path, sizeof redis->path, "%s/socket", redis->folder);
    snprintf(redis->url, sizeof redis->url, "unix://%s", redis->path);
    /* Another process may have taken the port meanwhile: then Redis ends at once, and gets another one. */
    redis->process = 0;
    for (int i = 0; i < MOST_PORTS && redis->process == 0; i++) {
        redis->port = i == 0 || port == 0 ? port : redis_free_port();
        begin(redis, NULL);
        assert_eventually(answers(redis) || has_ended(redis));
    }
    assert_that(redis->process != 0, "redis-server does not start in %s", redis->folder);
}

void redis_server_kill(redis_server *redis)
{
    if (redis->process == 0)
        return;
    kill(redis->process, SIGKILL);
    waitpid(redis->process, NULL, 0);
    redis->process = 0;
    unlink(redis->path);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void redis_server_finish(redis_server *redis)
{
    redis_server_kill(redis);
    nftw(redis->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void redis_server_freeze(const redis_server *redis)
{
    int status;
    kill(redis->process, SIGSTOP);
    waitpid(redis->process, &status, WUNTRACED);
}

void redis_server_thaw(const redis_server *redis)
{
    kill(redis->process, SIGCONT);
}

static long long number_of(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_INTEGER ? reply->integer : (long long)reply->elements;
}

long long redis_server_try(const redis_server *redis, const char *command)
{
    redisContext *context = redisConnectUnix(redis->path);
    redisReply *reply = context != NULL && context->err == 0 ? redisCommand(context, command) : NULL;
    long long number = reply != NULL && reply->type != REDIS_REPLY_ERROR ? number_of(reply) : -1;
    freeReplyObject(reply);
    redisFree(context);
    return number;
}

static redisReply *command(const redis_server *redis, const char *format, va_list arguments)
{
    redisContext *context = redisConnectUnix(redis->path);
    assert_that(context != NULL && context->err == 0, "no Redis at %s", redis->path);
    redisReply *reply = redisvCommand(context, format, arguments);
    assert_that(reply != NULL && reply->type != REDIS_REPLY_ERROR, "%s: %s", format,
                reply != NULL ? reply->str : context->errstr);
    redisFree(context);
    return reply;
}

long long redis_server_do(const redis_server *redis, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = command(redis, format, arguments);
    va_end(arguments);
    long long number = number_of(reply);
    freeReplyObject(reply);
    return number;
}

void redis_server_ask(const redis_server *redis, char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = command(redis, format, arguments);
    va_end(arguments);
    snprintf(text, size, "%s", reply->str != NULL ? reply->str : "");
    freeReplyObject(reply);
}
