/*
 * A channel of TLS, and OpenSSL's client at the other end. The input says what they do, in which portions what the
 * client writes arrives, what of it is changed on the way, and which allocations fail.
 */
#include <openssl/err.h>

#include "support/fuzz_input.h"
#include "../CJazzyPollTests/support/allocation.h"
#include "../CJazzyTLSTests/support/openssl_memory.h"
#include "../CJazzyTLSTests/support/wire.h"

enum { MOST_ACTIONS = 80, MOST_AT_ONCE = 40 * 1024, MOST_CLIENT_DATA = 400 * 1024, MOST_OUTPUT = 600 * 1024 };

static const wire_plan plans[] = {
    {.version = TLS1_3_VERSION, .send_buffer = 4096},
    {.version = TLS1_3_VERSION, .capacity = 4096},
    {.version = TLS1_2_VERSION, .send_buffer = 4096, .capacity = 5000},
    {.version = TLS1_2_VERSION, .longest_fragment = TLSEXT_max_fragment_length_512, .send_buffer = 4096},
    {.version = TLS1_3_VERSION, .suites_1_3 = "TLS_CHACHA20_POLY1305_SHA256"},
};

typedef struct run {
    fuzz_input input;
    size_t client_data; /* bytes that the client has encrypted */
    size_t on_wire;     /* bytes of `wire.taken`, from the front, that have not arrived */
    size_t output;      /* bytes that the server wants to send */
    size_t accepted;    /* of those */
    bool lacked_memory;
    bool is_disturbed; /* what arrives is not what was sent */
    bool client_has_ended;
    bool server_has_ended;
} run;

static jz_tls *tls;
static wire wire_of_run;
static uint8_t data[MOST_OUTPUT];

static void begin(void)
{
    openssl_memory_begin();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 37 + i / 253);
    tls = wire_tls();
}

/* The bytes that are on the wire stay there; those that the client has written meanwhile are behind them. */
static void gather(run *run)
{
    wire *wire = &wire_of_run;
    int count = BIO_read(SSL_get_wbio(wire->client), wire->taken + run->on_wire, (int)(WIRE_SIZE - run->on_wire));
    run->on_wire += count > 0 ? (size_t)count : 0;
}

static void expect_only_what_was_sent(run *run)
{
    wire *wire = &wire_of_run;
    require(wire->received <= run->client_data && memcmp(wire->at_server, data, wire->received) == 0,
            "the server receives what the client sent, and nothing else");
    require(wire->seen <= run->output && memcmp(wire->at_client, data, wire->seen) == 0,
            "the client receives what the server sent, and nothing else");
    require(ERR_peek_error() == 0 || run->lacked_memory, "no error is left behind");
}

static void serve(run *run, unsigned wanted)
{
    ERR_clear_error();
    wire_serve(&wire_of_run, wanted);
    expect_only_what_was_sent(run);
}

static void arrive(run *run, size_t length)
{
    wire *wire = &wire_of_run;
    gather(run);
    if (length > run->on_wire)
        length = run->on_wire;
    if (!wire_put(wire, wire->taken, length))
        run->is_disturbed = true;
    run->on_wire -= length;
    memmove(wire->taken, wire->taken + length, run->on_wire);
}

static void send_output(run *run, size_t more, bool is_last)
{
    wire *wire = &wire_of_run;
    size_t sent = 0;
    if (!wire->is_ready || wire->is_lost || (run->output == run->accepted && more == 0 && !is_last))
        return;
    run->output += run->output + more <= MOST_OUTPUT && !run->server_has_ended ? more : 0;
    run->server_has_ended = run->server_has_ended || is_last;
    size_t length = run->output - run->accepted;
    if (length == 0 && !run->server_has_ended)
        return;
    uint8_t *elsewhere = fuzz_copy(data + run->accepted, length);
    ERR_clear_error();
    jz_io result = wire_send(wire, elsewhere, length, run->server_has_ended, &sent);
    free(elsewhere);
    require(sent <= length, "no more is accepted than there is");
    require(result != JZ_IO_OK || sent == length, "with OK everything is accepted");
    require(result == JZ_IO_OK || result == JZ_IO_WOULD_BLOCK || run->is_disturbed, "sending fails for a reason");
    run->accepted += sent;
    expect_only_what_was_sent(run);
}

static void client_write(run *run, size_t length)
{
    size_t written = 0;
    if (run->client_has_ended || !SSL_is_init_finished(wire_of_run.client) ||
        run->client_data + length > MOST_CLIENT_DATA || length == 0)
        return;
    SSL_write_ex(wire_of_run.client, data + run->client_data, length, &written);
    run->client_data += written;
    gather(run);
}

