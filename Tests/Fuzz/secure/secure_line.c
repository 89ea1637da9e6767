#include "secure_line.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* A peer's end of TLS. */
typedef struct end {
    SSL *ssl;
    jz_buffer sent;     /* records, also those that have not arrived yet */
    jz_buffer received; /* what the server's records were decrypted to */
    size_t encrypted;   /* bytes of what the peer sends */
    size_t seen;        /* bytes of what the server sends */
    bool is_eager;      /* what it says in its handshake arrives at once */
    bool ends;          /* with a close_notify, and behind it the end of the stream */
    bool has_told_end;
    bool has_failed;
} end;

static SSL_SESSION *last_session;

static end *end_of(const player *player)
{
    return player->line;
}

static void append(jz_buffer *buffer, const void *bytes, size_t length)
{
    require(jz_buffer_append(buffer, bytes, length), "the fuzzer has memory");
}

/* What the peer's OpenSSL has written goes on the wire, behind which nothing comes once the stream has ended. */
static void gather(player *player)
{
    end *self = end_of(player);
    BIO *written = SSL_get_wbio(self->ssl);
    char *bytes;
    long length = BIO_get_mem_data(written, &bytes);
    if (length > 0 && !(player->socket != NULL && player->socket->has_end))
        append(&self->sent, bytes, (size_t)length);
    BIO_reset(written);
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(last_session);
    last_session = session;
    return 1;
}

void secure_forget_sessions(void)
{
    SSL_SESSION_free(last_session);
    last_session = NULL;
}

static SSL_CTX *client_context(void)
{
    static SSL_CTX *context;
    if (context != NULL)
        return context;
    context = SSL_CTX_new(TLS_client_method());
    require(context != NULL, "the fuzzer has memory");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    return context;
}

/* The length of fragments holds for all that resume a session (RFC 6066, 4). */
static bool is_resumable(int version, uint8_t fragments)
{
    return last_session != NULL && SSL_SESSION_get_protocol_version(last_session) == version &&
           SSL_SESSION_get_max_fragment_length(last_session) == fragments;
}

/* What the peer asks for. Returns whether it can be had. */
static bool choose(SSL *ssl, uint8_t choice)
{
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256",
                                         "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"};
    static const unsigned char http_1[] = "\x08http/1.1";
    static const unsigned char http_2[] = "\x02h2";
    int version = choice % 2 == 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_set_min_proto_version(ssl, version);
    SSL_set_max_proto_version(ssl, version);
    SSL_set_ciphersuites(ssl, suites[choice / 2 % 4]);
    uint8_t fragments = choice / 2 % 4 == 3 ? TLSEXT_max_fragment_length_512 : TLSEXT_max_fragment_length_DISABLED;
    SSL_set_tlsext_max_fragment_length(ssl, fragments);
    if (choice / 8 % 2 == 1 && is_resumable(version, fragments))
        SSL_set_session(ssl, last_session);
    if (choice / 32 % 4 == 1)
        SSL_set_alpn_protos(ssl, http_1, sizeof http_1 - 1);
    if (choice / 32 % 4 == 2)
        SSL_set_alpn_protos(ssl, http_2, sizeof http_2 - 1);
    return choice / 32 % 4 != 2;
}

static void shake_hands(player *player)
{
    end *self = end_of(player);
    if (self->has_failed || SSL_is_init_finished(self->ssl))
        return;
    int result = SSL_do_handshake(self->ssl);
    if (result != 1 && SSL_get_error(self->ssl, result) != SSL_ERROR_WANT_READ)
        self->has_failed = true;
    ERR_clear_error();
    gather(player);
}

