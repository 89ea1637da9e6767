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
#include <poll.h>
#include <pthread.h>
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
#include "exchange.h"
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

/* Writes the messages of one read as frames. Returns their length. */
static size_t read_messages(redisContext *subscriber, uint8_t *frames)
{
    size_t length = 0;
    read_replies(subscriber);
    for (redisReply *reply; (reply = next_reply(subscriber)) != NULL; freeReplyObject(reply)) {
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 || reply->element[2]->type != REDIS_REPLY_STRING)
            continue;
        const redisReply *payload = reply->element[2];
        if (length + payload->len + FLOOR_CARRY > MOST_FRAMES)
            floor_fail("gather so many messages");
        length += clients_write_frame(frames + length, payload->str, payload->len);
    }
    return length;
}

/* All messages of one read go to each client in one piece. */
static void deliver(redisContext *subscriber)
{
    static uint8_t frames[MOST_FRAMES];
    size_t length = read_messages(subscriber, frames);
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

static void subscribe(redisContext *subscriber)
{
    redisAppendCommand(subscriber, "SUBSCRIBE %s", channel);
    flush_commands(subscriber);
}

/* Whether the first client has come that receives: until then a server is not subscribed. */
static bool is_first_receiver(void)
{
    static bool had_one;
    bool is_first = !had_one && clients_receive();
    had_one |= is_first;
    return is_first;
}

static void serve(int redis_port, uint16_t port)
{
    redisContext *publisher = connect_redis(redis_port);
    redisContext *subscriber = connect_redis(redis_port);
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
                if (is_first_receiver())
                    subscribe(subscriber);
            }
        }
    }
}

/* Between the thread of clients and that of Redis. */
static exchange to_redis, to_clients;
static int redis_port_of_thread;

static void *run_redis(void *unused)
{
    (void)unused;
    static uint8_t frames[MOST_FRAMES];
    redisContext *publisher = connect_redis(redis_port_of_thread);
    redisContext *subscriber = connect_redis(redis_port_of_thread);
    struct pollfd waits[] = {{.fd = to_redis.bell, .events = POLLIN},
                             {.fd = publisher->fd, .events = POLLIN},
                             {.fd = subscriber->fd, .events = POLLIN}};
    for (;;) {
        poll(waits, 3, -1);
        if (waits[0].revents != 0) {
            const uint8_t *messages;
            size_t length = exchange_take(&to_redis, &messages);
            for (size_t next = 0, size; next < length; next += sizeof size + size) {
                memcpy(&size, messages + next, sizeof size);
                if (size == 0)
                    subscribe(subscriber);
                else
                    append_publish(publisher, messages + next + sizeof size, size);
            }
            flush_commands(publisher);
        }
        if (waits[1].revents != 0) {
            read_replies(publisher);
            drop_replies(publisher);
        }
        if (waits[2].revents != 0)
            exchange_put(&to_clients, NULL, 0, frames, read_messages(subscriber, frames));
        exchange_ring(&to_clients);
    }
    return NULL;
}

/* An empty one stands for the wish to be subscribed. */
static void hand_over_message(void *context, const uint8_t *bytes, size_t length)
{
    (void)context;
    exchange_put(&to_redis, &length, sizeof length, bytes, length);
}

/* The same as `serve`, where a thread of its own has Redis. */
static void serve_by_two_threads(int redis_port, uint16_t port)
{
    pthread_t thread;
    redis_port_of_thread = redis_port;
    exchange_create(&to_redis);
    exchange_create(&to_clients);
    int listener = floor_listen(port);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener);
    watch(epoll, to_clients.bell);
    if (pthread_create(&thread, NULL, run_redis, NULL) != 0)
        floor_fail("start a thread");
    printf("listening on port %u\n", port);
    fflush(stdout);
    static struct epoll_event events[MOST_EVENTS];
    for (;;) {
        int count = epoll_wait(epoll, events, MOST_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int ready = events[i].data.fd;
            if (ready == listener) {
                accept_clients(epoll, listener);
            } else if (ready == to_clients.bell) {
                const uint8_t *frames;
                size_t length = exchange_take(&to_clients, &frames);
                if (length > 0)
                    clients_send(frames, length);
            } else {
                clients_read(ready, hand_over_message, NULL);
                if (is_first_receiver())
                    hand_over_message(NULL, NULL, 0);
                exchange_ring(&to_redis);
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
    unsigned long redis = 0, port = 0, messages = 0, size = 100, threads = 1;
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
        else if (strcmp(arguments[i], "--threads") == 0 && (value == 1 || value == 2))
            threads = value;
        else
            redis = 0;
    }
    if (redis == 0 || (port == 0) == (messages == 0)) {
        fprintf(stderr,
                "usage: bench-redis-bare --redis PORT (--port N [--threads 1|2] | --publish N [--size BYTES])\n");
        return 2;
    }
    floor_allow_many_descriptors();
    if (messages > 0)
        publish((int)redis, messages, size);
    else if (threads == 2)
        serve_by_two_threads((int)redis, (uint16_t)port);
    else
        serve((int)redis, (uint16_t)port);
    return 0;
}
