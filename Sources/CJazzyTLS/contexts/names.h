/* Names of servers, as clients ask for them (SNI, RFC 6066 §3), and which context each of them has. */
#ifndef JAZZY_TLS_CONTEXTS_NAMES_H
#define JAZZY_TLS_CONTEXTS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JZ_TLS_LONGEST_NAME = 253 }; /* of DNS, without the last dot */

/* In lower case, without a last dot. */
typedef struct jz_tls_name {
    char text[JZ_TLS_LONGEST_NAME + 1];
} jz_tls_name;

/* False if it is no name of a host, or of all hosts of a domain ("*.example.com"). */
bool jz_tls_name_of(const char *text, size_t length, jz_tls_name *name);

/* A name that a certificate is for. */
typedef struct jz_tls_named {
    char *name;
    size_t certificate; /* which one */
    size_t context;     /* to be set by the owner, for all of the same name */
} jz_tls_named;

/* All zero at first. */
typedef struct jz_tls_names {
    jz_tls_named *all;
    size_t count;
    size_t capacity;
} jz_tls_names;

/* False: no memory. */
bool jz_tls_names_add(jz_tls_names *names, const jz_tls_name *name, size_t certificate);

/* By name, and those of the same name by certificate. */
void jz_tls_names_sort(jz_tls_names *names);

/* After sorting: the first entry of that name, or else of its wildcard; NULL: there is none. */
const jz_tls_named *jz_tls_names_find(const jz_tls_names *names, const jz_tls_name *name);

void jz_tls_names_free(jz_tls_names *names);

#endif
