/*
 * contexts/: what handshakes need, made of certificates, keys and options: names, policy, tickets, client authorities;
 * replaced as a whole by reloads. Not here: connections, sockets, bytes.
 *
 * What the channel uses of it. From any thread, unless stated otherwise.
 */
#ifndef JAZZY_TLS_CONTEXTS_CONTEXTS_H
#define JAZZY_TLS_CONTEXTS_CONTEXTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../CJazzyOpenSSL/CJazzyOpenSSL.h"
#include "jazzy/tls.h"
#include "records/library.h"

/* One immutable set of contexts, as one load of the files has made it; counted by reference. */
typedef struct jz_tls_generation jz_tls_generation;

/* The present one, with one more reference, which is to be released. Never NULL. */
jz_tls_generation *jz_tls_borrow_generation(jz_tls *tls);

/* In which all of its handshakes and records work. */
const jz_tls_library *jz_tls_library_of(const jz_tls *tls);

/* A handshake needs the generation until it has ended; afterwards the SSL keeps what it needs. */
void jz_tls_release_generation(jz_tls_generation *generation);

/* An SSL that accepts, without BIOs; NULL: no memory. The error queue may have entries then. */
SSL *jz_tls_generation_new_ssl(jz_tls_generation *generation);

/* What is known of a channel and of its peer once the handshake is done, also when its SSL has gone. NULL: no memory.
 */
typedef struct jz_tls_facts jz_tls_facts;
jz_tls_facts *jz_tls_facts_of(const SSL *ssl);
void jz_tls_facts_free(jz_tls_facts *facts);

/* The protocol of ALPN; NULL: none was negotiated. */
const char *jz_tls_protocol(const jz_tls_facts *facts);

/*
 * Property `index` of them: from 0 on, without gaps, until this returns false. Their names are in jazzy/tls.h. `value`
 * ends with a NUL that `length` does not count, and has no other. Borrowed until the next call for the same facts. One
 * thread at a time for them. It leaves no entry in the error queue.
 */
bool jz_tls_property(jz_tls_facts *facts, size_t index, const char **name, const char **value, size_t *length);

/* Increased by channels, one of them once for each handshake: differences of counts would fall while one is counted. */
typedef struct jz_tls_counters {
    atomic_uint_fast64_t full;
    atomic_uint_fast64_t resumed;
    atomic_uint_fast64_t failed;
} jz_tls_counters;

jz_tls_counters *jz_tls_counters_of(jz_tls *tls);

/* One that has succeeded. */
static inline void jz_tls_count_handshake(jz_tls_counters *counters, bool is_resumed)
{
    atomic_fetch_add_explicit(is_resumed ? &counters->resumed : &counters->full, 1, memory_order_relaxed);
}

#endif
