/*
 * picture_hear: what comes through stdin, lines and files.
 *
 *     limits \n  (any time)  question \n, with the files when it is a socket
 *
 * A socket's files are put to the places that podi_picture.h names; a pipe or
 * a file has none, and who started the process has put them there before.
 * The places are taken from the start, so that no library opens anything of
 * its own there.
 */

#define _GNU_SOURCE                 /* close_range */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "picture.h"
#include "banned.h"

#define HEAR_MAX    16384
#define HEAR_FILES  (PICTURE_PLACES - PODI_PICTURE_IN)


static ssize_t hear_some(void);
static podi_rc_t hear_files(struct msghdr *msg);
static podi_rc_t hear_place(const int *fd, size_t n);


static struct {
    unsigned char   bytes[HEAR_MAX];
    size_t          from;           /* of what was not given yet */
    size_t          to;
    unsigned        is_socket:1;
} hear;


podi_rc_t
picture_places(void)
{
    int          fd;
    struct stat  st;

    if (fstat(STDIN_FILENO, &st) == -1) {
        return PODI_ERROR;
    }

    hear.is_socket = S_ISSOCK(st.st_mode) ? 1 : 0;

    /* whatever a library of the daemon forgot to mark */

    (void) close_range(hear.is_socket ? PODI_PICTURE_IN : PICTURE_PLACES, ~0U,
                       0);

    for (fd = PODI_PICTURE_IN; fd < PICTURE_PLACES; fd++) {

        if (fcntl(fd, F_GETFD) == -1 && dup2(STDERR_FILENO, fd) == -1) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


/* at the end of it all: what is left, or nothing, which is no question */

podi_rc_t
picture_hear(podi_str_t *ret_line)
{
    ssize_t               n = 1;
    unsigned char        *end;
    const unsigned char  *line;

    for ( ;; ) {
        line = hear.bytes + hear.from;
        end = memchr(line, '\n', hear.to - hear.from);

        if (end != NULL || n == 0) {
            break;
        }

        n = hear_some();
        if (n < 0) {
            return PODI_ERROR;
        }
    }

    ret_line->data = hear.bytes + hear.from;
    ret_line->len = (end != NULL) ? (size_t) (end - ret_line->data)
                                  : hear.to - hear.from;
    hear.from += ret_line->len + (end != NULL);

    return PODI_OK;
}


static ssize_t
hear_some(void)
{
    ssize_t        n;
    struct iovec   iov;
    struct msghdr  msg;

    union {
        struct cmsghdr  head;
        char            data[CMSG_SPACE(HEAR_FILES * sizeof(int))];
    } control;

    iov.iov_base = hear.bytes + hear.to;
    iov.iov_len = HEAR_MAX - hear.to;

    if (iov.iov_len == 0) {
        return -1;
    }

    memset(&msg, 0, sizeof(msg));
    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;
    msg.msg_control = &control;
    msg.msg_controllen = sizeof(control);

    do {
        n = hear.is_socket ? recvmsg(STDIN_FILENO, &msg, 0)
                           : read(STDIN_FILENO, iov.iov_base, iov.iov_len);
    } while (n < 0 && errno == EINTR);

    if (n > 0 && hear.is_socket && hear_files(&msg) != PODI_OK) {
        return -1;
    }

    hear.to += (n > 0) ? (size_t) n : 0;

    return n;
}


static podi_rc_t
hear_files(struct msghdr *msg)
{
    int              fd[HEAR_FILES];
    size_t           n;
    struct cmsghdr  *c;

    if (msg->msg_flags & MSG_CTRUNC) {
        return PODI_ERROR;
    }

    c = CMSG_FIRSTHDR(msg);

    if (c == NULL) {
        return PODI_OK;
    }

    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
        return PODI_ERROR;
    }

    n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fd, CMSG_DATA(c), n * sizeof(int));

    return hear_place(fd, n);
}


/* they came behind the places, as all of those are taken */

static podi_rc_t
hear_place(const int *fd, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {

        if (dup2(fd[i], PODI_PICTURE_IN + (int) i) == -1) {
            return PODI_ERROR;
        }

        (void) close(fd[i]);
    }

    return PODI_OK;
}
