/*
 * Plays the rows of the conformance suite over TCP, and through two transports, against a whole server whose reads are
 * cut at every byte of every frame's header, and merged with their neighbours: see cuts.h. The transports, which make
 * portions of their own, are given every row, each in a quarter of these manners. With AddressSanitizer the memory
 * behind the received bytes is poisoned.
 *
 *     conformance-served                plays every row
 *     conformance-served FILE           plays the rows of one file
 */
#include "../../CJazzyPollTests/support/throttled_transport.h"
#include "pieces.h"
#include "run.h"

static throttled throttle = {.seed = 1, .most_received = 3000, .most_sent = 3000, .steps = 3, .contrary = 16};

static memory_network network = {
    .seed = 1, .most_sent = 3000, .room = 20000, .steps = 3, .contrary = 16, .choose_received = pieces_choose};

static void check_channels(void)
{
    assert_int_equal(throttle.opened, throttle.closed);
    assert_int_equal(network.opened, network.closed);
}

/* 512 KiB is the default; 4 KiB the least, which larger frames fill many times. */
static const row_way ways[] = {
    {.name = "TCP", .receive_buffer_size = 512 * 1024},
    {.name = "TCP", .receive_buffer_size = 4 * 1024},
    {.name = "a throttled transport",
     .transport = &throttled_transport,
     .context = &throttle,
     .receive_buffer_size = 4 * 1024,
     .play_every = 4,
     .check = check_channels},
    {.name = "memory",
     .transport = &memory_transport,
     .context = &network,
     .network = &network,
     .receive_buffer_size = 512 * 1024,
     .play_every = 4,
     .check = check_channels},
};

int main(int count, char **arguments)
{
    memory_network_begin(&network);
    size_t failed = run_topics(ways, COUNT_OF(ways), count > 1 ? arguments[1] : NULL);
    memory_network_end(&network);
    return EXIT_STATUS_OF(failed);
}
