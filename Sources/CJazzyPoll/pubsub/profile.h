/* What is told of a member of a topic: its key and its info. It never changes, and is counted by reference. */
#ifndef JAZZY_PUBSUB_PROFILE_H
#define JAZZY_PUBSUB_PROFILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/text.h"
#include "jazzy/presence.h"

typedef struct jz_profile {
    _Atomic uint32_t references;
    uint32_t key_length;
    uint32_t info_length;
    char bytes[]; /* the key, and the info behind it */
} jz_profile;

/* Copies both, whose lengths were checked. NULL when there is no memory. */
jz_profile *jz_profile_create(jz_text key, const void *info, size_t info_length);

jz_profile *jz_profile_retain(jz_profile *profile);

/* NULL does nothing. */
void jz_profile_release(jz_profile *profile);

/* Whether both tell the same. */
bool jz_profile_equals(const jz_profile *a, const jz_profile *b);

static inline jz_text jz_profile_key(const jz_profile *profile)
{
    return (jz_text){profile->bytes, profile->key_length};
}

static inline jz_member jz_profile_member(const jz_profile *profile)
{
    return (jz_member){.key = profile->bytes,
                       .key_length = profile->key_length,
                       .info = profile->bytes + profile->key_length,
                       .info_length = profile->info_length};
}

#endif
