/* The version of this library. */
#ifndef JAZZY_VERSION_H
#define JAZZY_VERSION_H

#include "compiler.h"

JZ_BEGIN_DECLARATIONS

/* The version of these headers: major, minor and patch, as CHANGELOG.md explains. */
#define JZ_VERSION "0.3.0"

/* The version of the library that runs. Static. From any thread. */
JZ_PUBLIC const char *jz_version(void);

JZ_END_DECLARATIONS

#endif
