/* Addresses of peers, and networks: parsed strictly from text, formatted, and compared. */
#ifndef JAZZY_CODEC_ADDRESS_H
#define JAZZY_CODEC_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/text.h"

/*
 * A peer's address: IPv6, or IPv4 mapped to IPv6 (RFC 4291 §2.5.5.2), in network byte order, and a port. All zero means
 * a peer without an address, as on a Unix domain socket: no node has the address "::" (RFC 4291 §2.5.2).
 */
typedef struct jz_address {
    uint8_t ip[16];
    uint16_t port;
} jz_address;

/*
 * All addresses that begin with these bits. "unix" (peers without an address) is 128 zero bits; no other network
 * contains them, not even "::/0".
 */
typedef struct jz_network {
    uint8_t ip[16];
    uint8_t prefix_bits; /* 0 to 128, of the mapped form: 10.0.0.0/8 has 96 + 8 */
} jz_network;

void jz_ip_map_ipv4(const uint8_t ipv4[4], uint8_t ip[16]);
bool jz_ip_is_unspecified(const uint8_t ip[16]);
bool jz_ip_is_ipv4(const uint8_t ip[16]);
bool jz_ip_is_loopback(const uint8_t ip[16]); /* 127.0.0.0/8, ::1 */

/* Four decimal numbers without leading zeros, which some parsers would read as octal. */
bool jz_ip_parse_ipv4(jz_text text, uint8_t ip[16]);

/* Every form of RFC 4291 §2.2, without a zone. */
bool jz_ip_parse_ipv6(jz_text text, uint8_t ip[16]);

/* 0 to 65535 without leading zeros. */
bool jz_port_parse(jz_text text, uint16_t *port);

/*
 * "192.0.2.7", "192.0.2.7:80", "2001:db8::7", "[2001:db8::7]" or "[2001:db8::7]:80"; the port is 0 where there is none.
 * "::" is refused, because it would be taken for a peer without an address.
 */
bool jz_address_parse(jz_text text, jz_address *address);

/*
 * Writes "192.0.2.7:4711", "[2001:db8::7]:4711" or, for a peer without an address, "unix", and a NUL. `size` is at
 * least JZ_REMOTE_ADDRESS_SIZE.
 */
size_t jz_address_format(const jz_address *address, char *text, size_t size);

/*
 * "10.0.0.0/8", "2001:db8::/32", a single host ("192.0.2.7"), or "unix". Bits set beyond the prefix are refused: either
 * they or the prefix are a mistake. "::/0" contains every address, IPv4 too.
 */
bool jz_network_parse(jz_text text, jz_network *network);

/* Whether the address is in that network; the port is ignored. */
bool jz_network_contains(const jz_network *network, const jz_address *address);

#endif
