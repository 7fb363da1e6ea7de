/*
 * podi_files: files for one job, without names.
 *
 * A file is made under a random name that is removed at once: whatever
 * happens to the daemon, the kernel takes the bytes back.  Only a crash
 * between the two calls leaves an (empty) name, which the next start removes.
 */

#define _GNU_SOURCE                 /* mkostemp */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "podi_files.h"
#include "banned.h"

#define FILES_PREFIX    "podi-picture-"
#define FILES_PATH_MAX  4096


static podi_rc_t files_empty(const podi_files_t *files, podi_fail_t *fail);
static void files_close_fd(void *thing);


podi_rc_t
podi_files_open(podi_files_t *files, podi_worker_t *w, podi_fail_t *fail)
{
    if (files_empty(files, fail) != PODI_OK
        || podi_objects_open(&files->stores, w, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (files->stores.n == 0) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "stores names no store");
    }

    return PODI_OK;
}


void
podi_files_close(podi_files_t *files)
{
    podi_objects_close(&files->stores);
}


static podi_rc_t
files_empty(const podi_files_t *files, podi_fail_t *fail)
{
    int             fd;
    DIR            *dir;
    podi_rc_t       rc;
    podi_arena_t   *arena;
    struct dirent  *entry;

    (void) mkdir(files->work_dir, 0700);

    dir = opendir(files->work_dir);
    if (dir == NULL) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "work_dir %s: %s",
                         files->work_dir, strerror(errno));
    }

    for (entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strncmp(entry->d_name, FILES_PREFIX, strlen(FILES_PREFIX)) == 0) {
            (void) unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }

    (void) closedir(dir);

    arena = podi_arena_create();
    if (arena == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    rc = podi_files_temp(files, podi_arena_mem(arena), &fd, fail);
    podi_arena_free(&arena);

    return rc;
}


podi_rc_t
podi_files_temp(const podi_files_t *files, podi_mem_t *mem, int *ret_fd,
    podi_fail_t *fail)
{
    int   fd;
    char  path[FILES_PATH_MAX];

    (void) snprintf(path, sizeof(path), "%s/" FILES_PREFIX "XXXXXX",
                    files->work_dir);

    fd = mkostemp(path, O_CLOEXEC);
    if (fd == -1) {
        return podi_fail(fail, errno == ENOSPC || errno == EDQUOT
                               ? PODI_E_STORAGE_FULL : PODI_E_INTERNAL, NULL,
                         "work_dir %s: %s", files->work_dir,
                         strerror(errno));
    }

    (void) unlink(path);

    if (podi_mem_own(mem, files_close_fd, (void *) (intptr_t) fd) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    *ret_fd = fd;

    return PODI_OK;
}


static void
files_close_fd(void *thing)
{
    (void) close((int) (intptr_t) thing);
}


podi_media_e
podi_files_sniff(int fd)
{
    ssize_t        n;
    podi_str_t     head;
    unsigned char  bytes[PODI_SNIFF_LEN];

    n = pread(fd, bytes, sizeof(bytes), 0);

    head.data = bytes;
    head.len = (n > 0) ? (size_t) n : 0;

    return podi_sniff(&head);
}
