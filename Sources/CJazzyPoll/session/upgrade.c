#include "session/upgrade.h"

#include <string.h>

bool jz_upgrade_is_requested(const jz_request_head *head)
{
    return jz_request_head_lists(head, "Upgrade", "websocket");
}

static jz_upgrade refuse(int status, const char *fault)
{
    return (jz_upgrade){.status = status, .fault = fault};
}

/* Whether a request has a header exactly once; fills in its value. */
static bool find_single(const jz_request_head *head, const char *name, jz_text *value)
{
    return jz_request_head_find(head, name, value) == 1;
}

static jz_upgrade judge(const jz_request_head *head, jz_text *key)
{
    jz_text version;
    if (!jz_text_equals(head->method, jz_text_of("GET")))
        return refuse(405, "the method of a handshake has to be GET (RFC 6455, 4.2.1)");
    if (head->minor_version < 1)
        return refuse(400, "the handshake is of HTTP/1.0: it has to be of HTTP/1.1 (RFC 6455, 4.2.1)");
    if (!jz_request_head_lists(head, "Connection", "Upgrade"))
        return refuse(400, "Connection does not list Upgrade: a proxy that passes WebSockets has to send it (RFC 6455, "
                           "4.2.1)");
    if (!find_single(head, "Sec-WebSocket-Version", &version) || !jz_text_equals(version, jz_text_of("13")))
        return refuse(426, "Sec-WebSocket-Version has to be there once, and to be 13 (RFC 6455, 4.2.1)");
    if (!find_single(head, "Sec-WebSocket-Key", key) || !jz_client_key_is_valid(key->start, key->length))
        return refuse(400, "Sec-WebSocket-Key has to be there once, and to be 16 bytes in base64 (RFC 6455, 4.2.1)");
    return (jz_upgrade){.status = 101};
}

jz_upgrade jz_upgrade_judge(const jz_request_head *head, const jz_deflate_options *deflate)
{
    jz_text key = {0};
    jz_upgrade upgrade = judge(head, &key);
    if (upgrade.status == 101 && !jz_deflate_negotiate(head, deflate, &upgrade.deflate))
        upgrade = refuse(400, "Sec-WebSocket-Extensions is ill-formed: it has to be a list of extensions, each with "
                              "its parameters (RFC 6455, 9.1)");
    if (upgrade.status == 101)
        jz_accept_key(key.start, upgrade.accept_key);
    return upgrade;
}

static bool append_subprotocol(jz_text subprotocol, jz_buffer *output)
{
    static const char name[] = "Sec-WebSocket-Protocol: ";
    return subprotocol.length == 0 ||
           (jz_buffer_append(output, name, strlen(name)) &&
            jz_buffer_append(output, subprotocol.start, subprotocol.length) && jz_buffer_append(output, "\r\n", 2));
}

bool jz_upgrade_append_response(const jz_upgrade *upgrade, jz_buffer *output)
{
    static const char before_key[] = "HTTP/1.1 101 Switching Protocols\r\n"
                                     "Upgrade: websocket\r\n"
                                     "Connection: Upgrade\r\n"
                                     "Sec-WebSocket-Accept: ";
    static const char line_end[] = "\r\n";
    size_t start = output->length;
    if (jz_buffer_append(output, before_key, strlen(before_key)) &&
        jz_buffer_append(output, upgrade->accept_key, sizeof upgrade->accept_key) &&
        jz_buffer_append(output, line_end, strlen(line_end)) && append_subprotocol(upgrade->subprotocol, output) &&
        jz_deflate_append_answer(&upgrade->deflate, output) &&
        jz_buffer_append(output, upgrade->further_headers.start, upgrade->further_headers.length) &&
        jz_buffer_append(output, line_end, strlen(line_end)))
        return true;
    output->length = start;
    return false;
}
