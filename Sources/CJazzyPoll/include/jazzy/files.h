/* Files as pages: one file, or a folder. */
#ifndef JAZZY_FILES_H
#define JAZZY_FILES_H

#include "compiler.h"
#include "error.h"
#include "server.h"

JZ_BEGIN_DECLARATIONS

/* Options of files. All zero: the defaults. Everything is copied. */
typedef struct jz_file_options {
    const char *content_type;  /* of all of them; NULL, the default: by what follows the last dot of the name, else
                                  "application/octet-stream" */
    const char *cache_control; /* the value of Cache-Control; NULL, the default: "no-cache": clients keep what they get,
                                  and ask each time whether it has changed, which a 304 answers */
    const char *index;         /* of a folder: the file for paths that end with a slash; NULL, the default:
                                  "index.html"; "": none */
} jz_file_options;

/*
 * Registers a page whose content is a file, before the server runs. Each request finds the file as it is then: it may
 * be replaced, or removed, while the server runs. GET and HEAD have an entity tag and a date, and know conditions, and
 * one range (Range, If-Range; where several are asked for, all is sent, as RFC 9110 §14.2 allows). The tag is made of
 * the size, of the times of the last change of the content and of anything else about the file, and of which file it
 * is: a file that is replaced has another one, even with the same time and size, and so has a copy of it on another
 * machine. Content that can become smaller is sent with gzip to who accepts that: each version of a file up to 4 MiB is
 * compressed once, and kept while there is room: 32 MiB in all.
 *
 * Files are opened and read by threads of their own, in pieces of 64 KiB as the client takes them, so that no loop
 * waits for a disk, and a client costs no more memory than two of them. A file that is changed while it is being sent
 * ends the connection before the response is complete. INVALID_OPTION: the file is not there, or is none, or an option
 * is wrong; PERMISSION_DENIED: it cannot be read. Later, a missing file is answered with 404, one that may not be read
 * with 403, and with 503 if no descriptors are left; the last two are logged.
 */
JZ_PUBLIC jz_status jz_server_route_file(jz_server *server, const char *path, const char *file,
                                         const jz_file_options *options, jz_error *error);

/*
 * Registers the files of a folder, and of the folders in it: with "/app/" and "public", the path /app/a/b.css leads to
 * public/a/b.css, and /app/ to public/index.html. `path` ends with a slash; the route's pattern is that path with a
 * catch-all, so that other routes go before it.
 *
 * Nothing outside of the folder is ever served, whatever a path says, nor a symbolic link in it, nor a file or folder
 * whose name begins with a dot, but ".well-known" in the folder itself; all that, and folders without an index, is
 * answered with 404. The folder itself may be a symbolic link, which is followed for each request.
 */
JZ_PUBLIC jz_status jz_server_route_folder(jz_server *server, const char *path, const char *folder,
                                           const jz_file_options *options, jz_error *error);

JZ_END_DECLARATIONS

#endif
