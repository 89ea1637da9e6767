#include "output/turn.h"

void jz_turn_mark_dirty(jz_turn *turn, jz_connection *connection)
{
    if (connection->is_dirty)
        return;
    connection->is_dirty = true;
    connection->next_dirty = turn->dirty;
    turn->dirty = connection;
}
