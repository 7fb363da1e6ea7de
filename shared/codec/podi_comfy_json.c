/*
 * podi_comfy_json: the JSON of ComfyUI, and its texts made fit for people.
 *
 * What jansson does not take is overwritten in a copy, by as many bytes of
 * what it takes:  NaN -> a 0,  a NUL or half a surrogate -> another character.
 */

#include <string.h>

#include "podi_comfy_int.h"
#include "podi_text.h"
#include "banned.h"


#define SENTENCE_MAX  200


static void podi_comfy_mend(podi_str_t *text);
static size_t podi_comfy_mend_escape(unsigned char *p, unsigned char *last);
static size_t podi_comfy_mend_word(unsigned char *p, unsigned char *last);
static podi_str_t podi_comfy_line(const podi_str_t *text);
static const unsigned char *podi_comfy_behind(const unsigned char *p,
    const unsigned char *last);
static size_t podi_comfy_path(const podi_str_t *line, size_t i);
static void podi_comfy_path_end(podi_buf_t *b, const podi_str_t *path);


podi_rc_t
podi_comfy_parse(const podi_str_t *text, size_t max, podi_mem_t *mem,
    json_t **ret_json)
{
    json_t        *json;
    podi_str_t     copy;
    json_error_t   error;

    if (text->len > max || podi_mem_dup(mem, text, &copy) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_comfy_mend(&copy);

    json = json_loadb((const char *) copy.data, copy.len,
                      JSON_DECODE_INT_AS_REAL, &error);

    if (podi_json_own(mem, json) != PODI_OK) {
        return PODI_ERROR;
    }

    *ret_json = json;

    return PODI_OK;
}


/* brackets need not match in what is left out */

podi_rc_t
podi_comfy_thin(const podi_str_t *text, unsigned most, podi_mem_t *mem,
    podi_str_t *ret_text)
{
    unsigned              depth = 0;
    unsigned char        *out;
    const unsigned char  *p = text->data, *last = p + text->len, *from;

    ret_text->data = podi_mem_alloc(mem, text->len + 1);
    if (ret_text->data == NULL) {
        return PODI_ERROR;
    }

    for (out = ret_text->data; p < last; /* void */) {

        from = p;
        p = *p == '"' ? podi_comfy_behind(p, last) : p + 1;

        if ((*from == '{' || *from == '[') && ++depth == most + 1) {
            *out++ = '0';
        }

        if (depth <= most) {
            memcpy(out, from, (size_t) (p - from));
            out += p - from;
        }

        if ((*from == '}' || *from == ']') && depth > 0) {
            depth--;
        }
    }

    ret_text->len = (size_t) (out - ret_text->data);

    return PODI_OK;
}


/* of a text, that begins at p */

static const unsigned char *
podi_comfy_behind(const unsigned char *p, const unsigned char *last)
{
    for (p++; p < last; p++) {

        if (*p == '"') {
            return p + 1;
        }

        if (*p == '\\' && last - p > 1) {
            p++;
        }
    }

    return last;
}


static void
podi_comfy_mend(podi_str_t *text)
{
    int             in_string = 0;
    unsigned char  *p = text->data, *last = text->data + text->len;

    while (p < last) {

        if (*p == '"') {
            in_string = !in_string;
            p++;

        } else if (in_string && *p == '\\') {
            p += podi_comfy_mend_escape(p, last);

        } else if (!in_string && (*p == 'N' || *p == 'I' || *p == '-')) {
            p += podi_comfy_mend_word(p, last);

        } else {
            p++;
        }
    }
}


/* gives the length of what was read: at least 1, never behind last */

static size_t
podi_comfy_mend_escape(unsigned char *p, unsigned char *last)
{
    podi_str_t     hex;
    unsigned char  code[2], next[2];

    if (last - p < 6 || p[1] != 'u') {
        return last - p < 2 ? 1 : 2;
    }

    hex.data = p + 2;
    hex.len = 4;

    if (podi_hex_decode(code, sizeof(code), &hex) != PODI_OK) {
        return 2;
    }

    if (code[0] == 0 && code[1] == 0) {
        memcpy(p + 2, "0020", 4);
        return 6;
    }

    if ((code[0] & 0xf8) != 0xd8) {
        return 6;
    }

    hex.data = p + 8;

    if ((code[0] & 0xfc) == 0xd8 && last - p >= 12 && p[6] == '\\'
        && p[7] == 'u' && podi_hex_decode(next, sizeof(next), &hex) == PODI_OK
        && (next[0] & 0xfc) == 0xdc)
    {
        return 12;
    }

    memcpy(p + 2, "fffd", 4);

    return 6;
}


static size_t
podi_comfy_mend_word(unsigned char *p, unsigned char *last)
{
    size_t              i, len;
    static const char  *words[] = { "NaN", "Infinity", "-Infinity" };

    for (i = 0; i < 3; i++) {
        len = strlen(words[i]);

        if ((size_t) (last - p) >= len && memcmp(p, words[i], len) == 0) {
            memset(p, ' ', len);
            p[len - 1] = '0';
            return len;
        }
    }

    return 1;
}


podi_rc_t
podi_comfy_sentence(const podi_str_t *text, podi_mem_t *mem,
    podi_str_t *ret_sentence)
{
    size_t      i, len;
    podi_buf_t  b;
    podi_str_t  line, path;

    line = podi_comfy_line(text);
    podi_buf_init(&b, mem);

    for (i = 0; i < line.len && b.len < SENTENCE_MAX; i += len) {
        len = podi_comfy_path(&line, i);

        if (len > 0) {
            path.data = line.data + i;
            path.len = len;
            podi_comfy_path_end(&b, &path);

        } else {
            len = 1;
            podi_buf_add_byte(&b, line.data[i] < ' ' ? ' ' : line.data[i]);
        }
    }

    /* a character that was cut in two goes whole */
    while (i < line.len && b.len > 0 && (line.data[i] & 0xc0) == 0x80) {
        i--;
        b.len--;
    }

    if (podi_buf_take(&b, ret_sentence) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_str_clean(ret_sentence);

    return PODI_OK;
}


/* the first line that says something */

static podi_str_t
podi_comfy_line(const podi_str_t *text)
{
    podi_str_t  rest = *text, line;

    while (podi_str_split(&rest, '\n', &line)) {
        line = podi_text_trim(line);

        if (line.len > 0) {
            return line;
        }
    }

    line.data = text->data;
    line.len = 0;

    return line;
}


/*
 * The length of the path, or address with a scheme, that begins there, or 0.
 * One in quotes goes up to the quote, since it may have blanks.
 */

static size_t
podi_comfy_path(const podi_str_t *line, size_t i)
{
    size_t          end;
    unsigned char   quote, *p = line->data + i;
    size_t          left = line->len - i;
    unsigned char   before = i > 0 ? p[-1] : ' ';

    if ((before >= '0' && before <= '9') || before == '.' || before == '_'
        || ((before | 0x20) >= 'a' && (before | 0x20) <= 'z'))
    {
        return 0;
    }

    if (!(left > 1 && p[0] == '/' && p[1] > ' ')
        && !(left > 1 && p[0] == '~' && p[1] == '/')
        && !(left > 2 && p[0] == '\\' && p[1] == '\\')
        && !(left > 2 && p[1] == ':' && (p[2] == '\\' || p[2] == '/'))
        && !(left > 7 && memcmp(p, "http", 4) == 0
             && (memcmp(p + 4, "://", 3) == 0
                 || memcmp(p + 4, "s://", 4) == 0)))
    {
        return 0;
    }

    quote = before == '\'' || before == '"' ? before : 0;

    for (end = 1; end < left; end++) {
        if (quote ? p[end] == quote
                  : p[end] <= ' ' || strchr("'\",;()[]{}<>|", p[end]) != NULL)
        {
            break;
        }
    }

    return end;
}


/* what is left of it: the name of a file, without where it is */

static void
podi_comfy_path_end(podi_buf_t *b, const podi_str_t *path)
{
    size_t      i = path->len;
    podi_str_t  name;

    while (i > 0 && path->data[i - 1] != '/' && path->data[i - 1] != '\\') {
        i--;
    }

    name.data = path->data + i;
    name.len = path->len - i;

    if (name.len == 0 || name.len > 64 || name.data[0] == '.'
        || memchr(name.data, '.', name.len) == NULL
        || memchr(name.data, '?', name.len) != NULL
        || path->data[0] == 'h')
    {
        podi_buf_add_c(b, "...");
        return;
    }

    podi_buf_add_str(b, &name);
}


int
podi_comfy_is_model(const podi_str_t *name)
{
    static const char *const  ends[] = {
        ".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf",
        ".onnx", NULL
    };

    return name->len <= 420 && podi_comfy_ends(name, ends)
           && memchr(name->data, '\n', name->len) == NULL;
}


/* with one of these, in any case, and something before it */

int
podi_comfy_ends(const podi_str_t *s, const char *const *ends)
{
    podi_str_t  tail;

    for ( /* void */ ; *ends != NULL; ends++) {
        tail.len = strlen(*ends);

        if (s->len <= tail.len) {
            continue;
        }

        tail.data = s->data + s->len - tail.len;

        if (podi_text_is(&tail, *ends)) {
            return 1;
        }
    }

    return 0;
}
