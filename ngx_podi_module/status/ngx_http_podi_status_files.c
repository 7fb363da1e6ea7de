/*
 * What the daemons write for /metrics: small files, renamed into place.
 *
 *     file -> lines -> families -> one HELP, one TYPE, all samples together
 *
 * Daemons of one kind write the same families, which the format wants in one
 * piece.  A file older than 30 seconds belongs to a daemon that is no more.
 * The files are local, small and few: reading them holds nobody up.
 */

#include "ngx_http_podi_status.h"


#define STATUS_FILE_MAX   (256 * 1024)
#define STATUS_FILE_AGE   30            /* seconds */

typedef struct {
    podi_str_t   name;
    podi_buf_t   head;                  /* HELP and TYPE, of one file */
    podi_buf_t   samples;
    ngx_uint_t   file;                  /* whose head it is */
} status_family_t;

typedef struct {
    ngx_http_request_t  *request;
    ngx_array_t          families;
    ngx_uint_t           file;
} status_files_t;


static void status_file(status_files_t *s, const ngx_str_t *dir,
    const ngx_str_t *name);
static ngx_int_t status_file_read(status_files_t *s, ngx_fd_t fd,
    podi_str_t *ret_text);
static void status_file_lines(status_files_t *s, const podi_str_t *text);
static status_family_t *status_family(status_files_t *s,
    const podi_str_t *name);


void
ngx_http_podi_status_files(ngx_http_request_t *r, podi_buf_t *b,
    const ngx_str_t *dir)
{
    ngx_str_t         name, path;
    ngx_dir_t         d;
    ngx_uint_t        i;
    status_files_t    s;
    status_family_t  *family;

    s.request = r;
    s.file = 0;
    path = *dir;

    if (ngx_array_init(&s.families, r->pool, 32, sizeof(status_family_t))
        != NGX_OK)
    {
        return;
    }

    if (ngx_open_dir(&path, &d) == NGX_ERROR) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, ngx_errno,
                      ngx_open_dir_n " \"%V\" of podi_metrics_dir failed",
                      dir);
        return;
    }

    while (ngx_read_dir(&d) == NGX_OK) {

        name.data = ngx_de_name(&d);
        name.len = ngx_de_namelen(&d);

        if (name.len > 5 && name.data[0] != '.'
            && ngx_strncmp(name.data + name.len - 5, ".prom", 5) == 0)
        {
            status_file(&s, dir, &name);
        }
    }

    (void) ngx_close_dir(&d);

    family = s.families.elts;

    for (i = 0; i < s.families.nelts; i++) {
        podi_buf_add(b, family[i].head.data, family[i].head.len);
        podi_buf_add(b, family[i].samples.data, family[i].samples.len);
    }
}


static void
status_file(status_files_t *s, const ngx_str_t *dir, const ngx_str_t *name)
{
    u_char      *path;
    ngx_fd_t     fd;
    podi_str_t   text;

    path = ngx_pnalloc(s->request->pool, dir->len + name->len + 2);
    if (path == NULL) {
        return;
    }

    (void) ngx_sprintf(path, "%V/%V%Z", dir, name);

    fd = ngx_open_file(path, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        return;                         /* gone meanwhile */
    }

    if (status_file_read(s, fd, &text) == NGX_OK) {
        s->file++;
        status_file_lines(s, &text);
    }

    (void) ngx_close_file(fd);
}


static ngx_int_t
status_file_read(status_files_t *s, ngx_fd_t fd, podi_str_t *ret_text)
{
    ssize_t           n;
    ngx_file_info_t   info;

    if (ngx_fd_info(fd, &info) == NGX_FILE_ERROR || !ngx_is_file(&info)
        || ngx_file_size(&info) > STATUS_FILE_MAX
        || ngx_file_mtime(&info) + STATUS_FILE_AGE < ngx_time())
    {
        return NGX_DECLINED;
    }

    ret_text->data = ngx_pnalloc(s->request->pool,
                                 (size_t) ngx_file_size(&info) + 1);
    if (ret_text->data == NULL) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, ret_text->data, (size_t) ngx_file_size(&info));
    if (n < 0) {
        return NGX_ERROR;
    }

    ret_text->len = (size_t) n;

    return NGX_OK;
}


/* "# HELP name ..." and "# TYPE name ..." begin a family, or go on with it */

static void
status_file_lines(status_files_t *s, const podi_str_t *text)
{
    podi_buf_t       *b;
    podi_str_t        rest, line, words, word;
    status_family_t  *family;

    rest = *text;
    family = NULL;

    while (podi_str_split(&rest, '\n', &line)) {

        if (line.len == 0) {
            continue;
        }

        if (line.data[0] == '#') {

            words = line;

            if (!podi_str_split(&words, ' ', &word)
                || !podi_str_split(&words, ' ', &word)
                || !podi_str_split(&words, ' ', &word))
            {
                continue;
            }

            family = status_family(s, &word);

            if (family == NULL || family->file != s->file) {
                continue;
            }
        }

        if (family == NULL) {
            continue;
        }

        b = (line.data[0] == '#') ? &family->head : &family->samples;

        podi_buf_add_str(b, &line);
        podi_buf_add_byte(b, '\n');
    }
}


static status_family_t *
status_family(status_files_t *s, const podi_str_t *name)
{
    ngx_uint_t        i;
    podi_mem_t       *mem;
    status_family_t  *family;

    family = s->families.elts;

    for (i = 0; i < s->families.nelts; i++) {
        if (podi_str_eq(&family[i].name, name)) {
            return &family[i];
        }
    }

    family = ngx_array_push(&s->families);
    if (family == NULL) {
        return NULL;
    }

    mem = ngx_podi_mem(s->request);

    family->name = *name;
    family->file = s->file;
    podi_buf_init(&family->head, mem);
    podi_buf_init(&family->samples, mem);

    return family;
}
