/* The public function with which a broker answers what it keeps of a topic. */
#include <stdlib.h>

#include "handles/keeping.h"
#include "jazzy/broker.h"
#include "shard/fetching.h"

static bool is_sound(const jz_broker_kept *kept)
{
    bool is_known = kept != NULL && !kept->is_failed && kept->newest.epoch != 0 && kept->count <= kept->newest.offset;
    for (size_t i = 0; is_known && i < kept->count; i++)
        is_known = kept->messages[i].kind <= JZ_MESSAGE_BINARY;
    return is_known;
}

static void release_all(jz_publication **publications, size_t count)
{
    for (size_t i = 0; i < count; i++)
        jz_publication_release(publications[i]);
    free(publications);
}

/* Copies the messages. NULL when there is no memory for all of them. */
static jz_publication **copy_all(const jz_broker_kept_message *messages, size_t count)
{
    jz_publication **publications = malloc((count > 0 ? count : 1) * sizeof(jz_publication *));
    for (size_t i = 0; publications != NULL && i < count; i++) {
        publications[i] =
            jz_publication_create(messages[i].kind, messages[i].bytes, messages[i].length, JZ_COMPRESSION_AUTOMATIC);
        if (publications[i] == NULL) {
            release_all(publications, i);
            return NULL;
        }
    }
    return publications;
}

void jz_broker_fetched(jz_server *server, const char *topic, size_t topic_length, uint64_t number,
                       const jz_broker_kept *kept)
{
    const jz_text name = {topic, topic_length};
    int rule = jz_shared_rule(server, name);
    if (rule < 0)
        return;
    if (!is_sound(kept)) {
        jz_fetching_answer(server, rule, name, number, NULL);
        return;
    }
    size_t most = jz_history_options_of(server->history, rule)->keep;
    size_t count = kept->count < most ? kept->count : most;
    const jz_broker_kept_message *messages = count > 0 ? kept->messages + (kept->count - count) : NULL;
    jz_publication **publications = copy_all(messages, count);
    const jz_fetched fetched = {
        .newest = kept->newest, .count = count, .publications = publications, .messages = messages};
    jz_fetching_answer(server, rule, name, number, publications != NULL ? &fetched : NULL);
    if (publications != NULL)
        release_all(publications, count);
}
