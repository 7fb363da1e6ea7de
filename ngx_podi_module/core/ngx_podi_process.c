/*
 * ngx_podi_process: who is this, and is he still there?
 */

#include <signal.h>

#include "ngx_podi_process.h"


#define PROCESS_START  20           /* of /proc/pid/stat, after the name */


static uint64_t process_start(ngx_pid_t pid);


/* asked once */

uint64_t
ngx_podi_process(void)
{
    static uint64_t  me;

    if (ngx_podi_process_pid(me) != ngx_pid) {
        me = (uint64_t) ngx_pid | process_start(ngx_pid) << 32;
    }

    return me;
}


ngx_uint_t
ngx_podi_process_is_dead(uint64_t word)
{
    uint64_t   start, now;
    ngx_pid_t  pid = ngx_podi_process_pid(word);

    if (pid == 0) {
        return 0;
    }

    if (kill(pid, 0) == -1 && ngx_errno == ESRCH) {
        return 1;
    }

    start = word >> 32;
    now = (start == 0) ? 0 : process_start(pid);

    return now != 0 && now != start;
}


/* 0: nobody tells; a name may hold anything, so the last ')' ends it */

static uint64_t
process_start(ngx_pid_t pid)
{
    int       n;
    char      path[sizeof("/proc//stat") + NGX_INT64_LEN];
    char      line[1024], *p;
    ssize_t   len;
    ngx_fd_t  fd;

    (void) snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        return 0;
    }

    len = read(fd, line, sizeof(line) - 1);
    (void) close(fd);

    line[(len > 0) ? len : 0] = '\0';
    p = strrchr(line, ')');

    for (n = 0; p != NULL && n < PROCESS_START; n++) {
        p = strchr(p + 1, ' ');
    }

    return (p == NULL) ? 0 : strtoull(p, NULL, 10) & 0xffffffff;
}
