/* Nothing between a peer and its socket: what the peer sends is what arrives. */
#include "play.h"

static const jz_buffer *connect_player(play *play, player *player)
{
    (void)play;
    return &player->peer.sent;
}

static size_t waiting(const player *player)
{
    return player->peer.sent.length - player->socket->readable;
}

static void deliver(player *player, size_t count)
{
    size_t most = waiting(player);
    player->socket->readable += count < most ? count : most;
}

static void end(player *player)
{
    player->socket->has_end = true;
}

static void send_raw(play *play, player *player)
{
    fuzz_input bytes = fuzz_take_bytes(play->input, fuzz_take_byte(play->input));
    peer_send_raw(&player->peer, bytes.bytes, bytes.length);
}

static void turn(play *play, player *player)
{
    (void)play;
    (void)player;
}

static const jz_buffer *received(player *player)
{
    return &player->socket->output;
}

static void hang_up(player *player)
{
    (void)player;
}

const play_line plain_line = {connect_player, waiting, deliver, end, send_raw, turn, received, hang_up};
