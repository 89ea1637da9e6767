#define _GNU_SOURCE /* IP_BIND_ADDRESS_NO_PORT */

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "task.h"

enum {
    MOST_COMING = 256, /* at the same time: as many as the server may leave waiting to be accepted */
    MOST_READY = 512,
    BUFFER_SIZE = 2048,
    PATIENCE_MS = 10000,
    EPOCH_LENGTH = 16,
    TEXT_FRAME = 0x81,
    FRAME_HEADER = 2
};

/* Where a topic was when this program began. */
typedef struct place {
    char epoch[EPOCH_LENGTH + 1];
    uint64_t offset;
} place;

typedef enum stage { STAGE_CONNECTING, STAGE_HANDSHAKE, STAGE_ANNOUNCEMENT, STAGE_MESSAGES } stage;

/* A socket, of one client after the other. */
typedef struct client {
    int descriptor; /* -1: none */
    stage stage;
    bool is_coming; /* it does not have yet what it has missed */
    bool asks;      /* for what it has missed */
    size_t topic;
    uint64_t offset; /* of the last message that it has */
    size_t missed;   /* messages that are yet to come for that */
    uint64_t began;
    size_t length; /* in the buffer */
    char bytes[BUFFER_SIZE];
} client;

typedef struct crowd {
    const task *task;
    place *places; /* of each topic */
    client *clients;
    int epoll;
    size_t coming;
    size_t done;
    uint64_t messages;
    uint64_t *latencies;
} crowd;

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int begin_connecting(const task *task)
{
    const int on = 1;
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)task->number)};
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons(task->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        fail("cannot create a socket: %s", strerror(errno));
    setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(descriptor, (const struct sockaddr *)&own, sizeof own) != 0)
        fail("cannot use a loopback address: %s", strerror(errno));
    if (connect(descriptor, (const struct sockaddr *)&server, sizeof server) != 0 && errno != EINPROGRESS)
        fail("cannot connect to port %u: %s", task->port, strerror(errno));
    return descriptor;
}

static void watch(const crowd *crowd, client *client, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = client};
    if (epoll_ctl(crowd->epoll, operation, client->descriptor, &event) != 0)
        fail("cannot watch a connection: %s", strerror(errno));
}

/* False: the connection is not there yet. */
static bool ask(const crowd *crowd, const client *client)
{
    const place *place = &crowd->places[client->topic];
    char request[512];
    char since[64] = "";
    if (client->asks)
        snprintf(since, sizeof since, "&since=%s:%" PRIu64, place->epoch, client->offset);
    int length = snprintf(request, sizeof request,
                          "GET /feed?topic=feed/%zu%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: jazzy.resume.1\r\n\r\n",
                          client->topic, since);
    ssize_t sent = send(client->descriptor, request, (size_t)length, MSG_NOSIGNAL);
    if (sent != length && errno != EAGAIN && errno != ENOTCONN)
        fail("cannot connect: %s", strerror(errno));
    return sent == length;
}

/* A client that has the messages of its topic up to an offset; the one before on this socket loses its connection. */
static void begin(crowd *crowd, client *client, size_t topic, bool asks, size_t missed)
{
    if (client->descriptor >= 0) {
        const struct linger at_once = {.l_onoff = 1};
        setsockopt(client->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(client->descriptor);
    }
    client->began = clock_ns(CLOCK_MONOTONIC);
    client->descriptor = begin_connecting(crowd->task);
    client->topic = topic;
    client->asks = asks;
    client->offset = crowd->places[topic].offset - missed;
    client->missed = missed;
    client->length = 0;
    client->is_coming = true;
    client->stage = ask(crowd, client) ? STAGE_HANDSHAKE : STAGE_CONNECTING;
    watch(crowd, client, EPOLL_CTL_ADD, client->stage == STAGE_HANDSHAKE ? EPOLLIN : EPOLLOUT);
    crowd->coming++;
}

static void have_come(crowd *crowd, client *client)
{
    if (crowd->latencies != NULL)
        crowd->latencies[crowd->done] = clock_ns(CLOCK_MONOTONIC) - client->began;
    client->is_coming = false;
    crowd->coming--;
    crowd->done++;
}

/* Who asks has missed what it says, and perhaps what was published since; who does not ask learns where the topic is.
 */
static void take_announcement(crowd *crowd, client *client, const char *text, size_t length)
{
    place *place = &crowd->places[client->topic];
    char copy[160];
    char answer[6];
    size_t count;
    uint64_t offset;
    char epoch[EPOCH_LENGTH + 1];
    if (length >= sizeof copy)
        fail("an announcement is too long");
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (sscanf(copy, "{\"epoch\":\"%16[0-9a-f]\",\"offset\":%" SCNu64 ",\"recovered\":%5[a-z],\"count\":%zu}", epoch,
               &offset, answer, &count) != 4)
        fail("this is no announcement: %s", copy);
    if (!client->asks) {
        memcpy(place->epoch, epoch, sizeof epoch);
        place->offset = client->offset = offset;
    } else if (strcmp(answer, "true") != 0 || strcmp(epoch, place->epoch) != 0 || offset != client->offset ||
               count < client->missed) {
        fail("a client has not recovered: %s", copy);
    }
    client->missed = count;
    client->stage = STAGE_MESSAGES;
    if (client->missed == 0)
        have_come(crowd, client);
}

static void take_message(crowd *crowd, client *client, const char *text, size_t length)
{
    char expected[24];
    int digits = snprintf(expected, sizeof expected, "%" PRIu64 " ", ++client->offset);
    if (length != MESSAGE_LENGTH || memcmp(text, expected, (size_t)digits) != 0)
        fail("message %s of topic %zu is missing, or another one comes twice: %.*s", expected, client->topic,
             (int)length, text);
    crowd->messages++;
    if (client->is_coming && --client->missed == 0)
        have_come(crowd, client);
}

/* Returns how many bytes it has used; 0: the rest is to come. */
static size_t take(crowd *crowd, client *client, const char *bytes, size_t length)
{
    if (client->stage == STAGE_HANDSHAKE) {
        const char *end = memmem(bytes, length, "\r\n\r\n", 4);
        if (end == NULL)
            return 0;
        if (strncmp(bytes, "HTTP/1.1 101", 12) != 0)
            fail("the handshake was refused: %.*s", (int)strcspn(bytes, "\r"), bytes);
        client->stage = STAGE_ANNOUNCEMENT;
        return (size_t)(end + 4 - bytes);
    }
    if (length < FRAME_HEADER || length < FRAME_HEADER + (size_t)bytes[1])
        return 0;
    if ((uint8_t)bytes[0] != TEXT_FRAME || bytes[1] < 0 || bytes[1] >= 126)
        fail("another frame was received than there is");
    if (client->stage == STAGE_ANNOUNCEMENT)
        take_announcement(crowd, client, bytes + FRAME_HEADER, (size_t)bytes[1]);
    else
        take_message(crowd, client, bytes + FRAME_HEADER, (size_t)bytes[1]);
    return FRAME_HEADER + (size_t)bytes[1];
}

static void receive(crowd *crowd, client *client)
{
    ssize_t count = recv(client->descriptor, client->bytes + client->length, BUFFER_SIZE - client->length, 0);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0)
        fail("the server ended a connection%s%s", count < 0 ? ": " : "", count < 0 ? strerror(errno) : "");
    client->length += (size_t)count;
    size_t taken = 0;
    size_t used;
    while ((used = take(crowd, client, client->bytes + taken, client->length - taken)) > 0)
        taken += used;
    client->length -= taken;
    memmove(client->bytes, client->bytes + taken, client->length);
    if (client->length == BUFFER_SIZE)
        fail("something too long was received");
}