static const jz_buffer *connect_player(play *play, player *player)
{
    static const char plain[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    uint8_t choice = fuzz_take_byte(play->input);
    end *self = fuzz_allocate(sizeof *self);
    *self = (end){.ssl = SSL_new(client_context()), .is_eager = choice / 16 % 2 == 0};
    require(self->ssl != NULL, "the fuzzer has memory");
    player->line = self;
    SSL_set_bio(self->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(self->ssl), -1);
    SSL_set_connect_state(self->ssl);
    player->is_disturbed = !choose(self->ssl, choice);
    if (choice / 32 % 4 == 3 && choice >= 128) { /* not TLS at all, at first */
        append(&self->sent, plain, sizeof plain - 1);
        player->is_disturbed = true;
    }
    shake_hands(player);
    return &self->sent;
}

static bool may_write(const end *self)
{
    return SSL_is_init_finished(self->ssl) && !self->has_failed && !self->has_told_end;
}

static void encrypt(player *player, size_t most)
{
    end *self = end_of(player);
    size_t length = player->peer.sent.length - self->encrypted;
    if (length > most)
        length = most;
    while (length > 0 && may_write(self)) {
        size_t written = 0;
        if (SSL_write_ex(self->ssl, player->peer.sent.bytes + self->encrypted, length, &written) != 1)
            self->has_failed = true;
        self->encrypted += written;
        length -= written;
    }
    gather(player);
}

static size_t waiting(const player *player)
{
    const end *self = end_of(player);
    return player->peer.sent.length - self->encrypted + self->sent.length - player->socket->readable;
}

static void arrive(player *player, size_t count)
{
    size_t most = end_of(player)->sent.length - player->socket->readable;
    player->socket->readable += count < most ? count : most;
}

/* Encrypts so many bytes, and so many bytes of all records arrive. */
static void deliver(player *player, size_t count)
{
    encrypt(player, count);
    arrive(player, count);
}

static void tell_end(player *player)
{
    end *self = end_of(player);
    if (may_write(self))
        SSL_shutdown(self->ssl);
    self->has_told_end = true;
    gather(player);
}

static void end_player(player *player)
{
    end_of(player)->ends = true;
}

/* Changes what has not arrived yet: a bit, a byte that is lost, bytes that come twice, others in between. */
static void disturb(play *play, player *player, uint8_t kind)
{
    end *self = end_of(player);
    jz_buffer rest = {0};
    fuzz_input others = {0};
    size_t place = fuzz_take_uint16(play->input);
    uint8_t what = fuzz_take_byte(play->input);
    if (kind == 3)
        others = fuzz_take_bytes(play->input, what);
    size_t count = self->sent.length - player->socket->readable;
    if (player->socket->has_end || (count == 0 && kind < 3))
        return;
    player->is_disturbed = true;
    place = player->socket->readable + (count > 0 ? place % count : 0);
    append(&rest, self->sent.bytes + place, self->sent.length - place);
    if (kind == 0)
        rest.bytes[0] ^= (uint8_t)(1 << what % 8);
    self->sent.length = place;
    if (kind == 2)
        append(&self->sent, rest.bytes, what < rest.length ? what : rest.length);
    if (others.length > 0)
        append(&self->sent, others.bytes, others.length);
    append(&self->sent, rest.bytes + (kind == 1), rest.length - (kind == 1));
    jz_buffer_free(&rest);
}

/* In TLS 1.2, where it is refused; after that this peer has nothing to say. */
static void renegotiate(player *player)
{
    end *self = end_of(player);
    if (!may_write(self) || SSL_version(self->ssl) != TLS1_2_VERSION)
        return;
    SSL_renegotiate(self->ssl);
    SSL_do_handshake(self->ssl);
    gather(player);
    self->has_failed = player->is_disturbed = true;
}

static void send_raw(play *play, player *player)
{
    end *self = end_of(player);
    uint8_t kind = fuzz_take_below(play->input, 10);
    switch (kind) {
    case 0:
    case 1:
    case 2:
    case 3:
        disturb(play, player, kind);
        break;
    case 4:
    case 5:
        if (may_write(self) && SSL_version(self->ssl) == TLS1_3_VERSION)
            SSL_key_update(self->ssl, kind == 4 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
        break;
    case 6:
        renegotiate(player);
        break;
    case 7: /* its end could be an attacker's */
        player->socket->has_end = player->is_disturbed = true;
        break;
    case 8: /* its end, and behind it the connection goes on */
        tell_end(player);
        player->is_disturbed = true;
        break;
    default:
        plain_line.send_raw(play, player);
        break;
    }
    ERR_clear_error();
}

static void read_output(player *player)
{
    end *self = end_of(player);
    const jz_buffer *output = &player->socket->output;
    uint8_t bytes[16384];
    size_t count;
    if (output->length > self->seen)
        BIO_write(SSL_get_rbio(self->ssl), output->bytes + self->seen, (int)(output->length - self->seen));
    self->seen = output->length;
    while (SSL_is_init_finished(self->ssl) && !self->has_failed &&
           SSL_read_ex(self->ssl, bytes, sizeof bytes, &count) == 1)
        append(&self->received, bytes, count);
    int error = SSL_is_init_finished(self->ssl) && !self->has_failed ? SSL_get_error(self->ssl, 0) : SSL_ERROR_NONE;
    if (error == SSL_ERROR_SSL)
        self->has_failed = true;
    ERR_clear_error();
}

static void turn(play *play, player *player)
{
    end *self = end_of(player);
    require(ERR_peek_error() == 0 || kernel_has_failed(), "the server leaves no error behind");
    bool was_shaking_hands = !SSL_is_init_finished(self->ssl);
    read_output(player);
    shake_hands(player);
    read_output(player);
    require(!self->has_failed || player->is_disturbed || kernel_has_failed(), "the server's records are in order");
    gather(player);
    if (play->is_over)
        deliver(player, SIZE_MAX);
    else if (was_shaking_hands && self->is_eager)
        arrive(player, SIZE_MAX);
    if (!self->ends || player->socket->has_end || (!self->has_failed && !SSL_is_init_finished(self->ssl)))
        return;
    encrypt(player, SIZE_MAX);
    tell_end(player);
    player->socket->has_end = true;
    if (play->is_over)
        arrive(player, SIZE_MAX);
}

static const jz_buffer *received(player *player)
{
    read_output(player);
    return &end_of(player)->received;
}

static void hang_up(player *player)
{
    end *self = end_of(player);
    SSL_set_quiet_shutdown(self->ssl, 1);
    SSL_free(self->ssl);
    jz_buffer_free(&self->sent);
    jz_buffer_free(&self->received);
    free(self);
    ERR_clear_error();
}

const play_line secure_line = {connect_player, waiting, deliver, end_player, send_raw, turn, received, hang_up};
