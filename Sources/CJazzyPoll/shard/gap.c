#include "shard/gap.h"

#include "shard/errand.h"
#include "shard/server.h"

/* Without a reservation: a full mailbox is the reason for many a gap. `topic` NULL: of all. */
static bool tell(jz_server *server, const jz_text *topic)
{
    jz_letter *errands = NULL;
    uint32_t count = 0;
    for (; count < server->shard_count; count++) {
        jz_errand *created = topic != NULL ? jz_errand_create_gap(*topic) : jz_errand_create_gaps();
        if (created == NULL)
            break;
        created->letter.next = errands;
        errands = &created->letter;
    }
    bool is_complete = count == server->shard_count;
    for (uint32_t i = 0; errands != NULL; i++) {
        jz_errand *task = (jz_errand *)errands;
        errands = errands->next;
        if (is_complete)
            jz_errand_post(&server->shards[i], task);
        else
            jz_errand_free(task);
    }
    if (!is_complete)
        atomic_store(&server->owes_gaps, true);
    return is_complete;
}

bool jz_gap_tell(jz_server *server, jz_text topic)
{
    return tell(server, &topic);
}

bool jz_gap_tell_of_all(jz_server *server)
{
    return tell(server, NULL);
}

void jz_gap_try_again(jz_server *server)
{
    if (atomic_exchange(&server->owes_gaps, false))
        tell(server, NULL);
}
