/*
 * An echo server on libwebsockets, for comparison: libwebsockets --port N [--certificate FILE --key FILE].
 *
 * One thread. Its callback gets a message in parts, which go into a queue of the connection and out of it when the
 * library says that the connection is writable, one write each, as it wants it. Where more than half a megabyte waits,
 * reading pauses. Compression is left out: Debian's version loops on messages that are not compressed once it was
 * agreed on.
 */
#include <libwebsockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECEIVE_BUFFER = 65536, PAUSE_AT = 512 * 1024 };

/* A part of a message, behind the room that the library wants before it. */
typedef struct part {
    struct part *next;
    size_t length;
    enum lws_write_protocol how;
    unsigned char bytes[];
} part;

typedef struct connection {
    part *first;
    part *last;
    size_t waiting; /* bytes */
    int is_within_message;
    int is_paused;
} connection;

static volatile sig_atomic_t stops;

static void stop(int signal)
{
    (void)signal;
    stops = 1;
}

static enum lws_write_protocol how_to_write(struct lws *socket, connection *connection)
{
    int how = connection->is_within_message      ? LWS_WRITE_CONTINUATION
              : lws_frame_is_binary(socket) != 0 ? LWS_WRITE_BINARY
                                                 : LWS_WRITE_TEXT;
    int is_final = lws_is_final_fragment(socket) && lws_remaining_packet_payload(socket) == 0;
    connection->is_within_message = !is_final;
    return (enum lws_write_protocol)(is_final ? how : how | LWS_WRITE_NO_FIN);
}

static int receive(struct lws *socket, connection *connection, const void *bytes, size_t length)
{
    part *added = malloc(sizeof *added + LWS_PRE + length);
    if (added == NULL)
        return -1;
    *added = (part){.length = length, .how = how_to_write(socket, connection)};
    memcpy(added->bytes + LWS_PRE, bytes, length);
    if (connection->last != NULL)
        connection->last->next = added;
    else
        connection->first = added;
    connection->last = added;
    connection->waiting += length;
    if (connection->waiting >= PAUSE_AT && !connection->is_paused) {
        connection->is_paused = 1;
        lws_rx_flow_control(socket, 0);
    }
    lws_callback_on_writable(socket);
    return 0;
}

static int write_first(struct lws *socket, connection *connection)
{
    part *first = connection->first;
    if (first == NULL)
        return 0;
    connection->first = first->next;
    if (connection->first == NULL)
        connection->last = NULL;
    connection->waiting -= first->length;
    int written = lws_write(socket, first->bytes + LWS_PRE, first->length, first->how);
    int is_written = written >= (int)first->length;
    free(first);
    if (connection->is_paused && connection->waiting < PAUSE_AT / 2) {
        connection->is_paused = 0;
        lws_rx_flow_control(socket, 1);
    }
    if (connection->first != NULL)
        lws_callback_on_writable(socket);
    return is_written ? 0 : -1;
}

static int echo(struct lws *socket, enum lws_callback_reasons reason, void *user, void *bytes, size_t length)
{
    connection *connection = user;
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        return receive(socket, connection, bytes, length);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_first(socket, connection);
    case LWS_CALLBACK_CLOSED:
        while (connection->first != NULL) {
            part *next = connection->first->next;
            free(connection->first);
            connection->first = next;
        }
        return 0;
    default:
        return 0;
    }
}

int main(int count, char **arguments)
{
    int port = 8080;
    const char *certificate = NULL;
    const char *key = NULL;
    for (int i = 1; i < count; i += 2) {
        if (i + 1 < count && strcmp(arguments[i], "--port") == 0) {
            port = atoi(arguments[i + 1]);
        } else if (i + 1 < count && strcmp(arguments[i], "--certificate") == 0) {
            certificate = arguments[i + 1];
        } else if (i + 1 < count && strcmp(arguments[i], "--key") == 0) {
            key = arguments[i + 1];
        } else {
            fprintf(stderr, "usage: libwebsockets --port N [--certificate FILE --key FILE]\n");
            return 2;
        }
    }
    lws_set_log_level(LLL_ERR, NULL);
    signal(SIGTERM, stop);
    static const struct lws_protocols protocols[] = {{.name = "echo",
                                                      .callback = echo,
                                                      .per_session_data_size = sizeof(connection),
                                                      .rx_buffer_size = RECEIVE_BUFFER},
                                                     {0}};
    struct lws_context_creation_info info = {.port = port,
                                             .protocols = protocols,
                                             .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND |
                                                        LWS_SERVER_OPTION_DISABLE_IPV6,
                                             .ssl_cert_filepath = certificate,
                                             .ssl_private_key_filepath = key,
                                             .pt_serv_buf_size = RECEIVE_BUFFER};
    if (certificate != NULL)
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    struct lws_context *context = lws_create_context(&info);
    if (context == NULL) {
        fprintf(stderr, "libwebsockets: cannot listen on port %d\n", port);
        return 1;
    }
    printf("listening on port %d\n", port);
    fflush(stdout);
    while (!stops && lws_service(context, 0) >= 0)
        continue;
    lws_context_destroy(context);
    return 0;
}
