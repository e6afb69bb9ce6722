/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include "check_output.h"
#include "softlane.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *program = "softlane";

void arguments_program(const char *name)
{
    program = name;
    check_output_at_exit(name);
}

void argument_help_or_version(const char *argument, void (*print_help)(void))
{
    if (strcmp(argument, "-h") == 0 || strcmp(argument, "--help") == 0)
        print_help();
    else if (strcmp(argument, "--version") == 0)
        printf("%s %s\n", program, SOFTLANE_VERSION);
    else
        return;
    exit(0);
}

_Noreturn void refuse(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *c = line; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = '?'; /* the words are the user's, the promise is one line */
    fprintf(stderr, "%s: %s\n", program, line);
    exit(2);
}

bool argument_value(const char *flag, int *i, int argc, char **argv, const char **value)
{
    size_t length = strlen(flag);
    if (strncmp(argv[*i], flag, length) != 0)
        return false;
    if (argv[*i][length] == '=') {
        *value = argv[*i] + length + 1;
        return true;
    }
    if (argv[*i][length] != '\0')
        return false;
    if (*i + 1 >= argc)
        refuse("%s needs a value", flag);
    *value = argv[++*i];
    return true;
}

const char *arguments_wrong_isa(void)
{
    static char why[512];
    const char *name = getenv("SOFTLANE_ISA");
    if (!name || *name == '\0' || sl_isa_available(name))
        return NULL;
    int n = snprintf(why, sizeof why, "SOFTLANE_ISA=%.64s: %s (there are ", name, sl_isa_why_not(name));
    for (size_t i = 0; i < sl_isa_count() && n < (int)sizeof why; i++)
        n += snprintf(why + n, sizeof why - (size_t)n, "%s%s", i ? ", " : "", sl_isa_name_at(i));
    if (n < (int)sizeof why)
        snprintf(why + n, sizeof why - (size_t)n, ")");
    return why;
}

void arguments_check_environment(void)
{
    const char *why = arguments_wrong_isa();
    if (why)
        refuse("%s", why);
}
