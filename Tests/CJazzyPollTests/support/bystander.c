#define _POSIX_C_SOURCE 200809L

#include "bystander.h"

#include <stdatomic.h>

#include "client.h"
#include "eventually.h"

static test_client client;
static atomic_bool is_to_hold;
static atomic_bool holds;

void bystander_handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    (void)context;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    holds = is_to_hold;
    test_hold_while(is_to_hold);
    jz_ws_send(ws, message->kind, message->bytes, message->length);
}

const jz_route_options *bystander_options(void)
{
    static jz_route_options options;
    options = jz_route_options_default();
    options.idle_timeout_ms = JZ_NEVER;
    return &options;
}

void bystander_open(uint16_t port)
{
    bystander_open_with(port, UPGRADE_REQUEST("/bystander"));
}

void bystander_open_with(uint16_t port, const char *request)
{
    assert_true(test_client_open(&client, port, request));
}

void bystander_close(void)
{
    test_client_close(&client);
}

static void ask(void)
{
    test_client_send_frame(&client, &(test_frame)TEXT("?"));
}

static void take_answer(void)
{
    test_client_expect(&client, JZ_OPCODE_TEXT, "?", 1);
}

void bystander_let_turn(void)
{
    /* The first answer may come before the rest of its iteration. */
    for (int i = 0; i < 2; i++) {
        ask();
        take_answer();
    }
}

void bystander_hold_loop(void)
{
    is_to_hold = true;
    ask();
    assert_eventually(holds);
}

void bystander_release_loop(void)
{
    is_to_hold = false;
    take_answer();
    holds = false;
}
