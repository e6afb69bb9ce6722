/* SPDX-License-Identifier: MIT
 *
 * See child.h.
 */
#ifdef __wasm__ /* has no processes */
typedef int no_children;
#else
#define _POSIX_C_SOURCE 200809L
#include "child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static answer read_answer(FILE *from)
{
    answer a = {""};
    const size_t length = fread(a.text, 1, sizeof a.text - 1, from);
    a.text[length] = '\0';
    return a;
}

#if defined(_WIN32)
#define NUMBER "SOFTLANE_TEST_CHILD"

void set_isa_wanted(const char *value) { _putenv_s("SOFTLANE_ISA", value != NULL ? value : ""); }

static answer start(int number)
{
    char text[16], command[1024];
    answer a = {""};
    snprintf(text, sizeof text, "%d", number);
    snprintf(command, sizeof command, "\"%s\"", _pgmptr);
    _putenv_s(NUMBER, text);
    FILE *from = _popen(command, "rb");
    if (from != NULL)
        a = read_answer(from);
    if (from == NULL || _pclose(from) != 0)
        a = (answer){"no answer"};
    _putenv_s(NUMBER, "");
    return a;
}

answer ask_child(const char *value, void (*say)(char *, size_t))
{
    static int asked;
    const char *wanted = getenv(NUMBER);
    const int number = ++asked;
    answer a = {""};
    if (wanted == NULL) {
        set_isa_wanted(value);
        a = start(number);
        set_isa_wanted(NULL);
    } else if (atoi(wanted) == number) {
        say(a.text, sizeof a.text);
        fputs(a.text, stdout);
        exit(0);
    }
    return a;
}

#else
#include <sys/wait.h>
#include <unistd.h>

void set_isa_wanted(const char *value)
{
    if (value != NULL)
        setenv("SOFTLANE_ISA", value, 1);
    else
        unsetenv("SOFTLANE_ISA");
}

answer ask_child(const char *value, void (*say)(char *, size_t))
{
    int ends[2], status = 1;
    answer a = {""};
    if (pipe(ends) != 0)
        return (answer){"no answer"};
    const pid_t child = fork();
    if (child == 0) {
        set_isa_wanted(value);
        say(a.text, sizeof a.text);
        const size_t length = strlen(a.text);
        _exit(write(ends[1], a.text, length) == (ssize_t)length ? 0 : 1);
    }
    close(ends[1]);
    FILE *from = fdopen(ends[0], "rb");
    a = read_answer(from);
    fclose(from);
    waitpid(child, &status, 0);
    return status == 0 ? a : (answer){"no answer"};
}

#endif
#endif
