/* SPDX-License-Identifier: MIT
 *
 * What a fresh process says. The variant is chosen once per process, so what depends on the environment at that moment is asked
 * of children. They are forked (an exec would leave an emulator), or on Windows, which has no fork, the program starts itself
 * again, and asks in the same order until it is there.
 *
 * So all children are asked at the beginning of main, before this process makes its own choice.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stddef.h>

typedef struct {
    char text[256]; /* "no answer" of a child that has not come to its end */
} answer;

/* What `say` writes in a process with SOFTLANE_ISA set to `value`; NULL: not set. */
answer ask_child(const char *value, void (*say)(char *text, size_t size));

/* Sets SOFTLANE_ISA in this process. */
void set_isa_wanted(const char *value);

#endif
