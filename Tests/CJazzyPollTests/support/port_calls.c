#include "port_calls.h"

#include <stdatomic.h>

/* The names are the linker's (ld, --wrap). */
bool __real_jz_ports_can_be_shared(void);
bool __wrap_jz_ports_can_be_shared(void);

static atomic_bool is_denied;

void test_ports_cannot_be_shared(bool deny)
{
    is_denied = deny;
}

bool __wrap_jz_ports_can_be_shared(void)
{
    return !is_denied && __real_jz_ports_can_be_shared();
}
