#include "jazzy/version.h"

const char *jz_version(void)
{
    return JZ_VERSION;
}
