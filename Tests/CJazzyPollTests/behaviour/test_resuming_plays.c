/*
 * Plays, chosen by seeds: threads and handlers on several loops publish to a topic with history, while clients lose
 * their connections at random points, also in the middle of a frame, and come back with the position that they have
 * counted, or with what is none, and some get messages in envelopes (support/follower.h); clocks jump; and in some
 * plays the server is killed, and another one comes. What each client has at an offset is what every other has there;
 * those who have recovered have missed nothing, and at the end all are at the end. JAZZY_RESUMING_SEEDS=FIRST-LAST
 * plays others than the first 100; `make nightly-resuming` 10,000 of them.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#define _DARWIN_C_SOURCE

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jazzy.h"
#include "support/clock.h"
#include "support/eventually.h"
#include "support/follower.h"
#include "support/testing.h"
#include "support/throttled_transport.h"

enum {
    PUBLISHERS = 2, /* of each server */
    MOST_LIVES = 5,
    FOLLOWERS = 4,
    EACH = 250,
    FOLLOWERS_FROM = PUBLISHERS * (MOST_LIVES + 1), /* numbers of publishers: lives are counted from 1 on */
    MOST_PUBLISHERS = FOLLOWERS_FROM + FOLLOWERS * MOST_VISITS
};

#define TOPIC FOLLOWED_TOPIC, sizeof FOLLOWED_TOPIC - 1

static stage *shared; /* shared with the processes of servers that are killed */

/* --- A server ----------------------------------------------------------------------------------------------------- */

typedef struct show {
    uint64_t seed;
    unsigned life;
    bool is_last;
    test_random random;
    jz_server *server;
    throttled throttle;
    pthread_t publishers[PUBLISHERS];
    atomic_size_t publishing; /* publishers that have not finished */
    bool has_jumps;
} show;

static void fail_here(const char *what)
{
    fprintf(stderr, "%s\n", what);
    shared->has_failed = true;
}

/*
 * "/?since=..." continues there; who says something else than a position is nowhere. With "enveloped" in envelopes.
 */
static void subscribe_or_publish(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type == JZ_EVENT_MESSAGE && message->kind == JZ_MESSAGE_BINARY)
        jz_ws_publish(ws, TOPIC, message->kind, message->bytes, message->length);
    if (event->type != JZ_EVENT_OPEN)
        return;
    jz_subscribe_options options = {.announces = true};
    jz_string since;
    const jz_request *request = jz_ws_request(ws);
    if (request != NULL && jz_request_query_value(request, "since", &since))
        options.has_since = jz_position_parse(since.start, since.length, &options.since);
    options.envelops = request != NULL && jz_request_query_value(request, "enveloped", NULL);
    if (jz_ws_subscribe_from(ws, TOPIC, &options, NULL) == JZ_SEND_DROPPED)
        fail_here("a subscription was refused");
}

static void *publish(void *context)
{
    show *show = context;
    static atomic_uint count;
    uint8_t bytes[MOST_MESSAGE];
    uint32_t publisher = PUBLISHERS * show->life + count++ % PUBLISHERS;
    test_random random = {show->seed + publisher};
    for (uint32_t number = 1; number <= EACH; number++) {
        size_t length = stamp_write((stamp){publisher, number}, bytes);
        if (jz_server_publish(show->server, TOPIC, JZ_MESSAGE_BINARY, bytes, length) != JZ_SEND_SENT)
            fail_here("a publication was refused");
        if (test_random_below(&random, 8) == 0)
            test_pause_before(test_deadline());
    }
    show->publishing--;
    return NULL;
}

