/*
 * podi_problem: the body of an error reply, and the language of its title.
 */

#include <string.h>
#include <strings.h>

#include "podi_buf.h"
#include "podi_problem.h"
#include "podi_text.h"
#include "banned.h"


static int podi_lang_quality(podi_str_t range, const char *lang, int *wild);
static int podi_lang_weight(podi_str_t params);


podi_rc_t
podi_problem(const podi_fail_t *fail, podi_lang_e lang,
    const podi_str_t *trace_id, podi_mem_t *mem, podi_str_t *ret_body)
{
    podi_buf_t           b;
    podi_str_t           s;
    const podi_error_t  *error;

    error = podi_error(fail->error);

    podi_buf_init(&b, mem);

    podi_buf_printf(&b, "{\"type\":\"/errors#%s\",\"title\":", error->code);

    s = podi_str_c(lang == PODI_LANG_ZH ? error->zh : error->en);
    podi_buf_add_json(&b, &s);

    podi_buf_printf(&b, ",\"status\":%d,\"code\":\"%s\"", error->http,
                    error->code);

    /* what went wrong inside is not for the one who asks */

    if (fail->detail[0] && error->http < 500) {
        s = podi_str_c(fail->detail);
        podi_buf_add_c(&b, ",\"detail\":");
        podi_buf_add_json(&b, &s);
    }

    if (fail->field[0]) {
        s = podi_str_c(fail->field);
        podi_buf_add_c(&b, ",\"field\":");
        podi_buf_add_json(&b, &s);
    }

    if (trace_id != NULL && trace_id->len) {
        podi_buf_add_c(&b, ",\"trace_id\":");
        podi_buf_add_json(&b, trace_id);
    }

    if (fail->retry_after) {
        podi_buf_printf(&b, ",\"retry_after\":%u", fail->retry_after);
    }

    if (fail->extra[0]) {
        podi_buf_printf(&b, ",%s", fail->extra);
    }

    podi_buf_add_byte(&b, '}');

    return podi_buf_take(&b, ret_body);
}


/*
 * A range that names a language wins over "*" for it.  At equal quality the
 * order of the header does not bind (RFC 9110, 12.5.4), and en is taken only
 * when it was named first.
 */

podi_lang_e
podi_lang_pick(const podi_str_t *accept)
{
    int         q, wild, any = -1, en = -1, zh = -1, zh_first = 0;
    podi_str_t  rest, range;

    if (accept == NULL) {
        return PODI_LANG_EN;
    }

    rest = *accept;

    while (podi_str_split(&rest, ',', &range)) {

        q = podi_lang_quality(range, "zh", &wild);

        if (q >= 0 && wild) {
            any = any < q ? q : any;
            continue;
        }

        if (q > zh) {
            zh = q;
            zh_first = en < q;
        }

        q = podi_lang_quality(range, "en", &wild);
        en = en < q ? q : en;
    }

    en = en < 0 ? any : en;
    zh = zh < 0 ? any : zh;

    if (zh > 0 && (zh > en || (zh == en && zh_first))) {
        return PODI_LANG_ZH;
    }

    return PODI_LANG_EN;
}


/* 0..1000 when the range is "*", the language, or begins with it; else -1 */

static int
podi_lang_quality(podi_str_t range, const char *lang, int *wild)
{
    podi_str_t  tag;

    *wild = 0;

    if (!podi_str_split(&range, ';', &tag)) {
        return -1;
    }

    tag = podi_text_trim(tag);

    if (podi_str_eq_c(&tag, "*")) {
        *wild = 1;
        return podi_lang_weight(range);
    }

    if (tag.len < 2 || strncasecmp((char *) tag.data, lang, 2) != 0
        || (tag.len > 2 && tag.data[2] != '-'))
    {
        return -1;
    }

    return podi_lang_weight(range);
}


/* " q=0.8" to 800; none is 1000; nonsense is 0 */

static int
podi_lang_weight(podi_str_t params)
{
    int     q = 0, scale;
    size_t  i;

    params = podi_text_trim(params);

    if (params.len == 0) {
        return 1000;
    }

    if (params.len < 3 || (params.data[0] | 0x20) != 'q'
        || params.data[1] != '=')
    {
        return 0;
    }

    if (params.data[2] == '1') {
        return 1000;
    }

    for (i = 4, scale = 100; i < params.len && scale; i++, scale /= 10) {
        if (params.data[i] < '0' || params.data[i] > '9') {
            return 0;
        }

        q += (params.data[i] - '0') * scale;
    }

    return q;
}


const char *
podi_lang_name(podi_lang_e lang)
{
    return lang == PODI_LANG_ZH ? "zh-CN" : "en";
}
