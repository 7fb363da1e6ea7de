/*
 * The metrics' text, read again: what is told to machines is the one source of
 * what people are shown, and brings the daemons' files with it.
 *
 *     line -> name [ "{" labels "}" ] value
 */

#include "ngx_http_podi_status.h"


static ngx_uint_t sample_read(const u_char *p, const u_char *last,
    ngx_http_podi_sample_t *s);
static const u_char *sample_labels(const u_char *p, const u_char *last);


ngx_int_t
ngx_http_podi_samples(ngx_http_request_t *r, const podi_str_t *text,
    ngx_array_t *ret_samples)
{
    const u_char            *p, *line, *last;
    ngx_http_podi_sample_t   sample, *s;

    if (ngx_array_init(ret_samples, r->pool, 512,
                       sizeof(ngx_http_podi_sample_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    last = text->data + text->len;

    for (line = text->data; line < last; line = p + 1) {

        p = memchr(line, '\n', last - line);
        p = (p == NULL) ? last : p;

        if (!sample_read(line, p, &sample)) {
            continue;
        }

        s = ngx_array_push(ret_samples);
        if (s == NULL) {
            return NGX_ERROR;
        }

        *s = sample;
    }

    return NGX_OK;
}


static ngx_uint_t
sample_read(const u_char *p, const u_char *last, ngx_http_podi_sample_t *s)
{
    char          *end;
    const u_char  *q;

    if (p == last || *p == '#') {
        return 0;
    }

    for (q = p; q < last && *q != '{' && *q != ' '; q++) {
        /* void */
    }

    s->name.data = (u_char *) (uintptr_t) p;
    s->name.len = q - p;
    s->labels.data = (u_char *) (uintptr_t) q;
    s->labels.len = 0;

    if (q < last && *q == '{') {
        p = q + 1;
        q = sample_labels(p, last);

        s->labels.data = (u_char *) (uintptr_t) p;
        s->labels.len = q - p;

        q++;
    }

    if (q >= last || *q != ' ') {
        return 0;
    }

    s->value = strtod((const char *) q, &end);

    return end != (const char *) q && s->value == s->value;
}


/* where they end: a brace within a value is one of its letters */

static const u_char *
sample_labels(const u_char *p, const u_char *last)
{
    ngx_uint_t  quoted = 0;

    for ( /* void */ ; p < last; p++) {

        if (quoted && *p == '\\') {
            p++;

        } else if (*p == '"') {
            quoted = !quoted;

        } else if (*p == '}' && !quoted) {
            break;
        }
    }

    return ngx_min(p, last);
}
