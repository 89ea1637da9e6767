/* Which vector instructions this processor has. */
#ifndef JAZZY_CODEC_PROCESSOR_H
#define JAZZY_CODEC_PROCESSOR_H

#include <stdatomic.h>
#include <stdbool.h>

/* Vector instructions, in ascending order of preference. PORTABLE is what the compiler may use anyway. */
typedef enum jz_vectors { JZ_VECTORS_PORTABLE, JZ_VECTORS_NEON, JZ_VECTORS_AVX2, JZ_VECTORS_AVX512 } jz_vectors;

enum { JZ_VECTORS_COUNT = JZ_VECTORS_AVX512 + 1 };

const char *jz_vectors_name(jz_vectors vectors);

/* Whether this processor has them, and this build the code for them. */
bool jz_vectors_are_available(jz_vectors vectors);

/* Private to jz_vectors_in_use: 0 until the first call, then one more than a jz_vectors. */
extern _Atomic int jz_chosen_vectors;
jz_vectors jz_choose_vectors(void);

/* The best that are available. From any thread; cheap. */
static inline jz_vectors jz_vectors_in_use(void)
{
    int chosen = atomic_load_explicit(&jz_chosen_vectors, memory_order_relaxed);
    return chosen != 0 ? (jz_vectors)(chosen - 1) : jz_choose_vectors();
}

/* For tests: selects other available ones. */
void jz_use_vectors(jz_vectors vectors);

#endif
