/* Plays a row against a server, its stream cut in one manner. */
#ifndef JAZZY_CONFORMANCE_PLAYER_H
#define JAZZY_CONFORMANCE_PLAYER_H

#include "cuts.h"
#include "row_server.h"

enum { PLAYER_TEXT_SIZE = 640 };

/* Whether all expected output and events came, and nothing is left; if not, `text` says why. */
bool player_play(row_server *server, const session_row *row, const client_stream *stream, const manner *manner,
                 char text[PLAYER_TEXT_SIZE]);

#endif