static void go_on(crowd *crowd)
{
    static struct epoll_event ready[MOST_READY];
    int count = epoll_wait(crowd->epoll, ready, MOST_READY, PATIENCE_MS);
    if (count == 0)
        fail("the server has answered nothing for ten seconds");
    for (int i = 0; i < count; i++) {
        client *client = ready[i].data.ptr;
        if (client->stage != STAGE_CONNECTING) {
            receive(crowd, client);
        } else if (ask(crowd, client)) {
            client->stage = STAGE_HANDSHAKE;
            watch(crowd, client, EPOLL_CTL_MOD, EPOLLIN);
        }
    }
}

/* Clients number `first` to `last` - 1, of which each that comes finds its socket free, or loses the one before. */
static void come_all(crowd *crowd, size_t count, bool ask)
{
    const task *task = crowd->task;
    crowd->done = 0;
    for (size_t next = 0; crowd->done < count;) {
        while (next < count && crowd->coming < MOST_COMING && !crowd->clients[next % task->sockets].is_coming) {
            begin(crowd, &crowd->clients[next % task->sockets], next % task->topics, ask,
                  ask ? 1 + next % MOST_MISSED : 0);
            next++;
        }
        go_on(crowd);
    }
}

static int compare(const void *one, const void *other)
{
    uint64_t first = *(const uint64_t *)one;
    uint64_t second = *(const uint64_t *)other;
    return first < second ? -1 : first > second;
}

static void raise_limit(size_t wanted)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < wanted)
        fail("%zu descriptors are needed, and there are %llu", wanted, (unsigned long long)limit.rlim_max);
}

int come(const task *task)
{
    crowd crowd = {.task = task, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    crowd.places = calloc(task->topics, sizeof *crowd.places);
    crowd.clients = calloc(task->sockets, sizeof *crowd.clients);
    uint64_t *latencies = calloc(task->clients, sizeof *latencies);
    raise_limit(task->sockets + 16);
    if (crowd.epoll < 0 || crowd.places == NULL || crowd.clients == NULL || latencies == NULL)
        fail("no memory for %zu clients", task->sockets);
    for (size_t i = 0; i < task->sockets; i++)
        crowd.clients[i].descriptor = -1;
    /* First, where each topic is; and then, when whoever started this says so, what is measured. */
    come_all(&crowd, task->topics, false);
    printf("ready\n");
    fflush(stdout);
    if (getchar() == EOF)
        return 1;
    crowd.latencies = latencies;
    crowd.messages = 0;
    uint64_t began = clock_ns(CLOCK_MONOTONIC);
    uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    come_all(&crowd, task->clients, true);
    uint64_t took = clock_ns(CLOCK_MONOTONIC) - began;
    cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    qsort(latencies, task->clients, sizeof *latencies, compare);
    printf("{\"clients\": %zu, \"messages\": %" PRIu64 ", \"seconds\": %.3f, \"cpu_seconds\": %.3f, \"p50_ms\": %.2f, "
           "\"p99_ms\": %.2f, \"most_ms\": %.2f}\n",
           task->clients, crowd.messages, (double)took / 1e9, (double)cpu / 1e9,
           (double)latencies[task->clients / 2] / 1e6, (double)latencies[task->clients * 99 / 100] / 1e6,
           (double)latencies[task->clients - 1] / 1e6);
    return 0;
}
