/*
 * ctl_dry_ask: what is asked of the server on which a workflow is tried.
 *
 * Its record and its keys are those of the runners; no Origin is ever sent.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "ctl_dry.h"
#include "banned.h"


#define ASK_TIMEOUT     4               /* place of the option */
#define ASK_MAX         (64 * 1024 * 1024)
#define ASK_FILE_MAX    (512 * 1024 * 1024)
#define ASK_SPAN        10000           /* ms, a request */
#define ASK_FILE_SPAN   300000
#define ASK_PARTS       4

#define ASK_MEMORY      PODI_E_INTERNAL, NULL, "no memory"


static podi_rc_t ask_keys(ctl_dry_t *d, const podi_pg_result_t *row,
    podi_fail_t *fail);
static podi_rc_t ask_request(podi_flow_t *f, ctl_dry_t *d, const char *method,
    const podi_str_t *path, podi_http_request_t *request);
static podi_rc_t ask_upload(podi_flow_t *f, ctl_dry_t *d);
static podi_rc_t ask_post(podi_flow_t *f, ctl_dry_t *d, const char *path,
    const podi_str_t *body);
static podi_rc_t ask_delete(podi_flow_t *f, ctl_dry_t *d, const char *path);
static podi_rc_t ask_interrupt(podi_flow_t *f, ctl_dry_t *d);
static podi_rc_t ask_history(podi_flow_t *f, ctl_dry_t *d);
static podi_rc_t ask_view(podi_flow_t *f, ctl_dry_t *d);
static podi_rc_t ask_file(podi_flow_t *f, ctl_dry_t *d,
    const podi_comfy_file_t *file);


podi_rc_t
ctl_dry_open(ctl_dry_t *d, const podi_pg_result_t *row, podi_fail_t *fail)
{
    int64_t            seconds;
    podi_str_t         url, ca, text;
    podi_http_conf_t   conf;

    text = podi_str_c(d->ctl->values[ASK_TIMEOUT]);

    if (podi_str_to_int64(&text, &seconds) != PODI_OK || seconds < 1
        || seconds > 86400)
    {
        return podi_fail(fail, PODI_E_BAD_FIELD, "timeout",
                         "write whole seconds, at most a day");
    }

    d->until = podi_time_mono() + (podi_msec_t) seconds * 1000;
    url = podi_row_str(row, 0, "url");
    ca = podi_row_str(row, 0, "ca_file");
    d->targeted = podi_row_bool(row, 0, "targeted_interrupt") != 0;

    while (url.len > 0 && url.data[url.len - 1] == '/') {
        url.len--;
    }

    memset(&conf, 0, sizeof(conf));
    conf.user_agent = "podi";
    conf.ca_file = ca.len > 0 ? podi_mem_dup_c(d->ctl->mem, &ca) : NULL;

    d->ctl->http = podi_http_create(&d->ctl->uv.io, &conf);

    if (d->ctl->http == NULL
        || podi_mem_dup(d->ctl->mem, &url, &d->url) != PODI_OK)
    {
        return podi_fail(fail, ASK_MEMORY);
    }

    return ask_keys(d, row, fail);
}


/* the key that opens them is only wanted where there are any */

