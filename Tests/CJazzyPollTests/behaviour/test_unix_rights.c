/* Permissions of a server's Unix domain socket, and the addresses that servers log. */
#define _DEFAULT_SOURCE

#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jazzy.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/folder.h"
#include "support/log_lines.h"
#include "support/serving.h"
#include "support/testing.h"

static test_client client;
static log_lines lines;

static void handle_nothing(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context, (void)ws, (void)event, (void)message;
}

static jz_server *create(uint32_t threads)
{
    jz_options options = serving_options(threads);
    log_lines_begin(&lines, &options);
    jz_server *server = jz_server_create(&options, NULL);
    assert_non_null(server);
    assert_int_equal(jz_server_route_ws(server, "/", NULL, handle_nothing, NULL, NULL), JZ_OK);
    return server;
}

static struct stat status_of_file(void)
{
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    return status;
}

static void listen_with(jz_server *server, const jz_unix_options *options)
{
    jz_error error = {0};
    assert_that(jz_server_listen_unix_with(server, path, options, &error) == JZ_OK, "%s", error.message);
}

static const struct {
    mode_t umask;
    uint32_t mode; /* 0: as the umask leaves it */
    mode_t expected;
} modes[] = {
    {0077, 0666, 0666}, {0, 0600, 0600}, {0022, 0660, 0660}, {0777, 0777, 0777},
    {0, 01, 01},        {0, 0, 0777},    {0027, 0, 0750},
};

static void the_file_has_the_mode_that_is_asked_for_whatever_the_umask(void **state)
{
    (void)state;
    mode_t before = umask(0);
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        jz_server *server = create(1);
        umask(modes[i].umask);
        listen_with(server, &(jz_unix_options){.mode = modes[i].mode});
        assert_int_equal(status_of_file().st_mode & 07777, modes[i].expected);
        assert_int_equal(jz_server_start(server, NULL), JZ_OK);
        jz_server_destroy(server);
    }
    umask(before);
}

static void without_options_it_is_as_without_them(void **state)
{
    (void)state;
    mode_t before = umask(0027);
    jz_server *server = create(1);
    listen_with(server, NULL);
    umask(before);
    assert_int_equal(status_of_file().st_mode & 07777, 0750);
    assert_int_equal(status_of_file().st_uid, geteuid());
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(test_client_connect_unix(&client, path));
    assert_true(test_client_upgrade(&client, UPGRADE_REQUEST("/")));
    test_client_close(&client);
    jz_server_destroy(server);
}

/* The bits that the file was ever seen to have, by a thread that does nothing but look. */
static atomic_bool is_watching;
static atomic_uint seen_bits;
static atomic_uint times_seen;

static void *watch_file(void *unused)
{
    (void)unused;
    while (is_watching) {
        struct stat status;
        if (lstat(path, &status) != 0)
            continue;
        atomic_fetch_or(&seen_bits, (unsigned)status.st_mode & 0777);
        times_seen++;
    }
    return NULL;
}

static void the_file_never_has_looser_rights_not_for_a_moment(void **state)
{
    (void)state;
    mode_t before = umask(0);
    pthread_t watcher;
    is_watching = true;
    assert_int_equal(pthread_create(&watcher, NULL, watch_file, NULL), 0);
    uint64_t deadline = test_deadline();
    for (int i = 0; i < 200 || times_seen < 200; i++) {
        assert_true(test_is_before(deadline));
        jz_server *server = create(1);
        listen_with(server, &(jz_unix_options){.mode = 0600});
        jz_server_destroy(server);
    }
    is_watching = false;
    pthread_join(watcher, NULL);
    umask(before);
    assert_int_equal(seen_bits, 0600);
}

static void the_file_has_the_owner_that_is_asked_for(void **state)
{
    (void)state;
    const struct passwd *self = getpwuid(geteuid());
    assert_non_null(self);
    char by_name[128];
    char by_number[128];
    char group_alone[64];
    snprintf(by_name, sizeof by_name, "%s", self->pw_name);
    snprintf(by_number, sizeof by_number, "%u:%u", (unsigned)geteuid(), (unsigned)getegid());
    snprintf(group_alone, sizeof group_alone, ":%u", (unsigned)getegid());
    const struct {
        const char *owner;
        uid_t user;
        gid_t group;
        bool needs_root;
    } owners[] = {
        {by_name, geteuid(), getegid(), false},     {by_number, geteuid(), getegid(), false},
        {group_alone, geteuid(), getegid(), false}, {NULL, geteuid(), getegid(), false},
        {"12345:54321", 12345, 54321, true},        {":54321", geteuid(), 54321, true},
        {"12345", 12345, getegid(), true},
    };
    for (size_t i = 0; i < COUNT_OF(owners); i++) {
        if (owners[i].needs_root && geteuid() != 0)
            continue;
        jz_server *server = create(1);
        listen_with(server, &(jz_unix_options){.mode = 0660, .owner = owners[i].owner});
        struct stat status = status_of_file();
        assert_that(status.st_uid == owners[i].user && status.st_gid == owners[i].group, "%s: %u:%u", owners[i].owner,
                    (unsigned)status.st_uid, (unsigned)status.st_gid);
        assert_int_equal(status.st_mode & 07777, 0660);
        jz_server_destroy(server);
    }
}

