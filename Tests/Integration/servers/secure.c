#define _POSIX_C_SOURCE 200809L

#include "secure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

secure secure_default(void)
{
    return (secure){.options = jz_tls_options_default()};
}

static size_t give_passphrase(void *context, char *passphrase, size_t capacity)
{
    const char *text = context;
    size_t length = strlen(text);
    if (length > capacity)
        return 0;
    memcpy(passphrase, text, length);
    return length;
}

/* Which of the words this is; their number if it is none. */
static size_t index_of(const char *value, const char *const *words, size_t count)
{
    size_t i = 0;
    while (i < count && strcmp(value, words[i]) != 0)
        i++;
    return i;
}

static bool apply_names(secure *self, size_t place, char *value)
{
    jz_tls_certificate *certificate = &self->certificates[place];
    for (char *name = strtok(value, ","); name != NULL; name = strtok(NULL, ",")) {
        if (certificate->name_count == MOST_NAMES)
            return false;
        self->names[place][certificate->name_count++] = name;
    }
    return true;
}

/* What belongs to the certificate that was begun last. */
static bool apply_to_certificate(secure *self, const char *flag, char *value)
{
    if (self->options.certificate_count == 0)
        return false;
    const size_t place = self->options.certificate_count - 1;
    jz_tls_certificate *certificate = &self->certificates[place];
    if (strcmp(flag, "--key") == 0)
        certificate->key_file = value;
    else if (strcmp(flag, "--ocsp") == 0)
        certificate->ocsp_file = value;
    else if (strcmp(flag, "--names") == 0)
        return apply_names(self, place, value);
    else if (strcmp(flag, "--passphrase") == 0)
        certificate->passphrase = give_passphrase, certificate->passphrase_context = value;
    else
        return false;
    return true;
}

static bool apply_choice(jz_tls_options *options, const char *flag, const char *value)
{
    static const char *const policies[] = {[JZ_TLS_COMPATIBLE] = "compatible", [JZ_TLS_MODERN] = "modern"};
    static const char *const clients[] = {[JZ_TLS_CLIENTS_ANONYMOUS] = "anonymous",
                                          [JZ_TLS_CLIENTS_MAY_IDENTIFY] = "may",
                                          [JZ_TLS_CLIENTS_MUST_IDENTIFY] = "must"};
    size_t chosen;
    if (strcmp(flag, "--tls-policy") == 0 && (chosen = index_of(value, policies, 2)) < 2)
        options->policy = (jz_tls_policy)chosen;
    else if (strcmp(flag, "--clients") == 0 && (chosen = index_of(value, clients, 3)) < 3)
        options->clients = (jz_tls_clients)chosen;
    else
        return false;
    return true;
}

bool secure_apply_flag(secure *self, const char *flag, char *value)
{
    jz_tls_options *options = &self->options;
    if (strcmp(flag, "--certificate") == 0 && options->certificate_count < MOST_CERTIFICATES)
        self->certificates[options->certificate_count++].certificate_file = value;
    else if (strcmp(flag, "--client-ca") == 0)
        options->client_ca_file = value;
    else if (strcmp(flag, "--refuse-unknown-names") == 0)
        options->refuses_unknown_names = strtoul(value, NULL, 10) != 0;
    else if (strcmp(flag, "--watch-ms") == 0)
        options->watch_interval_ms = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(flag, "--ticket-lifetime-s") == 0)
        options->ticket_lifetime_s = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(flag, "--ticket-secret") == 0)
        options->ticket_secret = value, options->ticket_secret_length = strlen(value);
    else
        return apply_to_certificate(self, flag, value) || apply_choice(options, flag, value);
    return true;
}

/*
 * What OpenSSL frees lies between what is in use, and the allocator may keep megabytes for one small piece at the end:
 * tests that measure what the server gives back would see that.
 */
static void *give_back_freed_memory(void *opaque)
{
    secure *self = opaque;
    while (!self->is_ending) {
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
#ifdef __GLIBC__
        malloc_trim(0);
#endif
    }
    return NULL;
}

jz_status secure_begin(secure *self, jz_listen_options *through, jz_error *error)
{
    if (self->options.certificate_count == 0)
        return JZ_OK;
    for (size_t i = 0; i < self->options.certificate_count; i++)
        self->certificates[i].names = self->names[i];
    self->options.certificates = self->certificates;
    self->tls = jz_tls_create(&self->options, error);
    if (self->tls == NULL)
        return error->status;
    if (pthread_create(&self->giver, NULL, give_back_freed_memory, self) != 0)
        abort();
    *through = (jz_listen_options){.transport = jz_tls_transport(), .transport_context = self->tls};
    return JZ_OK;
}