static podi_rc_t
ask_keys(ctl_dry_t *d, const podi_pg_result_t *row, podi_fail_t *fail)
{
    podi_str_t      auth, keys;
    podi_secret_t  *kek = NULL;

    auth = podi_row_str(row, 0, "auth");
    keys = podi_row_str(row, 0, "keys");

    if (!podi_str_eq_c(&keys, "[]")
        && podi_kek_read(d->ctl->set.kek_file, d->ctl->mem, &kek, fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_comfy_keys_open(kek, &auth, &keys, d->ctl->mem, &d->keys,
                                fail);
}


podi_rc_t
ctl_dry_ask(podi_flow_t *f, void *ctx)
{
    ctl_t      *ctl = ctx;
    ctl_dry_t  *d = ctl->state;

    f->result = NULL;

    switch (d->stage) {

    case DRY_UPLOAD:
        return ask_upload(f, d);

    case DRY_PROMPT:
        return ask_post(f, d, "/prompt", &d->body);

    case DRY_POLL:
        return ask_history(f, d);

    case DRY_VIEW:
        return ask_view(f, d);

    case DRY_UNQUEUE:
        return ask_delete(f, d, "/queue");

    case DRY_INTERRUPT:
        return ask_interrupt(f, d);

    case DRY_FORGET:
        return ask_delete(f, d, "/history");

    default:
        return PODI_OK;
    }
}


static podi_rc_t
ask_request(podi_flow_t *f, ctl_dry_t *d, const char *method,
    const podi_str_t *path, podi_http_request_t *request)
{
    size_t        n = d->keys.n_headers;
    podi_str_t    url;
    podi_pair_t  *headers;
    const char   *mark;

    mark = d->keys.query.len == 0 ? ""
           : memchr(path->data, '?', path->len) != NULL ? "&" : "?";
    headers = podi_mem_calloc(f->mem, (n + 1) * sizeof(podi_pair_t));

    if (headers == NULL
        || podi_mem_printf(f->mem, &url, PODI_STR_FMT PODI_STR_FMT "%s"
                           PODI_STR_FMT, podi_str_arg(&d->url),
                           podi_str_arg(path), mark,
                           podi_str_arg(&d->keys.query)) != PODI_OK)
    {
        return podi_fail(&f->fail, ASK_MEMORY);
    }

    if (n > 0) {
        memcpy(headers, d->keys.headers, n * sizeof(podi_pair_t));
    }

    podi_http_request_init(request, method, &url);
    request->headers = headers;
    request->n_headers = n;
    request->max = ASK_MAX;
    request->timeout = ASK_SPAN;

    return PODI_OK;
}


static podi_rc_t
ask_upload(podi_flow_t *f, ctl_dry_t *d)
{
    podi_str_t            path = podi_string("/upload/image"), folder;
    podi_str_t            name = d->names[d->at];
    podi_http_part_t     *parts;
    podi_http_request_t   request;

    /* podi/<prompt>/<name>, until the server says how it calls it */
    folder = name;
    folder.len = sizeof("podi/") - 1 + d->prompt_id.len;
    name.data += folder.len + 1;
    name.len -= folder.len + 1;

    parts = podi_mem_calloc(f->mem, ASK_PARTS * sizeof(podi_http_part_t));
    if (parts == NULL) {
        return podi_fail(&f->fail, ASK_MEMORY);
    }

    if (ask_request(f, d, "POST", &path, &request) != PODI_OK) {
        return PODI_ERROR;
    }

    parts[0].name = podi_str_c("type");
    parts[0].body = podi_str_c("input");
    parts[1].name = podi_str_c("subfolder");
    parts[1].body = folder;
    parts[2].name = podi_str_c("overwrite");
    parts[2].body = podi_str_c("true");
    parts[3].name = podi_str_c("image");
    parts[3].filename = name;
    parts[3].bytes = d->bytes[d->at];

    parts[0].fd = parts[1].fd = parts[2].fd = -1;
    parts[3].fd = d->fds[d->at];

    request.parts = parts;
    request.n_parts = ASK_PARTS;
    request.timeout = ASK_FILE_SPAN;

    return podi_http_send(d->ctl->http, f, &request);
}


static podi_rc_t
ask_post(podi_flow_t *f, ctl_dry_t *d, const char *path,
    const podi_str_t *body)
{
    podi_str_t            s = podi_str_c(path);
    podi_pair_t          *headers;
    podi_http_request_t   request;

    if (ask_request(f, d, "POST", &s, &request) != PODI_OK) {
        return PODI_ERROR;
    }

    /* ask_request leaves room for one */
    headers = (podi_pair_t *) request.headers;
    headers[request.n_headers].name = podi_str_c("Content-Type");
    headers[request.n_headers].value = podi_str_c("application/json");
    request.n_headers++;
    request.body = *body;

    return podi_http_send(d->ctl->http, f, &request);
}


static podi_rc_t
ask_delete(podi_flow_t *f, ctl_dry_t *d, const char *path)
{
    podi_str_t  body;

    if (podi_mem_printf(f->mem, &body, "{\"delete\":[\"" PODI_STR_FMT "\"]}",
                        podi_str_arg(&d->ref)) != PODI_OK)
    {
        return podi_fail(&f->fail, ASK_MEMORY);
    }

    return ask_post(f, d, path, &body);
}


static podi_rc_t
ask_interrupt(podi_flow_t *f, ctl_dry_t *d)
{
    podi_str_t  body;

    if (podi_mem_printf(f->mem, &body, "{\"prompt_id\":\"" PODI_STR_FMT "\"}",
                        podi_str_arg(&d->ref)) != PODI_OK)
    {
        return podi_fail(&f->fail, ASK_MEMORY);
    }

    return ask_post(f, d, "/interrupt", &body);
}


static podi_rc_t
ask_history(podi_flow_t *f, ctl_dry_t *d)
{
    podi_str_t            path;
    podi_http_request_t   request;

    if (podi_mem_printf(f->mem, &path, "/history/" PODI_STR_FMT,
                        podi_str_arg(&d->ref)) != PODI_OK)
    {
        return podi_fail(&f->fail, ASK_MEMORY);
    }

    return ask_request(f, d, "GET", &path, &request) == PODI_OK
           ? podi_http_send(d->ctl->http, f, &request) : PODI_ERROR;
}


static podi_rc_t
ask_view(podi_flow_t *f, ctl_dry_t *d)
{
    podi_str_t            path;
    podi_comfy_file_t    *file = &d->history.files[d->at];
    podi_http_request_t   request;

    if (ask_file(f, d, file) != PODI_OK) {
        return PODI_ERROR;
    }

    if (podi_comfy_view(file, f->mem, &path) != PODI_OK) {
        return podi_fail(&f->fail, ASK_MEMORY);
    }

    if (ask_request(f, d, "GET", &path, &request) != PODI_OK) {
        return PODI_ERROR;
    }

    request.into_fd = d->fd;
    request.max = ASK_FILE_MAX;
    request.timeout = ASK_FILE_SPAN;

    return podi_http_send(d->ctl->http, f, &request);
}


/* <prompt>-<n>-<its name>: what it is called there is not a path here */

static podi_rc_t
ask_file(podi_flow_t *f, ctl_dry_t *d, const podi_comfy_file_t *file)
{
    char    path[160];
    char   *p;
    size_t  len;

    (void) snprintf(path, sizeof(path), PODI_STR_FMT "-%zu-" PODI_STR_FMT,
                    podi_str_arg(&d->prompt_id), d->at + 1,
                    podi_str_arg(&file->filename));
    len = strlen(path);

    for (p = path; p < path + len; p++) {
        if (!isalnum((unsigned char) *p) && strchr("._-", *p) == NULL) {
            *p = '_';
        }
    }

    d->fd = openat(d->out, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                   0644);
    if (d->fd == -1) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "out", "%s: %s", path,
                         strerror(errno));
    }

    (void) printf("{\"file\":\"%s\",\"node\":\"" PODI_STR_FMT "\"}\n", path,
                  podi_str_arg(&file->node));

    return PODI_OK;
}