static void begin_show(show *show)
{
    test_random *random = &show->random;
    jz_error error = {0};
    jz_options options = jz_options_default();
    *random = (test_random){show->seed * MOST_LIVES + show->life};
    options.threads = 1 + (uint32_t)test_random_below(random, 4);
    options.accepting = JZ_ACCEPTING_HAND_OVER;
    options.receive_buffer_size = 16 * 1024;
    options.log_level = JZ_LOG_ERROR;
    options.backpressure_limit = test_random_below(random, 2) == 0 ? 4096 : 1024 * 1024;
    jz_route_options route = jz_route_options_default();
    route.execution = test_random_below(random, 4) == 0 ? JZ_EXECUTION_WORKERS : JZ_EXECUTION_LOOP;
    const jz_history_options kept = {.keep = 3 + test_random_below(random, 150),
                                     .for_ms = test_random_below(random, 2) == 0 ? 300000 : 20000,
                                     .bytes = 10000 + test_random_below(random, 100000)};
    bool is_throttled = test_random_below(random, 2) == 0;
    show->has_jumps = test_random_below(random, 2) == 0;
    show->throttle = (throttled){.seed = show->seed, .most_sent = 600, .contrary = 5, .failing = 400};
    const jz_listen_options listening = {.transport = is_throttled ? &throttled_transport : NULL,
                                         .transport_context = &show->throttle};
    show->server = jz_server_create(&options, &error);
    assert_that(show->server != NULL, "%s", error.message);
    assert_int_equal(jz_server_history(show->server, "feed/", 5, &kept, &error), JZ_OK);
    assert_int_equal(jz_server_route_ws(show->server, "/", &route, subscribe_or_publish, NULL, &error), JZ_OK);
    assert_int_equal(jz_server_listen_with(show->server, "127.0.0.1", 0, &listening, &error), JZ_OK);
    assert_that(jz_server_start(show->server, &error) == JZ_OK, "%s", error.message);
    show->publishing = PUBLISHERS;
    for (size_t i = 0; i < PUBLISHERS; i++)
        assert_int_equal(pthread_create(&show->publishers[i], NULL, publish, show), 0);
    shared->port = jz_server_port(show->server);
}

/* Called again and again while it goes on. */
static void tend_show(show *show)
{
    enum { HOUR_MS = 3600 * 1000 };
    jz_position end;
    bool is_silent = show->publishing == 0;
    jz_server_recent(show->server, TOPIC, 0, NULL, NULL, &end);
    shared->end = end.offset;
    shared->is_silent = is_silent;
    shared->is_over = is_silent && show->is_last;
    if (show->has_jumps && test_random_below(&show->random, 20) == 0)
        test_clock_jump(test_random_below(&show->random, 30000));
    if (show->has_jumps && test_random_below(&show->random, 20) == 0)
        test_wall_clock_jump((int64_t)test_random_below(&show->random, 2 * HOUR_MS) - HOUR_MS);
    test_pause_before(test_deadline());
}

static void end_show(show *show)
{
    for (size_t i = 0; i < PUBLISHERS; i++)
        pthread_join(show->publishers[i], NULL);
    jz_server_destroy(show->server);
    test_clocks_run();
}

/* --- Servers that are killed -------------------------------------------------------------------------------------- */

/* Starts servers, each in a process of its own; it was forked before this program had threads. */
typedef struct command {
    uint64_t seed;
    unsigned life; /* 0: kill the server */
    bool is_last;
} command;

static int commands[2], answers[2];

/* Until it is killed, or nobody is there to do so. */
static _Noreturn void serve(const command *command, pid_t keeper)
{
    static show show;
    show = (struct show){.seed = command->seed, .life = command->life, .is_last = command->is_last};
    begin_show(&show);
    while (getppid() == keeper)
        tend_show(&show);
    _exit(0);
}

static _Noreturn void keep_servers(void)
{
    command command;
    pid_t keeper = getpid();
    pid_t server = -1;
    while (read(commands[0], &command, sizeof command) == sizeof command) {
        if (command.life > 0) {
            server = fork();
            if (server == 0)
                serve(&command, keeper);
            continue;
        }
        int status = 0;
        kill(server, SIGKILL);
        bool is_killed = waitpid(server, &status, 0) == server && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        if (write(answers[1], &is_killed, sizeof is_killed) != sizeof is_killed)
            break;
    }
    _exit(0);
}

static void start_keeper(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED && pipe(commands) == 0 && pipe(answers) == 0);
    pid_t keeper = fork();
    assert_true(keeper >= 0);
    if (keeper == 0) {
        close(commands[1]);
        keep_servers();
    }
    close(commands[0]);
}

static void start_server(uint64_t seed, unsigned life, bool is_last)
{
    const command command = {seed, life, is_last};
    shared->is_silent = false;
    shared->life = life;
    assert_int_equal(write(commands[1], &command, sizeof command), sizeof command);
}

