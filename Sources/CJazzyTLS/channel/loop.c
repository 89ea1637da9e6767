#include "channel/loop.h"

#include <pthread.h>
#include <stdlib.h>

#include "channel/ciphertext.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void free_loop(jz_tls_loop *loop)
{
    BIO_free(loop->bio);
    BIO_meth_free(loop->method);
    free(loop);
}

/* Its thread has ended. The server has usually closed all channels before. */
static void end(void *opaque)
{
    jz_tls_loop *loop = opaque;
    loop->has_ended = true;
    if (loop->channel_count == 0)
        free_loop(loop);
}

static void make_key(void)
{
    has_key = pthread_key_create(&key, end) == 0;
}

static jz_tls_loop *create(void)
{
    jz_tls_loop *loop = malloc(sizeof *loop);
    if (loop == NULL)
        return NULL;
    /* The large buffers are not touched before they are used. */
    loop->current = NULL;
    loop->receivable = 0;
    loop->is_drained = false;
    loop->is_blocked = false;
    loop->outline = (jz_tls_outline){0};
    loop->fetched_start = 0;
    loop->fetched_end = 0;
    loop->channel_count = 0;
    loop->has_ended = false;
    loop->gathered_length = 0;
    loop->method = jz_tls_ciphertext_method();
    loop->bio = loop->method != NULL ? jz_tls_ciphertext_bio(loop->method, loop) : NULL;
    if (loop->bio != NULL && pthread_setspecific(key, loop) == 0)
        return loop;
    ERR_clear_error();
    free_loop(loop);
    return NULL;
}

jz_tls_loop *jz_tls_loop_join(void)
{
    pthread_once(&once, make_key);
    if (!has_key)
        return NULL;
    jz_tls_loop *loop = pthread_getspecific(key);
    if (loop == NULL)
        loop = create();
    if (loop != NULL)
        loop->channel_count++;
    return loop;
}

void jz_tls_loop_leave(jz_tls_loop *loop)
{
    loop->channel_count--;
    if (loop->has_ended && loop->channel_count == 0)
        free_loop(loop);
}
