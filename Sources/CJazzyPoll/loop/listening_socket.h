/* Listening sockets that are Unix domain sockets, or were bound by another program. */
#ifndef JAZZY_LOOP_LISTENING_SOCKET_H
#define JAZZY_LOOP_LISTENING_SOCKET_H

#include <stdint.h>

#include "jazzy/error.h"
#include "loop/socket.h"

/* Sets options on a TCP listener, which its connections inherit. */
void jz_socket_prepare_tcp(int descriptor, const jz_listening *listening);

/* Permissions and owner of a Unix domain socket's file. */
typedef struct jz_file_rights {
    uint32_t mode;  /* permission bits; 0: as the umask says */
    uint32_t user;  /* JZ_SAME_OWNER: the process's own */
    uint32_t group; /* likewise */
} jz_file_rights;

#define JZ_SAME_OWNER UINT32_MAX

/* Parses "user", "user:group" or ":group", names or numbers, into the rights. `owner` NULL: the process's own. */
jz_status jz_file_rights_parse_owner(const char *owner, jz_file_rights *rights, jz_error *error);

/*
 * Listens on a Unix domain socket; replaces a socket file on which nobody listens. The file has its rights before
 * anybody can connect.
 */
jz_status jz_socket_listen_unix(const char *path, const jz_file_rights *rights, uint32_t backlog, int *descriptor,
                                jz_error *error);

/* Prepares a socket that listens already. On failure it stays open. */
jz_status jz_socket_adopt(int descriptor, const jz_listening *listening, jz_error *error);

/* Removes the file of a Unix domain socket. */
void jz_socket_remove_file(const char *path);

#endif
