/*
 * podi_directive: the bytes of a file.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "podi_directive_int.h"
#include "banned.h"


static podi_rc_t load_file(directive_reader_t *r, int fd);
static podi_rc_t load_bytes(directive_reader_t *r, int fd, size_t size);


/* never waits: a pipe that nobody writes to is opened, and refused */

podi_rc_t
podi_directive_load(directive_reader_t *r)
{
    int        fd;
    podi_rc_t  rc;

    fd = open(r->file, O_RDONLY|O_CLOEXEC|O_NOCTTY|O_NONBLOCK);

    if (fd == -1) {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL, "%s: %s", r->file,
                         strerror(errno));
    }

    rc = load_file(r, fd);
    (void) close(fd);

    return rc;
}


/* a device has no size, and nginx reads nothing of it */

static podi_rc_t
load_file(directive_reader_t *r, int fd)
{
    struct stat  st;

    if (fstat(fd, &st) != 0) {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL, "%s: %s", r->file,
                         strerror(errno));
    }

    if (S_ISCHR(st.st_mode)) {
        st.st_size = 0;

    } else if (!S_ISREG(st.st_mode)) {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL, "%s: not a file",
                         r->file);
    }

    if (st.st_size > PODI_DIRECTIVE_FILE) {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                         "%s: larger than %d bytes", r->file,
                         PODI_DIRECTIVE_FILE);
    }

    return load_bytes(r, fd, (size_t) st.st_size);
}


/* one byte before them, and one behind, for NULs of words */

static podi_rc_t
load_bytes(directive_reader_t *r, int fd, size_t size)
{
    ssize_t         n;
    unsigned char  *bytes;

    bytes = podi_mem_alloc(r->mem, size + 2);

    if (bytes == NULL) {
        return podi_fail(r->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    r->rest.data = bytes + 1;
    r->rest.len = 0;

    while (r->rest.len < size) {
        n = read(fd, r->rest.data + r->rest.len, size - r->rest.len);

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n == -1) {
            return podi_fail(r->fail, PODI_E_CONFIG, NULL, "%s: %s", r->file,
                             strerror(errno));
        }

        if (n == 0) {
            break;
        }

        r->rest.len += (size_t) n;
    }

    return PODI_OK;
}
