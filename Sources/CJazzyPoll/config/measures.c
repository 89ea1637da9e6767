#include "config/measures.h"

#define US UINT64_C(1000)
#define MS (1000 * US)
#define S (1000 * MS)

const jz_bounds jz_handler_bounds = {15,
                                     {1 * US, 2500, 5 * US, 10 * US, 25 * US, 50 * US, 100 * US, 250 * US, 500 * US,
                                      1 * MS, 5 * MS, 25 * MS, 100 * MS, 500 * MS, 2500 * MS}};
const jz_bounds jz_websocket_bounds = {
    11, {1 * S, 5 * S, 15 * S, 60 * S, 300 * S, 900 * S, 3600 * S, 14400 * S, 43200 * S, 86400 * S, 604800 * S}};
const jz_bounds jz_ping_bounds = {13,
                                  {1 * MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS,
                                   1 * S, 2500 * MS, 5 * S, 10 * S}};
const jz_bounds jz_timer_bounds = {
    12, {1 * MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, 1 * S, 2500 * MS, 5 * S}};

void jz_sampling_renew(jz_sampling *sampling)
{
    enum { LEAST = 33, RANGE_BITS = 6 }; /* 33 to 96: 64.5 on average */
    sampling->seed = sampling->seed * 1664525 + 1013904223;
    sampling->left = LEAST + (sampling->seed >> (32 - RANGE_BITS));
}
