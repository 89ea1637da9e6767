#include "page-routes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Says what the client has asked for, and who it is. */
static void describe(void *context, jz_page_request page, const jz_request *request)
{
    (void)context;
    static const jz_response_header headers[] = {{"Cache-Control", "no-store"}};
    char text[1024];
    char address[JZ_REMOTE_ADDRESS_SIZE];
    jz_string id = {"", 0};
    jz_request_parameter(request, "id", &id);
    jz_request_remote_address(request, address);
    int length = snprintf(text, sizeof text, "{\"id\": \"%.*s\", \"query\": \"%.*s\", \"secure\": %s}\n",
                          (int)id.length, id.start, (int)jz_request_query(request).length,
                          jz_request_query(request).start, jz_request_is_secure(request) ? "true" : "false");
    jz_page_respond(page, &(jz_page_response){.content_type = "application/json",
                                              .body = text,
                                              .length = (size_t)length,
                                              .headers = headers,
                                              .header_count = 1});
}

static void *answer_on_thread(void *argument)
{
    jz_page_request page = *(jz_page_request *)argument;
    free(argument);
    jz_page_respond(page, &(jz_page_response){.content_type = "text/plain", .body = "later\n", .length = 6});
    return NULL;
}

/* Answers on a thread of its own. */
static void answer_later(void *context, jz_page_request page, const jz_request *request)
{
    (void)context, (void)request;
    pthread_t thread;
    jz_page_request *argument = malloc(sizeof *argument);
    if (argument == NULL)
        abort();
    *argument = page;
    if (pthread_create(&thread, NULL, answer_on_thread, argument) != 0)
        abort();
    pthread_detach(thread);
}

jz_status page_register_routes(jz_server *server, const char *folder, jz_error *error)
{
    const jz_page_options on_workers = {.execution = JZ_EXECUTION_WORKERS};
    jz_status status = jz_server_route_page(server, "/made/:id", NULL, describe, NULL, error);
    if (status == JZ_OK)
        status = jz_server_route_page(server, "/made-by-worker/:id", &on_workers, describe, NULL, error);
    if (status == JZ_OK)
        status = jz_server_route_page(server, "/made-later", NULL, answer_later, NULL, error);
    if (status == JZ_OK && folder != NULL)
        status = jz_server_route_folder(server, "/files/", folder, NULL, error);
    return status;
}
