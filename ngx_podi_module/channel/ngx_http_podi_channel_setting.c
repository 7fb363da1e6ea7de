/*
 * channel: one setting with its values, of nginx.conf or of the database.
 *
 * Each setting replaces what was there.  What is wrong is said in words that
 * end a sentence about the setting's name.
 */

#include "ngx_http_podi_channel.h"
#include "podi_secret.h"
#include "podi_sniff.h"


typedef struct ngx_http_podi_setting_s  ngx_http_podi_setting_t;

typedef const char *(*ngx_http_podi_setting_pt)(
    ngx_http_podi_channel_from_t *from, ngx_http_podi_channel_t *channel,
    const ngx_http_podi_setting_t *s, ngx_str_t *values, ngx_uint_t n);

struct ngx_http_podi_setting_s {
    ngx_str_t                  name;
    ngx_http_podi_setting_pt   set;
    size_t                     offset;
    ngx_uint_t               (*is)(ngx_str_t *word);
    ngx_uint_t                 one;         /* takes a single value */
};


static const char *channel_words(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n);
static const char *channel_word(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n);
static const char *channel_tenant(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n);
static const char *channel_size(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n);
static const char *channel_kill(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n);
static const char *channel_digests(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n);
static const char *channel_key_file(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n);
static const char *channel_key(ngx_array_t *keys, const podi_str_t *key);
static ngx_uint_t channel_is_host(ngx_str_t *word);
static ngx_uint_t channel_is_path(ngx_str_t *word);
static ngx_uint_t channel_is_origin(ngx_str_t *word);
static ngx_uint_t channel_is_role(ngx_str_t *word);
static ngx_uint_t channel_is_action(ngx_str_t *word);
static ngx_uint_t channel_is_type(ngx_str_t *word);
static ngx_uint_t channel_is_word(ngx_str_t *word);


#define of(field)      offsetof(ngx_http_podi_channel_t, field)
#define of_pub(field)  (of(pub) + offsetof(ngx_podi_channel_t, field))

static const ngx_http_podi_setting_t  channel_settings[] = {
    { ngx_string("host"), channel_words, of(hosts), channel_is_host, 0 },
    { ngx_string("path"), channel_words, of(paths), channel_is_path, 0 },
    { ngx_string("origins"), channel_words, of_pub(origins),
      channel_is_origin, 0 },
    { ngx_string("actions"), channel_words, of_pub(actions),
      channel_is_action, 0 },
    { ngx_string("upload_types"), channel_words, of_pub(upload_types),
      channel_is_type, 0 },
    { ngx_string("max_role"), channel_word, of_pub(max_role),
      channel_is_role, 1 },
    { ngx_string("plan"), channel_word, of_pub(plan), channel_is_word, 1 },
    { ngx_string("price_list"), channel_word, of_pub(price_list),
      channel_is_word, 1 },
    { ngx_string("tenant"), channel_tenant, 0, NULL, 1 },
    { ngx_string("upload_max"), channel_size, 0, NULL, 1 },
    { ngx_string("kill"), channel_kill, 0, NULL, 1 },
    { ngx_string("app_key_sha256"), channel_digests, 0, NULL, 0 },
    { ngx_string("app_key_file"), channel_key_file, 0, NULL, 1 },
    { ngx_null_string, NULL, 0, NULL, 0 }
};


const char *
ngx_http_podi_channel_setting(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_str_t *name,
    ngx_str_t *values, ngx_uint_t n)
{
    const ngx_http_podi_setting_t  *s;

    for (s = channel_settings; s->set != NULL; s++) {

        if (s->name.len != name->len
            || ngx_strncmp(s->name.data, name->data, name->len) != 0)
        {
            continue;
        }

        if (n == 0 || (s->one && n != 1)) {
            return s->one ? "takes one value" : "takes at least one value";
        }

        return s->set(from, channel, s, values, n);
    }

    return "is no setting of a channel";
}


static const char *
channel_words(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n)
{
    char        *p = (char *) channel;
    ngx_str_t    *word;
    ngx_uint_t    i;
    ngx_array_t  *words;

    words = ngx_array_create(from->pool, n, sizeof(ngx_str_t));
    if (words == NULL) {
        return "finds no memory";
    }

    for (i = 0; i < n; i++) {

        if (!s->is(&values[i])) {
            return "has a value that is not of its kind";
        }

        word = ngx_array_push(words);
        word->len = values[i].len;
        word->data = ngx_pstrdup(from->pool, &values[i]);

        if (word->data == NULL) {
            return "finds no memory";
        }
    }

    *(ngx_array_t **) (void *) (p + s->offset) = words;

    return NULL;
}


static const char *
channel_word(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n)
{
    char        *p = (char *) channel;
    podi_str_t  *word;

    word = (podi_str_t *) (void *) (p + s->offset);

    if (!s->is(&values[0])) {
        return "has a value that is not of its kind";
    }

    word->len = values[0].len;
    word->data = ngx_pstrdup(from->pool, &values[0]);

    return (word->data == NULL) ? "finds no memory" : NULL;
}


/* in the database the slug was checked, and is there */

static const char *
channel_tenant(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n)
{
    podi_str_t  *tenant = &channel->pub.tenant;

    if (from->cf != NULL) {
        return (ngx_podi_conf_tenant(from->cf, &values[0], tenant) == PODI_OK)
               ? NULL : "needs the slug of a tenant: a-z, 0-9 and \"-\"";
    }

    tenant->data = ngx_pnalloc(from->pool, values[0].len + 1);
    if (tenant->data == NULL) {
        return "finds no memory";
    }

    tenant->len = values[0].len + 1;
    tenant->data[0] = '@';
    ngx_memcpy(tenant->data + 1, values[0].data, values[0].len);

    return NULL;
}