static void kill_server(ledger *ledger)
{
    const command command = {0};
    bool is_killed = false;
    shared->port = 0;
    assert_int_equal(write(commands[1], &command, sizeof command), sizeof command);
    assert_int_equal(read(answers[0], &is_killed, sizeof is_killed), sizeof is_killed);
    if (!is_killed)
        ledger_blame(ledger, "a server has ended by itself");
}

/* --- A play ------------------------------------------------------------------------------------------------------- */

typedef struct play {
    ledger ledger;
    follower followers[FOLLOWERS];
    pthread_t threads[FOLLOWERS];
    atomic_size_t following;
} play;

static play *current;

static void *follow(void *context)
{
    follower_follow(context);
    current->following--;
    return NULL;
}

static void play_alive(play *play, uint64_t seed)
{
    show show = {.seed = seed, .life = 1, .is_last = true};
    begin_show(&show);
    while (play->following > 0)
        tend_show(&show);
    end_show(&show);
}

/* Each server but the last is killed once some connections were lost, or it is silent. */
static void play_with_kills(play *play, uint64_t seed, test_random *random)
{
    unsigned lives = 2 + (unsigned)test_random_below(random, MOST_LIVES - 1);
    for (unsigned life = 1; life <= lives; life++) {
        size_t wanted = play->ledger.lost + 1 + test_random_below(random, 16);
        bool is_last = life == lives;
        start_server(seed, life, is_last);
        uint64_t deadline = test_deadline();
        while (play->following > 0 && (is_last || (play->ledger.lost < wanted && !shared->is_silent))) {
            if (!test_pause_before(deadline) && shared->port == 0)
                ledger_blame(&play->ledger, "a server did not come");
        }
        kill_server(&play->ledger);
    }
}

static struct {
    size_t recovered, not_recovered, forged, behind, lost;
} total;

static void run(uint64_t seed)
{
    test_random random = {seed};
    play *play = current = calloc(1, sizeof *play);
    assert_non_null(play);
    memset(shared, 0, sizeof *shared);
    shared->life = 1;
    play->ledger.stage = shared;
    play->following = FOLLOWERS;
    for (uint32_t i = 0; i < FOLLOWERS; i++) {
        play->followers[i] = (follower){.ledger = &play->ledger,
                                        .first_publisher = FOLLOWERS_FROM + i * MOST_VISITS,
                                        .random = {test_random_next(&random)}};
        assert_int_equal(pthread_create(&play->threads[i], NULL, follow, &play->followers[i]), 0);
    }
    if (seed % 8 == 0)
        play_with_kills(play, seed, &random);
    else
        play_alive(play, seed);
    for (size_t i = 0; i < FOLLOWERS; i++)
        pthread_join(play->threads[i], NULL);
    const char *wrong = play->ledger.wrong != NULL ? play->ledger.wrong : ledger_check(&play->ledger, MOST_PUBLISHERS);
    assert_that(wrong == NULL, "seed %llu: %s", (unsigned long long)seed, wrong);
    assert_that(!shared->has_failed, "seed %llu: a server has failed", (unsigned long long)seed);
    total.recovered += play->ledger.recovered;
    total.not_recovered += play->ledger.not_recovered;
    total.forged += play->ledger.forged;
    total.behind += play->ledger.behind;
    total.lost += play->ledger.lost;
    free(play);
}

static void whoever_comes_back_has_missed_nothing_and_gets_nothing_twice(void **state)
{
    (void)state;
    unsigned long long first = 1;
    unsigned long long last = 100;
    const char *chosen = getenv("JAZZY_RESUMING_SEEDS");
    assert_true(chosen == NULL || sscanf(chosen, "%llu-%llu", &first, &last) == 2);
    for (uint64_t seed = first; seed <= last; seed++)
        run(seed);
    print_message("%zu connections were lost, %zu clients recovered, %zu did not, %zu asked for what was not theirs, "
                  "%zu were too slow\n",
                  total.lost, total.recovered, total.not_recovered, total.forged, total.behind);
    assert_true(chosen != NULL ||
                (total.recovered > 0 && total.not_recovered > 0 && total.forged > 0 && total.behind > 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_comes_back_has_missed_nothing_and_gets_nothing_twice),
    };
    start_keeper();
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("resuming plays", tests, NULL, NULL));
}
