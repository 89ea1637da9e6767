/* hiredis, or what to do where it is missing: the one place that includes it, for CJazzyRedis alone. The name is ours
   alone: a user's package may have a module of hiredis, too. */
#ifndef JAZZY_HIREDIS_H
#define JAZZY_HIREDIS_H

/* Standard from C23 on; who does not know it gets the compiler's own words. */
#ifdef __has_include
#if !__has_include(<hiredis/hiredis.h>)
#error "Jazzy's broker needs hiredis: apt install libhiredis-dev, dnf install hiredis-devel, or brew install hiredis"
#endif
#endif
#include <hiredis/hiredis.h>
#if HIREDIS_MAJOR == 0 && HIREDIS_MINOR < 14
#error "Jazzy's broker needs hiredis 0.14 or later; this one is older"
#endif

#endif
