#include "connection/counters.h"

unsigned jz_closes_index(uint16_t close_code)
{
    if (close_code >= 1000 && close_code < 1000 + JZ_CLOSES_RFC)
        return close_code - 1000u;
    if (close_code >= 4000)
        return JZ_CLOSES_PRIVATE;
    return close_code >= 3000 ? JZ_CLOSES_REGISTERED : JZ_CLOSES_OTHER_RFC;
}
