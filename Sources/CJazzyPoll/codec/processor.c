#include "codec/processor.h"

#include "jazzy/compiler.h"

_Atomic int jz_chosen_vectors;

const char *jz_vectors_name(jz_vectors vectors)
{
    static const char *const names[] = {[JZ_VECTORS_PORTABLE] = "portable",
                                        [JZ_VECTORS_NEON] = "NEON",
                                        [JZ_VECTORS_AVX2] = "AVX2",
                                        [JZ_VECTORS_AVX512] = "AVX-512"};
    return names[vectors];
}

bool jz_vectors_are_available(jz_vectors vectors)
{
    switch (vectors) {
#ifdef JZ_HAS_AVX2
    case JZ_VECTORS_AVX2:
        return JZ_HAS_AVX2;
    case JZ_VECTORS_AVX512:
        return JZ_HAS_AVX2 && JZ_HAS_AVX512;
#endif
    case JZ_VECTORS_NEON:
#if defined(__aarch64__) && defined(__ARM_NEON)
        return true;
#else
        return false;
#endif
    default:
        return vectors == JZ_VECTORS_PORTABLE;
    }
}

void jz_use_vectors(jz_vectors vectors)
{
    atomic_store_explicit(&jz_chosen_vectors, (int)vectors + 1, memory_order_relaxed);
}

/* Threads may do this at the same time: all of them find the same. */
jz_vectors jz_choose_vectors(void)
{
    int best = JZ_VECTORS_COUNT - 1;
    while (!jz_vectors_are_available((jz_vectors)best))
        best--;
    jz_use_vectors((jz_vectors)best);
    return (jz_vectors)best;
}
