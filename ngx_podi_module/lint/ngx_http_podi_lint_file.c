/*
 * lint: files that too many may read or write.
 *
 * Secrets of PODI's own directives are not looked at here: with such a file
 * nginx does not start.
 */

#include <sys/stat.h>

#include "ngx_http_podi_lint.h"


static ngx_uint_t lint_open(const char *path, mode_t bits);


void
ngx_http_podi_lint_secret(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    ngx_str_t  path;

    path.len = d->n > 1 ? d->words[1].len : 0;
    path.data = d->n > 1 ? d->words[1].data : NULL;

    /* off, data:..., engine:..., $variable: no file of a fixed name */

    if (path.len == 0 || ngx_strcmp(path.data, "off") == 0
        || strpbrk((char *) path.data, "$:") != NULL
        || ngx_conf_full_name(l->cf->cycle, &path, 1) != NGX_OK)
    {
        return;
    }

    if (lint_open((char *) path.data, S_IROTH|S_IWOTH|S_IWGRP)) {
        ngx_http_podi_lint_say(l, d,
                               "\"%V\" is open to more users of this machine "
                               "than its owner and who its group lets read: "
                               "run chmod 0600 (or 0640) on it", &path);
    }
}


/* each file of the configuration, where it is first seen */

void
ngx_http_podi_lint_writable(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    ngx_uint_t    i;
    const char  **file;

    file = l->files.elts;

    for (i = l->files.nelts; i > 0; i--) {
        if (file[i - 1] == d->file) {
            return;
        }
    }

    file = ngx_array_push(&l->files);
    if (file == NULL) {
        return;
    }

    *file = d->file;

    if (lint_open(d->file, S_IWOTH)) {
        ngx_http_podi_lint_say(l, d,
                               "all users of this machine may write to this "
                               "file: run chmod 0644 on it");
    }
}


/* has it one of these bits, and may who has come to it at all? */

static ngx_uint_t
lint_open(const char *path, mode_t bits)
{
    char         real[PATH_MAX];
    char        *slash;
    mode_t       pass;
    struct stat  st;

    if (realpath(path, real) == NULL || stat(real, &st) != 0
        || !S_ISREG(st.st_mode) || (st.st_mode & bits) == 0)
    {
        return 0;
    }

    pass = S_IXOTH | ((st.st_mode & bits & S_IWGRP) != 0 ? S_IXGRP : 0);

    for (slash = strrchr(real, '/'); slash != NULL && slash != real;
         slash = strrchr(real, '/'))
    {
        *slash = '\0';

        if (stat(real, &st) != 0 || (st.st_mode & pass) == 0) {
            return 0;
        }
    }

    return 1;
}
