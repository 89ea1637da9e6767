/*
 * Who the client is, according to the proxies in between: X-Forwarded-For, Forwarded (RFC 7239), or a header with one
 * address.
 *
 * Each proxy appends the address of the peer that connected to it. So the last element was written by the TCP peer, the
 * one before it by the host that the last element names, and so on. An element counts only if its writer is trusted;
 * the elements in front of it may be invented by the client, and are ignored. Call these functions only for trusted
 * peers.
 */
#ifndef JAZZY_CODEC_FORWARDED_H
#define JAZZY_CODEC_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/address.h"
#include "codec/request_head.h"

enum { JZ_MAX_FORWARDED_VALUE = 320 }; /* bytes: a name has at most 255, an address with a port fewer */

/*
 * Finds the last address that is not trusted, or the first address if all are trusted. An element that is no address
 * ("unknown", "_hidden", anything malformed) hides the elements in front of it: then the address behind it counts.
 * False if there is none; `client` is then unchanged. The port is 0 where none is given.
 */
bool jz_x_forwarded_for(const jz_request_head *head, const jz_network *trusted, size_t trusted_count,
                        jz_address *client);

/* The same with the "for" parameters of Forwarded. An element without "for" names nobody. */
bool jz_forwarded(const jz_request_head *head, const jz_network *trusted, size_t trusted_count, jz_address *client);

/* What a header that has one address says. */
typedef enum jz_client_naming {
    JZ_CLIENT_NOT_NAMED, /* it is not there */
    JZ_CLIENT_NAMED,
    JZ_CLIENT_MISNAMED /* it is there more than once, or has anything but one address */
} jz_client_naming;

/* The address in the header of that name. `client` is unchanged unless it is named. */
jz_client_naming jz_client_in_header(const jz_request_head *head, const char *name, jz_address *client);

/* A host, and perhaps a port, from a header. */
typedef struct jz_host_value {
    char bytes[JZ_MAX_FORWARDED_VALUE];
    size_t length;
} jz_host_value;

/*
 * The host that the client asked for: the last element of X-Forwarded-Host; or the first "host" of Forwarded such that
 * all elements behind it were written by trusted proxies. False if there is none. A malformed host (codec/authority.h)
 * is found, but as an empty text, so that no other host is taken instead.
 */
bool jz_x_forwarded_host(const jz_request_head *head, jz_host_value *host);
bool jz_forwarded_host_of(const jz_request_head *head, const jz_network *trusted, size_t trusted_count,
                          jz_host_value *host);

/* What a header says of the scheme by which the client has come. */
typedef enum jz_scheme_naming {
    JZ_SCHEME_NOT_NAMED,
    JZ_SCHEME_PLAIN, /* anything but the next */
    JZ_SCHEME_SECURE /* https or wss */
} jz_scheme_naming;

/*
 * The last element of X-Forwarded-Proto; or the "proto" of that element of Forwarded in which the first trusted proxy
 * names its client, also if its "for" is hidden or missing.
 */
jz_scheme_naming jz_x_forwarded_scheme(const jz_request_head *head);
jz_scheme_naming jz_forwarded_scheme(const jz_request_head *head, const jz_network *trusted, size_t trusted_count);

#endif
