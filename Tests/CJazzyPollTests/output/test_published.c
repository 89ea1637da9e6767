/*
 * Publications within one iteration: each receiver gets its messages once and in order, whatever else it is sent
 * meanwhile.
 */
#include "output/published.h"

#include "codec/frame_header.h"
#include "jazzy.h"
#include "support/allocation.h"
#include "support/client.h"
#include "support/eventually.h"
#include "support/random.h"
#include "support/served.h"
#include "support/testing.h"

#define ONE "one", 3
#define TWO "two", 3

enum { MOST_STEPS = 24, MOST_LENGTH = 3000 };

typedef enum step {
    PUBLISH_ONE, /* to both receivers */
    PUBLISH_TWO, /* to the first of them */
    SEND,        /* to the first receiver by its handle */
    UNSUBSCRIBE, /* the first receiver from topic one */
    SUBSCRIBE,   /* it again */
    STEPS
} step;

/* The conductor's message has the steps of one iteration. Message number i is `lengths[i]` bytes of the value i. */
typedef struct script {
    size_t count;
    uint8_t steps[MOST_STEPS];
    uint16_t lengths[MOST_STEPS];
} script;

static jz_ws first_receiver;

static void follow(const script *script, jz_server *server)
{
    static uint8_t message[MOST_LENGTH];
    for (size_t i = 0; i < script->count; i++) {
        memset(message, (int)i, script->lengths[i]);
        switch (script->steps[i]) {
        case PUBLISH_ONE:
            jz_server_publish(server, ONE, JZ_MESSAGE_BINARY, message, script->lengths[i]);
            break;
        case PUBLISH_TWO:
            jz_server_publish(server, TWO, JZ_MESSAGE_BINARY, message, script->lengths[i]);
            break;
        case SEND:
            jz_ws_send(first_receiver, JZ_MESSAGE_BINARY, message, script->lengths[i]);
            break;
        case UNSUBSCRIBE:
            jz_ws_unsubscribe(first_receiver, ONE);
            break;
        default:
            jz_ws_subscribe(first_receiver, ONE);
            break;
        }
    }
}

/* A client that sends "first" or "second" is that receiver; any other message is a script. */
static void act(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    if (message->kind == JZ_MESSAGE_BINARY) {
        script script;
        memcpy(&script, message->bytes, sizeof script);
        follow(&script, *(jz_server **)journal->context);
        return;
    }
    jz_ws_subscribe(ws, ONE);
    if (message->length == strlen("first")) {
        jz_ws_subscribe(ws, TWO);
        first_receiver = ws;
    }
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "ready", 5);
}

static void expect_message(test_client *client, const script *script, size_t number)
{
    test_received frame;
    assert_true(test_client_take_frame(client, &frame));
    assert_that(frame.opcode == JZ_OPCODE_BINARY && frame.length == script->lengths[number],
                "message %zu: %zu bytes instead of %u", number, frame.length, script->lengths[number]);
    for (size_t i = 0; i < frame.length; i++)
        assert_int_equal(frame.payload[i], number);
}

/* The expected messages of the receivers, derived from the steps. */
static void expect_all(test_client *first, test_client *second, const script *script)
{
    bool is_subscribed = true;
    for (size_t i = 0; i < script->count; i++) {
        uint8_t step = script->steps[i];
        if (step == UNSUBSCRIBE || step == SUBSCRIBE)
            is_subscribed = step == SUBSCRIBE;
        if (step == PUBLISH_TWO || step == SEND || (step == PUBLISH_ONE && is_subscribed))
            expect_message(first, script, i);
        if (step == PUBLISH_ONE)
            expect_message(second, script, i);
    }
}

static script random_script(test_random *random)
{
    static const size_t lengths[] = {1,    20,   125,  126,
                                     2044, 2045, 2100, MOST_LENGTH}; /* a frame is copied up to 2,048 B */
    script script = {.count = 1 + test_random_below(random, MOST_STEPS - 1)};
    bool prefers_one_topic = test_random_below(random, 2) == 0;
    for (size_t i = 0; i < script.count; i++) {
        bool is_any = !prefers_one_topic || test_random_below(random, 6) == 0;
        script.steps[i] = (uint8_t)(is_any ? test_random_below(random, STEPS) : PUBLISH_ONE);
        script.lengths[i] = (uint16_t)lengths[test_random_below(random, prefers_one_topic ? 3 : COUNT_OF(lengths))];
    }
    script.steps[script.count++] = SUBSCRIBE; /* for the next round */
    return script;
}

static void open_receiver(test_client *client, uint16_t port, const test_frame *name)
{
    assert_true(test_client_open(client, port, UPGRADE_REQUEST("/")));
    test_client_send_frame(client, name);
    test_client_expect(client, JZ_OPCODE_TEXT, "ready", 5);
}

static void each_receiver_gets_its_messages_in_order_whatever_else_the_turn_brings(void **state)
{
    (void)state;
    static served served = {.journal = {.act = act}};
    static test_client first, second, conductor;
    jz_options options = served_options();
    served_start(&served, &options, NULL);
    served.journal.context = &served.server;
    open_receiver(&first, served.port, &(test_frame)TEXT("first"));
    open_receiver(&second, served.port, &(test_frame)TEXT("second"));
    assert_true(test_client_open(&conductor, served.port, UPGRADE_REQUEST("/")));
    test_random random = {7692};
    for (int round = 0; round < 400; round++) {
        script script = random_script(&random);
        test_client_send_frame(&conductor,
                               &(test_frame)BINARY_OF({(const char *)&script, sizeof script, sizeof script}));
        expect_all(&first, &second, &script);
    }
    test_client_close(&first);
    test_client_close(&second);
    test_client_close(&conductor);
    served_finish(&served);
}