static const struct {
    jz_unix_options options;
    const char *words;
} wrong[] = {
    {{.mode = 01000}, "with the mode 01000: it has to be from 01 to 0777"},
    {{.mode = 0xFFFFFFFF}, "with the mode 037777777777"},
    {{.owner = ""}, "of the owner \"\": it has to be \"user\", \"user:group\" or \":group\""},
    {{.owner = ":"}, "of the owner \":\""},
    {{.owner = "root:"}, "of the owner \"root:\""},
    {{.owner = "no such user"}, "of the owner \"no such user\""},
    {{.owner = ":no such group"}, "of the owner \":no such group\""},
    {{.owner = "0:0:0"}, "of the owner \"0:0:0\""},
    {{.owner = "-1"}, "of the owner \"-1\""},
    {{.owner = "4294967295"}, "of the owner \"4294967295\""},
    {{.owner = "42949672960"}, "of the owner \"42949672960\""},
    {{.owner = "0x1"}, "of the owner \"0x1\""},
};

static void a_mode_or_owner_that_there_is_not_is_refused_and_leaves_no_file(void **state)
{
    (void)state;
    jz_server *server = create(1);
    size_t descriptors = serving_descriptors();
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        jz_error error = {0};
        jz_status status = jz_server_listen_unix_with(server, path, &wrong[i].options, &error);
        assert_that(status == JZ_STATUS_INVALID_ADDRESS && strstr(error.message, wrong[i].words) != NULL, "%d: %s",
                    (int)status, error.message);
        assert_int_not_equal(access(path, F_OK), 0);
    }
    assert_int_equal(serving_descriptors(), descriptors);
    jz_server_destroy(server);
}

static void an_owner_that_may_not_be_given_is_refused_and_leaves_no_file(void **state)
{
    (void)state;
    uid_t before = geteuid();
    if (before == 0) {
        assert_int_equal(chmod(folder, 0777), 0);
        assert_int_equal(seteuid(12345), 0);
    }
    jz_server *server = create(1);
    jz_error error = {0};
    jz_status status = jz_server_listen_unix_with(server, path, &(jz_unix_options){.owner = "54321"}, &error);
    bool is_there = access(path, F_OK) == 0;
    jz_server_destroy(server);
    assert_int_equal(seteuid(before), 0);
    assert_that(status == JZ_STATUS_PERMISSION_DENIED && strstr(error.message, "only root may give a file") != NULL,
                "%d: %s", (int)status, error.message);
    assert_false(is_there);
}

static void expect_told(const char *expected)
{
    pthread_mutex_lock(&lines.lock);
    char told[LOG_LINE_SIZE];
    memcpy(told, lines.listens, sizeof told);
    pthread_mutex_unlock(&lines.lock);
    assert_string_equal(told, expected);
    assert_int_equal(lines.listens_count, 1);
}

static void a_server_tells_once_where_it_listens_when_it_begins_to_run(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
        jz_server *server = create(threads);
        char expected[LOG_LINE_SIZE];
        assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
        assert_int_equal(jz_server_listen_unix(server, path, NULL), JZ_OK);
        assert_int_equal(lines.listens_count, 0);
        assert_int_equal(jz_server_start(server, NULL), JZ_OK);
        snprintf(expected, sizeof expected, "127.0.0.1:%u, %s", jz_server_port(server), path);
        expect_told(expected);
        jz_server_destroy(server);
        expect_told(expected);
    }
    jz_server *server = create(1);
    assert_int_equal(jz_server_listen(server, NULL, 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    char ipv6[64];
    char ipv4[64];
    snprintf(ipv6, sizeof ipv6, "[::]:%u", jz_server_port(server));
    snprintf(ipv4, sizeof ipv4, "0.0.0.0:%u", jz_server_port(server)); /* where the machine has no IPv6 */
    expect_told(strcmp(lines.listens, ipv4) == 0 ? ipv4 : ipv6);
    jz_server_destroy(server);
}

static void many_addresses_are_told_in_several_lines_none_of_them_cut(void **state)
{
    (void)state;
    jz_server *server = create(1);
    for (int i = 0; i < JZ_MAX_LISTENERS; i++)
        assert_int_equal(jz_server_listen(server, "127.0.0.1", 0, NULL), JZ_OK);
    assert_int_equal(jz_server_start(server, NULL), JZ_OK);
    assert_true(lines.listens_count >= 1 && strstr(lines.listens, "\xE2\x80\xA6") == NULL);
    jz_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_has_the_mode_that_is_asked_for_whatever_the_umask),
        cmocka_unit_test(without_options_it_is_as_without_them),
        cmocka_unit_test(the_file_never_has_looser_rights_not_for_a_moment),
        cmocka_unit_test(the_file_has_the_owner_that_is_asked_for),
        cmocka_unit_test(a_mode_or_owner_that_there_is_not_is_refused_and_leaves_no_file),
        cmocka_unit_test(an_owner_that_may_not_be_given_is_refused_and_leaves_no_file),
        cmocka_unit_test(a_server_tells_once_where_it_listens_when_it_begins_to_run),
        cmocka_unit_test(many_addresses_are_told_in_several_lines_none_of_them_cut),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("unix rights", tests, make_folder, remove_folder));
}
