/*
 * Plays the rows of the conformance suite over TLS against a whole server, whose reads are cut as those of
 * conformance-served: each row in a part of these manners, because each takes a handshake.
 *
 *     conformance-secured               plays every row
 *     conformance-secured FILE          plays the rows of one file
 */
#include "../../CJazzyTLSTests/support/bridge.h"
#include "../../CJazzyTLSTests/support/wire.h"
#include "../served/pieces.h"
#include "../served/run.h"

static SSL_CTX *context;
static bridge one; /* rows are played one after the other */
static bool has_bridge;
static bool is_held;

static void end_bridge(void)
{
    if (has_bridge)
        bridge_end(&one);
    has_bridge = false;
}

static int connect_by_tls(uint16_t port)
{
    end_bridge();
    has_bridge = true;
    return bridge_begin(&one, context, port, NULL);
}

/* As much of what has come as the test wants. While it wants nothing, the channel has to be asked again all the same.
 */
static jz_io receive_pieces(void *channel, uint8_t *bytes, size_t capacity, size_t *received, bool *has_more)
{
    size_t wanted = pieces_want(capacity);
    is_held = wanted == 0;
    if (is_held)
        return JZ_IO_WOULD_BLOCK;
    jz_io result = jz_tls_transport()->receive(channel, bytes, wanted, received, has_more);
    if (result == JZ_IO_OK)
        pieces_note(*received);
    return result;
}

static unsigned interest(void *channel, unsigned wanted)
{
    unsigned watched = jz_tls_transport()->interest(channel, wanted);
    return is_held && (wanted & JZ_READABLE) != 0 ? watched | JZ_WRITABLE : watched;
}

static unsigned ready(void *channel, unsigned what)
{
    unsigned may = jz_tls_transport()->ready(channel, what);
    return is_held && may != JZ_LOST ? may | JZ_READABLE : may;
}

static void *open_channel(void *tls, int descriptor, const uint8_t *early, size_t early_length)
{
    is_held = false;
    return jz_tls_transport()->open(tls, descriptor, early, early_length);
}

int main(int count, char **arguments)
{
    jz_transport in_pieces = *jz_tls_transport();
    in_pieces.open = open_channel;
    in_pieces.interest = interest;
    in_pieces.ready = ready;
    in_pieces.receive = receive_pieces;
    jz_tls *tls = wire_tls();
    const row_way ways[] = {
        {.name = "TLS",
         .transport = &in_pieces,
         .context = tls,
         .connect = connect_by_tls,
         .receive_buffer_size = 512 * 1024,
         .play_every = 40},
        {.name = "TLS",
         .transport = &in_pieces,
         .context = tls,
         .connect = connect_by_tls,
         .receive_buffer_size = 4 * 1024,
         .play_every = 40},
    };
    context = bridge_context();
    pieces_leave_recv();
    size_t failed = run_topics(ways, COUNT_OF(ways), count > 1 ? arguments[1] : NULL);
    end_bridge();
    SSL_CTX_free(context);
    wire_tls_free(tls);
    return EXIT_STATUS_OF(failed);
}