/* Changes what is on the wire. */
static void disturb(run *run)
{
    wire *wire = &wire_of_run;
    gather(run);
    size_t place = fuzz_take_uint16(&run->input);
    uint8_t kind = fuzz_take_below(&run->input, 4);
    if (run->on_wire == 0 || run->on_wire > WIRE_SIZE / 2)
        return;
    run->is_disturbed = true;
    place %= run->on_wire;
    size_t behind = run->on_wire - place;
    fuzz_input inserted;
    switch (kind) {
    case 0:
        wire->taken[place] ^= (uint8_t)(1 << fuzz_take_below(&run->input, 8));
        break;
    case 1: /* lost */
        memmove(wire->taken + place, wire->taken + place + 1, behind - 1);
        run->on_wire--;
        break;
    case 2: /* once more */
        memcpy(wire->taken + run->on_wire, wire->taken + place, behind);
        run->on_wire += behind;
        break;
    default:
        inserted = fuzz_take_bytes(&run->input, 1 + fuzz_take_below(&run->input, 40));
        memmove(wire->taken + place + inserted.length, wire->taken + place, behind);
        if (inserted.length > 0)
            memcpy(wire->taken + place, inserted.bytes, inserted.length);
        run->on_wire += inserted.length;
    }
}

static void end_client(run *run)
{
    if (run->client_has_ended || !SSL_is_init_finished(wire_of_run.client))
        return;
    SSL_shutdown(wire_of_run.client);
    run->client_has_ended = true;
    gather(run);
}

/* The next steps are taken where an allocation fails. */
static void lack_memory(run *run)
{
    size_t number = fuzz_take_byte(&run->input);
    run->is_disturbed = run->lacked_memory = true;
    wire_of_run.watches_allocations = fuzz_take_below(&run->input, 2) == 1;
    openssl_memory_fail_at(wire_of_run.watches_allocations ? number : SIZE_MAX, false);
    if (!wire_of_run.watches_allocations)
        test_allocation_fails_once_after(number % 8);
    serve(run, JZ_READABLE);
    test_allocations_succeed();
    send_output(run, 5000, false);
    wire_of_run.watches_allocations = false;
}

static void act(run *run)
{
    wire *wire = &wire_of_run;
    switch (fuzz_take_below(&run->input, 14)) {
    case 0:
        if (!SSL_is_init_finished(wire->client))
            wire_client_step(wire);
        gather(run);
        break;
    case 1:
        client_write(run, fuzz_take_byte(&run->input));
        break;
    case 2:
        client_write(run, fuzz_take_uint16(&run->input) % MOST_AT_ONCE);
        break;
    case 3:
        arrive(run, fuzz_take_byte(&run->input));
        break;
    case 4:
        arrive(run, SIZE_MAX);
        break;
    case 5:
        serve(run, JZ_READABLE);
        break;
    case 6: /* paused */
        serve(run, 0);
        break;
    case 7:
        send_output(run, fuzz_take_byte(&run->input), false);
        break;
    case 8:
        send_output(run, (size_t)fuzz_take_uint16(&run->input) * 4, false);
        break;
    case 9:
        wire_client_receive(wire);
        break;
    case 10:
        if (SSL_is_init_finished(wire->client) && SSL_version(wire->client) == TLS1_3_VERSION)
            SSL_key_update(wire->client, fuzz_take_below(&run->input, 2));
        break;
    case 11:
        disturb(run);
        break;
    case 12:
        lack_memory(run);
        break;
    default:
        if (fuzz_take_below(&run->input, 4) > 0)
            end_client(run);
        else
            send_output(run, 0, true);
        break;
    }
}

/* Everything that is under way arrives. Whoever was not disturbed has all. */
static void settle(run *run)
{
    wire *wire = &wire_of_run;
    for (int i = 0; i < 400 && (!wire->is_lost || i < 3); i++) {
        if (!SSL_is_init_finished(wire->client))
            wire_client_step(wire);
        arrive(run, SIZE_MAX);
        serve(run, JZ_READABLE);
        send_output(run, 0, false);
        wire_client_receive(wire);
        expect_only_what_was_sent(run);
    }
    if (run->is_disturbed || !wire->is_ready)
        return;
    require(wire->received == run->client_data, "everything that the client sent was received");
    require(wire->is_lost || wire->seen == run->output, "everything that the server sent has arrived");
    require(!run->client_has_ended || wire->last == JZ_IO_ENDED || wire->is_lost, "the end was received");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (tls == NULL)
        begin();
    run run = {.input = {bytes, length}};
    wire_plan plan = plans[fuzz_take_below(&run.input, COUNT_OF(plans))];
    uint8_t early_length = fuzz_take_below(&run.input, 8);
    fuzz_input early = {0};
    if (early_length >= 4) { /* what came behind a PROXY header */
        early = fuzz_take_bytes(&run.input, early_length * 3u);
        plan.early = (const char *)early.bytes;
        plan.early_length = early.length;
        run.is_disturbed = true;
    }
    wire_open(&wire_of_run, tls, &plan);
    if (early_length == 1)
        wire_shake_hands(&wire_of_run);
    for (int i = 0; i < MOST_ACTIONS && run.input.length > 0; i++)
        act(&run);
    settle(&run);
    wire_close(&wire_of_run);
    return 0;
}
