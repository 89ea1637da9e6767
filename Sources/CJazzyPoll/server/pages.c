/* Pages: with fixed content, made for each request, and files. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "loop/report.h"
#include "server/routing.h"

jz_status jz_server_route_get(jz_server *server, const char *path, const char *content_type, const void *body,
                              size_t length, jz_error *error)
{
    if (content_type == NULL || strpbrk(content_type, "\r\n") != NULL)
        return jz_report(error, JZ_STATUS_INVALID_ROUTE, "route \"%.100s\": the content type is not one line",
                         path != NULL ? path : "");
    jz_route *route = NULL;
    jz_status status = jz_server_add_route(server, path, &route, error);
    if (status != JZ_OK)
        return status;
    if (jz_route_has_page(route))
        return jz_report(error, JZ_STATUS_INVALID_ROUTE, "route \"%.100s\": there is a page already", path);
    route->page = jz_page_create(content_type, body, length);
    if (route->page == NULL)
        return jz_report_system(error, ENOMEM, "add a route");
    return JZ_OK;
}

/* Options with the server's value where the page has none. */
static jz_status complete_page_options(jz_page_options *options, const jz_options *server, jz_error *error)
{
    if (options->execution != JZ_EXECUTION_LOOP && options->execution != JZ_EXECUTION_WORKERS)
        return jz_report(error, JZ_STATUS_INVALID_OPTION, "option execution of a page is %d; it has to be 0 or 1",
                         (int)options->execution);
    if (options->answer_timeout_ms == 0)
        options->answer_timeout_ms = server->upgrade_timeout_ms;
    if (options->answer_timeout_ms < 100 || options->answer_timeout_ms > 3600000)
        return jz_report(error, JZ_STATUS_INVALID_OPTION,
                         "option answer_timeout_ms is %" PRIu32 "; it has to be 100 to 3,600,000, or 0 for the "
                         "server's upgrade_timeout_ms",
                         options->answer_timeout_ms);
    return JZ_OK;
}

jz_status jz_server_route_page(jz_server *server, const char *path, const jz_page_options *options,
                               jz_page_handler handler, void *context, jz_error *error)
{
    jz_page_options complete = options != NULL ? *options : (jz_page_options){0};
    if (handler == NULL)
        return jz_report(error, JZ_STATUS_INVALID_ROUTE, "page \"%.100s\": the handler is NULL",
                         path != NULL ? path : "");
    jz_route *route = NULL;
    jz_status status = complete_page_options(&complete, &server->options, error);
    if (status == JZ_OK)
        status = jz_server_add_route(server, path, &route, error);
    if (status != JZ_OK)
        return status;
    if (jz_route_has_page(route))
        return jz_report(error, JZ_STATUS_INVALID_ROUTE, "route \"%.100s\": there is a page already", path);
    route->page_handler = handler;
    route->page_context = context;
    route->page_options = complete;
    return JZ_OK;
}

jz_status jz_server_limit_page(jz_server *server, const char *path, const jz_audience *audience, jz_error *error)
{
    jz_route *route = NULL;
    jz_status status = jz_server_add_route(server, path, &route, error);
    if (status != JZ_OK)
        return status;
    route->audience = *audience;
    route->has_audience = true;
    return JZ_OK;
}

jz_status jz_server_route_not_found(jz_server *server, const char *content_type, const void *body, size_t length,
                                    jz_error *error)
{
    if (content_type == NULL || strpbrk(content_type, "\r\n") != NULL)
        return jz_report(error, JZ_STATUS_INVALID_ROUTE,
                         "the page for what is not found: the content type is not one line");
    if (jz_server_require_time_for_routes(server, error) != JZ_OK)
        return JZ_STATUS_INVALID_STATE;
    if (server->routes.not_found != NULL)
        return jz_report(error, JZ_STATUS_INVALID_ROUTE,
                         "the page for what is not found: there is one already; a server has one for all paths");
    server->routes.not_found = jz_page_create(content_type, body, length);
    if (server->routes.not_found == NULL)
        return jz_report_system(error, ENOMEM, "add a page");
    return JZ_OK;
}

/* Adds a route for the files, which it owns if this succeeds. */
static jz_status add_files(jz_server *server, const char *path, const char *root, bool is_folder,
                           const jz_file_options *options, jz_error *error)
{
    jz_error unused;
    if (error == NULL)
        error = &unused;
    jz_files *files = jz_files_create(root, is_folder, options, error);
    if (files == NULL)
        return error->status;
    jz_route *route = NULL;
    jz_status status = jz_server_add_route(server, path, &route, error);
    if (status == JZ_OK && jz_route_has_page(route))
        status = jz_report(error, JZ_STATUS_INVALID_ROUTE, "route \"%.100s\": there is a page already", path);
    if (status == JZ_OK && server->packed == NULL && (server->packed = jz_packed_create()) == NULL)
        status = jz_report_system(error, ENOMEM, "add a route");
    if (status != JZ_OK) {
        jz_files_free(files);
        return status;
    }
    route->files = files;
    route->page_options.answer_timeout_ms = server->options.upgrade_timeout_ms;
    return JZ_OK;
}

jz_status jz_server_route_file(jz_server *server, const char *path, const char *file, const jz_file_options *options,
                               jz_error *error)
{
    return add_files(server, path, file, false, options, error);
}

jz_status jz_server_route_folder(jz_server *server, const char *path, const char *folder,
                                 const jz_file_options *options, jz_error *error)
{
    static const char catch_all[] = "*file";
    size_t length = path != NULL ? strlen(path) : 0;
    if (length == 0 || path[length - 1] != '/')
        return jz_report(error, JZ_STATUS_INVALID_ROUTE,
                         "route \"%.100s\": the path of a folder ends with a slash, as in /files/",
                         path != NULL ? path : "");
    char *pattern = malloc(length + sizeof catch_all);
    if (pattern == NULL)
        return jz_report_system(error, ENOMEM, "add a route");
    memcpy(pattern, path, length);
    memcpy(pattern + length, catch_all, sizeof catch_all);
    jz_status status = add_files(server, pattern, folder, true, options, error);
    free(pattern);
    bool has_index = options == NULL || options->index == NULL || options->index[0] != '\0';
    if (status == JZ_OK && has_index)
        status = add_files(server, path, folder, true, options, error);
    return status;
}