enum { FLOOD = 400, FLOOD_LENGTH = 2000, FLOODS = 10 };

static void flood(journal *journal, jz_ws ws, const jz_event *event, const jz_message *message)
{
    static uint32_t numbers[FLOOD_LENGTH / sizeof(uint32_t)];
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    if (message->kind == JZ_MESSAGE_TEXT) {
        jz_ws_subscribe(ws, ONE);
        jz_ws_send(ws, JZ_MESSAGE_TEXT, "ready", 5);
        return;
    }
    for (size_t i = 0; i < FLOOD; i++) {
        jz_server_publish(*(jz_server **)journal->context, ONE, JZ_MESSAGE_BINARY, numbers, FLOOD_LENGTH);
        numbers[0]++;
    }
    jz_ws_send(ws, JZ_MESSAGE_TEXT, "done", 4);
}

/*
 * Bytes that the kernel does not take are copied for the receiver: the next iteration publishes other frames in their
 * place.
 */
static void who_takes_only_part_of_a_turn_gets_the_rest_of_it_later(void **state)
{
    (void)state;
    static served served = {.journal = {.act = flood}};
    static test_client receiver, conductor;
    jz_options options = served_options();
    options.backpressure_limit = 16 * 1024 * 1024;
    served_start(&served, &options, NULL);
    served.journal.context = &served.server;
    assert_true(test_client_connect(&receiver, served.port, 4096));
    assert_true(test_client_upgrade(&receiver, UPGRADE_REQUEST("/")));
    test_client_send_frame(&receiver, &(test_frame)TEXT("receiver"));
    test_client_expect(&receiver, JZ_OPCODE_TEXT, "ready", 5);
    assert_true(test_client_open(&conductor, served.port, UPGRADE_REQUEST("/")));
    for (int i = 0; i < FLOODS; i++) {
        test_client_send_frame(&conductor, &(test_frame)BINARY("go"));
        test_client_expect(&conductor, JZ_OPCODE_TEXT, "done", 4);
    }
    assert_true(jz_ws_buffered_amount(journal_handle_of(&served.journal, 0)) > 0);
    for (uint32_t i = 0; i < FLOOD * FLOODS; i++) {
        test_received frame;
        uint32_t number;
        assert_true(test_client_take_frame(&receiver, &frame));
        assert_int_equal(frame.length, FLOOD_LENGTH);
        memcpy(&number, frame.payload, sizeof number);
        assert_int_equal(number, i);
    }
    test_client_close(&receiver);
    test_client_close(&conductor);
    served_finish(&served);
}

static void a_frame_is_kept_once_for_a_message_and_anew_for_the_next(void **state)
{
    (void)state;
    jz_published published = {0};
    static const uint8_t frame[] = "frame";
    uint32_t first, again, next;
    jz_published_begin(&published);
    assert_true(jz_published_place(&published, frame, sizeof frame, &first));
    assert_true(jz_published_place(&published, frame, sizeof frame, &again));
    assert_int_equal(first, again);
    jz_published_begin(&published); /* there may be another message at the same address */
    assert_true(jz_published_place(&published, frame, sizeof frame, &next));
    assert_int_equal(next, sizeof frame);
    assert_int_equal(published.frames.length, 2 * sizeof frame);
    jz_published_clear(&published);
    assert_int_equal(published.frames.length, 0);
    jz_buffer_free(&published.frames);
}

static void more_forms_of_a_message_than_there_is_room_for_go_another_way(void **state)
{
    (void)state;
    jz_published published = {0};
    static const uint8_t frames[JZ_PUBLISHED_FORMS + 1] = {1, 2, 3, 4, 5};
    uint32_t positions[JZ_PUBLISHED_FORMS + 1];
    for (size_t i = 0; i <= JZ_PUBLISHED_FORMS; i++)
        assert_int_equal(jz_published_place(&published, frames + i, 1, &positions[i]), i < JZ_PUBLISHED_FORMS);
    for (size_t i = 0; i < JZ_PUBLISHED_FORMS; i++) {
        uint32_t again;
        assert_true(jz_published_place(&published, frames + i, 1, &again));
        assert_int_equal(again, positions[i]);
    }
    jz_buffer_free(&published.frames);
}

static void a_turn_keeps_no_more_than_a_mebibyte_and_less_afterwards(void **state)
{
    (void)state;
    enum { LENGTH = 2048, MOST = 1024 * 1024 / LENGTH };
    static const uint8_t frame[LENGTH];
    jz_published published = {0};
    uint32_t position;
    for (size_t i = 0; i <= MOST; i++) {
        jz_published_begin(&published);
        assert_int_equal(jz_published_place(&published, frame, LENGTH, &position), i < MOST);
    }
    jz_published_clear(&published);
    assert_null(published.frames.bytes);
}

static void without_memory_a_frame_goes_another_way(void **state)
{
    (void)state;
    jz_published published = {0};
    uint32_t position;
    test_allocations_fail_after(0);
    bool is_placed = jz_published_place(&published, (const uint8_t *)"frame", 5, &position);
    assert_int_equal(test_allocations_succeed(), 1);
    assert_false(is_placed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_receiver_gets_its_messages_in_order_whatever_else_the_turn_brings),
        cmocka_unit_test(who_takes_only_part_of_a_turn_gets_the_rest_of_it_later),
        cmocka_unit_test(a_frame_is_kept_once_for_a_message_and_anew_for_the_next),
        cmocka_unit_test(more_forms_of_a_message_than_there_is_room_for_go_another_way),
        cmocka_unit_test(a_turn_keeps_no_more_than_a_mebibyte_and_less_afterwards),
        cmocka_unit_test(without_memory_a_frame_goes_another_way),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("published", tests, NULL, NULL));
}
