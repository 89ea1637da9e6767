/*
 * Transfers the clients' input, cut and merged at random, and their output; some stop in the middle, or send garbage.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../Fuzz/support/require.h"
#include "faults_state.h"
#include "scene.h"

enum { NOT_YET = -1, LEFT = -2, MOST_WAITING = 200000 };

/* By their number, so that every scene has some of each. */
static const char *const paths[] = {"/plain", "/shared", "/dedicated",       "/worker/plain",
                                    "/plain", "/plain",  "/worker/dedicated"};

void client_prepare(client *client, scene *scene, size_t number)
{
    *client = (struct client){.number = number, .descriptor = NOT_YET};
    pthread_mutex_init(&client->lock, NULL);
    client->random.state = scene->seed * 1000 + number;
    client->messages_left = 1 + test_random_below(&client->random, 60);
    client->turns_hostile = number % 6 == 5;
    peer_init(&client->peer);
    peer_reader_init(&client->reader);
}

void client_finish(client *client)
{
    peer_free(&client->peer);
    peer_reader_free(&client->reader);
    jz_buffer_free(&client->received);
    pthread_mutex_destroy(&client->lock);
}

/* The server adopts the other end of a pair. False: it takes no more, or has no memory. */
static bool be_adopted(client *client, scene *scene)
{
    const jz_adopt_options options = {.transport = scene->has_transport ? &throttled_transport : NULL,
                                      .transport_context = &scene->throttle};
    int ends[2];
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "the test has descriptors");
    client->descriptor = ends[0];
    faults_note_port(ends[1], 0);
    faults_spare_no_more();
    bool is_adopted = jz_server_adopt(scene->server, ends[1], &options, NULL) == JZ_OK;
    faults_spare();
    if (!is_adopted)
        close(ends[1]);
    return is_adopted;
}

