#include "pubsub/profile.h"

#include <stdlib.h>
#include <string.h>

jz_profile *jz_profile_create(jz_text key, const void *info, size_t info_length)
{
    jz_profile *profile = malloc(sizeof *profile + key.length + info_length);
    if (profile == NULL)
        return NULL;
    atomic_init(&profile->references, 1);
    profile->key_length = (uint32_t)key.length;
    profile->info_length = (uint32_t)info_length;
    memcpy(profile->bytes, key.start, key.length);
    if (info_length > 0)
        memcpy(profile->bytes + key.length, info, info_length);
    return profile;
}

jz_profile *jz_profile_retain(jz_profile *profile)
{
    atomic_fetch_add_explicit(&profile->references, 1, memory_order_relaxed);
    return profile;
}

void jz_profile_release(jz_profile *profile)
{
    if (profile != NULL && atomic_fetch_sub_explicit(&profile->references, 1, memory_order_acq_rel) == 1)
        free(profile);
}

bool jz_profile_equals(const jz_profile *a, const jz_profile *b)
{
    return a == b || (a->key_length == b->key_length && a->info_length == b->info_length &&
                      memcmp(a->bytes, b->bytes, (size_t)a->key_length + a->info_length) == 0);
}
