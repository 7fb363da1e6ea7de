/*
 * podi_multipart: see podi_multipart.h for the states.
 *
 * The delimiter is "--" and the boundary, at the begin of a line.  No boundary
 * holds a line end, so a delimiter that breaks off never hides the begin of
 * another: no byte is looked at twice.
 */

#include <ctype.h>
#include <string.h>

#include "podi_multipart.h"
#include "podi_text.h"
#include "banned.h"


typedef enum {
    PART_PREAMBLE,
    PART_LINE,                      /* behind a delimiter */
    PART_HEADERS,
    PART_CONTENT,
    PART_END                        /* behind the last delimiter */
} podi_multipart_state_e;

struct podi_multipart_s {
    podi_multipart_state_e  state;
    podi_multipart_pt       file;
    void                   *data;
    unsigned char           delimiter[PODI_MULTIPART_BOUNDARY + 2];
    size_t                  len;            /* of the delimiter */
    size_t                  matched;        /* of it */
    unsigned char           last[2];        /* bytes before what is looked at */
    unsigned char           lead[2];        /* ... before the match */
    unsigned char           headers[PODI_MULTIPART_HEADERS];
    size_t                  headers_len;
    podi_str_t              type;           /* in headers */
    unsigned char           head[PODI_SNIFF_LEN];
    size_t                  head_len;
    uint64_t                content;        /* bytes since the headers */
    unsigned                parts;
    unsigned                is_file:1;
    unsigned                told:1;
};


static podi_rc_t part_boundary(podi_multipart_t *m, podi_str_t rest,
    podi_fail_t *fail);
static podi_rc_t part_byte(podi_multipart_t *m, unsigned char c,
    podi_fail_t *fail);
static podi_rc_t part_search(podi_multipart_t *m, unsigned char c,
    podi_fail_t *fail);
static podi_rc_t part_delimiter(podi_multipart_t *m, podi_fail_t *fail);
static podi_rc_t part_line(podi_multipart_t *m, unsigned char c,
    podi_fail_t *fail);
static podi_rc_t part_headers(podi_multipart_t *m, unsigned char c,
    podi_fail_t *fail);
static podi_rc_t part_header(podi_multipart_t *m, podi_str_t line,
    podi_fail_t *fail);
static podi_rc_t part_disposition(podi_multipart_t *m,
    const podi_str_t *value, podi_fail_t *fail);
static podi_rc_t part_end(podi_multipart_t *m, unsigned char c,
    podi_fail_t *fail);
static int part_is_file(const podi_multipart_t *m);
static podi_rc_t part_tell(podi_multipart_t *m, podi_fail_t *fail);
static podi_rc_t part_bad(podi_fail_t *fail, const char *why);


podi_rc_t
podi_multipart_begin(podi_mem_t *mem, const podi_str_t *content_type,
    podi_multipart_pt file, void *data, podi_multipart_t **ret_m,
    podi_fail_t *fail)
{
    podi_str_t         rest, type;
    podi_multipart_t  *m;

    rest = *content_type;

    if (!podi_str_split(&rest, ';', &type)) {
        return PODI_DECLINED;
    }

    type = podi_text_trim(type);

    if (!podi_text_begins(&type, "multipart/")) {
        return PODI_DECLINED;
    }

    if (!podi_text_is(&type, "multipart/form-data")) {
        return part_bad(fail, "of the multipart types only form-data");
    }

    m = podi_mem_calloc(mem, sizeof(podi_multipart_t));
    if (m == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    m->file = file;
    m->data = data;

    /* the begin of the body is the begin of a line */

    m->last[0] = '\r';
    m->last[1] = '\n';

    *ret_m = m;

    return part_boundary(m, rest, fail);
}


/* the parameters: one boundary, with or without quotes, plain characters */

static podi_rc_t
part_boundary(podi_multipart_t *m, podi_str_t rest, podi_fail_t *fail)
{
    size_t      i;
    podi_str_t  param, name, value;

    while (podi_str_split(&rest, ';', &param)) {

        value = param;

        if (!podi_str_split(&value, '=', &name)) {
            continue;
        }

        name = podi_text_trim(name);

        if (!podi_text_begins(&name, "boundary")) {
            continue;
        }

        value = podi_text_trim(value);

        if (value.len >= 2 && value.data[0] == '"'
            && value.data[value.len - 1] == '"')
        {
            value.data++;
            value.len -= 2;
        }

        if (name.len != 8 || m->len != 0 || value.len == 0
            || value.len > PODI_MULTIPART_BOUNDARY)
        {
            return part_bad(fail, "one boundary of 1 to 70 characters");
        }

        for (i = 0; i < value.len; i++) {
            if (!isalnum(value.data[i])
                && memchr("'()+_,-./:=?", value.data[i], 12) == NULL)
            {
                return part_bad(fail, "a boundary of plain characters");
            }
        }

        memcpy(m->delimiter, "--", 2);
        memcpy(m->delimiter + 2, value.data, value.len);
        m->len = value.len + 2;
    }

    return (m->len != 0) ? PODI_OK : part_bad(fail, "a boundary");
}


podi_rc_t
podi_multipart_take(podi_multipart_t *m, const unsigned char *bytes,
    size_t len, podi_fail_t *fail)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (part_byte(m, bytes[i], fail) != PODI_OK) {
            return PODI_ERROR;
        }

        m->last[0] = m->last[1];
        m->last[1] = bytes[i];
    }

    return PODI_OK;
}


