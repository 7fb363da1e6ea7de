/*
 * podi_fault: what happens at a point that a test has armed.
 *
 *     <dir>/<program>.<point> --rename: one process alone--> ....hit
 *
 * Each program has its own, because the skeleton is in all daemons.  The file
 * says "kill" or "pause"; who finds it adds " <pid>\n".
 */

#include "podi_fault.h"

#ifdef PODI_FAULTS

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "banned.h"

#define FAULT_PATH_MAX  512


static const char *const  fault_names[] = {
#define PODI_FAULT_POINT(name, who, peer, what)  #name,
#include "podi_faults.def"
#undef PODI_FAULT_POINT
};


void
podi_fault_at(podi_fault_e point)
{
    int          fd, len;
    char         armed[FAULT_PATH_MAX], hit[FAULT_PATH_MAX + 4];
    char         text[64], program[16];
    ssize_t      n;
    const char  *dir;

    dir = getenv("PODI_FAULT_DIR");
    if (dir == NULL || prctl(PR_GET_NAME, program) == -1) {
        return;
    }

    (void) snprintf(armed, sizeof(armed), "%s/%s.%s", dir, program,
                    fault_names[point]);
    (void) snprintf(hit, sizeof(hit), "%s.hit", armed);

    if (rename(armed, hit) == -1) {
        return;
    }

    fd = open(hit, O_RDWR | O_APPEND | O_CLOEXEC);
    if (fd == -1) {
        return;
    }

    n = read(fd, text, 1);
    len = snprintf(text + 1, sizeof(text) - 1, " %d\n", (int) getpid());

    if (n != 1 || write(fd, text + 1, (size_t) len) != len) {
        (void) close(fd);
        return;
    }

    (void) close(fd);
    (void) raise(text[0] == 'k' ? SIGKILL : SIGSTOP);
}

#endif
