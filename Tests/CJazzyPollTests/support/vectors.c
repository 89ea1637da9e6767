#include "vectors.h"

#include <stdio.h>

#include "codec/processor.h"

int test_with_each_vectors(int (*run)(const char *vectors))
{
    int failed = 0;
    jz_vectors before = jz_vectors_in_use();
    for (int i = 0; i < JZ_VECTORS_COUNT; i++) {
        jz_vectors vectors = (jz_vectors)i;
        if (!jz_vectors_are_available(vectors)) {
            printf("not tested, for this processor does not have it: %s\n", jz_vectors_name(vectors));
            continue;
        }
        jz_use_vectors(vectors);
        failed += run(jz_vectors_name(vectors));
    }
    jz_use_vectors(before);
    return failed;
}
