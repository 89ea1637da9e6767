/*
 * Clients that come back to topics with history, all at once: the server, and the clients, in processes of their own.
 *
 *     bench-resume serve [--port N] [--threads N] [--topics N]
 *     bench-resume come --port N [--topics N] [--clients N] [--sockets N] [--number N]
 *
 * Both have the same topics. Clients end with one JSON object on standard output; what a client gets is checked, byte
 * for byte, and any that has missed something, or gets something twice, ends the program.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "task.h"

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bench-resume: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static _Noreturn void explain(void)
{
    fputs("usage: bench-resume serve [--port N] [--threads N] [--topics N]\n"
          "       bench-resume come --port N [--topics N] [--clients N] [--sockets N] [--number N]\n",
          stderr);
    exit(2);
}

static size_t number_of(const char *flag, const char *value, size_t least, size_t most)
{
    char *end = NULL;
    unsigned long long number = value != NULL ? strtoull(value, &end, 10) : 0;
    if (value == NULL || end == value || *end != '\0' || value[0] == '-' || number < least || number > most) {
        fprintf(stderr, "bench-resume: %s takes a number from %zu to %zu\n", flag, least, most);
        exit(2);
    }
    return (size_t)number;
}

int main(int count, char **arguments)
{
    task task = {.threads = 1, .topics = 1000, .clients = 1000, .sockets = 1000};
    bool serves = count > 1 && strcmp(arguments[1], "serve") == 0;
    if (!serves && (count < 2 || strcmp(arguments[1], "come") != 0))
        explain();
    for (int i = 2; i < count; i += 2) {
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (strcmp(arguments[i], "--port") == 0)
            task.port = (uint16_t)number_of("--port", value, 0, 65535);
        else if (strcmp(arguments[i], "--threads") == 0)
            task.threads = (uint32_t)number_of("--threads", value, 1, 64);
        else if (strcmp(arguments[i], "--topics") == 0)
            task.topics = number_of("--topics", value, 1, 100000);
        else if (strcmp(arguments[i], "--clients") == 0)
            task.clients = number_of("--clients", value, 1, 10000000);
        else if (strcmp(arguments[i], "--sockets") == 0)
            task.sockets = number_of("--sockets", value, 1, 60000);
        else if (strcmp(arguments[i], "--number") == 0)
            task.number = number_of("--number", value, 0, 200);
        else
            explain();
    }
    return serves ? serve(&task) : come(&task);
}
