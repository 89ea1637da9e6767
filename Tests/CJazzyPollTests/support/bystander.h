/*
 * A client that checks that a server's only loop runs. Its own handler answers it, and can also block the loop for a
 * while.
 */
#ifndef JAZZY_TESTS_BYSTANDER_H
#define JAZZY_TESTS_BYSTANDER_H

#include "serving.h"

/* Give the server this route. It has no idle time-out. */
#define BYSTANDER_ROUTE                                                                                                \
    {                                                                                                                  \
        "/bystander", bystander_handle, NULL, bystander_options()                                                      \
    }

void bystander_handle(void *context, jz_ws ws, const jz_event *event, const jz_message *message);
const jz_route_options *bystander_options(void);

/* One at a time, in a process. */
void bystander_open(uint16_t port);
void bystander_open_with(uint16_t port, const char *request);
void bystander_close(void);

/* Returns when the loop has handled all that was there when this began, and its due timers have fired. */
void bystander_let_turn(void);

/* Keeps the loop in the bystander's handler, and lets it go. */
void bystander_hold_loop(void);
void bystander_release_loop(void);

#endif
