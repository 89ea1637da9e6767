#include "guard.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static _Thread_local bool is_inside;

void guard_enter(const char *path)
{
    if (is_inside) {
        fprintf(stderr, "probe-server: the handler of %s was called within a handler\n", path);
        abort();
    }
    is_inside = true;
}

void guard_leave(void)
{
    is_inside = false;
}
