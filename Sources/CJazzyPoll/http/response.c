#include "http/response.h"

#include <stdio.h>
#include <string.h>

enum { MAX_FIXED_HEADERS = 320 };

const char *jz_response_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {416, "Range Not Satisfiable"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    /* Clients ignore the phrase (RFC 9110 §15.1): one for each class of codes is enough. */
    if (status < 300)
        return "Success";
    if (status < 400)
        return "Redirection";
    return status < 500 ? "Client Error" : "Server Error";
}

jz_response jz_response_refusing(int status)
{
    const char *reason = jz_response_reason(status);
    return (jz_response){
        .status = status, .content_type = "text/plain; charset=utf-8", .body = reason, .length = strlen(reason)};
}

jz_response jz_response_of_answer(const jz_answer *answer)
{
    jz_response response = jz_response_refusing(answer->status);
    if (answer->content_type.length > 0) {
        response.content_type = answer->content_type.start;
        response.body = answer->body.start;
        response.length = answer->body.length;
    } else if (answer->status == 204 || answer->status == 304) {
        response.content_type = NULL;
        response.length = 0;
    }
    response.further_headers = answer->headers;
    return response;
}

static bool append_text(jz_buffer *output, const char *text)
{
    return jz_buffer_append(output, text, strlen(text));
}

/* RFC 9112 §9.3. A response with an Upgrade header must name it here, too (RFC 9110 §7.8). */
static const char *connection_header_of(const jz_response *response)
{
    if (!response->keeps_alive)
        return response->asks_for_upgrade ? "Connection: Upgrade, close\r\n" : "Connection: close\r\n";
    if (response->asks_for_upgrade)
        return response->says_keep_alive ? "Connection: Upgrade, keep-alive\r\n" : "Connection: Upgrade\r\n";
    return response->says_keep_alive ? "Connection: keep-alive\r\n" : "";
}

static bool append_content_type(const char *content_type, jz_buffer *output)
{
    return append_text(output, "Content-Type: ") && append_text(output, content_type) && append_text(output, "\r\n");
}

bool jz_response_append(const jz_response *response, jz_date *date, jz_buffer *output)
{
    char head[MAX_FIXED_HEADERS];
    char content_length[48] = ""; /* empty if there is no content (RFC 9110 §8.6) */
    bool has_content = response->content_type != NULL;
    if (has_content)
        snprintf(content_length, sizeof content_length, "Content-Length: %zu\r\n", response->length);
    snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\nDate: %s\r\n%s%s", response->status,
             jz_response_reason(response->status), jz_date_now(date), content_length, connection_header_of(response));

    size_t start = output->length;
    bool is_appended =
        append_text(output, head) && (!has_content || append_content_type(response->content_type, output)) &&
        (!response->asks_for_upgrade || append_text(output, "Upgrade: websocket\r\n")) &&
        (response->extra_headers == NULL || append_text(output, response->extra_headers)) &&
        jz_buffer_append(output, response->further_headers.start, response->further_headers.length) &&
        append_text(output, "\r\n") &&
        (response->is_head || response->length == 0 || jz_buffer_append(output, response->body, response->length));
    if (!is_appended)
        output->length = start;
    return is_appended;
}
