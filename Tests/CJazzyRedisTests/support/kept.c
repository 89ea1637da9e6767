#include "support/kept.h"

#include <stdio.h>

#include "envelope/envelope.h"
#include "history/scripts.h"
#include "link/keep_command.h"
#include "support/testing.h"

static uint64_t sequences;
static uint64_t epochs = 1;

static jz_redis_script_call call_of(const kept_message *message)
{
    return (jz_redis_script_call){
        .topic = "news",
        .topic_length = 4,
        .bytes = message->text,
        .length = message->text != NULL ? strlen(message->text) : 0,
        .epoch = jz_redis_next_epoch(&epochs),
        .bounds =
            jz_redis_bounds_of(message->keep > 0 ? message->keep : 100, message->for_ms > 0 ? message->for_ms : 300000,
                               message->bytes > 0 ? message->bytes : 1024 * 1024),
        .before = message->before,
    };
}

/* The reply to a command that is written already. */
static redisReply *reply_to(const redis_server *redis, const char *command, size_t length)
{
    void *reply = NULL;
    redisContext *context = redisConnectUnix(redis->path);
    assert_that(context != NULL && context->err == 0, "no Redis at %s", redis->path);
    assert_int_equal(redisAppendFormattedCommand(context, command, length), REDIS_OK);
    assert_that(redisGetReply(context, &reply) == REDIS_OK, "%s", context->errstr);
    redisFree(context);
    return reply;
}

static void load(const redis_server *redis)
{
    size_t size = jz_redis_load_write(NULL);
    char *command = malloc(size);
    assert_non_null(command);
    assert_int_equal(jz_redis_load_write(command), size);
    redisReply *reply = reply_to(redis, command, size);
    assert_string_equal(reply->str, jz_redis_keep_script_sha1);
    freeReplyObject(reply);
    free(command);
}

void kept_try(const redis_server *redis, kept_message message, char refusal[128])
{
    uint8_t header[JZ_REDIS_ENVELOPE_MOST];
    jz_redis_envelope envelope = {.kind = message.is_binary ? JZ_REDIS_KEPT_BINARY : JZ_REDIS_KEPT_TEXT,
                                  .origin = message.origin > 0 ? message.origin : 1,
                                  .sequence = message.sequence > 0 ? message.sequence : ++sequences};
    jz_redis_script_call call = call_of(&message);
    size_t size;
    call.header = header;
    call.header_length = jz_redis_envelope_write(&envelope, header);
    assert_true(jz_redis_keep_plan(6, &call, &size));
    char *command = malloc(size);
    assert_non_null(command);
    jz_redis_keep_write("jazzy:", 6, &call, command);
    load(redis);
    redisReply *reply = reply_to(redis, command, size);
    snprintf(refusal, 128, "%.127s", reply->type == REDIS_REPLY_ERROR ? reply->str : "");
    assert_true(reply->type == REDIS_REPLY_ERROR || reply->type == REDIS_REPLY_INTEGER);
    freeReplyObject(reply);
    free(command);
}

void kept_publish(const redis_server *redis, kept_message message)
{
    char refusal[128];
    kept_try(redis, message, refusal);
    assert_string_equal(refusal, "");
}

static void take_history(kept_history *history, const redisReply *reply)
{
    jz_redis_kept_reply kept;
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    assert_int_equal(jz_redis_kept_reply_read((const uint8_t *)reply->str, (size_t)reply->len, &kept),
                     JZ_REDIS_KEPT_READ);
    history->epoch = kept.epoch;
    history->newest = kept.newest;
    for (size_t i = 0; i < kept.count; i++) {
        size_t length = strlen(history->texts);
        snprintf(history->texts + length, sizeof history->texts - length, "%s%.*s", i > 0 ? "," : "",
                 (int)kept.messages[i].length, (const char *)kept.messages[i].bytes);
    }
    free(kept.messages);
}

kept_history kept_fetch(const redis_server *redis, kept_message bounds)
{
    kept_history history = {0};
    jz_redis_script_call call = call_of(&bounds);
    size_t size;
    call.channel = "own";
    call.channel_length = 3;
    call.header = (const uint8_t *)"marker";
    call.header_length = 6;
    assert_true(jz_redis_fetch_plan(6, &call, &size));
    char *command = malloc(size);
    assert_non_null(command);
    jz_redis_fetch_write("jazzy:", 6, &call, command);
    redisReply *reply = reply_to(redis, command, size);
    if (reply->type == REDIS_REPLY_ERROR)
        snprintf(history.refusal, sizeof history.refusal, "%.127s", reply->str);
    else
        take_history(&history, reply);
    freeReplyObject(reply);
    free(command);
    return history;
}
