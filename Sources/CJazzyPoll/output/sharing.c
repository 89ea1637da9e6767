/* Output to subscribers, which others may add to until the end of the iteration. */
#include "output/output.h"

#include "output/unsent.h"

enum { COPY_UP_TO = 2048 /* bytes: copying smaller frames costs less than sharing them */ };

/* Turns the content of the cork into the connection's own output, so that shared frames can follow it. */
static bool uncork(jz_turn *turn, jz_connection *connection)
{
    jz_unsent *unsent = jz_unsent_create(&turn->spare_unsent);
    if (unsent == NULL)
        return false;
    unsent->own = turn->cork;
    turn->cork = (jz_buffer){0};
    connection->unsent = unsent;
    return true;
}

bool jz_output_share(jz_turn *turn, jz_connection *connection, jz_publication *publication, const uint8_t *frame,
                     size_t length)
{
    if (length > COPY_UP_TO && jz_output_is_corked(turn, connection) && !uncork(turn, connection))
        return false;
    jz_buffer *output = jz_output_open(turn, connection);
    if (output == NULL)
        return false;
    bool is_appended = length > COPY_UP_TO ? jz_unsent_share(connection->unsent, publication, frame, length)
                                           : jz_buffer_append(output, frame, length);
    jz_output_appended(turn, connection);
    return is_appended;
}

bool jz_output_publish(jz_turn *turn, jz_connection *connection, jz_publication *publication, const uint8_t *frame,
                       size_t length)
{
    uint32_t position;
    jz_unsent *unsent = connection->unsent;
    if (length > COPY_UP_TO || turn->current == connection || (unsent != NULL && !jz_unsent_is_published(unsent)) ||
        !jz_published_place(&turn->published, frame, length, &position))
        return jz_output_share(turn, connection, publication, frame, length);
    if (unsent == NULL) {
        connection->unsent = unsent = jz_unsent_create(&turn->spare_unsent);
        if (unsent == NULL)
            return false;
        unsent->published_from = unsent->published_to = position;
    }
    /* Another frame was published in between, which was not for this receiver: the range would not be contiguous. */
    if (unsent->published_to != position)
        return jz_output_share(turn, connection, publication, frame, length);
    unsent->published_to += (uint32_t)length;
    atomic_store_explicit(&connection->buffered_amount, unsent->published_to - unsent->published_from,
                          memory_order_release);
    jz_turn_mark_dirty(turn, connection);
    return true;
}

void jz_output_defer(jz_turn *turn, jz_connection *connection)
{
    if (connection->broken == JZ_FAILURE_NONE && (turn->cork.length == 0 || uncork(turn, connection)))
        jz_turn_mark_dirty(turn, connection);
    else
        jz_output_flush(turn, connection);
}
