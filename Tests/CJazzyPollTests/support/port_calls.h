/* Whether the system distributes connections among listeners of a port, which can be denied: macOS does not. The linker
   leads the question here (Scripts/core.mk, --wrap). */
#ifndef JAZZY_TESTS_PORT_CALLS_H
#define JAZZY_TESTS_PORT_CALLS_H

#include <stdbool.h>

void test_ports_cannot_be_shared(bool deny);

#endif
