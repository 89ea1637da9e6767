/* Intel's ISA-L, or what to do where it is missing: the one place that includes it, for a core that was asked to have
   it. The name is ours alone: a user's package may have a module of it, too. */
#ifndef JAZZY_ISAL_H
#define JAZZY_ISAL_H

/* Standard from C23 on; who does not know it gets the compiler's own words. */
#ifdef __has_include
#if !__has_include(<isa-l/igzip_lib.h>)
#error "Jazzy's faster compression needs ISA-L: apt install libisal-dev, dnf install isa-l-devel, or brew install isa-l"
#endif
#endif
#include <isa-l/igzip_lib.h>

#endif
