/*
 * lockc: what a picture's process may still do behind its lock.
 *
 * Locks itself, tries one thing after the other, and says of each "<name>
 * ok", or with which errno it was refused.
 */

#define _GNU_SOURCE                 /* syscall, clone flags */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "picture.h"
#include "banned.h"

#define LOCK_FCHMODAT2  452             /* newer than our headers */

typedef struct {
    const char  *name;
    long         number;
    long         args[4];
} try_t;


static void try_all(const try_t *tries);
static void *try_nothing(void *data);


int
main(void)
{
    char         *piece;
    long          parent = getppid(), self = getpid();
    pthread_t     thread;
    siginfo_t     info;
    podi_fail_t   fail;

    const try_t  tries[] = {
        { "openat", SYS_openat, { AT_FDCWD, (long) "/etc/passwd", 0, 0 } },
        { "socket", SYS_socket, { 1, 1, 0, 0 } },
        { "execve", SYS_execve, { (long) "/bin/true", 0, 0, 0 } },
        { "fork", SYS_clone, { SIGCHLD, 0, 0, 0 } },
        { "clone3", SYS_clone3, { 0, 0, 0, 0 } },
        { "kill", SYS_kill, { parent, 0, 0, 0 } },
        { "tkill", SYS_tkill, { parent, 0, 0, 0 } },
        { "tgkill", SYS_tgkill, { parent, parent, 0, 0 } },
        { "rt_sigqueueinfo", SYS_rt_sigqueueinfo,
          { parent, 0, (long) &info, 0 } },
        { "rt_tgsigqueueinfo", SYS_rt_tgsigqueueinfo,
          { parent, parent, 0, (long) &info } },
        { "pidfd_open", SYS_pidfd_open, { parent, 0, 0, 0 } },
        { "ptrace", SYS_ptrace, { 16, parent, 0, 0 } },
        { "setpriority", SYS_setpriority, { 0, parent, 19, 0 } },
        { "sched_setaffinity", SYS_sched_setaffinity,
          { parent, 8, (long) &info, 0 } },
        { "prlimit64", SYS_prlimit64, { parent, 7, 0, (long) &info } },
        { "utimensat", SYS_utimensat, { AT_FDCWD, (long) "/tmp", 0, 0 } },
        { "setxattr", SYS_setxattr,
          { (long) "/tmp", (long) "user.x", (long) "x", 1 } },
        { "fchmodat2", LOCK_FCHMODAT2, { AT_FDCWD, (long) "/tmp", 01777, 0 } },
        { "readlinkat", SYS_readlinkat,
          { AT_FDCWD, (long) "/proc/self/exe", (long) &info, 16 } },
        { "chdir", SYS_chdir, { (long) "/tmp", 0, 0, 0 } },
        { "memfd_create", SYS_memfd_create, { (long) "x", 0, 0, 0 } },
        { "shmget", SYS_shmget, { 0, 4096, 01600, 0 } },
        { "msgget", SYS_msgget, { 0, 01600, 0, 0 } },
        { "semget", SYS_semget, { 0, 1, 01600, 0 } },
        { "mq_open", SYS_mq_open, { (long) "podi", O_RDWR, 0, 0 } },
        { "io_setup", SYS_io_setup, { 1, (long) &info, 0, 0 } },
        { "io_uring_setup", SYS_io_uring_setup, { 1, (long) &info, 0, 0 } },
        { "open_tree", SYS_open_tree, { AT_FDCWD, (long) "/", 0, 0 } },
        { "unshare", SYS_unshare, { CLONE_NEWUSER, 0, 0, 0 } },
        { "pdeathsig", SYS_prctl, { PR_SET_PDEATHSIG, 0, 0, 0 } },
        { "dumpable", SYS_prctl, { PR_SET_DUMPABLE, 1, 0, 0 } },
        { "self", SYS_tgkill, { self, self, 0, 0 } },
        { "name", SYS_prctl, { PR_SET_NAME, (long) "picture", 0, 0 } },
        { NULL, 0, { 0, 0, 0, 0 } }
    };

    memset(&info, 0, sizeof(info));
    info.si_code = SI_QUEUE;

    if (picture_lock(&fail) != PODI_OK) {
        (void) fprintf(stderr, "lockc: %s\n", fail.detail);
        return 1;
    }

    try_all(tries);

    piece = malloc(64 << 20);
    (void) printf("memory %s\n", piece != NULL ? "ok" : "no");
    free(piece);

    (void) printf("thread %s\n",
                  pthread_create(&thread, NULL, try_nothing, NULL) == 0
                  && pthread_join(thread, NULL) == 0 ? "ok" : "no");

    /* a sanitizer's last words would need what is locked away */

    _exit(fflush(stdout) == 0 ? 0 : 1);
}


static void
try_all(const try_t *tries)
{
    long  rc;

    for ( /* void */ ; tries->name != NULL; tries++) {
        rc = syscall(tries->number, tries->args[0], tries->args[1],
                     tries->args[2], tries->args[3]);

        if (rc == 0 && tries->number == SYS_clone) {
            _exit(0);                   /* the child that should not be */
        }

        (void) printf("%s %s\n", tries->name,
                      rc != -1 ? "ok" : errno == EPERM ? "EPERM"
                      : errno == ENOSYS ? "ENOSYS" : strerror(errno));
    }
}


static void *
try_nothing(void *data)
{
    return data;
}
