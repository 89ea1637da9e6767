/*
 * The measured server with TLS, in C: the routes of bench-echo-c.
 *
 *     bench-echo-tls --certificate FILE --key FILE [--port N]
 */
#include <jazzy.h>
#include <jazzy/tls.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bench-echo-c/routes.h"

static int end_with(const jz_error *error)
{
    fprintf(stderr, "bench-echo-tls: %s\n", error->message);
    return 1;
}

static bool listen_and_run(jz_server **server, const jz_options *options, jz_tls *tls, uint16_t port, jz_error *error)
{
    const jz_route_options route = jz_route_options_default();
    const jz_listen_options listening = {.transport = jz_tls_transport(), .transport_context = tls};
    *server = jz_server_create(options, error);
    if (*server == NULL || bench_add_routes(server, &route, error) != JZ_OK ||
        jz_server_listen_with(*server, NULL, port, &listening, error) != JZ_OK)
        return false;
    printf("listening on port %u\n", jz_server_port(*server));
    fflush(stdout);
    return jz_server_run_until_signal(*server, error) == JZ_OK;
}

static int serve(const jz_tls_certificate *certificate, uint16_t port)
{
    jz_error error;
    jz_tls_options tls_options = jz_tls_options_default();
    tls_options.certificates = certificate;
    tls_options.certificate_count = 1;
    jz_tls *tls = jz_tls_create(&tls_options, &error);
    if (tls == NULL)
        return end_with(&error);
    jz_options options = jz_options_default();
    options.max_message_size = 16 * 1024 * 1024;
    options.threads = 1;
    options.backpressure_limit = 256 * 1024 * 1024;
    jz_server *server = NULL;
    int code = listen_and_run(&server, &options, tls, port, &error) ? 0 : end_with(&error);
    jz_server_destroy(server);
    jz_tls_free(tls);
    return code;
}

int main(int count, char **arguments)
{
    unsigned long port = 8443;
    jz_tls_certificate certificate = {0};
    bool is_wrong = count % 2 == 0;
    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(arguments[i], "--port") == 0)
            port = strtoul(arguments[i + 1], NULL, 10);
        else if (strcmp(arguments[i], "--certificate") == 0)
            certificate.certificate_file = arguments[i + 1];
        else if (strcmp(arguments[i], "--key") == 0)
            certificate.key_file = arguments[i + 1];
        else
            is_wrong = true;
    }
    if (is_wrong || port < 1 || port > 65535 || certificate.certificate_file == NULL) {
        fprintf(stderr, "usage: bench-echo-tls --certificate FILE --key FILE [--port 1-65535]\n");
        return 2;
    }
    return serve(&certificate, (uint16_t)port);
}
