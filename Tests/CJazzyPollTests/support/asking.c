#include "asking.h"

#include <stdio.h>

#include "testing.h"

int asking_take_head(test_client *client)
{
    memmove(client->bytes, client->bytes + client->start, client->end - client->start);
    client->end -= client->start;
    client->start = 0;
    return test_client_take_head(client);
}

int asking(test_client *client, const char *request)
{
    assert_true(test_client_send(client, request, strlen(request)));
    return asking_take_head(client);
}

bool asking_has_line(const test_client *client, const char *line)
{
    char head[8192];
    char wanted[512];
    assert_true(client->start < sizeof head);
    memcpy(head, client->bytes, client->start);
    head[client->start] = '\0';
    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return strstr(head, wanted) != NULL;
}

void asking_expect_body(test_client *client, const char *body)
{
    size_t length = strlen(body);
    assert_that(test_client_receive(client, length), "'%s' does not come", body);
    assert_that(memcmp(client->bytes + client->start, body, length) == 0, "'%s' is not '%.*s'", body, (int)length,
                (const char *)client->bytes + client->start);
    client->start += length;
}

void asking_expect(test_client *client, int status, const char *body)
{
    int actual = asking_take_head(client);
    assert_that(actual == status, "%d instead of %d", actual, status);
    asking_expect_body(client, body);
}
