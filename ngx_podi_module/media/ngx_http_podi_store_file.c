/*
 * store_file: objects on disk.  The head is a line of text, padded with
 * blanks to PODI_STORE_HEAD bytes:
 *
 *     podi-object/1 <type> <bytes> <sha256>\n
 */

#include "ngx_http_podi_store_file.h"

#include <fcntl.h>


#define STORE_HEAD_FMT  "podi-object/1 %s %lld %.*s"


static ngx_http_podi_store_file_e store_file_error(
    ngx_http_podi_store_file_t *file);
static int store_write_all(int fd, const u_char *data, size_t len,
    off_t offset);
static int store_make_dirs(ngx_http_podi_store_file_t *file, char *path);
static int store_sync_dirs(ngx_http_podi_store_file_t *file);
static int store_sync_dir(const char *path);


podi_rc_t
ngx_http_podi_store_path(const ngx_http_podi_store_t *store,
    const podi_str_t *key, podi_mem_t *mem, podi_str_t *ret_path)
{
    u_char  digest[PODI_SHA256_LEN], hex[2 * PODI_SHA256_LEN];

    if (podi_sha256(key, digest) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_hex_encode(hex, digest, PODI_SHA256_LEN);

    return podi_mem_printf(mem, ret_path,
                           "%.*s/" PODI_STR_FMT "/objects/%.2s/%.2s/%.*s",
                           (int) store->root.len, store->root.data,
                           podi_str_arg(&store->object.bucket),
                           hex, hex + 2, 2 * PODI_SHA256_LEN, hex);
}


podi_rc_t
ngx_http_podi_store_look(const ngx_http_podi_store_t *store,
    const podi_str_t *key, podi_mem_t *mem,
    ngx_http_podi_store_object_t *ret_object, podi_fail_t *fail)
{
    int         fd;
    podi_rc_t   rc;
    podi_str_t  path;

    if (ngx_http_podi_store_path(store, key, mem, &path) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    fd = open((char *) path.data, O_RDONLY|O_CLOEXEC);

    if (fd == -1 && ngx_errno == NGX_ENOENT) {
        return PODI_DECLINED;
    }

    if (fd == -1) {
        (void) podi_fail(fail, PODI_E_STORE_FAILED, NULL, "open failed");
        fail->sys = ngx_errno;
        return PODI_ERROR;
    }

    rc = ngx_http_podi_store_head_read(fd, mem, ret_object);
    (void) close(fd);

    if (rc != PODI_OK) {
        return podi_fail(fail, PODI_E_STORE_FAILED, NULL,
                         "not an object of this store");
    }

    return PODI_OK;
}


podi_rc_t
ngx_http_podi_store_head_read(int fd, podi_mem_t *mem,
    ngx_http_podi_store_object_t *ret_object)
{
    char        text[PODI_STORE_HEAD + 1], type[32], sha256[65];
    ssize_t     n;
    long long   bytes;
    podi_str_t  s;

    n = pread(fd, text, PODI_STORE_HEAD, 0);
    if (n != PODI_STORE_HEAD) {
        return PODI_ERROR;
    }

    text[PODI_STORE_HEAD] = '\0';

    if (sscanf(text, "podi-object/1 %31s %18lld %64s", type, &bytes, sha256)
        != 3)
    {
        return PODI_ERROR;
    }

    ret_object->bytes = bytes;
    s = podi_str_c(type);

    if (podi_mem_dup(mem, &s, &ret_object->type) != PODI_OK) {
        return PODI_ERROR;
    }

    s = podi_str_c(sha256);

    return podi_mem_dup(mem, &s, &ret_object->sha256);
}


ngx_http_podi_store_file_e
ngx_http_podi_store_file_begin(ngx_http_podi_store_file_t *file,
    podi_mem_t *mem)
{
    char        *dir, *slash;

    file->fd = -1;
    file->bytes = 0;
    file->n_head = 0;

    dir = podi_mem_dup_c(mem, &file->path);

    if (dir == NULL
        || podi_hash_begin(mem, PODI_HASH_SHA256, &file->hash) != PODI_OK)
    {
        file->err = NGX_ENOMEM;
        return STORE_FILE_FAILED;
    }

    if (store_make_dirs(file, dir) != 0) {
        return store_file_error(file);
    }

    slash = strrchr(dir, '/');
    *slash = '\0';

    file->fd = open(dir, O_TMPFILE|O_RDWR|O_CLOEXEC, 0640);

    if (file->fd == -1) {
        return store_file_error(file);
    }

    return STORE_FILE_OK;
}


ngx_http_podi_store_file_e
ngx_http_podi_store_file_write(ngx_http_podi_store_file_t *file,
    const u_char *data, size_t len)
{
    size_t  n;

    if (file->n_head < sizeof(file->head)) {
        n = ngx_min(sizeof(file->head) - file->n_head, len);
        ngx_memcpy(file->head + file->n_head, data, n);
        file->n_head += n;
    }

    if (podi_hash_add(file->hash, data, len) != PODI_OK) {
        file->err = NGX_ENOMEM;
        return STORE_FILE_FAILED;
    }

    if (store_write_all(file->fd, data, len, PODI_STORE_HEAD + file->bytes)
        != 0)
    {
        return store_file_error(file);
    }

    file->bytes += (off_t) len;

    return STORE_FILE_OK;
}


podi_rc_t
ngx_http_podi_store_file_judge(ngx_http_podi_store_file_t *file)
{
    u_char      digest[PODI_SHA256_LEN];
    podi_str_t  head;

    if (podi_hash_end(file->hash, digest) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_hex_encode(file->sha256, digest, PODI_SHA256_LEN);

    head.data = file->head;
    head.len = file->n_head;
    file->type = podi_sniff(&head);

    return PODI_OK;
}


/*
 * The order matters: bytes and head are on the disk before the name is, and
 * the name is on the disk before anybody is told.
 */

void
ngx_http_podi_store_file_finish(void *data)
{
    int                          n;
    char                         head[PODI_STORE_HEAD + 1], from[64];
    ngx_http_podi_store_file_t  *file = data;

    memset(head, ' ', PODI_STORE_HEAD);

    n = snprintf(head, sizeof(head), STORE_HEAD_FMT,
                 podi_media_mime(file->type), (long long) file->bytes,
                 2 * PODI_SHA256_LEN, file->sha256);

    head[n] = ' ';
    head[PODI_STORE_HEAD - 1] = '\n';

    (void) snprintf(from, sizeof(from), "/proc/self/fd/%d", file->fd);

    if (store_write_all(file->fd, (u_char *) head, PODI_STORE_HEAD, 0) != 0
        || fsync(file->fd) != 0)
    {
        file->outcome = store_file_error(file);
        return;
    }

    if (linkat(AT_FDCWD, from, AT_FDCWD, (char *) file->path.data,
               AT_SYMLINK_FOLLOW)
        != 0)
    {
        file->outcome = (errno == EEXIST) ? STORE_FILE_EXISTS
                                          : store_file_error(file);
        return;
    }

    if (store_sync_dirs(file) != 0) {
        file->outcome = store_file_error(file);
        (void) unlink((char *) file->path.data);
        return;
    }

    file->outcome = STORE_FILE_OK;
}


void
ngx_http_podi_store_file_abandon(ngx_http_podi_store_file_t *file)
{
    if (file->fd != -1) {
        (void) close(file->fd);
        file->fd = -1;
    }
}


static ngx_http_podi_store_file_e
store_file_error(ngx_http_podi_store_file_t *file)
{
    file->err = errno;

    return (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
           ? STORE_FILE_FULL : STORE_FILE_FAILED;
}


static int
store_write_all(int fd, const u_char *data, size_t len, off_t offset)
{
    ssize_t  n;

    while (len > 0) {

        n = pwrite(fd, data, len, offset);

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {
            return -1;
        }

        data += n;
        len -= (size_t) n;
        offset += n;
    }

    return 0;
}


/* every directory on the way to path */

static int
store_make_dirs(ngx_http_podi_store_file_t *file, char *path)
{
    char  *p;

    for (p = path + 1; (p = strchr(p, '/')) != NULL; p++) {

        *p = '\0';

        if (mkdir(path, 0750) == 0) {
            file->made = 1;

        } else if (errno != EEXIST) {
            return -1;
        }

        *p = '/';
    }

    return 0;
}


/* the directory that has the name, and those above it that may be new */

static int
store_sync_dirs(ngx_http_podi_store_file_t *file)
{
    int   rc;
    char *path = (char *) file->path.data, *p;

    p = path + file->path.len;

    do {
        while (*p != '/') {
            p--;
        }

        *p = '\0';
        rc = store_sync_dir(path);
        *p-- = '/';

    } while (rc == 0 && file->made
             && p - path >= (ssize_t) file->store->root.len);

    return rc;
}


static int
store_sync_dir(const char *path)
{
    int  fd, rc;

    fd = open(path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        return -1;
    }

    rc = fsync(fd);
    (void) close(fd);

    return rc;
}