void secure_end(secure *self)
{
    if (self->tls == NULL)
        return;
    self->is_ending = true;
    pthread_join(self->giver, NULL);
    jz_tls_free(self->tls);
}

static void print_text(FILE *stream, jz_string text)
{
    putc('"', stream);
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.start[i];
        if (byte < ' ' || byte == '"' || byte == '\\' || byte > '~')
            fprintf(stream, "\\u%04x", byte);
        else
            putc(byte, stream);
    }
    putc('"', stream);
}

static void print_request(FILE *stream, const jz_request *request)
{
    fprintf(stream, "{\"is_secure\": %s, \"properties\": [", jz_request_is_secure(request) ? "true" : "false");
    jz_string name;
    jz_string value;
    for (size_t i = 0; jz_request_property_at(request, i, &name, &value); i++) {
        fputs(i > 0 ? ", [" : "[", stream);
        print_text(stream, name);
        fputs(", ", stream);
        print_text(stream, value);
        putc(']', stream);
    }
    fputs("]}", stream);
}

static void print_statistics(FILE *stream, const jz_tls_statistics *now)
{
    fprintf(stream,
            "{\"handshakes\": %" PRIu64 ", \"resumed\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"reloads\": %" PRIu64
            ", \"failed_reloads\": %" PRIu64 ", \"expires\": %" PRId64 "}",
            now->handshakes, now->resumed, now->failed, now->reloads, now->failed_reloads, now->expires);
}

static FILE *begin_text(char **text, size_t *length)
{
    FILE *stream = open_memstream(text, length);
    if (stream == NULL)
        abort();
    return stream;
}

static void send_whole(jz_ws ws, FILE *stream, char **text, const size_t *length)
{
    fclose(stream);
    jz_ws_send(ws, JZ_MESSAGE_TEXT, *text, *length);
    free(*text);
}

static void tell_request(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)message;
    if (event->type != JZ_EVENT_OPEN)
        return;
    char *text;
    size_t length;
    FILE *stream = begin_text(&text, &length);
    print_request(stream, jz_ws_request(ws));
    send_whole(ws, stream, &text, &length);
}

static bool is_text(const jz_event *event, const jz_message *message)
{
    return event->type == JZ_EVENT_MESSAGE && message->kind == JZ_MESSAGE_TEXT;
}

static void tell_statistics(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    const secure *self = context;
    if (!is_text(event, message))
        return;
    const jz_tls_statistics now = jz_tls_statistics_of(self->tls);
    char *text;
    size_t length;
    FILE *stream = begin_text(&text, &length);
    print_statistics(stream, &now);
    send_whole(ws, stream, &text, &length);
}

static void tell_outcome(jz_ws ws, jz_status status, const jz_error *error)
{
    const char *text = status == JZ_OK ? "done" : error->message;
    jz_ws_send(ws, JZ_MESSAGE_TEXT, text, strlen(text));
}

static void reload(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    const secure *self = context;
    jz_error error;
    if (is_text(event, message))
        tell_outcome(ws, jz_tls_reload(self->tls, &error), &error);
}

static void replace(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    const secure *self = context;
    char certificate_file[512];
    char key_file[512];
    char text[1024] = "";
    jz_error error;
    if (!is_text(event, message) || message->length >= sizeof text)
        return;
    memcpy(text, message->bytes, message->length);
    if (sscanf(text, "%511s %511s", certificate_file, key_file) != 2)
        return;
    const jz_tls_certificate other = {.certificate_file = certificate_file, .key_file = key_file};
    tell_outcome(ws, jz_tls_replace(self->tls, &other, 1, &error), &error);
}

jz_status secure_register_routes(secure *self, jz_server *server, jz_error *error)
{
    static const struct {
        const char *path;
        jz_handler handler;
    } routes[] = {
        {"/tls", tell_request},
        {"/tls-statistics", tell_statistics},
        {"/reload", reload},
        {"/replace", replace},
    };
    jz_status status = JZ_OK;
    /* /tls also tells of plain ports; the others are about what only a port of TLS has. */
    const size_t count = self->tls != NULL ? sizeof routes / sizeof routes[0] : 1;
    for (size_t i = 0; i < count && status == JZ_OK; i++)
        status = jz_server_route_ws(server, routes[i].path, NULL, routes[i].handler, self, error);
    return status;
}
