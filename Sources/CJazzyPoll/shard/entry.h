/* Finds the shard that owns a handle's connection, from any thread. */
#ifndef JAZZY_SHARD_ENTRY_H
#define JAZZY_SHARD_ENTRY_H

#include "shard/shard.h"

/* The shard that owns a connection; NULL if it is gone. Unless NULL, call jz_leave_shard soon. */
jz_shard *jz_enter_shard(jz_ws ws);
void jz_leave_shard(jz_ws ws);

#endif
