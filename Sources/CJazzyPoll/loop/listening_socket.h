/* Listening sockets that are not bound to an address of the network, or were bound by somebody else. */
#ifndef JAZZY_LOOP_LISTENING_SOCKET_H
#define JAZZY_LOOP_LISTENING_SOCKET_H

#include <stdint.h>

#include "jazzy/error.h"
#include "loop/socket.h"

/* What every connection of a TCP listener is to have: they inherit it. */
void jz_socket_prepare_tcp(int descriptor, const jz_listening *listening);

/* Who may use the file of a Unix domain socket. */
typedef struct jz_file_rights {
    uint32_t mode;  /* permission bits; 0: what the umask leaves */
    uint32_t user;  /* JZ_SAME_OWNER: the process's own */
    uint32_t group; /* likewise */
} jz_file_rights;

#define JZ_SAME_OWNER UINT32_MAX

/* Reads "user", "user:group" or ":group", of names and numbers, into the rights; `owner` NULL is the process's own. */
jz_status jz_file_rights_parse_owner(const char *owner, jz_file_rights *rights, jz_error *error);

/*
 * Listens on a Unix domain socket, in place of one that nobody listens on. The file has its rights before anybody can
 * connect.
 */
jz_status jz_socket_listen_unix(const char *path, const jz_file_rights *rights, uint32_t backlog, int *descriptor,
                                jz_error *error);

/* Prepares a socket that listens already. It stays open where this fails. */
jz_status jz_socket_adopt(int descriptor, const jz_listening *listening, jz_error *error);

/* Removes the file of a Unix domain socket. */
void jz_socket_remove_file(const char *path);

#endif
