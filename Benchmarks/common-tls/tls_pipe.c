#include "tls_pipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

static void end_without_memory(void)
{
    fprintf(stderr, "no memory for TLS\n");
    exit(1);
}

static int take_input(BIO *bio, char *bytes, size_t capacity, size_t *taken)
{
    tls_pipe *pipe = BIO_get_data(bio);
    if (pipe->input_length == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    size_t count = capacity < pipe->input_length ? capacity : pipe->input_length;
    memcpy(bytes, pipe->input, count);
    pipe->input += count;
    pipe->input_length -= count;
    *taken = count;
    return 1;
}

void tls_pipe_reserve(tls_pipe *pipe, size_t length)
{
    while (pipe->output_capacity - pipe->output_length < length) {
        size_t capacity = 2 * pipe->output_capacity;
        uint8_t *grown = realloc(pipe->output, capacity);
        if (grown == NULL)
            end_without_memory();
        pipe->output = grown;
        pipe->output_capacity = capacity;
    }
}

static void append(tls_pipe *pipe, const char *bytes, size_t length)
{
    tls_pipe_reserve(pipe, length);
    memcpy(pipe->output + pipe->output_length, bytes, length);
    pipe->output_length += length;
}

static int give_output(BIO *bio, const char *bytes, size_t length, size_t *given)
{
    tls_pipe *pipe = BIO_get_data(bio);
    size_t sent = 0;
    if (pipe->direct >= 0) {
        ssize_t count = send(pipe->direct, bytes, length, MSG_NOSIGNAL);
        sent = count > 0 ? (size_t)count : 0;
    }
    if (sent < length)
        append(pipe, bytes + sent, length - sent);
    *given = length;
    return 1;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int begin(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

void tls_pipe_create(tls_pipe *pipe)
{
    enum { FIRST_CAPACITY = 512 * 1024 };
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "benchmark");
    if (method == NULL || BIO_meth_set_create(method, begin) != 1 || BIO_meth_set_ctrl(method, control) != 1 ||
        BIO_meth_set_read_ex(method, take_input) != 1 || BIO_meth_set_write_ex(method, give_output) != 1)
        end_without_memory();
    *pipe = (tls_pipe){
        .bio = BIO_new(method), .output = malloc(FIRST_CAPACITY), .output_capacity = FIRST_CAPACITY, .direct = -1};
    if (pipe->bio == NULL || pipe->output == NULL)
        end_without_memory();
    BIO_set_data(pipe->bio, pipe);
}

void tls_pipe_attach(tls_pipe *pipe, SSL *ssl)
{
    BIO_up_ref(pipe->bio); /* SSL_set_bio takes one where both are the same */
    SSL_set_bio(ssl, pipe->bio, pipe->bio);
}
