#include "history/fetches.h"

#include <stdlib.h>
#include <string.h>

static jz_redis_fetch *holder(jz_redis_link *link)
{
    return link != NULL ? JZ_REDIS_HOLDER_OF(link, jz_redis_fetch, place) : NULL;
}

void jz_redis_fetches_init(jz_redis_fetches *fetches)
{
    jz_redis_list_init(&fetches->waiting);
    jz_redis_list_init(&fetches->sent);
    fetches->last_id = 0;
    fetches->sent_bytes = 0;
}

jz_redis_fetch *jz_redis_fetch_make(const char *topic, size_t length)
{
    jz_redis_fetch *fetch = length <= SIZE_MAX - sizeof *fetch ? malloc(sizeof *fetch + length) : NULL;
    if (fetch == NULL)
        return NULL;
    *fetch = (jz_redis_fetch){.topic_length = length};
    if (length > 0)
        memcpy(fetch->topic, topic, length);
    return fetch;
}

void jz_redis_fetches_take(jz_redis_fetches *fetches, jz_redis_list *made)
{
    for (jz_redis_link *link; (link = jz_redis_list_first(made)) != NULL;) {
        jz_redis_list_remove(made, link);
        jz_redis_list_append(&fetches->waiting, link);
    }
}

jz_redis_fetch *jz_redis_fetches_first(const jz_redis_fetches *fetches)
{
    return holder(jz_redis_list_first(&fetches->waiting));
}

bool jz_redis_fetches_have_room(const jz_redis_fetches *fetches, const jz_redis_fetch *fetch)
{
    return fetches->sent.count == 0 ||
           (fetches->sent.count < JZ_REDIS_MOST_FETCHES && fetch->bytes <= JZ_REDIS_MOST_FETCHED - fetches->sent_bytes);
}

void jz_redis_fetches_send(jz_redis_fetches *fetches, jz_redis_fetch *fetch)
{
    fetch->id = ++fetches->last_id;
    fetches->sent_bytes += fetch->bytes;
    jz_redis_list_remove(&fetches->waiting, &fetch->place);
    jz_redis_list_append(&fetches->sent, &fetch->place);
}

void jz_redis_fetches_postpone(jz_redis_fetches *fetches, jz_redis_fetch *fetch)
{
    jz_redis_list_remove(&fetches->waiting, &fetch->place);
    jz_redis_list_append(&fetches->waiting, &fetch->place);
}

jz_redis_fetch *jz_redis_fetches_find(const jz_redis_fetches *fetches, uint64_t id)
{
    for (jz_redis_link *link = fetches->sent.ends.next; link != &fetches->sent.ends; link = link->next) {
        if (holder(link)->id == id)
            return holder(link);
    }
    return NULL;
}

bool jz_redis_fetch_keep_reply(jz_redis_fetch *fetch, const void *bytes, size_t length)
{
    free(fetch->reply);
    fetch->reply = malloc(length > 0 ? length : 1);
    if (fetch->reply == NULL)
        return false;
    if (length > 0)
        memcpy(fetch->reply, bytes, length);
    fetch->reply_length = length;
    return true;
}

/* Before the first member. */
static void prepend(jz_redis_list *list, jz_redis_link *link)
{
    *link = (jz_redis_link){&list->ends, list->ends.next};
    list->ends.next->previous = link;
    list->ends.next = link;
    list->count++;
}

void jz_redis_fetches_again(jz_redis_fetches *fetches)
{
    while (fetches->sent.count > 0) {
        jz_redis_fetch *fetch = holder(fetches->sent.ends.previous);
        jz_redis_list_remove(&fetches->sent, &fetch->place);
        fetch->id = 0;
        fetches->sent_bytes -= fetch->bytes;
        fetch->has_marker = false;
        free(fetch->reply);
        fetch->reply = NULL;
        prepend(&fetches->waiting, &fetch->place);
    }
}

jz_redis_fetch *jz_redis_fetches_sent_before(const jz_redis_fetches *fetches, uint64_t than_ms)
{
    for (jz_redis_link *link = fetches->sent.ends.next; link != &fetches->sent.ends; link = link->next) {
        if (holder(link)->asked_ms < than_ms)
            return holder(link);
    }
    return NULL;
}

void jz_redis_fetches_remove(jz_redis_fetches *fetches, jz_redis_fetch *fetch)
{
    if (fetch->id != 0)
        fetches->sent_bytes -= fetch->bytes;
    jz_redis_list_remove(fetch->id != 0 ? &fetches->sent : &fetches->waiting, &fetch->place);
    free(fetch->reply);
    free(fetch);
}

void jz_redis_fetches_clear(jz_redis_fetches *fetches)
{
    jz_redis_fetches_again(fetches);
    for (jz_redis_fetch *fetch; (fetch = jz_redis_fetches_first(fetches)) != NULL;)
        jz_redis_fetches_remove(fetches, fetch);
}
