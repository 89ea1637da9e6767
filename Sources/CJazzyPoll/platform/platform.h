/*
 * platform/: what systems do in different ways, each difference in one file. Not here: readiness, which is in loop/.
 *
 * Other systems than these are refused here, rather than by an error that explains nothing.
 */
#ifndef JAZZY_PLATFORM_PLATFORM_H
#define JAZZY_PLATFORM_PLATFORM_H

#if !defined __linux__ && !defined __APPLE__ && !defined __FreeBSD__
#error "Jazzy runs on Linux, macOS and FreeBSD; another system needs its part in the files of platform/ and loop/poll.h"
#endif

#endif
