/* A WebSocket echo server: `echo-server [port]`. Every text or binary message on /echo comes back as it went. */
#include <jazzy.h>
#include <stdio.h>
#include <stdlib.h>

static void echo(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_MESSAGE && message->kind <= JZ_MESSAGE_BINARY)
        jz_ws_send(ws, message->kind, message->bytes, message->length);
}

int main(int count, char **arguments)
{
    unsigned long port = count > 1 ? strtoul(arguments[1], NULL, 10) : 8080;
    if (port > 65535) {
        fprintf(stderr, "echo-server: the port has to be from 0 to 65535\n");
        return 2;
    }
    jz_error error;
    jz_server *server = jz_server_create(NULL, &error);
    if (server == NULL || jz_server_route_ws(server, "/echo", NULL, echo, NULL, &error) != JZ_OK ||
        jz_server_listen(server, NULL, (uint16_t)port, &error) != JZ_OK) {
        fprintf(stderr, "echo-server: %s\n", error.message);
        jz_server_destroy(server);
        return 1;
    }
    printf("ws://localhost:%u/echo\n", jz_server_port(server));
    fflush(stdout);

    jz_status status = jz_server_run_until_signal(server, &error);
    if (status != JZ_OK)
        fprintf(stderr, "echo-server: %s\n", error.message);
    jz_server_destroy(server);
    return status == JZ_OK ? 0 : 1;
}
