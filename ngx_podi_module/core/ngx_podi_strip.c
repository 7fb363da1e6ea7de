/*
 * ngx_podi_strip: headers by which an upstream would take a client for
 * somebody, taken out of its request.
 */

#include "ngx_podi_core.h"


typedef struct {
    const char  *name;
    size_t       len;
    unsigned     prefix:1;          /* ... and whatever comes behind it */
    unsigned     stays:1;
} ngx_podi_strip_name_t;


static ngx_uint_t ngx_podi_strip_is_ours(const ngx_table_elt_t *h,
    void *data);
static ngx_uint_t ngx_podi_strip_is(const u_char *key,
    const ngx_podi_strip_name_t *n);


#define exactly(s)  { s, sizeof(s) - 1, 0, 0 }
#define beginning(s)  { s, sizeof(s) - 1, 1, 0 }
#define staying(s)  { s, sizeof(s) - 1, 0, 1 }

/* the first that fits decides; lower case, with dashes */

static const ngx_podi_strip_name_t  ngx_podi_strip_names[] = {
    staying("x-podi-mock"),         /* a wish to us, see ngx_podi_sandbox.c */
    beginning("x-podi-"),
    staying("x-user-agent"),        /* of gRPC-Web: a program, nobody */
    exactly("x-user"),
    beginning("x-user-"),
    beginning("x-userid"),
    beginning("x-role"),
    beginning("x-channel"),
    beginning("x-remote-user"),
    beginning("x-auth-request-"),
    beginning("x-authenticated-"),
    beginning("x-webauth-"),
    exactly("x-forwarded-user"),
    exactly("x-forwarded-email"),
    exactly("x-forwarded-groups"),
    exactly("x-forwarded-preferred-username"),
    exactly("forwarded"),
    beginning("remote-user"),
    { NULL, 0, 0, 0 }
};


ngx_int_t
ngx_podi_strip(ngx_http_request_t *r)
{
    return ngx_podi_unlink(r, ngx_podi_strip_is_ours, NULL);
}


/*
 * An upstream of CGI's kind takes X_User for X-User, so both are one here,
 * whether underscores_in_headers lets the client say it or not.
 */

static ngx_uint_t
ngx_podi_strip_is_ours(const ngx_table_elt_t *h, void *data)
{
    ngx_uint_t                    i;
    const ngx_podi_strip_name_t  *n;

    switch (h->key.data[0]) {

    case 'x': case 'X': case 'f': case 'F': case 'r': case 'R':
        break;

    default:
        return 0;
    }

    for (i = 0; ngx_podi_strip_names[i].len != 0; i++) {
        n = &ngx_podi_strip_names[i];

        if (h->key.len >= n->len && (n->prefix || h->key.len == n->len)
            && ngx_podi_strip_is(h->key.data, n))
        {
            return !n->stays;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_podi_strip_is(const u_char *key, const ngx_podi_strip_name_t *n)
{
    u_char      c;
    ngx_uint_t  i;

    for (i = 0; i < n->len; i++) {
        c = (key[i] == '_') ? '-' : ngx_tolower(key[i]);

        if (c != (u_char) n->name[i]) {
            return 0;
        }
    }

    return 1;
}