podi_rc_t
podi_multipart_end(podi_multipart_t *m, podi_fail_t *fail)
{
    return (m->state == PART_END && m->headers_len != 1)
           ? PODI_OK : part_bad(fail, "a last delimiter");
}


static podi_rc_t
part_byte(podi_multipart_t *m, unsigned char c, podi_fail_t *fail)
{
    switch (m->state) {

    case PART_CONTENT:

        m->content++;

        if (m->head_len < PODI_SNIFF_LEN) {
            m->head[m->head_len++] = c;

        } else if (!m->told && m->matched == 0
                   && part_tell(m, fail) != PODI_OK)
        {
            return PODI_ERROR;
        }

        return part_search(m, c, fail);

    case PART_PREAMBLE:
        return part_search(m, c, fail);

    case PART_LINE:
        return part_line(m, c, fail);

    case PART_HEADERS:
        return part_headers(m, c, fail);

    default:
        return part_end(m, c, fail);
    }
}


static podi_rc_t
part_search(podi_multipart_t *m, unsigned char c, podi_fail_t *fail)
{
    if (m->matched == 0 && (m->last[1] == '\n' || m->last[1] == '\r')) {
        memcpy(m->lead, m->last, 2);

    } else if (m->matched == 0) {
        return PODI_OK;
    }

    if (c != m->delimiter[m->matched]) {
        m->matched = 0;
        return PODI_OK;
    }

    m->matched++;

    return (m->matched == m->len) ? part_delimiter(m, fail) : PODI_OK;
}


/* the delimiter and the line end before it are not of the content */

