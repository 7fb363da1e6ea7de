/*
 * channel: podi_channel NAME { ... }, read into configuration.
 *
 * Whatever finds a channel (an app key, a host, a path) finds one only; a
 * configuration in which two have the same is refused.
 */

#include <openssl/crypto.h>

#include "ngx_http_podi_channel.h"


#define NGX_PODI_CHANNEL_NAME_MAX  63


typedef struct {
    ngx_http_podi_channel_t  *channel;
    ngx_array_t               seen;         /* ngx_str_t: settings */
} channel_block_t;


static char *channel_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf);
static char *channel_shares(ngx_conf_t *cf, ngx_http_podi_channel_t *a,
    ngx_http_podi_channel_t *b);
static ngx_str_t *channel_common(const ngx_array_t *a, const ngx_array_t *b);
static ngx_uint_t channel_common_key(const ngx_array_t *a,
    const ngx_array_t *b);


char *
ngx_http_podi_channel_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                      *rv;
    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_conf_t                 save;
    channel_block_t            block;
    ngx_http_podi_channel_t   *channel, **known, **place;

    ngx_http_podi_channel_main_conf_t  *cmcf = conf;

    value = cf->args->elts;

    if (!ngx_http_podi_channel_is_name(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_channel\" needs a name: write 1 to 63 of "
                           "a-z, 0-9, \"-\" and \"_\" (\"default\" is what "
                           "comes by no channel)");
        return NGX_CONF_ERROR;
    }

    known = cmcf->channels.elts;

    for (i = 0; i < cmcf->channels.nelts; i++) {
        if (podi_str_eq(&known[i]->pub.name, (podi_str_t *) &value[1])) {
            return "is duplicate";
        }
    }

    place = ngx_array_push(&cmcf->channels);
    channel = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_channel_t));

    if (place == NULL || channel == NULL
        || ngx_array_init(&block.seen, cf->pool, 8, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    *place = channel;
    channel->pub.name.len = value[1].len;
    channel->pub.name.data = value[1].data;

    block.channel = channel;
    save = *cf;
    cf->handler = channel_line;
    cf->handler_conf = (void *) &block;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


static char *
channel_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    const char                    *wrong;
    ngx_str_t                     *value, *seen;
    ngx_uint_t                     i;
    channel_block_t               *block = conf;
    ngx_http_podi_channel_from_t   from;

    value = cf->args->elts;
    seen = block->seen.elts;
    wrong = NULL;

    for (i = 0; i < block->seen.nelts; i++) {
        if (podi_str_eq((podi_str_t *) &seen[i], (podi_str_t *) &value[0])) {
            wrong = "is there twice: write all its values in one line";
        }
    }

    from.pool = cf->pool;
    from.cf = cf;

    if (wrong == NULL) {
        wrong = ngx_http_podi_channel_setting(&from, block->channel,
                                              &value[0], &value[1],
                                              cf->args->nelts - 1);
    }

    seen = ngx_array_push(&block->seen);
    if (seen == NULL) {
        return NGX_CONF_ERROR;
    }

    *seen = value[0];

    if (wrong != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %s", &value[0],
                           wrong);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_podi_channel_is_name(const ngx_str_t *name)
{
    u_char      c;
    ngx_uint_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
              || (i != 0 && (c == '-' || c == '_'))))
        {
            return 0;
        }
    }

    return i != 0 && i <= NGX_PODI_CHANNEL_NAME_MAX
           && !podi_str_eq_c((podi_str_t *) (void *) name,
                             NGX_PODI_CHANNEL_DEFAULT);
}


char *
ngx_http_podi_channel_check(ngx_conf_t *cf,
    ngx_http_podi_channel_main_conf_t *cmcf)
{
    ngx_uint_t                 i, j;
    ngx_http_podi_channel_t  **c;

    c = cmcf->channels.elts;

    for (i = 0; i < cmcf->channels.nelts; i++) {

        cmcf->set.keyed |= (c[i]->keys != NULL);

        for (j = 0; j < i; j++) {
            if (channel_shares(cf, c[j], c[i]) != NGX_CONF_OK) {
                return NGX_CONF_ERROR;
            }
        }
    }

    cmcf->set.channels = c;
    cmcf->set.n = cmcf->channels.nelts;

    return NGX_CONF_OK;
}


static char *
channel_shares(ngx_conf_t *cf, ngx_http_podi_channel_t *a,
    ngx_http_podi_channel_t *b)
{
    ngx_str_t  *word;
    ngx_str_t   key = ngx_string("an app key");

    word = channel_common(a->hosts, b->hosts);

    if (word == NULL) {
        word = channel_common(a->paths, b->paths);
    }

    if (word == NULL && channel_common_key(a->keys, b->keys)) {
        word = &key;
    }

    if (word == NULL) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"podi_channel\" \"%V\" and \"%V\" both have %V: "
                       "write it in one of them",
                       (ngx_str_t *) (void *) &a->pub.name,
                       (ngx_str_t *) (void *) &b->pub.name, word);

    return NGX_CONF_ERROR;
}


static ngx_str_t *
channel_common(const ngx_array_t *a, const ngx_array_t *b)
{
    ngx_uint_t   i, j;
    podi_str_t  *one, *other;

    if (a == NULL || b == NULL) {
        return NULL;
    }

    one = a->elts;
    other = b->elts;

    for (i = 0; i < a->nelts; i++) {
        for (j = 0; j < b->nelts; j++) {
            if (podi_str_eq(&one[i], &other[j])) {
                return (ngx_str_t *) (void *) &one[i];
            }
        }
    }

    return NULL;
}


static ngx_uint_t
channel_common_key(const ngx_array_t *a, const ngx_array_t *b)
{
    ngx_uint_t               i, j;
    ngx_http_podi_digest_t  *one, *other;

    if (a == NULL || b == NULL) {
        return 0;
    }

    one = a->elts;
    other = b->elts;

    for (i = 0; i < a->nelts; i++) {
        for (j = 0; j < b->nelts; j++) {
            if (CRYPTO_memcmp(&one[i], &other[j], PODI_SHA256_LEN) == 0) {
                return 1;
            }
        }
    }

    return 0;
}
