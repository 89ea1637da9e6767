/* The public functions with which a server listens. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "loop/listening_socket.h"
#include "loop/report.h"
#include "loop/socket.h"
#include "jazzy/transport.h"
#include "platform/shared_port.h"
#include "server/listening.h"
#include "shard/server.h"
#include "config/log.h"
#include "config/strings.h"

enum {
    FIRST_ACTIVATED_DESCRIPTOR = 3, /* SD_LISTEN_FDS_START */
    LONGEST_ADDRESS = 128,          /* bytes of one address, with the separator */
    LONGEST_LIST = 300              /* bytes after which another log line begins */
};

/* The first required function that a transport lacks; NULL if it has all. */
static const char *missing_function(const jz_transport *transport)
{
    if (transport->open == NULL)
        return "open";
    if (transport->interest == NULL)
        return "interest";
    if (transport->ready == NULL)
        return "ready";
    if (transport->receive == NULL)
        return "receive";
    if (transport->send == NULL)
        return "send";
    return transport->close == NULL ? "close" : NULL;
}

jz_status jz_server_expect_whole(const jz_transport *transport, const char *action, jz_error *error)
{
    const char *missing = transport != NULL ? missing_function(transport) : NULL;
    if (missing == NULL)
        return JZ_OK;
    return jz_report(error, JZ_STATUS_INVALID_OPTION,
                     "cannot %s: the transport has no function `%s` (jazzy/transport.h)", action, missing);
}

/* Checks that the server can listen, with these options. */
static jz_status expect_listening(const jz_server *server, const jz_listen_options *options, jz_error *error)
{
    int state = atomic_load(&server->state);
    if (state != JZ_SERVER_CREATED && state != JZ_SERVER_LISTENING)
        return jz_report(error, JZ_STATUS_INVALID_STATE, "cannot listen: do it before the server runs");
    return jz_server_expect_whole(options->transport, "listen", error);
}

static const jz_listen_options no_options;

/* Whether the first loop accepts for all: it was chosen, or the kernel would give all connections to one listener. */
static bool hands_over(const jz_server *server)
{
    return server->options.accepting == JZ_ACCEPTING_HAND_OVER || !jz_ports_can_be_shared();
}

jz_listening jz_server_listening(const jz_server *server, bool shares_port)
{
    uint32_t keep_alive_ms = server->options.tcp_keep_alive_ms;
    return (jz_listening){.backlog = server->options.backlog,
                          .keep_alive_seconds = keep_alive_ms == JZ_NEVER ? 0 : keep_alive_ms / 1000,
                          .shares_port = shares_port};
}

/*
 * Listeners that share a port (SO_REUSEPORT) would also share it with another server that listens in this way. So if
 * there are several listeners, one without that option first checks whether the port is free. A port that the kernel
 * chooses is always free, and another program could take it between this check and the first listener.
 */
static jz_status expect_free_port(const jz_server *server, const char *host, uint16_t port, jz_error *error)
{
    const jz_listening listening = jz_server_listening(server, false);
    int probe;
    jz_status status = jz_socket_listen(host, port, &listening, &probe, &port, error);
    if (status == JZ_OK)
        jz_socket_end(probe);
    return status;
}

/* Adds a listener to each of the first `count` shards; on failure to none. */
static jz_status add_listeners(jz_server *server, uint32_t count, const char *host, uint16_t *port,
                               const jz_listen_options *options, jz_error *error)
{
    const jz_listening listening = jz_server_listening(server, count > 1);
    jz_listener listener = {.options = *options, .hands_over = hands_over(server)};
    jz_status status = JZ_OK;
    for (uint32_t i = 0; i < count && status == JZ_OK; i++) {
        jz_shard *shard = &server->shards[i];
        size_t before = shard->acceptor.count;
        status = jz_socket_listen(host, *port, &listening, &listener.descriptor, port, error);
        if (status == JZ_OK)
            status = jz_acceptor_add(&shard->acceptor, &listener, error);
        if (status != JZ_OK) {
            for (uint32_t j = 0; j < i; j++)
                jz_acceptor_keep(&server->shards[j].acceptor, server->shards[j].acceptor.count - 1);
            jz_acceptor_keep(&shard->acceptor, before);
        }
    }
    return status;
}

/* Several listeners may have the same transport. */
static void note_transport(jz_server *server, const jz_listen_options *options)
{
    size_t known = 0;
    if (options->transport == NULL || options->transport->report == NULL)
        return;
    while (known < server->transport_count && server->transports[known].transport_context != options->transport_context)
        known++;
    if (known == server->transport_count && known < JZ_MAX_LISTENERS)
        server->transports[server->transport_count++] = *options;
}

static void note_listening(jz_server *server, uint16_t port, const jz_listen_options *options)
{
    note_transport(server, options);
    if (server->port == 0)
        server->port = port;
    atomic_store(&server->state, JZ_SERVER_LISTENING);
}

jz_status jz_server_listen(jz_server *server, const char *host, uint16_t port, jz_error *error)
{
    return jz_server_listen_with(server, host, port, NULL, error);
}

jz_status jz_server_listen_with(jz_server *server, const char *host, uint16_t port, const jz_listen_options *options,
                                jz_error *error)
{
    if (options == NULL)
        options = &no_options;
    jz_status status = expect_listening(server, options, error);
    uint32_t count = hands_over(server) ? 1 : server->shard_count;
    if (status == JZ_OK && count > 1 && port != 0)
        status = expect_free_port(server, host, port, error);
    if (status == JZ_OK)
        status = add_listeners(server, count, host, &port, options, error);
    if (status == JZ_OK)
        note_listening(server, port, options);
    return status;
}

