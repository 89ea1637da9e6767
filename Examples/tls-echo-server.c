/*
 * A WebSocket echo server over TLS: every text or binary message on /echo comes back as it went.
 *
 *     tls-echo-server --tls-certificate FILE [--tls-key FILE] [--port 8443] [--threads 1]
 *
 * Both files are PEM. Without --tls-key the key is in the file of the certificate.
 */
#include <jazzy.h>
#include <jazzy/tls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void echo(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

/* The word behind an option; `otherwise` where it is not given. */
static const char *option(int count, char **arguments, const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(arguments[i], name) == 0)
            return arguments[i + 1];
    }
    return otherwise;
}

static jz_status serve(jz_server *server, jz_tls *tls, unsigned long port, jz_error *error)
{
    const jz_listen_options listening = {.transport = jz_tls_transport(), .transport_context = tls};
    jz_status status = jz_server_route_ws(server, "/echo", NULL, echo, NULL, error);
    if (status == JZ_OK)
        status = jz_server_listen_with(server, NULL, (uint16_t)port, &listening, error);
    if (status != JZ_OK)
        return status;
    printf("wss://localhost:%u/echo\n", jz_server_port(server));
    fflush(stdout);
    return jz_server_run_until_signal(server, error);
}

int main(int count, char **arguments)
{
    const jz_tls_certificate certificate = {.certificate_file = option(count, arguments, "--tls-certificate", NULL),
                                            .key_file = option(count, arguments, "--tls-key", NULL)};
    unsigned long port = strtoul(option(count, arguments, "--port", "8443"), NULL, 10);
    unsigned long threads = strtoul(option(count, arguments, "--threads", "1"), NULL, 10);
    if (certificate.certificate_file == NULL || port > 65535 || threads == 0 || threads > 1024) {
        fprintf(stderr, "tls-echo-server --tls-certificate FILE [--tls-key FILE] [--port 8443] [--threads 1]\n");
        return 2;
    }
    jz_tls_options tls_options = jz_tls_options_default();
    tls_options.certificates = &certificate;
    tls_options.certificate_count = 1;
    jz_options options = jz_options_default();
    options.threads = (uint32_t)threads;
    jz_error error;
    jz_server *server = NULL;
    jz_tls *tls = jz_tls_create(&tls_options, &error);
    if (tls != NULL)
        server = jz_server_create(&options, &error);
    jz_status status = server != NULL ? serve(server, tls, port, &error) : error.status;
    if (status != JZ_OK)
        fprintf(stderr, "tls-echo-server: %s\n", error.message);
    jz_server_destroy(server);
    jz_tls_free(tls);
    return status == JZ_OK ? 0 : 1;
}
