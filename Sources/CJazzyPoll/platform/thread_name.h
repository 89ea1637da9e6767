/* The name of a thread, as debuggers, `top -H` and crash reports show it. */
#ifndef JAZZY_PLATFORM_THREAD_NAME_H
#define JAZZY_PLATFORM_THREAD_NAME_H

/* Names the calling thread; at most 15 bytes. Not for a thread of the application: the first one's is the process's. */
void jz_thread_take_name(const char *name);

#endif
