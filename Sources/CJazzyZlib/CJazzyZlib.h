/* zlib, or what to do where it is missing: the one place that includes it for the core, and the package's module of it
   for tests in Swift. The name is ours alone: a user's package may have a module of zlib, too. */
#ifndef JAZZY_ZLIB_H
#define JAZZY_ZLIB_H

/* Standard from C23 on; who does not know it gets the compiler's own words. */
#ifdef __has_include
#if !__has_include(<zlib.h>)
#error "Jazzy needs zlib.h: apt install zlib1g-dev, dnf install zlib-devel, apk add zlib-dev, or brew install zlib"
#endif
#endif
#include <zlib.h>

#endif
