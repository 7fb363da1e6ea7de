/*
 * podi_redact: one pass from left to right.
 *
 *     at each place: a header that is all secret      -> name: ***
 *                    a name of a secret and its value -> name ***
 *                    the beginning of a known secret  -> ***
 *                    a URL's user and password        -> ***
 *                    anything else                    -> itself
 *
 * Promises: never reads behind the text, never writes more than it has read:
 * a value that is hidden has at least three bytes, or is dropped to fit.
 */

#include <string.h>
#include <strings.h>

#include "podi_redact.h"
#include "banned.h"

#define REDACT_MIN  3           /* bytes of a value that are worth hiding */
#define REDACT_KEY  16          /* bytes behind a prefix that make a secret */


typedef struct {
    const char  *in;
    size_t       len;
    size_t       at;            /* read so far */
    char        *out;
    size_t       n;             /* written so far */
} redact_t;


static int redact_header(redact_t *r);
static int redact_named(redact_t *r);
static size_t redact_gap(const redact_t *r, size_t from);
static void redact_copy(redact_t *r, size_t end);
static int redact_known(redact_t *r);
static int redact_userinfo(redact_t *r);
static void redact_value(redact_t *r, size_t value);
static size_t redact_run(const redact_t *r, size_t from, const char *ends);
static int redact_starts(const redact_t *r, const char *word);
static int redact_is_inside(const redact_t *r);


/* the ends of words and values; \\ in front of what a JSON text has escaped */
#define REDACT_ENDS  " \t\r\n\"'&;,<>{}[]()\\"

/* whatever scheme or pairs follow, up to the end of the line or string */
static const char *const  redact_headers[] = {
    "authorization", "cookie", NULL
};

/* the value follows behind any of : = " ' and blanks */
static const char *const  redact_names[] = {
    "authorization", "bearer", "api_key", "api-key", "apikey", "access_key",
    "access-key", "secret", "password", "passwd", "token", "signature",
    "credential", "cookie", "private_key", "session_id", NULL
};

static const char *const  redact_prefixes[] = {
    "sk-", "sk_", "pk-", "rk-", "rk_", "AKIA", "ASIA", "AIza", "eyJ", "ghp_",
    "gho_", "github_pat_", "glpat-", "hf_", "r8_", "whsec_", "xoxb-", "xoxp-",
    NULL
};


size_t
podi_redact(char *text, size_t len)
{
    redact_t  r = { text, len, 0, text, 0 };

    while (r.at < r.len) {
        if (redact_userinfo(&r) || redact_known(&r) || redact_header(&r)
            || redact_named(&r))
        {
            continue;
        }

        r.out[r.n++] = r.in[r.at++];
    }

    return r.n;
}


static int
redact_header(redact_t *r)
{
    size_t              i, end;
    const char *const  *name;

    for (name = redact_headers; *name != NULL; name++) {
        if (redact_starts(r, *name)) {
            break;
        }
    }

    if (*name == NULL) {
        return 0;
    }

    end = redact_run(r, r->at, ":=" REDACT_ENDS);
    i = redact_gap(r, end);

    if (i == r->len || (memchr(&r->in[end], ':', i - end) == NULL
                        && memchr(&r->in[end], '=', i - end) == NULL))
    {
        return 0;
    }

    redact_copy(r, i);
    redact_value(r, redact_run(r, i, "\r\n\"'\\") - i);

    return 1;
}


static int
redact_named(redact_t *r)
{
    size_t              i, end;
    const char *const  *name;

    for (name = redact_names; *name != NULL; name++) {
        if (redact_starts(r, *name)) {
            break;
        }
    }

    if (*name == NULL
        && (redact_is_inside(r) || !redact_starts(r, "key=")))
    {
        return 0;
    }

    /* access_token, secretKey: to the end of the word */

    end = redact_run(r, r->at, ":=" REDACT_ENDS);
    i = redact_gap(r, end);

    if (i == end || i == r->len) {
        return 0;
    }

    redact_copy(r, i);

    if (redact_starts(r, "bearer ") || redact_starts(r, "basic ")) {
        end = redact_run(r, i, " ");
        redact_value(r, redact_run(r, end + 1, " \t\r\n\"'&;,\\") - i);
        return 1;
    }

    redact_value(r, redact_run(r, i, REDACT_ENDS) - i);

    return 1;
}


/* the end of what stands between a name and its value */

static size_t
redact_gap(const redact_t *r, size_t from)
{
    while (from < r->len && r->in[from] != '\0'
           && strchr(" \t:=\"'\\", r->in[from]) != NULL)
    {
        from++;
    }

    return from;
}


/* what was read is at least as long as what is written from it */

static void
redact_copy(redact_t *r, size_t end)
{
    memmove(&r->out[r->n], &r->in[r->at], end - r->at);
    r->n += end - r->at;
    r->at = end;
}


static int
redact_known(redact_t *r)
{
    size_t              n;
    const char *const  *p;

    if (redact_is_inside(r)) {
        return 0;
    }

    for (p = redact_prefixes; *p != NULL; p++) {
        n = strlen(*p);

        if (r->len - r->at < n || memcmp(&r->in[r->at], *p, n) != 0) {
            continue;
        }

        n = redact_run(r, r->at, REDACT_ENDS) - r->at;

        if (n >= strlen(*p) + REDACT_KEY) {
            redact_value(r, n);
            return 1;
        }
    }

    return 0;
}


static int
redact_userinfo(redact_t *r)
{
    size_t  i, end;

    if (!redact_starts(r, "://")) {
        return 0;
    }

    end = redact_run(r, r->at + 3, " \t\r\n\"'/?#");

    for (i = end; i > r->at + 3; i--) {
        if (r->in[i - 1] == '@') {
            memmove(&r->out[r->n], "://", 3);
            r->n += 3;
            r->at += 3;
            redact_value(r, i - 1 - r->at);
            return 1;
        }
    }

    return 0;
}


static void
redact_value(redact_t *r, size_t value)
{
    if (value >= REDACT_MIN) {
        memcpy(&r->out[r->n], "***", 3);
        r->n += 3;
    }

    r->at += value;
}


static size_t
redact_run(const redact_t *r, size_t from, const char *ends)
{
    while (from < r->len
           && (r->in[from] == '\0' || strchr(ends, r->in[from]) == NULL))
    {
        from++;
    }

    return from < r->len ? from : r->len;
}


static int
redact_starts(const redact_t *r, const char *word)
{
    size_t  n = strlen(word);

    return r->len - r->at >= n && strncasecmp(&r->in[r->at], word, n) == 0;
}


/* of a word: "task-0123..." has no "sk-" */

static int
redact_is_inside(const redact_t *r)
{
    unsigned char  c;

    if (r->at == 0) {
        return 0;
    }

    c = (unsigned char) r->in[r->at - 1];

    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '_' || c == '-';
}
