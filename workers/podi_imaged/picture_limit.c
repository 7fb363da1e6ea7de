/*
 * picture_limit: what the process may use, and what it may not do.
 *
 * Resource limits are set before libvips starts.  The lock is a seccomp
 * filter that falls when libvips is up: from then on nothing is opened, no
 * socket, process or program is started, nothing is traced or killed.  What
 * is denied gets EPERM, so that a library that tries carries on without.
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

static const int  limit_denied[] = {

    /* files by name */
    SYS_openat, SYS_openat2, SYS_unlinkat, SYS_renameat2, SYS_linkat,
    SYS_symlinkat, SYS_mkdirat, SYS_mknodat, SYS_fchmodat, SYS_fchownat,
    SYS_truncate, SYS_mount, SYS_umount2, SYS_chroot, SYS_pivot_root,
    SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_memfd_create,
    SYS_inotify_init1, SYS_fanotify_init,

    /* the network */
    SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen,
    SYS_accept, SYS_accept4, SYS_sendto, SYS_sendmsg, SYS_sendmmsg,
    SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg,

    /* programs and other processes */
    SYS_execve, SYS_execveat, SYS_kill, SYS_tkill, SYS_pidfd_open,
    SYS_pidfd_send_signal, SYS_pidfd_getfd, SYS_ptrace,
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_prlimit64,
    SYS_setrlimit, SYS_setns, SYS_unshare,

    /* doors into the kernel that a decoder has no use for */
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup,
    SYS_add_key, SYS_request_key, SYS_keyctl, SYS_ioctl, SYS_personality,

#ifdef __x86_64__
    SYS_open, SYS_creat, SYS_unlink, SYS_rename, SYS_renameat, SYS_link,
    SYS_symlink, SYS_mkdir, SYS_rmdir, SYS_mknod, SYS_chmod, SYS_chown,
    SYS_lchown, SYS_fork, SYS_vfork,
#endif
};

#define LIMIT_DENIED  (sizeof(limit_denied) / sizeof(limit_denied[0]))
#define LIMIT_FIXED   16

#define limit_answer(errnum)                                                 \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (errnum))


/*
 * clone makes threads only.  clone3 hides its flags in memory: glibc takes
 * ENOSYS for an old kernel and uses clone.
 */

podi_rc_t
picture_lock(podi_fail_t *fail)
{
    size_t               i, n;
    struct sock_fprog    program;
    struct sock_filter   code[LIMIT_FIXED + 2 * LIMIT_DENIED];

    const struct sock_filter  head[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data,
                                                    arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, LIMIT_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef __x86_64__
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),  /* x32 */
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
#endif
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        limit_answer(ENOSYS),
    };

    const struct sock_filter  tail[] = {
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data,
                                                    args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
        limit_answer(EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };

    memcpy(code, head, sizeof(head));
    n = sizeof(head) / sizeof(head[0]);

    for (i = 0; i < LIMIT_DENIED; i++) {
        code[n++] = (struct sock_filter)
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) limit_denied[i],
                     0, 1);
        code[n++] = (struct sock_filter) limit_answer(EPERM);
    }

    memcpy(&code[n], tail, sizeof(tail));
    n += sizeof(tail) / sizeof(tail[0]);

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
