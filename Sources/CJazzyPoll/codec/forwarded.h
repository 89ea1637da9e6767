/*
 * Who the client is, as the proxies between tell it: X-Forwarded-For, and Forwarded (RFC 7239).
 *
 * Each proxy appends the address that it was connected from, so the last element is the word of the TCP peer, the one
 * before it the word of whom that element names, and so on. Each counts as far as whoever said it is trusted; what
 * is in front may be the client's own invention, and is not looked at. Both functions are for peers that are trusted.
 */
#ifndef JAZZY_CODEC_FORWARDED_H
#define JAZZY_CODEC_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/address.h"
#include "codec/request_head.h"

enum { JZ_MAX_FORWARDED_VALUE = 320 }; /* bytes: a name has 255 at most, an address with a port fewer */

/*
 * Finds the last address that is not trusted, or the first of all when all are. An element that is no address
 * ("unknown", "_hidden", anything ill-formed) hides what is in front of it: then the address after it counts. False,
 * leaving `client` alone, where there is none. Ports are those that are given, else 0.
 */
bool jz_x_forwarded_for(const jz_request_head *head, const jz_network *trusted, size_t trusted_count,
                        jz_address *client);

/* The same with the "for" parameters of Forwarded. An element without that names nobody. */
bool jz_forwarded(const jz_request_head *head, const jz_network *trusted, size_t trusted_count, jz_address *client);

/* A host, and perhaps a port, out of a header. */
typedef struct jz_host_value {
    char bytes[JZ_MAX_FORWARDED_VALUE];
    size_t length;
} jz_host_value;

/*
 * The host that the client asked for: the last element of X-Forwarded-Host, whoever wrote the others; or the "host" of
 * Forwarded that stands furthest in front, as far as the elements behind it are of trusted proxies. False where there
 * is none. One that is no host (codec/authority.h) is found, and empty: it must not be taken for another.
 */
bool jz_x_forwarded_host(const jz_request_head *head, jz_host_value *host);
bool jz_forwarded_host_of(const jz_request_head *head, const jz_network *trusted, size_t trusted_count,
                          jz_host_value *host);

#endif
