#define _GNU_SOURCE
#define _DARWIN_C_SOURCE

#include "loop/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "jazzy/websocket.h"
#include "loop/listening_socket.h"
#include "loop/report.h"
#include "platform/descriptors.h"
#include "platform/keep_alive.h"
#include "platform/sending.h"
#include "platform/shared_port.h"

static void read_address(const struct sockaddr_storage *storage, jz_address *address)
{
    memset(address, 0, sizeof *address);
    if (storage->ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)storage;
        uint8_t bytes[4];
        memcpy(bytes, &ipv4->sin_addr, sizeof bytes);
        jz_ip_map_ipv4(bytes, address->ip);
        address->port = ntohs(ipv4->sin_port);
    } else if (storage->ss_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)storage;
        memcpy(address->ip, &ipv6->sin6_addr, 16);
        address->port = ntohs(ipv6->sin6_port);
    }
}

void jz_socket_prepare_tcp(int descriptor, const jz_listening *listening)
{
    const int on = 1;
    const int probes = 3;
    const int seconds = (int)listening->keep_alive_seconds;
    const int interval = seconds / probes > 0 ? seconds / probes : 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (seconds > 0)
        jz_socket_keep_alive(descriptor, seconds, interval, probes);
}

/* Returns a bound, listening socket, or -1 with errno. */
static int listen_on(const struct addrinfo *candidate, const jz_listening *listening)
{
    int descriptor = jz_socket_open(candidate->ai_family, candidate->ai_socktype, candidate->ai_protocol);
    if (descriptor < 0)
        return -1;
    const int on = 1;
    const int off = 0;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listening->shares_port)
        jz_socket_share_port(descriptor);
    if (candidate->ai_family == AF_INET6)
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    jz_socket_prepare_tcp(descriptor, listening);
    if (bind(descriptor, candidate->ai_addr, candidate->ai_addrlen) == 0 &&
        listen(descriptor, (int)listening->backlog) == 0)
        return descriptor;
    int reason = errno;
    close(descriptor);
    errno = reason;
    return -1;
}

uint16_t jz_socket_port(int descriptor)
{
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    jz_address address = {0};
    if (getsockname(descriptor, (struct sockaddr *)&storage, &length) == 0)
        read_address(&storage, &address);
    return address.port;
}

/* The path of a Unix domain socket; an abstract one has a NUL in front, which is shown as '@'. */
static void describe_path(const struct sockaddr_un *address, socklen_t length, char *text, size_t size)
{
    const size_t before = offsetof(struct sockaddr_un, sun_path);
    size_t path_length = length > before ? length - before : 0;
    bool is_abstract = path_length > 0 && address->sun_path[0] == '\0';
    if (!is_abstract)
        path_length = strnlen(address->sun_path, path_length);
    size_t skipped = is_abstract ? 1 : 0;
    snprintf(text, size, "%s%.*s", path_length == 0 ? "a socket without a name" : (is_abstract ? "@" : ""),
             (int)(path_length - skipped), address->sun_path + skipped);
}

void jz_socket_describe(int descriptor, char *text, size_t size)
{
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    jz_address address;
    char ip[JZ_REMOTE_ADDRESS_SIZE];
    if (getsockname(descriptor, (struct sockaddr *)&storage, &length) != 0) {
        snprintf(text, size, "a socket that tells no address");
    } else if (storage.ss_family == AF_UNIX) {
        describe_path((const struct sockaddr_un *)&storage, length, text, size);
    } else {
        read_address(&storage, &address);
        jz_address_format(&address, ip, sizeof ip);
        snprintf(text, size, "%s", ip);
    }
}

/* The addresses to try, in order. With no host: every IPv6 and IPv4 address, else every IPv4 address. */
static int resolve(const char *host, uint16_t port, struct addrinfo **candidates)
{
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    if (host != NULL)
        return getaddrinfo(host, service, &hints, candidates);
    hints.ai_family = AF_INET6;
    if (getaddrinfo(NULL, service, &hints, candidates) == 0)
        return 0;
    hints.ai_family = AF_INET;
    return getaddrinfo(NULL, service, &hints, candidates);
}

