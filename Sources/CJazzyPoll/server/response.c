#include "response.h"

#include <stdio.h>
#include <string.h>

enum { MAX_FIXED_HEADERS = 320 };

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 426:
        return "Upgrade Required";
    case 431:
        return "Request Header Fields Too Large";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Internal Server Error";
    }
}

jz_response jz_response_refusing(int status)
{
    const char *reason = reason_of(status);
    return (jz_response){
        .status = status, .content_type = "text/plain; charset=utf-8", .body = reason, .length = strlen(reason)};
}

static bool append_text(jz_buffer *output, const char *text)
{
    return jz_buffer_append(output, text, strlen(text));
}

/* RFC 9112 §9.3; whoever sends Upgrade names it here too (RFC 9110 §7.8). */
static const char *connection_header_of(const jz_response *response)
{
    if (!response->keeps_alive)
        return response->asks_for_upgrade ? "Connection: Upgrade, close\r\n" : "Connection: close\r\n";
    if (response->asks_for_upgrade)
        return response->says_keep_alive ? "Connection: Upgrade, keep-alive\r\n" : "Connection: Upgrade\r\n";
    return response->says_keep_alive ? "Connection: keep-alive\r\n" : "";
}

bool jz_response_append(const jz_response *response, jz_date *date, jz_buffer *output)
{
    char head[MAX_FIXED_HEADERS];
    snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Length: %zu\r\n%s", response->status,
             reason_of(response->status), jz_date_now(date), response->length, connection_header_of(response));

    size_t start = output->length;
    bool is_appended = append_text(output, head) && append_text(output, "Content-Type: ") &&
                       append_text(output, response->content_type) && append_text(output, "\r\n") &&
                       (!response->asks_for_upgrade || append_text(output, "Upgrade: websocket\r\n")) &&
                       (response->extra_headers == NULL || append_text(output, response->extra_headers)) &&
                       append_text(output, "\r\n") &&
                       (response->is_head || jz_buffer_append(output, response->body, response->length));
    if (!is_appended)
        output->length = start;
    return is_appended;
}
