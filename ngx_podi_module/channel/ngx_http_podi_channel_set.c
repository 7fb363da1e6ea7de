/*
 * channel: a set made of the configuration and of what the database puts over
 * it.
 *
 *     [{"channel": "partner", "killed": false,
 *       "settings": {"host": ["a.example"], "max_role": "user"}}]
 *
 * A setting takes the place of the configuration's; a channel that is not
 * configured is added.  A row that cannot be understood closes its channel:
 * what an operator meant by it is not known, and may have been that.
 */

#include "ngx_http_podi_channel.h"


static ngx_int_t set_rows(const ngx_http_podi_channel_main_conf_t *cmcf,
    ngx_http_podi_channel_set_t *set, const json_t *rows);
static ngx_http_podi_channel_t *set_place(ngx_http_podi_channel_set_t *set,
    const podi_str_t *name);
static void set_row(ngx_http_podi_channel_set_t *set,
    ngx_http_podi_channel_t *channel, const json_t *row);
static const char *set_member(ngx_http_podi_channel_set_t *set,
    ngx_http_podi_channel_t *channel, const char *name, json_t *value);


ngx_http_podi_channel_set_t *
ngx_http_podi_channel_set_read(const ngx_http_podi_channel_main_conf_t *cmcf,
    const podi_str_t *text)
{
    json_t                       *rows;
    ngx_int_t                     rc;
    ngx_pool_t                   *pool;
    podi_fail_t                   fail;
    podi_json_limit_t             limit;
    ngx_http_podi_channel_set_t  *set;

    pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));

    limit.size = text->len;
    limit.depth = 4;

    set = ngx_pcalloc(pool, sizeof(ngx_http_podi_channel_set_t));

    if (set == NULL
        || podi_json_parse(text, &limit, ngx_podi_pool_mem(pool), &rows,
                           &fail)
           != PODI_OK)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "podi: channels cannot be read: %s", fail.detail);
        ngx_destroy_pool(pool);
        return NULL;
    }

    set->pool = pool;
    set->refs = 1;

    rc = set_rows(cmcf, set, rows);

    if (rc != NGX_OK) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    return set;
}


static ngx_int_t
set_rows(const ngx_http_podi_channel_main_conf_t *cmcf,
    ngx_http_podi_channel_set_t *set, const json_t *rows)
{
    size_t                     i;
    json_t                    *row;
    podi_str_t                 name;
    ngx_uint_t                 n;
    ngx_http_podi_channel_t   *channels;

    n = cmcf->set.n + json_array_size(rows);

    channels = ngx_pcalloc(set->pool, (n + 1)
                                      * sizeof(ngx_http_podi_channel_t));
    set->channels = ngx_pcalloc(set->pool, (n + 1)
                                           * sizeof(ngx_http_podi_channel_t *));

    if (channels == NULL || set->channels == NULL) {
        return NGX_ERROR;
    }

    for (n = 0; n < cmcf->set.n; n++) {
        channels[n] = *cmcf->set.channels[n];
        set->channels[n] = &channels[n];
    }

    set->n = n;

    json_array_foreach(rows, i, row) {

        name = podi_json_str(json_object_get(row, "channel"));

        if (set_place(set, &name) == NULL) {
            set->channels[set->n] = &channels[set->n];
            set->channels[set->n++]->pub.name = name;
        }

        set_row(set, set_place(set, &name), row);
    }

    for (n = 0; n < set->n; n++) {
        set->keyed |= (set->channels[n]->keys != NULL);
    }

    return NGX_OK;
}


static ngx_http_podi_channel_t *
set_place(ngx_http_podi_channel_set_t *set, const podi_str_t *name)
{
    ngx_uint_t  i;

    for (i = 0; i < set->n; i++) {
        if (podi_str_eq(&set->channels[i]->pub.name, name)) {
            return set->channels[i];
        }
    }

    return NULL;
}


static void
set_row(ngx_http_podi_channel_set_t *set, ngx_http_podi_channel_t *channel,
    const json_t *row)
{
    void        *member;
    json_t      *settings;
    const char  *wrong, *name;

    settings = json_object_get(row, "settings");

    for (member = json_object_iter(settings); member != NULL;
         member = json_object_iter_next(settings, member))
    {
        name = json_object_iter_key(member);
        wrong = set_member(set, channel, name, json_object_iter_value(member));

        if (wrong != NULL) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "podi: \"%s\" %s: channel %V of the database is "
                          "closed", name, wrong,
                          (ngx_str_t *) (void *) &channel->pub.name);
            channel->pub.killed = 1;
            return;
        }
    }

    if (json_is_true(json_object_get(row, "killed"))) {
        channel->pub.killed = 1;
    }
}


/* "a", ["a", "b"], true or 10: words, as nginx.conf has them */

static const char *
set_member(ngx_http_podi_channel_set_t *set, ngx_http_podi_channel_t *channel,
    const char *name, json_t *value)
{
    size_t                         i, n;
    json_t                        *word;
    podi_str_t                     text;
    ngx_str_t                      key, *words;
    ngx_http_podi_channel_from_t   from;

    n = json_is_array(value) ? json_array_size(value) : 1;

    words = ngx_palloc(set->pool, (n + 1) * sizeof(ngx_str_t));
    if (words == NULL) {
        return "finds no memory";
    }

    for (i = 0; i < n; i++) {

        word = json_is_array(value) ? json_array_get(value, i) : value;

        if (!json_is_string(word)) {
            return "is neither a text nor a list of texts";
        }

        /* a copy: the setting may change it */

        text = podi_json_str(word);
        words[i].len = text.len;
        words[i].data = ngx_pstrdup(set->pool, (ngx_str_t *) (void *) &text);

        if (words[i].data == NULL) {
            return "finds no memory";
        }
    }

    from.pool = set->pool;
    from.cf = NULL;
    key.len = ngx_strlen(name);
    key.data = (u_char *) name;

    return ngx_http_podi_channel_setting(&from, channel, &key, words, n);
}


void
ngx_http_podi_channel_set_release(ngx_http_podi_channel_set_t *set)
{
    if (--set->refs == 0) {
        ngx_destroy_pool(set->pool);
    }
}