static podi_rc_t
part_delimiter(podi_multipart_t *m, podi_fail_t *fail)
{
    uint64_t  extra = m->len + 2;

    if (m->lead[0] != '\r' || m->lead[1] != '\n') {
        return part_bad(fail, "CR LF before a delimiter");
    }

    if (m->state == PART_CONTENT && !m->told) {

        m->content = (m->content > extra) ? m->content - extra : 0;

        if (m->head_len > m->content) {
            m->head_len = (size_t) m->content;
        }

        if (part_tell(m, fail) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    if (++m->parts > PODI_MULTIPART_PARTS) {
        return part_bad(fail, "fewer parts");
    }

    m->state = PART_LINE;
    m->matched = 0;
    m->headers_len = 0;

    return PODI_OK;
}


/* CR LF begins a part, "--" ends them all; nothing else follows a delimiter */

static podi_rc_t
part_line(podi_multipart_t *m, unsigned char c, podi_fail_t *fail)
{
    m->headers[m->headers_len++] = c;

    if (m->headers_len < 2) {
        return PODI_OK;
    }

    if (memcmp(m->headers, "--", 2) == 0) {
        m->state = PART_END;
        m->headers_len = 0;
        return PODI_OK;
    }

    if (memcmp(m->headers, "\r\n", 2) != 0) {
        return part_bad(fail, "CR LF behind a delimiter");
    }

    m->state = PART_HEADERS;
    m->headers_len = 0;
    m->head_len = 0;
    m->content = 0;
    m->is_file = 0;
    m->told = 0;
    m->type.len = 0;

    return PODI_OK;
}


/* an epilogue is none: there are readers that look for more parts in it */

static podi_rc_t
part_end(podi_multipart_t *m, unsigned char c, podi_fail_t *fail)
{
    return (m->headers_len < 2 && c == "\r\n"[m->headers_len++])
           ? PODI_OK : part_bad(fail, "nothing behind the last delimiter");
}


static podi_rc_t
part_headers(podi_multipart_t *m, unsigned char c, podi_fail_t *fail)
{
    unsigned char  *from, *at, *end;

    if (m->headers_len == PODI_MULTIPART_HEADERS) {
        return part_bad(fail, "shorter headers of a part");
    }

    m->headers[m->headers_len++] = c;

    if (c != '\n') {
        return (m->last[1] == '\r') ? part_bad(fail, "no bare CR") : PODI_OK;
    }

    if (m->last[1] != '\r') {
        return part_bad(fail, "no bare LF");
    }

    at = m->headers;
    end = m->headers + m->headers_len;

    if (end - at == 2 || (end - at >= 4 && memcmp(end - 4, "\r\n", 2) == 0)) {

        for (from = at; at < end - 2; from = at) {

            at = memchr(at, '\n', (size_t) (end - at));
            at++;

            if (part_header(m, (podi_str_t) { (size_t) (at - from) - 2, from },
                            fail)
                != PODI_OK)
            {
                return PODI_ERROR;
            }
        }

        m->state = PART_CONTENT;
    }

    return PODI_OK;
}


static podi_rc_t
part_header(podi_multipart_t *m, podi_str_t line, podi_fail_t *fail)
{
    podi_str_t  name, value;

    value = line;

    if (line.len == 0 || line.data[0] == ' ' || line.data[0] == '\t'
        || memchr(line.data, '\0', line.len) != NULL
        || memchr(line.data, ':', line.len) == NULL
        || !podi_str_split(&value, ':', &name))
    {
        return part_bad(fail, "whole header lines in a part");
    }

    value = podi_text_trim(value);

    if (podi_text_is(&name, "content-disposition")) {
        return part_disposition(m, &value, fail);
    }

    if (podi_text_is(&name, "content-type")) {

        if (m->type.len != 0 || podi_text_begins(&value, "multipart/")) {
            return part_bad(fail, "one Content-Type in a part, and no parts "
                            "in it");
        }

        m->type = value;
        return PODI_OK;
    }

    if (podi_text_is(&name, "content-transfer-encoding")
        && !podi_text_is(&value, "binary") && !podi_text_is(&value, "8bit")
        && !podi_text_is(&value, "7bit"))
    {
        return part_bad(fail, "no encoded parts");
    }

    return (podi_text_trim(name).len == name.len)
           ? PODI_OK : part_bad(fail, "no blank in a header's name");
}


/* whatever may be read as filename= or filename*= makes it a file */

static podi_rc_t
part_disposition(podi_multipart_t *m, const podi_str_t *value,
    podi_fail_t *fail)
{
    size_t      i;
    podi_str_t  rest;

    static const char *const  paths[] = { "/", "..", "%2f", "%5c", "%00" };

    rest.data = podi_text_find(value, "filename");

    if (rest.data == NULL) {
        return PODI_OK;
    }

    m->is_file = 1;
    rest.len = (size_t) (value->data + value->len - rest.data);

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (podi_text_find(&rest, paths[i]) != NULL) {
            return part_bad(fail, "a file's name without a path");
        }
    }

    for (i = 0; i < rest.len; i++) {
        if (rest.data[i] == '\\'
            && (i + 1 == rest.len || rest.data[i + 1] != '"'))
        {
            return part_bad(fail, "a file's name without a path");
        }
    }

    return PODI_OK;
}


/*
 * There are readers that take a part for a file by its type alone: then it is
 * one here, unless the type is the one that a part without a type has.
 */

static int
part_is_file(const podi_multipart_t *m)
{
    podi_str_t  rest, type;

    rest = m->type;

    if (m->is_file || rest.len == 0 || !podi_str_split(&rest, ';', &type)) {
        return m->is_file;
    }

    type = podi_text_trim(type);

    return !podi_text_is(&type, "text/plain");
}


static podi_rc_t
part_tell(podi_multipart_t *m, podi_fail_t *fail)
{
    podi_str_t  head = { m->head_len, m->head };

    m->told = 1;

    return part_is_file(m) ? m->file(m->data, &head, &m->type, fail) : PODI_OK;
}


static podi_rc_t
part_bad(podi_fail_t *fail, const char *why)
{
    return podi_fail(fail, PODI_E_BAD_REQUEST, NULL,
                     "multipart/form-data needs %s", why);
}
