/*
 * A task or a job as its reply, with what failed said in the language of the
 * request.
 *
 *     row -> JSON -> words for its failures -> reply
 */

#include "ngx_http_podi_task.h"
#include "podi_failure.h"


podi_rc_t
ngx_http_podi_task_reply(podi_flow_t *f, ngx_http_request_t *r, unsigned depth)
{
    podi_buf_t   b;
    podi_str_t   json, accept, name;
    podi_lang_e  lang;

    if (podi_rows(f->result) == 0) {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL, "no row");
    }

    podi_buf_init(&b, f->mem);
    podi_buf_add_byte(&b, '{');
    podi_row_json(&b, f->result, 0);
    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &json) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    accept = ngx_podi_header(r, "accept-language");
    lang = podi_lang_pick(&accept);
    name = podi_str_c(podi_lang_name(lang));

    if (podi_failure_words(&json, depth, lang, f->mem, &json, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (ngx_podi_header_add(r, "Content-Language", &name) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply(f, r, NGX_HTTP_OK, &json);
}
