#include "codec/authority.h"

#include <stdint.h>

#include "codec/address.h"
#include "codec/path.h"

/* reg-name, which includes every IPv4 address (RFC 3986 §3.2.2). */
static bool is_name(jz_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!jz_is_unreserved(text.start[i]) && !jz_is_sub_delimiter(text.start[i]) && !jz_is_escape_at(text, i))
            return false;
        if (text.start[i] == '%')
            i += 2;
    }
    return text.length > 0;
}

/* "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
static bool is_future_address(jz_text text)
{
    jz_text version;
    if (!jz_text_take_until(&text, '.', &version) || version.length < 2 || (version.start[0] | 0x20) != 'v')
        return false;
    for (size_t i = 1; i < version.length; i++) {
        if (jz_hexadecimal_value(version.start[i]) < 0)
            return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (!jz_is_unreserved(text.start[i]) && !jz_is_sub_delimiter(text.start[i]) && text.start[i] != ':')
            return false;
    }
    return text.length > 0;
}

static bool is_address(jz_text text)
{
    uint8_t ip[16];
    return jz_ip_parse_ipv6(text, ip) || is_future_address(text);
}

/* Nothing, or a colon and digits. */
static bool is_port(jz_text text)
{
    if (text.length > 0 && text.start[0] != ':')
        return false;
    for (size_t i = 1; i < text.length; i++) {
        if (text.start[i] < '0' || text.start[i] > '9')
            return false;
    }
    return true;
}

bool jz_authority_is_valid(jz_text text)
{
    if (text.length > 0 && text.start[0] == '[') {
        jz_text inside;
        jz_text_skip(&text, 1);
        return jz_text_take_until(&text, ']', &inside) && is_address(inside) && is_port(text);
    }
    size_t host = 0;
    while (host < text.length && text.start[host] != ':')
        host++;
    return is_name((jz_text){text.start, host}) && is_port((jz_text){text.start + host, text.length - host});
}
