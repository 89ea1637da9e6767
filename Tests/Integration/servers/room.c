#include "room.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOM_CAPACITY = 4096 };

struct room {
    pthread_mutex_t lock;
    size_t count;
    jz_ws members[ROOM_CAPACITY];
};

static room chat = {.lock = PTHREAD_MUTEX_INITIALIZER};
static room close_everyone = {.lock = PTHREAD_MUTEX_INITIALIZER};

room *room_of_chat(void)
{
    return &chat;
}

room *room_of_close_everyone(void)
{
    return &close_everyone;
}

void room_insert(room *room, jz_ws ws)
{
    pthread_mutex_lock(&room->lock);
    if (room->count == ROOM_CAPACITY) {
        fputs("probe-server: the room is full\n", stderr);
        abort();
    }
    room->members[room->count++] = ws;
    pthread_mutex_unlock(&room->lock);
}

void room_remove(room *room, jz_ws ws)
{
    pthread_mutex_lock(&room->lock);
    for (size_t i = 0; i < room->count; i++) {
        if (room->members[i].value == ws.value) {
            room->members[i] = room->members[--room->count];
            break;
        }
    }
    pthread_mutex_unlock(&room->lock);
}

void room_visit(room *room, room_visitor visit, const void *argument)
{
    pthread_mutex_lock(&room->lock);
    for (size_t i = 0; i < room->count; i++)
        visit(room->members[i], argument);
    pthread_mutex_unlock(&room->lock);
}
