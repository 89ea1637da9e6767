/* The server that rows are played against: one loop, and for every row a route with its options, which echoes. */
#ifndef JAZZY_CONFORMANCE_ROW_SERVER_H
#define JAZZY_CONFORMANCE_ROW_SERVER_H

#include "../../CJazzyPollTests/support/memory_transport.h"
#include "../topic.h"
#include "jazzy.h"

typedef struct row_server row_server;

/* The server's listener: `transport` NULL means none. */
typedef struct row_way {
    const char *name;
    const jz_transport *transport;
    void *context;
    memory_network *network; /* through which clients connect; NULL: through sockets */
    size_t receive_buffer_size;
    int (*connect)(uint16_t port); /* how else a client connects; NULL: by TCP */
    void (*check)(void);           /* after each topic; NULL: nothing */
    size_t play_every;             /* of the manners of a row, beginning with another one for each row; 0, 1: all */
} row_way;

row_server *row_server_start(const topic *topic, const row_way *way);
memory_network *row_server_network(const row_server *server);
int (*row_server_connect(const row_server *server))(uint16_t port);
uint16_t row_server_port(const row_server *server);

/* Waits until every connection has gone, and is no longer counted. False: that does not happen. */
bool row_server_is_quiet(const row_server *server);

/* The last connection that opened. */
jz_ws row_server_ws(row_server *server);

/* Whether its close event has come. */
bool row_server_has_closed(row_server *server);

/* Before a connection: forgets the events of the last one. */
void row_server_forget_events(row_server *server);

/* Whether the events are the row's, in order; if not, `text` says which is the first wrong one. */
bool row_server_events_are_due(row_server *server, const session_row *row, char text[600]);

void row_server_end(row_server *server);

#endif
