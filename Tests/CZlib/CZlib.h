/* zlib, for tests in Swift to read what a server compressed with an implementation that is not the server's. */
#include <zlib.h>
