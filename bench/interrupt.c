/* SPDX-License-Identifier: MIT
 *
 * See interrupt.h.
 */
#include "interrupt.h"

#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t asked_by; /* the signal, or 0 */

static void ask_to_stop(int number) { asked_by = number; }

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = ask_to_stop, .sa_flags = SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool interrupted(void) { return asked_by != 0; }

int interrupt_report(const char *program)
{
    fprintf(stderr, "%s: interrupted; its results are those until then\n", program);
    return 128 + asked_by;
}
