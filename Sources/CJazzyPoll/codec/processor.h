/* Which of the code for particular processors this one can run. */
#ifndef JAZZY_CODEC_PROCESSOR_H
#define JAZZY_CODEC_PROCESSOR_H

#include <stdatomic.h>
#include <stdbool.h>

/* Vector instructions, in the order in which they are preferred. What the compiler may use anyway is PORTABLE. */
typedef enum jz_vectors { JZ_VECTORS_PORTABLE, JZ_VECTORS_NEON, JZ_VECTORS_AVX2, JZ_VECTORS_AVX512 } jz_vectors;

enum { JZ_VECTORS_COUNT = JZ_VECTORS_AVX512 + 1 };

const char *jz_vectors_name(jz_vectors vectors);

/* Whether this processor, and this build, has them. */
bool jz_vectors_are_available(jz_vectors vectors);

/* Private to jz_vectors_in_use: 0 as long as nobody has looked, else one more than a jz_vectors. */
extern _Atomic int jz_chosen_vectors;
jz_vectors jz_choose_vectors(void);

/* Those that are used: the best there are. Any thread; cheap. */
static inline jz_vectors jz_vectors_in_use(void)
{
    int chosen = atomic_load_explicit(&jz_chosen_vectors, memory_order_relaxed);
    return chosen != 0 ? (jz_vectors)(chosen - 1) : jz_choose_vectors();
}

/* For tests: uses others that are available. */
void jz_use_vectors(jz_vectors vectors);

#endif
