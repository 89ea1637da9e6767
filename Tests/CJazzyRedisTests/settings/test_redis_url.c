/* Where Redis is: what each form of URL means, what is refused, and that no error shows a password. */
#include "settings/url.h"

#include <stdio.h>

#include "support/allocation.h"
#include "support/testing.h"

static const struct {
    const char *url;
    const char *user;
    const char *password;
    const char *path;
    const char *master;
    uint32_t database;
    const char *described;
} understood[] = {
    {"redis://127.0.0.1", NULL, NULL, NULL, NULL, 0, "127.0.0.1:6379"},
    {"redis://127.0.0.1:6380", NULL, NULL, NULL, NULL, 0, "127.0.0.1:6380"},
    {"redis://localhost:1/", NULL, NULL, NULL, NULL, 0, "localhost:1"},
    {"redis://redis_1.example-2.com:65535/15", NULL, NULL, NULL, NULL, 15, "redis_1.example-2.com:65535"},
    {"redis://h/2147483647", NULL, NULL, NULL, NULL, 2147483647, "h:6379"},
    {"redis://[::1]", NULL, NULL, NULL, NULL, 0, "[::1]:6379"},
    {"redis://[fe80::1%25eth0]:7000/1", NULL, NULL, NULL, NULL, 1, "[fe80::1%eth0]:7000"},
    {"redis://:secret@h", NULL, "secret", NULL, NULL, 0, "h:6379"},
    {"redis://me:secret@h:1/2", "me", "secret", NULL, NULL, 2, "h:1"},
    {"redis://me:@h", "me", "", NULL, NULL, 0, "h:6379"},
    {"redis://m%65:s%3a%2F%3f%40%25@h", "me", "s:/?@%", NULL, NULL, 0, "h:6379"},
    {"redis://me:s:e@cret@h", "me", "s:e@cret", NULL, NULL, 0, "h:6379"},
    {"redis://:%C3%BC@[::1]:1", NULL, "\xC3\xBC", NULL, NULL, 0, "[::1]:1"},
    {"rediss://h", NULL, NULL, NULL, NULL, 0, "h:6379"},
    {"unix:///run/redis.sock", NULL, NULL, "/run/redis.sock", NULL, 0, "/run/redis.sock"},
    {"unix:///run/redis@home.sock?db=3", NULL, NULL, "/run/redis@home.sock", NULL, 3, "/run/redis@home.sock"},
    {"unix://me:secret@/run/r@1%3F.sock?db=", "me", "secret", "/run/r@1?.sock", NULL, 0, "/run/r@1?.sock"},
    {"redis-sentinel://a/mymaster", NULL, NULL, NULL, "mymaster", 0, "mymaster of the Sentinels at a:26379"},
    {"redis-sentinel://:secret@a:1,[::1],c:3/my%2Fmaster/7", NULL, "secret", NULL, "my/master", 7,
     "my/master of the Sentinels at a:1, [::1]:26379, c:3"},
    {"rediss-sentinel://me:secret@a,b:2/mymaster", "me", "secret", NULL, "mymaster", 0,
     "mymaster of the Sentinels at a:26379, b:2"},
};

static bool is_same(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

static void each_form_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(understood); i++) {
        jz_redis_url url;
        jz_error error = {0};
        assert_that(jz_redis_url_parse(understood[i].url, &url, &error) == JZ_OK, "%s: %s", understood[i].url,
                    error.message);
        assert_that(is_same(url.user, understood[i].user), "%s: %s", understood[i].url, url.user);
        assert_that(is_same(url.password, understood[i].password), "%s: %s", understood[i].url, url.password);
        assert_that(is_same(url.path, understood[i].path), "%s: %s", understood[i].url, url.path);
        assert_that(is_same(url.master, understood[i].master), "%s: %s", understood[i].url, url.master);
        assert_that(url.database == understood[i].database, "%s: %u", understood[i].url, (unsigned)url.database);
        assert_int_equal(url.where, url.path != NULL     ? JZ_REDIS_AT_PATH
                                    : url.master != NULL ? JZ_REDIS_AT_SENTINEL
                                                         : JZ_REDIS_AT_HOST);
        assert_int_equal(url.is_tls, strncmp(understood[i].url, "rediss", 6) == 0);
        char described[128];
        jz_redis_url_describe(&url, described, sizeof described);
        assert_string_equal(described, understood[i].described);
        jz_redis_url_clear(&url);
    }
}

