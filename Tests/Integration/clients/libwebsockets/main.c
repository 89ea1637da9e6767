/*
 * A client made with libwebsockets, driven as pipe.py describes.
 *
 *     libwebsockets URL whole|fragmented OFFER     (OFFER: of permessage-deflate, as it goes into the request; or "")
 *
 * Servers of wss are trusted that the certificates in the file SSL_CERT_FILE vouch for.
 */
#include <arpa/inet.h>
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FRAGMENTS = 64, RECEIVE_BUFFER = 65536 };

typedef struct fragment {
    unsigned char *room; /* LWS_PRE bytes for libwebsockets, then the fragment */
    uint32_t length;
} fragment;

typedef struct client {
    struct lws *connection;
    bool has_ended;
    bool is_closing;
    char kind; /* of the message that is being sent: 't' or 'b' */
    fragment fragments[MAX_FRAGMENTS];
    uint32_t fragment_count;
    uint32_t sent_count;
    char *received;
    size_t received_length;
    size_t received_capacity;
    bool has_received;
} client;

static void fail(const char *what)
{
    fprintf(stderr, "libwebsockets client: %s\n", what);
    exit(1);
}

static void *allocated(void *memory)
{
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

static int send_next_fragment(client *self)
{
    uint32_t index = self->sent_count++;
    int flags = self->kind == 't' ? LWS_WRITE_TEXT : LWS_WRITE_BINARY;
    if (index > 0)
        flags = LWS_WRITE_CONTINUATION;
    if (index + 1 < self->fragment_count)
        flags |= LWS_WRITE_NO_FIN;
    fragment *next = &self->fragments[index];
    if (lws_write(self->connection, next->room + LWS_PRE, next->length, (enum lws_write_protocol)flags) < 0)
        fail("lws_write failed");
    if (self->sent_count < self->fragment_count)
        lws_callback_on_writable(self->connection);
    return 0;
}

static int write_what_is_due(client *self)
{
    if (self->is_closing) {
        lws_close_reason(self->connection, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1;
    }
    return self->sent_count < self->fragment_count ? send_next_fragment(self) : 0;
}

static void keep_received(client *self, const void *bytes, size_t length)
{
    if (self->received_length + length > self->received_capacity) {
        self->received_capacity = 2 * (self->received_length + length);
        self->received = allocated(realloc(self->received, self->received_capacity));
    }
    memcpy(self->received + self->received_length, bytes, length);
    self->received_length += length;
}

static int on_event(struct lws *connection, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    (void)user;
    client *self = lws_context_user(lws_get_context(connection));
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        fail(in != NULL ? in : "no connection");
        break;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        self->connection = connection;
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return write_what_is_due(self);
    case LWS_CALLBACK_CLIENT_RECEIVE:
        keep_received(self, in, length);
        self->has_received = lws_is_final_fragment(connection) != 0;
        if (self->has_received && (lws_frame_is_binary(connection) != 0) != (self->kind == 'b'))
            fail("the kind of the message changed");
        break;
    case LWS_CALLBACK_CLIENT_CLOSED:
        self->has_ended = true;
        break;
    }
    return 0;
}

static bool read_exactly(void *destination, size_t length)
{
    return fread(destination, 1, length, stdin) == length;
}

static uint32_t read_number(void)
{
    uint32_t number;
    if (!read_exactly(&number, sizeof number))
        fail("the input ended within a command");
    return ntohl(number);
}

static bool read_command(client *self)
{
    if (!read_exactly(&self->kind, 1))
        return false;
    self->fragment_count = read_number();
    if (self->fragment_count > MAX_FRAGMENTS)
        fail("too many fragments");
    for (uint32_t i = 0; i < self->fragment_count; i++) {
        fragment *each = &self->fragments[i];
        each->length = read_number();
        each->room = allocated(realloc(each->room, LWS_PRE + each->length));
        if (!read_exactly(each->room + LWS_PRE, each->length))
            fail("the input ended within a command");
    }
    return true;
}

static void tell_received(client *self)
{
    uint32_t length = htonl((uint32_t)self->received_length);
    putchar(self->kind);
    fwrite(&length, sizeof length, 1, stdout);
    fwrite(self->received, 1, self->received_length, stdout);
    fflush(stdout);
}

static void service(struct lws_context *context, const client *self, const bool *until)
{
    while (!*until) {
        if (lws_service(context, 0) < 0 || (self->has_ended && !*until))
            fail("the connection ended");
    }
}

static void echo_one(struct lws_context *context, client *self)
{
    self->sent_count = 0;
    self->received_length = 0;
    self->has_received = false;
    lws_callback_on_writable(self->connection);
    service(context, self, &self->has_received);
    tell_received(self);
}

static struct lws_context *create_context(client *self, const char *offer)
{
    static const struct lws_protocols protocols[] = {
        {.name = "", .callback = on_event, .rx_buffer_size = RECEIVE_BUFFER}, {.name = NULL}};
    static struct lws_extension extensions[2];
    struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols, .user = self};
    if (*offer != '\0') {
        extensions[0] = (struct lws_extension){"permessage-deflate", lws_extension_callback_pm_deflate, offer};
        info.extensions = extensions;
    }
    info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.client_ssl_ca_filepath = getenv("SSL_CERT_FILE");
    lws_set_log_level(LLL_ERR | LLL_WARN, NULL);
    return allocated(lws_create_context(&info));
}

static void connect_to(struct lws_context *context, char *url)
{
    const char *protocol;
    struct lws_client_connect_info info = {.context = context, .ietf_version_or_minus_one = -1};
    if (lws_parse_uri(url, &protocol, &info.address, &info.port, &info.path) != 0)
        fail("this is no URL");
    info.ssl_connection = strcmp(protocol, "wss") == 0 ? LCCSCF_USE_SSL : 0;
    char path[256];
    snprintf(path, sizeof path, "/%s", info.path);
    info.path = path;
    info.host = info.address;
    /* Its origin would be "http://" and this, whatever the scheme. */
    info.origin = info.ssl_connection == 0 ? info.address : NULL;
    if (lws_client_connect_via_info(&info) == NULL)
        fail("no connection");
}

int main(int count, char **arguments)
{
    static client self;
    if (count != 4)
        fail("usage: libwebsockets URL whole|fragmented OFFER");
    struct lws_context *context = create_context(&self, arguments[3]);
    connect_to(context, arguments[1]);
    while (self.connection == NULL)
        lws_service(context, 0);
    while (read_command(&self))
        echo_one(context, &self);
    self.is_closing = true;
    lws_callback_on_writable(self.connection);
    service(context, &self, &self.has_ended);
    lws_context_destroy(context);
    return 0;
}