/* Adds a single socket: the first shard accepts. On failure the socket is closed. */
static jz_status add_single(jz_server *server, jz_listener listener, jz_error *error)
{
    listener.hands_over = server->shard_count > 1;
    jz_status status = jz_acceptor_add(&server->shards[0].acceptor, &listener, error);
    if (status == JZ_OK)
        note_listening(server, jz_socket_port(listener.descriptor), &listener.options);
    return status;
}

jz_status jz_server_listen_unix(jz_server *server, const char *path, jz_error *error)
{
    return jz_server_listen_unix_with(server, path, NULL, error);
}

jz_status jz_server_listen_unix_with(jz_server *server, const char *path, const jz_unix_options *options,
                                     jz_error *error)
{
    int descriptor;
    const jz_unix_options none = {0};
    if (options == NULL)
        options = &none;
    jz_file_rights rights = {.mode = options->mode};
    jz_status status = expect_listening(server, &options->listening, error);
    if (status == JZ_OK && options->mode > 0777)
        status = jz_report(error, JZ_STATUS_INVALID_ADDRESS,
                           "cannot listen on %.107s with the mode 0%o: it has to be from 01 to 0777, or 0 for what the "
                           "umask leaves",
                           path != NULL ? path : "", options->mode);
    if (status == JZ_OK)
        status = jz_file_rights_parse_owner(options->owner, &rights, error);
    if (status == JZ_OK)
        status = jz_socket_listen_unix(path, &rights, server->options.backlog, &descriptor, error);
    if (status != JZ_OK)
        return status;
    char *copy = jz_string_copy(jz_text_of(path));
    if (copy != NULL)
        return add_single(
            server, (jz_listener){.descriptor = descriptor, .options = options->listening, .unix_path = copy}, error);
    jz_socket_remove_file(path);
    jz_socket_end(descriptor);
    return jz_report_system(error, ENOMEM, "listen");
}

jz_status jz_server_listen_descriptor(jz_server *server, int descriptor, jz_error *error)
{
    return jz_server_listen_descriptor_with(server, descriptor, NULL, error);
}

jz_status jz_server_listen_descriptor_with(jz_server *server, int descriptor, const jz_listen_options *options,
                                           jz_error *error)
{
    if (options == NULL)
        options = &no_options;
    const jz_listening listening = jz_server_listening(server, false);
    jz_status status = expect_listening(server, options, error);
    if (status == JZ_OK)
        status = jz_socket_adopt(descriptor, &listening, error);
    if (status != JZ_OK) {
        jz_socket_close(descriptor);
        return status;
    }
    return add_single(server, (jz_listener){.descriptor = descriptor, .options = *options, .is_inherited = true},
                      error);
}

/* The number in an environment variable; 0 if there is none. */
static long number_in(const char *variable)
{
    const char *text = getenv(variable);
    char *end = NULL;
    long number = text != NULL ? strtol(text, &end, 10) : 0;
    return text != NULL && end != text && *end == '\0' && number > 0 ? number : 0;
}

jz_status jz_server_listen_activated(jz_server *server, jz_error *error)
{
    return jz_server_listen_activated_with(server, NULL, error);
}

jz_status jz_server_listen_activated_with(jz_server *server, const jz_listen_options *options, jz_error *error)
{
    static _Atomic bool was_taken;
    if (options == NULL)
        options = &no_options;
    jz_status status = expect_listening(server, options, error);
    if (status != JZ_OK)
        return status;
    long count = number_in("LISTEN_FDS");
    if (number_in("LISTEN_PID") != (long)getpid() || count == 0)
        return jz_report(error, JZ_STATUS_INVALID_STATE,
                         "cannot listen: no socket was handed to this process (LISTEN_PID, LISTEN_FDS); start it by "
                         "its socket unit, or listen on an address");
    if (count > JZ_MAX_LISTENERS)
        return jz_report(error, JZ_STATUS_INVALID_STATE,
                         "cannot listen: %ld sockets were handed to this process, and a server has at most %d", count,
                         JZ_MAX_LISTENERS);
    if (atomic_exchange(&was_taken, true))
        return jz_report(error, JZ_STATUS_INVALID_STATE,
                         "cannot listen: the sockets that were handed to this process are a server's already");
    for (int i = 0; i < (int)count; i++) {
        int descriptor = FIRST_ACTIVATED_DESCRIPTOR + i;
        if (status == JZ_OK)
            status = jz_server_listen_descriptor_with(server, descriptor, options, error);
        else
            jz_socket_close(descriptor); /* no loop would accept from it */
    }
    return status;
}

/* The first shard has every address: the others' listeners have the same ones. */
void jz_server_tell_listeners(const jz_server *server)
{
    const jz_acceptor *acceptor = &server->shards[0].acceptor;
    char line[LONGEST_LIST + LONGEST_ADDRESS] = "";
    size_t length = 0;
    for (size_t i = 0; i < acceptor->count; i++) {
        char address[LONGEST_ADDRESS - 2];
        jz_socket_describe(acceptor->listeners[i].descriptor, address, sizeof address);
        length += (size_t)snprintf(line + length, sizeof line - length, "%s%s", length > 0 ? ", " : "", address);
        if (length >= LONGEST_LIST || i + 1 == acceptor->count) {
            jz_log(&server->options, JZ_LOG_INFO, "listens on %s", line);
            length = 0;
        }
    }
}

uint16_t jz_server_port(const jz_server *server)
{
    return server->port;
}
