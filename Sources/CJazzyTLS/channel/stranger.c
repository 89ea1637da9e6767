/*
 * Who speaks plain HTTP here is told what is wrong. The connection then stays until the peer has closed it, or the
 * server's handshake time-out: if it were closed while bytes of the request are unread, the answer could be lost.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "channel/channel.h"
#include "channel/ciphertext.h"

enum { MOST_DRAINED = 256 * 1024 /* bytes: more is no request that can be answered */ };

static const char text[] = "this port speaks TLS: use wss:// or https://\n";

static void tell(jz_tls_channel *channel)
{
    char answer[256];
    int length = snprintf(answer, sizeof answer,
                          "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                          "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n\r\n%s",
                          strlen(text), text);
    jz_tls_write_socket(channel, (const uint8_t *)answer, (size_t)length);
    shutdown(channel->descriptor, SHUT_WR);
}

unsigned jz_tls_dismiss_stranger(jz_tls_channel *channel)
{
    jz_tls_loop *loop = jz_tls_enter(channel);
    loop->receivable = sizeof loop->scratch;
    loop->is_drained = false;
    while (!loop->is_drained && loop->receivable > 0)
        channel->drained += (uint32_t)jz_tls_read_socket(loop, loop->scratch, sizeof loop->scratch);
    return channel->has_ended || channel->is_broken || channel->drained > MOST_DRAINED ? JZ_LOST : 0;
}

/* Methods of HTTP are upper-case letters (RFC 9110, 9.1). */
static bool begins_request(uint8_t first)
{
    return first >= 'A' && first <= 'Z';
}

unsigned jz_tls_meet_stranger(jz_tls_channel *channel, uint8_t first)
{
    if (!begins_request(first)) {
        jz_tls_blame(channel, "its first bytes are not those of TLS");
        return JZ_LOST;
    }
    jz_tls_blame(channel, "it speaks plain HTTP, and this port TLS");
    channel->phase = JZ_TLS_PHASE_STRANGER;
    tell(channel);
    return jz_tls_dismiss_stranger(channel);
}
