/*
 * A lower bound for servers that share topics through Redis: the least that hiredis and sockets can be made to do. One
 * thread, one topic, no checks, no time-outs, no envelope: it does not see that it missed something, nor its own echo,
 * and waits for receivers that do not keep up. Not a usable server; a measure for others.
 *
 *     bench-redis-bare --redis PORT --port N                   serves: /publish publishes each message, all else
 * receives bench-redis-bare --redis PORT --publish N [--size N]     publishes so many messages, and tells how long that
 * took
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clients.h"
#include "floor.h"
#include "sockets.h"

enum { MOST_EVENTS = 256, BATCH = 32 * 1024, MOST_FRAMES = 1024 * 1024 };

static const char channel[] = "bare:fan";

static redisContext *connect_redis(int port)
{
    redisContext *redis = redisConnect("127.0.0.1", port);
    if (redis == NULL || redis->err != 0)
        floor_fail("connect to Redis");
    return redis;
}

static void append_publish(redisContext *redis, const uint8_t *bytes, size_t length)
{
    const char *words[] = {"PUBLISH", channel, (const char *)bytes};
    const size_t lengths[] = {strlen("PUBLISH"), strlen(channel), length};
    if (redisAppendCommandArgv(redis, 3, words, lengths) != REDIS_OK)
        floor_fail("publish");
}

static void flush_commands(redisContext *redis)
{
    for (int is_done = 0; is_done == 0;) {
        if (redisBufferWrite(redis, &is_done) != REDIS_OK)
            floor_fail("send to Redis");
    }
}

/* Reads once. */
static void read_replies(redisContext *redis)
{
    if (redisBufferRead(redis) != REDIS_OK)
        floor_fail("read from Redis");
}

/* The next reply of what was read; NULL: there is none. */
static redisReply *next_reply(redisContext *redis)
{
    void *reply = NULL;
    if (redisReaderGetReply(redis->reader, &reply) != REDIS_OK)
        floor_fail("understand Redis");
    return reply;
}

static size_t drop_replies(redisContext *redis)
{
    size_t count = 0;
    for (redisReply *reply; (reply = next_reply(redis)) != NULL; count++)
        freeReplyObject(reply);
    return count;
}

/* All messages of one read go to each client in one piece. */
static void deliver(redisContext *subscriber)
{
    static uint8_t frames[MOST_FRAMES];
    size_t length = 0;
    read_replies(subscriber);
    for (redisReply *reply; (reply = next_reply(subscriber)) != NULL; freeReplyObject(reply)) {
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 || reply->element[2]->type != REDIS_REPLY_STRING)
            continue;
        const redisReply *payload = reply->element[2];
        if (length + payload->len + FLOOR_CARRY > sizeof frames)
            floor_fail("gather so many messages");
        length += clients_write_frame(frames + length, payload->str, payload->len);
    }
    if (length > 0)
        clients_send(frames, length);
}

static void publish_message(void *context, const uint8_t *bytes, size_t length)
{
    append_publish(context, bytes, length);
}

static void watch(int epoll, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
        floor_fail("watch a descriptor");
}

static void accept_clients(int epoll, int listener)
{
    int descriptor;
    while ((descriptor = floor_accept(listener)) >= 0) {
        clients_add(descriptor);
        watch(epoll, descriptor);
    }
}

static void serve(int redis_port, uint16_t port)
{
    redisContext *publisher = connect_redis(redis_port);
    redisContext *subscriber = connect_redis(redis_port);
    redisAppendCommand(subscriber, "SUBSCRIBE %s", channel);
    flush_commands(subscriber);
    int listener = floor_listen(port);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener);
    watch(epoll, publisher->fd);
    watch(epoll, subscriber->fd);
    printf("listening on port %u\n", port);
    fflush(stdout);
    static struct epoll_event events[MOST_EVENTS];
    for (;;) {
        int count = epoll_wait(epoll, events, MOST_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int ready = events[i].data.fd;
            if (ready == listener) {
                accept_clients(epoll, listener);
            } else if (ready == subscriber->fd) {
                deliver(subscriber);
            } else if (ready == publisher->fd) {
                read_replies(publisher);
                drop_replies(publisher);
            } else {
                clients_read(ready, publish_message, publisher);
                flush_commands(publisher);
            }
        }
    }
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Batches of 32 KiB, each when the replies of the last have come. */
static void publish(int redis_port, size_t count, size_t size)
{
    redisContext *redis = connect_redis(redis_port);
    uint8_t *payload = malloc(size + 1);
    if (payload == NULL)
        floor_fail("have memory");
    memset(payload, 'x', size);
    double began = seconds_of(CLOCK_MONOTONIC);
    size_t batch = BATCH / (size + 64) + 1;
    for (size_t sent = 0; sent < count;) {
        size_t outstanding = 0;
        for (; outstanding < batch && sent < count; outstanding++, sent++)
            append_publish(redis, payload, size);
        flush_commands(redis);
        while (outstanding > 0) {
            read_replies(redis);
            outstanding -= drop_replies(redis);
        }
    }
    printf("{\"messages\":%zu,\"seconds\":%.6f,\"cpu_seconds\":%.6f}\n", count, seconds_of(CLOCK_MONOTONIC) - began,
           seconds_of(CLOCK_PROCESS_CPUTIME_ID));
    redisFree(redis);
    free(payload);
}

int main(int count, char **arguments)
{
    unsigned long redis = 0, port = 0, messages = 0, size = 100;
    for (int i = 1; i + 1 < count; i += 2) {
        unsigned long value = strtoul(arguments[i + 1], NULL, 10);
        if (strcmp(arguments[i], "--redis") == 0 && value <= 65535)
            redis = value;
        else if (strcmp(arguments[i], "--port") == 0 && value <= 65535)
            port = value;
        else if (strcmp(arguments[i], "--publish") == 0)
            messages = value;
        else if (strcmp(arguments[i], "--size") == 0 && value <= 32768)
            size = value;
        else
            redis = 0;
    }
    if (redis == 0 || (port == 0) == (messages == 0)) {
        fprintf(stderr, "usage: bench-redis-bare --redis PORT (--port N | --publish N [--size BYTES])\n");
        return 2;
    }
    floor_allow_many_descriptors();
    if (messages > 0)
        publish((int)redis, messages, size);
    else
        serve((int)redis, (uint16_t)port);
    return 0;
}
