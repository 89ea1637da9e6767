#include "http/asking.h"

bool jz_asking_waits_for_application(const jz_connection *connection)
{
    if (connection->question != NULL)
        return connection->question->answer == NULL;
    return connection->exchange->answer == NULL && !jz_exchange_is_sending(connection);
}

jz_answer_status jz_asking_answer(jz_shard *shard, jz_connection *connection, jz_answer *answer)
{
    return answer->exchange != 0 ? jz_exchange_answer(shard, connection, answer)
                                 : jz_handshake_answer(shard, connection, answer);
}

void jz_asking_time_out(jz_shard *shard, jz_connection *connection)
{
    if (connection->question != NULL)
        jz_handshake_time_out(shard, connection);
    else
        jz_exchange_time_out(shard, connection);
}

void jz_asking_stop(jz_shard *shard, jz_connection *connection, bool lingers)
{
    if (connection->question != NULL)
        jz_handshake_give_up(shard, connection, JZ_REFUSAL_UPGRADE_TIMEOUT);
    else
        jz_exchange_stop(shard, connection, lingers);
}

void jz_asking_discard(jz_shard *shard, jz_connection *connection)
{
    if (connection->question != NULL)
        jz_handshake_discard(shard, connection);
    else
        jz_exchange_discard(shard, connection);
}
