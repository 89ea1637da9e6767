#include "codec/text_blocks.h"

#include "jazzy/compiler.h"
#include "codec/processor.h"

jz_text_blocks *jz_text_blocks_in_use(void)
{
    switch (jz_vectors_in_use()) {
#ifdef JZ_HAS_AVX2
    case JZ_VECTORS_AVX2:
        return jz_text_blocks_avx2;
    case JZ_VECTORS_AVX512:
        return jz_text_blocks_avx512;
#endif
#if defined(__aarch64__) && defined(__ARM_NEON)
    case JZ_VECTORS_NEON:
        return jz_text_blocks_neon;
#endif
    default:
        return NULL;
    }
}
