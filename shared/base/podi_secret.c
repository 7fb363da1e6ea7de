/*
 * podi_secret: held in memory of its own, wiped before that goes.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "podi_secret.h"
#include "banned.h"


#define PODI_SECRET_MAX  4096


struct podi_secret_s {
    size_t         len;
    unsigned char  data[];
};


static void podi_secret_free(void *thing);
static podi_rc_t podi_secret_check(int fd, const char *path,
    podi_fail_t *fail);
static ssize_t podi_secret_load(int fd, unsigned char *dst, size_t size);


podi_rc_t
podi_secret_make(podi_mem_t *mem, const podi_str_t *bytes,
    podi_secret_t **ret_secret)
{
    podi_secret_t  *secret;

    secret = malloc(sizeof(podi_secret_t) + bytes->len);
    if (secret == NULL) {
        return PODI_ERROR;
    }

    secret->len = bytes->len;

    if (bytes->len) {
        memcpy(secret->data, bytes->data, bytes->len);
    }

    if (podi_mem_own(mem, podi_secret_free, secret) != PODI_OK) {
        return PODI_ERROR;
    }

    *ret_secret = secret;

    return PODI_OK;
}


static void
podi_secret_free(void *thing)
{
    podi_secret_t  *secret = thing;

    podi_wipe(secret->data, secret->len);
    free(secret);
}


podi_rc_t
podi_secret_read(podi_mem_t *mem, const char *path,
    podi_secret_t **ret_secret, podi_fail_t *fail)
{
    int             fd;
    ssize_t         n;
    podi_rc_t       rc;
    podi_str_t      bytes;
    unsigned char   data[PODI_SECRET_MAX + 3];

    fd = open(path, O_RDONLY|O_CLOEXEC|O_NOCTTY|O_NONBLOCK);
    if (fd < 0) {
        (void) podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the secret file \"%s\" cannot be opened: %s",
                         path, strerror(errno));
        fail->sys = errno;
        return PODI_ERROR;
    }

    rc = podi_secret_check(fd, path, fail);
    n = rc == PODI_OK ? podi_secret_load(fd, data, sizeof(data)) : 0;
    (void) close(fd);

    if (rc != PODI_OK) {
        return rc;
    }

    if (n > 0 && data[n - 1] == '\n') {
        n--;

        if (n > 0 && data[n - 1] == '\r') {
            n--;
        }
    }

    if (n < 1 || n > PODI_SECRET_MAX) {
        rc = podi_fail(fail, PODI_E_CONFIG, NULL,
                       "the secret file \"%s\" must hold 1 to %d bytes",
                       path, PODI_SECRET_MAX);
    } else {
        bytes.data = data;
        bytes.len = (size_t) n;
        rc = podi_secret_make(mem, &bytes, ret_secret);

        if (rc != PODI_OK) {
            (void) podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    podi_wipe(data, sizeof(data));

    return rc;
}


static podi_rc_t
podi_secret_check(int fd, const char *path, podi_fail_t *fail)
{
    struct stat  st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the secret \"%s\" is not a regular file", path);
    }

    if (st.st_mode & (S_IROTH|S_IWOTH|S_IWGRP)) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the secret file \"%s\" is open to others; "
                         "run chmod 0600 (or 0640) on it", path);
    }

    return PODI_OK;
}


static ssize_t
podi_secret_load(int fd, unsigned char *dst, size_t size)
{
    size_t   len = 0;
    ssize_t  n;

    while (len < size) {
        n = read(fd, dst + len, size - len);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n < 0) {
            return -1;
        }

        if (n == 0) {
            break;
        }

        len += (size_t) n;
    }

    return (ssize_t) len;
}


podi_str_t
podi_secret_bytes(const podi_secret_t *secret)
{
    podi_str_t  s;

    s.len = secret->len;
    s.data = (unsigned char *) (uintptr_t) secret->data;

    return s;
}


void
podi_wipe(void *data, size_t len)
{
    if (len) {
        explicit_bzero(data, len);
    }
}
