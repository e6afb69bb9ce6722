/* SPDX-License-Identifier: MIT
 *
 * Ctrl-C and SIGTERM: what has been measured so far is worth reporting, so the first one only asks to stop.
 * The second ends the program.
 */
#ifndef SL_BENCH_INTERRUPT_H
#define SL_BENCH_INTERRUPT_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

void interrupt_catch(void);
bool interrupted(void);
/* Says on stderr what happened, and returns the exit code: 128 + the signal, as shells have it. */
int interrupt_report(const char *program);

#ifdef __cplusplus
}
#endif
#endif
