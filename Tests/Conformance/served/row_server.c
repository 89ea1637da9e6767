#define _DEFAULT_SOURCE

#include "row_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../../CJazzyPollTests/support/eventually.h"
#include "../../CJazzyPollTests/support/observed_event.h"

/* An event, its bytes copied. */
typedef struct kept_event {
    observed_event event;
    size_t start; /* in the bytes of all */
} kept_event;

struct row_server {
    jz_server *server;
    uint16_t port;
    memory_network *network;
    int (*connect)(uint16_t port);
    pthread_mutex_t lock; /* for what follows, which the loop writes */
    jz_ws ws;
    bool has_closed;
    jz_buffer events; /* of kept_event */
    jz_buffer bytes;
};

static void keep(row_server *server, const jz_event *event, const jz_message *message)
{
    observed_event observed = observe_event(event, message);
    kept_event kept = {observed, server->bytes.length};
    assert_true(jz_buffer_append(&server->bytes, observed.bytes, observed.length));
    assert_true(jz_buffer_append(&server->events, &kept, sizeof kept));
}

static void handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    row_server *server = context;
    pthread_mutex_lock(&server->lock);
    if (event->type == JZ_EVENT_OPEN)
        server->ws = ws;
    else
        keep(server, event, message);
    server->has_closed = event->type == JZ_EVENT_CLOSE;
    pthread_mutex_unlock(&server->lock);
}

static void handle_and_echo(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    handle(context, ws, event, message);
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

static void add_route(row_server *server, size_t number, const session_row *row)
{
    enum { MAX_MESSAGE_SIZE = 1 << 20, BACKPRESSURE_LIMIT = 256 << 20 };
    char path[24];
    snprintf(path, sizeof path, "/%zu", number);
    jz_route_options options = jz_route_options_default();
    options.max_message_size = row->max_message_size != 0 ? row->max_message_size : MAX_MESSAGE_SIZE;
    options.max_frames_per_message = row->max_frames != 0 ? row->max_frames : JZ_UNLIMITED;
    options.backpressure_limit = BACKPRESSURE_LIMIT;
    if (row->deflate != NULL)
        options.deflate = row->deflate->options;
    jz_error error;
    assert_that(jz_server_route_ws(server->server, path, &options, row->echoes ? handle_and_echo : handle, server,
                                   &error) == JZ_OK,
                "%s", error.message);
}

/* A socket that listens, and whose connections have room for a large frame in one piece. */
static int listening_socket(uint16_t *port)
{
    const int room = 200 * 1024;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert_int_equal(setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(descriptor, SOMAXCONN), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return descriptor;
}

static void say_nothing(void *context, jz_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

row_server *row_server_start(const topic *topic, const row_way *way)
{
    row_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    pthread_mutex_init(&server->lock, NULL);
    jz_options options = jz_options_default();
    options.threads = 1;
    options.receive_buffer_size = way->receive_buffer_size;
    options.idle_timeout_ms = JZ_NEVER;
    options.log = say_nothing;
    jz_error error;
    server->server = jz_server_create(&options, &error);
    assert_that(server->server != NULL, "%s", error.message);
    for (size_t i = 0; i < topic->row_count; i++)
        add_route(server, i, &topic->rows[i]);
    int listener = listening_socket(&server->port);
    const jz_listen_options through = {.transport = way->transport, .transport_context = way->context};
    server->network = way->network;
    server->connect = way->connect;
    assert_that(jz_server_listen_descriptor_with(server->server, listener, &through, &error) == JZ_OK, "%s",
                error.message);
    assert_that(jz_server_start(server->server, &error) == JZ_OK, "%s", error.message);
    return server;
}

uint16_t row_server_port(const row_server *server)
{
    return server->port;
}

int (*row_server_connect(const row_server *server))(uint16_t port)
{
    return server->connect;
}

memory_network *row_server_network(const row_server *server)
{
    return server->network;
}

bool row_server_is_quiet(const row_server *server)
{
    jz_statistics now;
    uint64_t deadline = test_deadline();
    do {
        jz_server_statistics(server->server, &now);
        if (now.connections + now.websockets + now.handshakes + now.buffered_bytes == 0)
            return true;
        sched_yield(); /* it is nearly there already, and this happens thousands of times */
    } while (test_is_before(deadline));
    return false;
}

jz_ws row_server_ws(row_server *server)
{
    pthread_mutex_lock(&server->lock);
    jz_ws ws = server->ws;
    pthread_mutex_unlock(&server->lock);
    return ws;
}

bool row_server_has_closed(row_server *server)
{
    pthread_mutex_lock(&server->lock);
    bool has_closed = server->has_closed;
    pthread_mutex_unlock(&server->lock);
    return has_closed;
}

void row_server_forget_events(row_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->events.length = 0;
    server->bytes.length = 0;
    server->ws = (jz_ws){0};
    server->has_closed = false;
    pthread_mutex_unlock(&server->lock);
}

/* The event that is due at this place; false: none is. */
static bool find_due(const session_row *row, size_t index, session_event *due)
{
    size_t count = row->events.count;
    bool has_failed = row->failure != JZ_FAILURE_NONE;
    bool has_closed = count > 0 && row->events.first[count - 1].type == JZ_EVENT_CLOSE;
    if (index < count)
        *due = row->events.first[index];
    else if (has_failed && index == count)
        *due = (session_event)GOT_ERROR(row->failure);
    else if (has_failed && index == count + 1)
        *due = (session_event)CLOSED_UNCLEANLY(row->failure_code);
    else if (!has_failed && !has_closed && index == count)
        *due = (session_event)CLOSED_UNCLEANLY(JZ_CLOSE_ABNORMAL);
    else
        return false;
    return true;
}

static bool is_due(const observed_event *found, const session_event *due, char text[600])
{
    jz_buffer bytes = {0};
    observed_event expected = observed_event_of(due, &bytes);
    bool is_same = observed_events_are_equal(found, &expected);
    if (!is_same) {
        char found_text[OBSERVED_EVENT_TEXT_SIZE];
        char due_text[OBSERVED_EVENT_TEXT_SIZE];
        describe_observed_event(found_text, found);
        describe_observed_event(due_text, &expected);
        snprintf(text, 600, "event %s instead of %s", found_text, due_text);
    }
    jz_buffer_free(&bytes);
    return is_same;
}

bool row_server_events_are_due(row_server *server, const session_row *row, char text[600])
{
    session_event due;
    size_t count = server->events.length / sizeof(kept_event);
    for (size_t i = 0; i < count; i++) {
        kept_event kept;
        memcpy(&kept, server->events.bytes + i * sizeof kept, sizeof kept);
        kept.event.bytes = server->bytes.bytes + kept.start;
        if (!find_due(row, i, &due)) {
            snprintf(text, 600, "event %zu where none is due", i);
            return false;
        }
        if (!is_due(&kept.event, &due, text))
            return false;
    }
    if (find_due(row, count, &due)) {
        snprintf(text, 600, "event %zu is missing", count);
        return false;
    }
    return true;
}

void row_server_end(row_server *server)
{
    jz_server_destroy(server->server);
    pthread_mutex_destroy(&server->lock);
    jz_buffer_free(&server->events);
    jz_buffer_free(&server->bytes);
    free(server);
}
