/*
 * picture_limit: what the process may use, and what it may not do.
 *
 * Resource limits are set before libvips starts.  The lock is a seccomp
 * filter that falls when libvips is up: from then on the process may use the
 * files that it has, memory, threads and clocks, and nothing else.  What is
 * not named gets EPERM, so that a library that tries carries on without.
 */

#define _GNU_SOURCE                 /* CLONE_THREAD */

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "podi_assert.h"
#include "picture.h"
#include "banned.h"

#define LIMIT_FILES  64

#if defined(__x86_64__)
#define LIMIT_ARCH  AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define LIMIT_ARCH  AUDIT_ARCH_AARCH64
#endif

typedef struct {
    int     resource;
    rlim_t  soft;
    rlim_t  hard;
} limit_t;


podi_rc_t
picture_limit(const picture_limits_t *limits, podi_fail_t *fail)
{
    unsigned  i;

    /*
     * SIGXCPU at the soft limit says why; the hard one is for who ignores
     * it.  A sanitizer needs terabytes of addresses.
     */

    const limit_t  table[] = {
        { RLIMIT_CORE, 0, 0 },
        { RLIMIT_CPU, (rlim_t) limits->cpu, (rlim_t) limits->cpu + 1 },
        { RLIMIT_FSIZE, (rlim_t) limits->result_max,
          (rlim_t) limits->result_max },
        { RLIMIT_NOFILE, LIMIT_FILES, LIMIT_FILES },
#ifndef __SANITIZE_ADDRESS__
        { RLIMIT_AS, (rlim_t) limits->memory, (rlim_t) limits->memory },
#endif
    };

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct rlimit  r = { table[i].soft, table[i].hard };

        if (setrlimit((__rlimit_resource_t) table[i].resource, &r) == -1) {
            return podi_fail(fail, PODI_E_INTERNAL, NULL, "setrlimit: %s",
                             strerror(errno));
        }
    }

    /* a result that grows too large is EFBIG; one arena: less address space */

    (void) signal(SIGXFSZ, SIG_IGN);
    (void) signal(SIGPIPE, SIG_IGN);
    (void) mallopt(M_ARENA_MAX, 1);

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1
        || prctl(PR_SET_PDEATHSIG, SIGKILL) == -1
        || prctl(PR_SET_DUMPABLE, 0) == -1
        || getppid() != (pid_t) limits->parent)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "the parent has gone");
    }

    return PODI_OK;
}


#ifdef LIMIT_ARCH

static const int  limit_allowed[] = {

    /* files that are open */
    SYS_read, SYS_readv, SYS_pread64, SYS_write, SYS_writev, SYS_pwrite64,
    SYS_lseek, SYS_fstat, SYS_newfstatat, SYS_fcntl, SYS_fadvise64,
    SYS_close, SYS_dup, SYS_ppoll,

    /* memory */
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk,

    /* threads, and their ends */
    SYS_futex, SYS_set_robust_list, SYS_rseq, SYS_sched_yield,
    SYS_sched_getaffinity, SYS_sched_getattr, SYS_sched_getscheduler,
    SYS_sched_getparam, SYS_membarrier, SYS_getpid, SYS_gettid, SYS_getppid,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack,
    SYS_restart_syscall, SYS_exit, SYS_exit_group,

    /* clocks and numbers */
    SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep,
    SYS_gettimeofday, SYS_getrandom, SYS_getrusage, SYS_times, SYS_getcpu,
    SYS_sysinfo, SYS_uname,

#ifdef __x86_64__
    SYS_poll, SYS_time,
#endif
};

#define LIMIT_ALLOWED  (sizeof(limit_allowed) / sizeof(limit_allowed[0]))
#define LIMIT_FIXED    24

#define limit_load(field)                                                    \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define limit_jump(test, value, yes, no)                                     \
    BPF_JUMP(BPF_JMP | (test) | BPF_K, (unsigned) (value), yes, no)
#define limit_end(verdict)                                                   \
    BPF_STMT(BPF_RET | BPF_K, verdict)

/* a call by its number, when its first argument passes the test */
#define limit_argument(number, test, value)                                  \
    limit_jump(BPF_JEQ, number, 0, 4),                                       \
    limit_load(args[0]),                                                     \
    limit_jump(test, value, 0, 1),                                           \
    limit_end(SECCOMP_RET_ALLOW),                                            \
    limit_end(SECCOMP_RET_ERRNO | EPERM)


/*
 * clone makes threads only; clone3 hides its flags in memory: glibc takes
 * ENOSYS for an old kernel and uses clone.  abort() signals itself.  Of
 * prctl a name is harmless: who sets PDEATHSIG might outlive the daemon.
 */

podi_rc_t
picture_lock(podi_fail_t *fail)
{
    size_t               i, n;
    struct sock_fprog    program;
    struct sock_filter   code[LIMIT_FIXED + 2 * LIMIT_ALLOWED];

    const struct sock_filter  head[] = {
        limit_load(arch),
        limit_jump(BPF_JEQ, LIMIT_ARCH, 1, 0),
        limit_end(SECCOMP_RET_KILL_PROCESS),
        limit_load(nr),
        limit_jump(BPF_JEQ, SYS_clone3, 0, 1),
        limit_end(SECCOMP_RET_ERRNO | ENOSYS),
        limit_argument(SYS_clone, BPF_JSET, CLONE_THREAD),
        limit_argument(SYS_tgkill, BPF_JEQ, getpid()),
        limit_argument(SYS_prctl, BPF_JEQ, PR_SET_NAME),
    };

    memcpy(code, head, sizeof(head));
    n = sizeof(head) / sizeof(head[0]);

    for (i = 0; i < LIMIT_ALLOWED; i++) {
        code[n++] = (struct sock_filter)
            limit_jump(BPF_JEQ, limit_allowed[i], 0, 1);
        code[n++] = (struct sock_filter) limit_end(SECCOMP_RET_ALLOW);
    }

    code[n++] = (struct sock_filter) limit_end(SECCOMP_RET_ERRNO | EPERM);

    podi_assert(n <= sizeof(code) / sizeof(code[0]));

    program.len = (unsigned short) n;
    program.filter = code;

    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the kernel takes no seccomp filter (%s); \"seccomp "
                         "= off\" does without", strerror(errno));
    }

    return PODI_OK;
}

#else

podi_rc_t
picture_lock(podi_fail_t *fail)
{
    return podi_fail(fail, PODI_E_CONFIG, NULL,
                     "no seccomp filter is known for this machine; \"seccomp "
                     "= off\" does without");
}

#endif