static const char *
channel_size(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n)
{
    off_t  size;

    size = ngx_parse_offset(&values[0]);

    if (size <= 0) {
        return "is no size: write 10m";
    }

    channel->pub.upload_max = size;

    return NULL;
}


static const char *
channel_kill(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n)
{
    podi_str_t  *word = (podi_str_t *) (void *) &values[0];

    channel->pub.killed = podi_str_eq_c(word, "on");

    return (channel->pub.killed || podi_str_eq_c(word, "off"))
           ? NULL : "is on or off";
}


static const char *
channel_digests(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n)
{
    ngx_uint_t               i;
    ngx_http_podi_digest_t  *digest;

    channel->keys = ngx_array_create(from->pool, n,
                                     sizeof(ngx_http_podi_digest_t));
    if (channel->keys == NULL) {
        return "finds no memory";
    }

    for (i = 0; i < n; i++) {
        digest = ngx_array_push(channel->keys);

        if (podi_hex_decode(digest->bytes, PODI_SHA256_LEN,
                            (podi_str_t *) (void *) &values[i])
            != PODI_OK)
        {
            return "is no SHA-256 in hex: 64 digits";
        }
    }

    return NULL;
}


/* one key a line, so that a new one can be there before the old one goes */

static const char *
channel_key_file(ngx_http_podi_channel_from_t *from,
    ngx_http_podi_channel_t *channel, const ngx_http_podi_setting_t *s,
    ngx_str_t *values, ngx_uint_t n)
{
    const char     *wrong;
    podi_str_t      rest, line;
    podi_secret_t  *secret;

    if (from->cf == NULL) {
        return "is read at configuration time: write app_key_sha256";
    }

    secret = ngx_podi_conf_secret(from->cf, &values[0]);
    if (secret == NULL) {
        return "names a file that cannot be used";
    }

    channel->keys = ngx_array_create(from->pool, 2,
                                     sizeof(ngx_http_podi_digest_t));
    if (channel->keys == NULL) {
        return "finds no memory";
    }

    rest = podi_secret_bytes(secret);

    while (podi_str_split(&rest, '\n', &line)) {

        wrong = channel_key(channel->keys, &line);

        if (wrong != NULL) {
            return wrong;
        }
    }

    return (channel->keys->nelts == 0) ? "names a file without a key" : NULL;
}


static const char *
channel_key(ngx_array_t *keys, const podi_str_t *line)
{
    podi_str_t               key = *line;
    ngx_http_podi_digest_t  *digest;

    while (key.len != 0 && key.data[key.len - 1] <= ' ') {
        key.len--;
    }

    if (key.len == 0 || key.data[0] == '#') {
        return NULL;
    }

    if (key.len < NGX_PODI_APP_KEY_MIN) {
        return "names a file with a key of less than 20 bytes: openssl rand "
               "-hex 24 makes a good one";
    }

    digest = ngx_array_push(keys);

    if (digest == NULL || podi_sha256(&key, digest->bytes) != PODI_OK) {
        return "finds no memory";
    }

    return NULL;
}


/* a.example or *.a.example; kept as ".a.example" in the second case */

static ngx_uint_t
channel_is_host(ngx_str_t *word)
{
    u_char      c;
    ngx_uint_t  i;

    if (word->len > 2 && word->data[0] == '*' && word->data[1] == '.') {
        word->data++;
        word->len--;

    } else if (word->len == 0 || word->data[0] == '.') {
        return 0;
    }

    for (i = 0; i < word->len; i++) {
        c = word->data[i] = ngx_tolower(word->data[i]);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'
              || c == '-' || c == '_' || c == '[' || c == ']'
              || (c == ':' && word->data[0] == '[')))
        {
            return 0;
        }
    }

    return word->data[word->len - 1] != '.';
}


static ngx_uint_t
channel_is_path(ngx_str_t *word)
{
    ngx_uint_t  i;

    for (i = 0; i < word->len; i++) {
        if (word->data[i] <= ' ' || word->data[i] == '?'
            || word->data[i] == '#' || word->data[i] == '%')
        {
            return 0;
        }
    }

    return word->len != 0 && word->data[0] == '/';
}


static ngx_uint_t
channel_is_origin(ngx_str_t *word)
{
    return ngx_podi_origin_is_valid(word);
}


static ngx_uint_t
channel_is_role(ngx_str_t *word)
{
    podi_role_e  role;

    return podi_role_parse((podi_str_t *) (void *) word, &role) == PODI_OK
           && role <= PODI_ROLE_SERVICE;
}


/* image.resize, or image.* for all that begins like that */

static ngx_uint_t
channel_is_action(ngx_str_t *word)
{
    u_char      c;
    ngx_uint_t  i;

    for (i = 0; i < word->len; i++) {
        c = word->data[i];

        if (c == '*' && i + 1 == word->len && i > 1
            && word->data[i - 1] == '.')
        {
            return 1;
        }

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'
              || c == '_' || c == '-'))
        {
            return 0;
        }
    }

    return word->len != 0;
}


static ngx_uint_t
channel_is_type(ngx_str_t *word)
{
    return podi_media_is_picture(podi_media_by_mime(
                                     (podi_str_t *) (void *) word))
           && ngx_strlchr(word->data, word->data + word->len, ';') == NULL;
}


static ngx_uint_t
channel_is_word(ngx_str_t *word)
{
    return ngx_http_podi_channel_is_name(word);
}
