/*
 * Whole servers with all that kernels, allocators and clients can do: see scene.h and faults.h. Plays one scene after
 * the other, each from a seed. If one fails, its seed is printed: with it the options, the clients' input and the
 * faults are the same again; only the interleaving of threads differs.
 *
 *     driver [SECONDS [SEED]]       for so long, 10 seconds by default; SECONDS 0 plays the one scene of the seed
 */
#define _GNU_SOURCE

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "scene.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_DEATH_CALLBACK 1
void __sanitizer_set_death_callback(void (*callback)(void));
#endif
#endif

/* A scene is played in a second or two: longer than this, and it never ends. */
enum { LONGEST_SCENE_SECONDS = 60 };

/* A race ends the program, so that the printed seed is that of the scene. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "halt_on_error=1";
}

static char seed_text[128];

static void tell_seed(void)
{
    ssize_t written = write(STDERR_FILENO, seed_text, strlen(seed_text));
    (void)written;
}

static void tell_seed_on(int signal)
{
    tell_seed();
    if (signal == SIGALRM)
        fprintf(stderr, "it does not come to its end\n");
    scene_describe(); /* the process ends here, with locks held */
    if (signal == SIGALRM)
        abort();
}

static void play(uint64_t seed)
{
    snprintf(seed_text, sizeof seed_text, "\nthis was the scene of seed %" PRIu64 ": driver 0 %" PRIu64 "\n", seed,
             seed);
    alarm(LONGEST_SCENE_SECONDS);
    scene_play(seed);
    alarm(0);
}

int main(int count, char **arguments)
{
    unsigned long seconds = count > 1 ? strtoul(arguments[1], NULL, 10) : 10;
    uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 10) : (uint64_t)time(NULL) * 1000;
    struct sigaction action = {.sa_handler = tell_seed_on, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGABRT, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
#ifdef HAS_DEATH_CALLBACK
    __sanitizer_set_death_callback(tell_seed);
#endif
    faults_spare();
    time_t end = time(NULL) + (time_t)seconds;
    uint64_t scenes = 0;
    do {
        play(seed + scenes++);
    } while (time(NULL) < end);
    printf("driver: %" PRIu64 " scenes, from seed %" PRIu64 " on\n", scenes, seed);
    return EXIT_SUCCESS;
}
