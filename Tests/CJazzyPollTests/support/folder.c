#define _DEFAULT_SOURCE

#include "folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char folder[64];
char path[128];

int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/jazzy-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/socket", folder);
    return 0;
}

int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}
