/* Content of files that was compressed once, and is kept for all loops. */
#ifndef JAZZY_SHARD_PACKED_H
#define JAZZY_SHARD_PACKED_H

#include "output/publication.h"

typedef struct jz_packed jz_packed;

/* Sizes in bytes: */
enum {
    JZ_MOST_TO_PACK = 4 * 1024 * 1024, /* of a file, whose compression takes a reading thread 0.1 s */
    JZ_LEAST_TO_PACK = 256,            /* smaller ones need as many packets */
    JZ_MOST_PACKED = 32 * 1024 * 1024  /* of all that is kept; what was used longest ago goes first */
};

typedef enum jz_packed_state {
    JZ_PACKED_HERE,
    JZ_PACKED_USELESS, /* it would not become smaller */
    JZ_PACKED_BUSY,    /* another thread is packing it */
    JZ_PACKED_NOT_YET  /* the caller has to pack it now, and to call jz_packed_keep */
} jz_packed_state;

/* NULL when there is no memory. */
jz_packed *jz_packed_create(void);
void jz_packed_free(jz_packed *packed);

/* Looks for a version of a file. HERE: `*content` gets a reference. From any thread. */
jz_packed_state jz_packed_find(jz_packed *packed, const char *name, const char *version, jz_publication **content);

/* Keeps the content, and a reference to it; NULL: it does not become smaller. Replaces other versions. */
void jz_packed_keep(jz_packed *packed, const char *name, const char *version, jz_publication *content);

/* It was not packed, because there is no memory, or the file cannot be read: somebody else may try. */
void jz_packed_give_up(jz_packed *packed, const char *name, const char *version);

#endif