jz_status jz_socket_listen(const char *host, uint16_t port, const jz_listening *listening, int *descriptor,
                           uint16_t *bound_port, jz_error *error)
{
    struct addrinfo *candidates = NULL;
    int refusal = resolve(host, port, &candidates);
    if (refusal != 0)
        return jz_report(error, JZ_STATUS_INVALID_ADDRESS,
                         "cannot listen on \"%s\": %s; use an IPv4 or IPv6 address of this machine, or none for all",
                         host != NULL ? host : "", gai_strerror(refusal));
    int reason = 0;
    *descriptor = -1;
    for (const struct addrinfo *candidate = candidates; candidate != NULL && *descriptor < 0;
         candidate = candidate->ai_next) {
        *descriptor = listen_on(candidate, listening);
        reason = errno;
    }
    freeaddrinfo(candidates);
    /* Without IPv6 in the kernel, use the wildcard address of IPv4. */
    if (*descriptor < 0 && host == NULL && reason == EAFNOSUPPORT)
        return jz_socket_listen("0.0.0.0", port, listening, descriptor, bound_port, error);
    if (*descriptor < 0) {
        char action[160];
        snprintf(action, sizeof action, "listen on %.100s port %u", host != NULL ? host : "any address,", port);
        return jz_report_system(error, reason, action);
    }
    *bound_port = jz_socket_port(*descriptor);
    return JZ_OK;
}

jz_socket_result jz_socket_accept(int listener, int *descriptor, jz_address *address)
{
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    do {
        *descriptor = jz_socket_take(listener, (struct sockaddr *)&storage, &length);
    } while (*descriptor < 0 && errno == EINTR);
    if (*descriptor < 0) {
        switch (errno) {
        case EAGAIN:
            return JZ_SOCKET_WOULD_BLOCK;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            return JZ_SOCKET_EXHAUSTED;
        case EINVAL:
        case EBADF:
        case ENOTSOCK:
            return JZ_SOCKET_ENDED;
        default:
            return JZ_SOCKET_BROKEN;
        }
    }
    read_address(&storage, address);
    return JZ_SOCKET_OK;
}

bool jz_socket_peer(int descriptor, jz_address *address)
{
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    if (getpeername(descriptor, (struct sockaddr *)&storage, &length) != 0)
        return false;
    read_address(&storage, address);
    return true;
}

static jz_socket_result result_of_errno(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? JZ_SOCKET_WOULD_BLOCK : JZ_SOCKET_BROKEN;
}

jz_socket_result jz_socket_receive(int descriptor, uint8_t *bytes, size_t capacity, size_t *received)
{
    ssize_t count;
    do {
        count = recv(descriptor, bytes, capacity, 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
        return result_of_errno();
    *received = (size_t)count;
    return count == 0 ? JZ_SOCKET_ENDED : JZ_SOCKET_OK;
}

static jz_socket_result send_with(int descriptor, const uint8_t *bytes, size_t length, int flags, size_t *sent)
{
    ssize_t count;
    do {
        count = send(descriptor, bytes, length, flags);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
        return result_of_errno();
    *sent = (size_t)count;
    return JZ_SOCKET_OK;
}

jz_socket_result jz_socket_send(int descriptor, const uint8_t *bytes, size_t length, size_t *sent)
{
    return send_with(descriptor, bytes, length, JZ_SEND_FLAGS, sent);
}

jz_socket_result jz_socket_send_last(int descriptor, const uint8_t *bytes, size_t length, size_t *sent)
{
    return send_with(descriptor, bytes, length, JZ_SEND_MORE_FLAGS, sent);
}

jz_socket_result jz_socket_send_pieces(int descriptor, const jz_piece *pieces, size_t count, size_t *sent)
{
    struct iovec vectors[JZ_MOST_PIECES];
    if (count > JZ_MOST_PIECES)
        count = JZ_MOST_PIECES;
    for (size_t i = 0; i < count; i++)
        vectors[i] = (struct iovec){.iov_base = (void *)pieces[i].bytes, .iov_len = pieces[i].length};
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = (jz_piece_count)count};
    ssize_t taken;
    do {
        taken = sendmsg(descriptor, &message, JZ_SEND_FLAGS);
    } while (taken < 0 && errno == EINTR);
    if (taken < 0)
        return result_of_errno();
    *sent = (size_t)taken;
    return JZ_SOCKET_OK;
}

bool jz_socket_is_broken(int descriptor)
{
    int reason = 0;
    socklen_t length = sizeof reason;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &reason, &length) != 0)
        return errno != ENOTSOCK;
    return reason != 0;
}

void jz_socket_limit_unsent(int descriptor, uint32_t limit)
{
    const int bytes = limit < INT_MAX ? (int)limit : INT_MAX;
#ifdef TCP_NOTSENT_LOWAT
    if (setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes) == 0)
        return;
#endif
    /* For a Unix domain socket, where unread output counts as the sender's. */
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

void jz_socket_finish_sending(int descriptor)
{
    shutdown(descriptor, SHUT_WR);
}

void jz_socket_end(int descriptor)
{
    /* close alone would not do: with unread input it discards unsent output, such as that of jz_socket_send_last. */
    shutdown(descriptor, SHUT_RDWR);
    close(descriptor);
}

void jz_socket_close(int descriptor)
{
    close(descriptor);
}
