/* SPDX-License-Identifier: MIT
 *
 * See check_output.h.
 */
#define _POSIX_C_SOURCE 200809L /* open, _exit */

#include "check_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FAILED = 2 };

static const char *program;

static void check_output(void)
{
    const bool flushed = fflush(stdout) == 0;
    const int error = flushed ? 0 : errno; /* which an earlier failure does not leave */
    if (!flushed || ferror(stdout)) {
        fprintf(stderr, "%s: the standard output could not be written to its end%s%s\n", program,
                error ? ": " : "", error ? strerror(error) : "");
        _exit(FAILED);
    }
    if (ferror(stderr))
        _exit(FAILED);
}

void check_output_at_exit(const char *name)
{
    program = name;
    /* What is closed becomes a file that cannot be written; of stderr, one that takes everything. */
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY);
    atexit(check_output);
}

bool close_whole(FILE *file)
{
    const bool written = fflush(file) == 0 && !ferror(file);
    return fclose(file) == 0 && written;
}
