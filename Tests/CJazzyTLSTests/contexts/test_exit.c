/* A program may exit while loops shake hands: OpenSSL is still there for them. */
#define _DEFAULT_SOURCE

#include <sys/wait.h>
#include <unistd.h>

#include "support/setting.h"

static jz_tls *tls; /* of the process that exits */

/* Registered before OpenSSL is first called: what it does at exit has been done by then. */
static void shake_hands_late(void)
{
    handshake handshake = handshake_with(tls, &(client_plan){0});
    _exit(handshake.has_succeeded ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* The process: nothing in it has called OpenSSL before. */
static void exit_early(char *certificate_file, char *key_file)
{
    const jz_tls_certificate given = {.certificate_file = certificate_file, .key_file = key_file};
    jz_tls_options options = options_with(&given, 1);
    atexit(shake_hands_late);
    tls = jz_tls_create(&options, NULL);
    if (tls == NULL)
        _exit(EXIT_FAILURE);
    exit(EXIT_FAILURE); /* which becomes what the last handler says */
}

static void handshakes_succeed_while_a_program_exits(void **state)
{
    (void)state;
    made own = authority_make(&(plan){0});
    jz_tls_certificate given = in_files("own", &own);
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "test_exit", given.certificate_file, given.key_file, (char *)NULL);
        _exit(EXIT_FAILURE);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(int count, char **arguments)
{
    if (count == 3)
        exit_early(arguments[1], arguments[2]);
    const struct CMUnitTest tests[] = {
        setting_test(handshakes_succeed_while_a_program_exits),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
