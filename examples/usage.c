/* SPDX-License-Identifier: MIT */
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *own_name(char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    return slash ? slash + 1 : argv[0];
}

void answer_help(int argc, char **argv, const char *arguments, const char *what)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            printf("usage: %s%s%s\n%s\n", own_name(argv), *arguments ? " " : "", arguments, what);
            exit(0);
        }
}

void refuse_more(int argc, char **argv, int most, const char *arguments)
{
    const int unknown = argc > 1 && argv[1][0] == '-' ? 1 : most + 1;
    if (argc <= unknown)
        return;
    fprintf(stderr, "%s: unexpected argument '%s' (usage: %s%s%s)\n", own_name(argv), argv[unknown],
            own_name(argv), *arguments ? " " : "", arguments);
    exit(2);
}
