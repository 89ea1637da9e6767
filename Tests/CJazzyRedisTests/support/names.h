/* Look-ups of names, which a test may answer as it likes. The linker leads getaddrinfo here. */
#ifndef JAZZY_REDIS_TESTS_NAMES_H
#define JAZZY_REDIS_TESTS_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* "many.test" has so many addresses, all of them 127.0.0.1. */
void names_have_addresses(size_t count);

/* The next look-up of "moves.test" leads to this port, all others to the one that is asked for; all to 127.0.0.1. */
void names_lead_once_to(uint16_t port);

/* Look-ups of "hangs.test" wait until `names_answer`; then it is not found. How many wait now. */
size_t names_hanging(void);
void names_hang(void);
void names_answer(void);

#endif
