#define _POSIX_C_SOURCE 200809L

#include "slow_reader.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { PIECE = 4096 };

uint8_t *slow_reader_message(size_t length)
{
    uint8_t *message = malloc(length);
    for (size_t i = 0; i < length && message != NULL; i++)
        message[i] = slow_reader_byte(i);
    return message;
}

bool slow_reader_skip(test_client *client, size_t length)
{
    uint8_t bytes[16];
    return length <= sizeof bytes && recv(client->descriptor, bytes, length, MSG_WAITALL) == (ssize_t)length;
}

bool slow_reader_take(test_client *client, size_t position, size_t length)
{
    uint8_t bytes[PIECE];
    for (size_t end = position + length; position < end;) {
        size_t most = end - position < sizeof bytes ? end - position : sizeof bytes;
        ssize_t received = recv(client->descriptor, bytes, most, 0);
        if (received <= 0)
            return false;
        for (ssize_t i = 0; i < received; i++) {
            if (bytes[i] != slow_reader_byte(position++))
                return false;
        }
    }
    return true;
}