static bool connect_to(client *client, const scene *scene)
{
    struct sockaddr_in tcp = {.sin_family = AF_INET,
                              .sin_port = htons(jz_server_port(scene->server)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    memcpy(local.sun_path, scene->unix_path, sizeof scene->unix_path);
    bool is_local = client->number % 8 == 7;
    const struct sockaddr *address = is_local ? (struct sockaddr *)&local : (struct sockaddr *)&tcp;
    socklen_t length = is_local ? sizeof local : sizeof tcp;
    client->descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(client->descriptor >= 0, "the test has descriptors");
    if (test_random_below(&client->random, 4) == 0) {
        const int few = 16 * 1024; /* with 4 KiB, Linux may deliver only what it tries each 200 ms: 10 KB a second */
        setsockopt(client->descriptor, SOL_SOCKET, SO_RCVBUF, &few, sizeof few);
    }
    if (connect(client->descriptor, address, length) != 0)
        return false;
    length = sizeof tcp;
    if (!is_local && getsockname(client->descriptor, (struct sockaddr *)&tcp, &length) == 0)
        client->port = ntohs(tcp.sin_port);
    return true;
}

static void leave(client *client, bool with_reset)
{
    const struct linger at_once = {1, 0};
    if (with_reset)
        setsockopt(client->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(client->descriptor);
    client->descriptor = LEFT;
}

static void begin(client *client, scene *scene)
{
    char path[48];
    bool has_begun = client->number % 8 == 3 ? be_adopted(client, scene) : connect_to(client, scene);
    if (!has_begun) { /* it listens no more */
        leave(client, false);
        return;
    }
    const char *route = paths[client->number % COUNT_OF(paths)];
    bool has_deflate = strstr(route, "shared") != NULL || strstr(route, "dedicated") != NULL;
    snprintf(path, sizeof path, "%s?n=%zu", route, client->number);
    pthread_mutex_lock(&client->lock);
    peer_ask(&client->peer, path, has_deflate);
    pthread_mutex_unlock(&client->lock);
}

static size_t choose_length(test_random *random)
{
    static const size_t lengths[] = {0, 1, 125, 126, 4081, 8191, 8192, 16384, 65535, 65536, LARGEST_MESSAGE};
    return test_random_below(random, 3) > 0 ? test_random_below(random, 300)
                                            : lengths[test_random_below(random, COUNT_OF(lengths))];
}

static void choose_key(test_random *random, uint8_t key[4])
{
    uint64_t chosen = test_random_next(random);
    memcpy(key, &chosen, 4);
}

static peer_action choose_action(test_random *random)
{
    /* Those that end something are rare, or little else would happen. */
    peer_action action = (peer_action)test_random_below(random, PEER_ACTIONS);
    bool ends = action >= ACTION_CLOSE || action == ACTION_CLOSE_OTHER;
    return ends && test_random_below(random, 12) > 0 ? ACTION_ECHO : action;
}

static void say_something(client *client, scene *scene)
{
    test_random *random = &client->random;
    size_t how = test_random_below(random, 64);
    peer_framing framing = {.fragments = (uint8_t)(how % 8 == 0 ? 1 + how / 8 : 1),
                            .is_compressed = how % 3 != 0,
                            .has_ping_between = how % 5 == 0};
    peer_message message = {.kind = (jz_message_kind)(how % 16 < 14 ? how % 2 : how % 16 - 12),
                            .number = ++scene->next_number,
                            .target = (uint8_t)test_random_below(random, 256)};
    choose_key(random, framing.key);
    message.length = message.kind > JZ_MESSAGE_BINARY ? test_random_below(random, 126) : choose_length(random);
    message.action = choose_action(random);
    pthread_mutex_lock(&client->lock);
    peer_send(&client->peer, &message, &framing);
    pthread_mutex_unlock(&client->lock);
}

static void say_rubbish(client *client)
{
    uint8_t bytes[200];
    size_t length = test_random_below(&client->random, sizeof bytes);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)test_random_next(&client->random);
    pthread_mutex_lock(&client->lock);
    peer_send_raw(&client->peer, bytes, length);
    pthread_mutex_unlock(&client->lock);
}

static void say_goodbye(client *client)
{
    uint8_t key[4];
    choose_key(&client->random, key);
    pthread_mutex_lock(&client->lock);
    peer_send_close(&client->peer, JZ_CLOSE_NORMAL, key);
    pthread_mutex_unlock(&client->lock);
}

static void produce(client *client, scene *scene)
{
    if (scene->is_ending)
        client->messages_left = 0;
    if (client->peer.has_closed || client->peer.sent.length - client->carried > MOST_WAITING)
        return;
    if (client->messages_left > 0) {
        client->messages_left--;
        say_something(client, scene);
        if (client->turns_hostile && test_random_below(&client->random, 30) == 0)
            say_rubbish(client);
    } else {
        say_goodbye(client);
    }
}

/* Returns whether it did something. */
static bool carry(client *client)
{
    static const size_t most[] = {8, 2000, SIZE_MAX};
    size_t waiting = client->peer.sent.length - client->carried;
    if (waiting == 0)
        return false;
    size_t bound = most[test_random_below(&client->random, COUNT_OF(most))];
    size_t part = bound < waiting ? 1 + test_random_below(&client->random, bound) : waiting;
    if (part > waiting)
        part = waiting;
    ssize_t count =
        send(client->descriptor, client->peer.sent.bytes + client->carried, part, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN)
        return false;
    client->carried = count < 0 ? client->peer.sent.length : client->carried + (size_t)count;
    /* A client with nothing more to send sometimes shuts down its side; a refused or hostile one always does. */
    bool says_so = client->peer.is_hostile || client->number % 2 == 0;
    if (client->peer.has_closed && client->carried == client->peer.sent.length && says_so)
        shutdown(client->descriptor, SHUT_WR);
    return true;
}

static bool take(client *client)
{
    enum { MOST = 64 * 1024 };
    if (test_random_below(&client->random, 4) == 0)
        return false;
    require(jz_buffer_reserve(&client->received, MOST, SIZE_MAX), "the test has memory");
    struct iovec vector = {client->received.bytes + client->received.length, MOST};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    ssize_t count = recvmsg(client->descriptor, &message, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
        return false;
    client->has_end = count <= 0;
    client->received.length += count > 0 ? (size_t)count : 0;
    pthread_mutex_lock(&client->lock);
    peer_reader_read(&client->reader, &client->peer, client->received.bytes, client->received.length);
    pthread_mutex_unlock(&client->lock);
    if (client->reader.has_head && client->reader.status != 101)
        shutdown(client->descriptor, SHUT_WR);
    return true;
}

static bool step(client *client, scene *scene)
{
    if (client->descriptor == NOT_YET) {
        if (test_random_below(&client->random, 20) == 0 || scene->is_ending)
            begin(client, scene);
        return true;
    }
    if (test_random_below(&client->random, 4) == 0)
        produce(client, scene);
    bool has_carried = carry(client);
    bool has_taken = take(client);
    if (client->turns_hostile && test_random_below(&client->random, 3000) == 0) {
        client->was_reset = true;
        leave(client, true);
    } else if (client->has_end) {
        leave(client, false);
    }
    return has_carried || has_taken;
}

void *carry_clients(void *context)
{
    const struct timespec moment = {.tv_nsec = 100000};
    carrier *carrier = context;
    size_t left;
    faults_spare();
    do {
        bool has_done = false;
        left = 0;
        for (size_t i = carrier->from; i < carrier->to; i++) {
            client *client = &carrier->scene->clients[i];
            if (client->descriptor == LEFT)
                left++;
            else
                has_done |= step(client, carrier->scene);
        }
        if (!has_done)
            nanosleep(&moment, NULL);
    } while (left < carrier->to - carrier->from);
    faults_spare_no_more();
    return NULL;
}