/* Each has PASSWORD where a password may be meant. */
static const struct {
    const char *url;
    const char *said;
} refused[] = {
    {"", "has to begin with redis://, rediss://, unix://, redis-sentinel:// or rediss-sentinel://"},
    {"127.0.0.1:6379", "has to begin with redis://"},
    {"http://127.0.0.1", "has to begin with redis://"},
    {"REDIS://h", "has to begin with redis://"},
    {"PASSWORD@h", "has to begin with redis://"},
    {"redis://", "names no host"},
    {"redis:///0", "names no host"},
    {"redis://:PASSWORD@", "names no host"},
    {"redis://:PASSWORD@/1", "names no host"},
    {"redis://PASSWORD@h", "names a user without a password"},
    {"redis://:@h", "has an empty password"},
    {"redis://:PASSWORD%@h", "has a password with a %"},
    {"redis://:PASSWORD%4@h", "has a password with a %"},
    {"redis://:PASSWORD%4G@h", "has a password with a %"},
    {"redis://:PASSWORD%00@h", "has a password with a %"},
    {"redis://me%:PASSWORD@h", "has a user with a %"},
    {"redis://:PASS/PASSWORD@h", "in a password these are %2F, %3F and %23"},
    {"redis://me:PASS?PASSWORD@h", "in a password these are %2F, %3F and %23"},
    {"redis://me:PASSWORD#1@h", "in a password these are %2F, %3F and %23"},
    {"redis://me:PA@SS/PASSWORD@h", "in a password these are %2F, %3F and %23"},
    {"redis://h:", "has a port that is not a number from 1 to 65535"},
    {"redis://h:0", "has a port that is not a number from 1 to 65535"},
    {"redis://h:65536", "has a port that is not a number from 1 to 65535"},
    {"redis://h:99999999999999999999999", "has a port that is not a number from 1 to 65535"},
    {"redis://me:PASSWORD", "has a port that is not a number from 1 to 65535"},
    {"redis://h: 1", "has a port that is not a number from 1 to 65535"},
    {"redis://::1", "an address of IPv6 stands in brackets"},
    {"redis://[::1", "has no ']' behind its '['"},
    {"redis://[::1]1", "has something between ']' and the port"},
    {"redis://[]", "has a host that is none"},
    {"redis://[::1%eth0]", "has a host with a %"},
    {"redis://h h", "has a host that is none"},
    {"redis://h\xC3\xBC", "has a host that is none"},
    {"redis://a,b", "has a host that is none"},
    {"redis://h/one", "has a database that is not a number"},
    {"redis://h/-1", "has a database that is not a number"},
    {"redis://h/1/2", "has a database that is not a number"},
    {"redis://h/2147483648", "has a database that is not a number"},
    {"redis://h?db=1", "has a '?' or '#'"},
    {"redis://h/1#2", "has a '?' or '#'"},
    {"unix://", "has a path that does not begin with '/'"},
    {"unix://run/redis.sock", "has a path that does not begin with '/'"},
    {"unix://:PASSWORD@", "has a path that does not begin with '/'"},
    {"unix://:PASS/PASSWORD@/run/redis.sock", "in a password these are %2F, %3F and %23"},
    {"unix:///run/redis.sock?database=1", "has something else than db behind its '?'"},
    {"unix:///run/redis.sock?db=one", "has a database that is not a number"},
    {"unix:///run/%zz", "has a path with a %"},
    {"unix:///"
     "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901",
     "has a path that is too long for a unix socket"},
    {"redis-sentinel://a", "does not say by which name the Sentinels know the master"},
    {"rediss-sentinel://:PASSWORD@a", "it is written rediss-sentinel://"},
    {"redis-sentinel://a/", "does not say by which name the Sentinels know the master"},
    {"redis-sentinel:///mymaster", "names no host"},
    {"redis-sentinel://a,/mymaster", "names no host"},
    {"redis-sentinel://,a/mymaster", "names no host"},
    {"redis-sentinel://a:1,b:x/mymaster", "has a port that is not a number from 1 to 65535"},
    {"redis-sentinel://a/my%master", "has a name with a %"},
    {"redis-sentinel://a/mymaster/x", "has a database that is not a number"},
};

static void what_is_wrong_is_said_without_the_password(void **state)
{
    (void)state;
    size_t live = test_live_allocations();
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        jz_redis_url url;
        jz_error error = {0};
        assert_that(jz_redis_url_parse(refused[i].url, &url, &error) == JZ_STATUS_INVALID_OPTION, "%s", refused[i].url);
        assert_int_equal(error.status, JZ_STATUS_INVALID_OPTION);
        assert_that(strstr(error.message, refused[i].said) != NULL, "%s: %s", refused[i].url, error.message);
        assert_that(strstr(error.message, "PASS") == NULL, "%s: %s", refused[i].url, error.message);
        assert_that(strlen(error.message) < sizeof error.message - 1, "%s: it is cut", refused[i].url);
        jz_redis_url_clear(&url);
        assert_int_equal(test_live_allocations(), live);
    }
}

static void without_memory_there_is_an_error_and_no_leak(void **state)
{
    (void)state;
    static const char *const urls[] = {"redis://me:secret@h:1/2", "unix://me:secret@/run/redis.sock?db=1",
                                       "redis-sentinel://me:secret@a,b,c/mymaster/1"};
    size_t live = test_live_allocations();
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        jz_status status = JZ_STATUS_OUT_OF_MEMORY;
        for (size_t step = 0; status != JZ_OK; step++) {
            jz_redis_url url;
            jz_error error = {0};
            test_allocations_fail_after(step);
            status = jz_redis_url_parse(urls[i], &url, &error);
            test_allocations_succeed();
            assert_true(status == JZ_OK || status == JZ_STATUS_OUT_OF_MEMORY);
            assert_int_equal(error.status, status);
            jz_redis_url_clear(&url);
            assert_int_equal(test_live_allocations(), live);
        }
    }
}

static void a_description_is_cut_to_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(understood); i++) {
        jz_redis_url url;
        jz_error error;
        assert_int_equal(jz_redis_url_parse(understood[i].url, &url, &error), JZ_OK);
        for (size_t capacity = 1; capacity <= strlen(understood[i].described) + 1; capacity++) {
            char *described = malloc(capacity);
            assert_non_null(described);
            jz_redis_url_describe(&url, described, capacity);
            assert_int_equal(strlen(described), capacity - 1);
            assert_memory_equal(described, understood[i].described, capacity - 1);
            free(described);
        }
        jz_redis_url_clear(&url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_understood),
        cmocka_unit_test(what_is_wrong_is_said_without_the_password),
        cmocka_unit_test(without_memory_there_is_an_error_and_no_leak),
        cmocka_unit_test(a_description_is_cut_to_its_place),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("redis url", tests, NULL, NULL));
}
