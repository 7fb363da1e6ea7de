/*
 * media: its directives, read into configuration.
 *
 *     podi_media_store NAME type=embedded|s3|oss endpoint=URL bucket=B
 *                      region=R key_file=PATH [root=PATH];
 *
 * The key file is read here, by the master; what it holds is never printed.
 */

#include "ngx_http_podi_media.h"


#define MEDIA_SIZE_DEFAULT      (64 * 1024 * 1024)
#define MEDIA_EXPIRES_DEFAULT   600
#define MEDIA_BATCH_DEFAULT     20


typedef struct {
    podi_object_settings_t   settings;
    ngx_str_t                type;
    ngx_str_t                root;
    ngx_str_t                key_file;
} media_store_words_t;


static ngx_int_t media_store_word(ngx_conf_t *cf, ngx_str_t *word,
    media_store_words_t *words);
static char *media_store_add(ngx_conf_t *cf,
    ngx_http_podi_media_main_conf_t *mmcf, media_store_words_t *words);
static ngx_int_t media_store_dialect(ngx_conf_t *cf,
    media_store_words_t *words);
static ngx_int_t media_default_types(ngx_conf_t *cf, ngx_array_t **types);


void *
ngx_http_podi_media_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_podi_media_main_conf_t  *mmcf;

    mmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_media_main_conf_t));
    if (mmcf == NULL) {
        return NULL;
    }

    /* locations keep pointers to stores: the array must never move */

    if (ngx_array_init(&mmcf->stores, cf->pool, NGX_PODI_STORES_MAX,
                       sizeof(ngx_http_podi_store_t))
        != NGX_OK)
    {
        return NULL;
    }

    return mmcf;
}


void *
ngx_http_podi_media_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_podi_media_conf_t  *mlcf;

    mlcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_media_conf_t));
    if (mlcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     mlcf->upload = NULL;
     *     mlcf->store = NULL;
     *     mlcf->types = NULL;
     */

    mlcf->max_size = NGX_CONF_UNSET;
    mlcf->upload_expires = NGX_CONF_UNSET;
    mlcf->download_expires = NGX_CONF_UNSET;
    mlcf->batch = NGX_CONF_UNSET_UINT;

    return mlcf;
}


char *
ngx_http_podi_media_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_podi_media_conf_t       *prev = parent;
    ngx_http_podi_media_conf_t       *conf = child;
    ngx_http_podi_media_main_conf_t  *mmcf;

    mmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_media_module);

    ngx_conf_merge_off_value(conf->max_size, prev->max_size,
                             MEDIA_SIZE_DEFAULT);
    ngx_conf_merge_sec_value(conf->upload_expires, prev->upload_expires,
                             MEDIA_EXPIRES_DEFAULT);
    ngx_conf_merge_sec_value(conf->download_expires, prev->download_expires,
                             MEDIA_EXPIRES_DEFAULT);
    ngx_conf_merge_uint_value(conf->batch, prev->batch, MEDIA_BATCH_DEFAULT);

    if (conf->upload_expires < 1
        || conf->upload_expires > PODI_SIGN_EXPIRES_MAX
        || conf->download_expires < 1
        || conf->download_expires > PODI_SIGN_EXPIRES_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"podi_upload_expires\" and "
                           "\"podi_download_expires\" go from 1s to 7d");
        return NGX_CONF_ERROR;
    }

    if (conf->types == NULL) {
        conf->types = prev->types;
    }

    if (conf->types == NULL
        && media_default_types(cf, &conf->types) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (conf->upload == NULL) {
        conf->upload = prev->upload;
    }

    if (conf->upload == NULL && mmcf->stores.nelts > 0) {
        conf->upload = mmcf->stores.elts;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
media_default_types(ngx_conf_t *cf, ngx_array_t **types)
{
    ngx_uint_t    i;
    ngx_str_t    *type;

    static ngx_str_t  defaults[] = {
        ngx_string("image/jpeg"),
        ngx_string("image/png"),
        ngx_string("image/webp"),
        ngx_string("image/gif"),
        ngx_null_string
    };

    *types = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    if (*types == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; defaults[i].len != 0; i++) {

        type = ngx_array_push(*types);
        if (type == NULL) {
            return NGX_ERROR;
        }

        *type = defaults[i];
    }

    return NGX_OK;
}


char *
ngx_http_podi_media_types_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_uint_t                   i;
    ngx_str_t                   *value, *type;
    ngx_http_podi_media_conf_t  *mlcf = conf;

    if (mlcf->types != NULL) {
        return "is duplicate";
    }

    mlcf->types = ngx_array_create(cf->pool, cf->args->nelts,
                                   sizeof(ngx_str_t));
    if (mlcf->types == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (!podi_media_is_picture(podi_media_by_mime(
                                       (podi_str_t *) &value[i])))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is not a type that can be told by its "
                               "first bytes: write image/jpeg, image/png, "
                               "image/webp, image/gif, image/avif, "
                               "image/heic, image/jxl, image/bmp or "
                               "image/tiff", &value[i]);
            return NGX_CONF_ERROR;
        }

        type = ngx_array_push(mlcf->types);
        if (type == NULL) {
            return NGX_CONF_ERROR;
        }

        *type = value[i];
    }

    return NGX_CONF_OK;
}


/* the name of a store, as a pointer to it */

char *
ngx_http_podi_media_name_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_uint_t                         i;
    ngx_str_t                         *value;
    ngx_http_podi_store_t             *stores;
    const ngx_http_podi_store_t      **slot;
    ngx_http_podi_media_main_conf_t   *mmcf;

    slot = (const ngx_http_podi_store_t **) ((u_char *) conf + cmd->offset);

    if (*slot != NULL) {
        return "is duplicate";
    }

    mmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_media_module);
    stores = mmcf->stores.elts;
    value = cf->args->elts;

    for (i = 0; i < mmcf->stores.nelts; i++) {
        if (podi_str_eq(&stores[i].object.name, (podi_str_t *) &value[1])) {
            *slot = &stores[i];
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "there is no store \"%V\": write \"podi_media_store %V "
                       "...;\" at http level, before this line", &value[1],
                       &value[1]);

    return NGX_CONF_ERROR;
}


char *
ngx_http_podi_media_store_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_uint_t                        i;
    ngx_str_t                        *value;
    media_store_words_t               words;
    ngx_http_podi_store_t            *stores;
    ngx_http_podi_media_main_conf_t  *mmcf = conf;

    ngx_memzero(&words, sizeof(media_store_words_t));

    value = cf->args->elts;
    stores = mmcf->stores.elts;

    words.settings.name = *(podi_str_t *) &value[1];

    for (i = 0; i < mmcf->stores.nelts; i++) {
        if (podi_str_eq(&stores[i].object.name, &words.settings.name)) {
            return "names a store twice";
        }
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (media_store_word(cf, &value[i], &words) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return media_store_add(cf, mmcf, &words);
}


static ngx_int_t
media_store_word(ngx_conf_t *cf, ngx_str_t *word, media_store_words_t *words)
{
    ngx_uint_t   i;
    podi_str_t   rest, name;

    const struct {
        const char  *name;
        void        *to;
    } known[] = {
        { "type",     &words->type },
        { "endpoint", &words->settings.endpoint },
        { "bucket",   &words->settings.bucket },
        { "region",   &words->settings.region },
        { "key_file", &words->key_file },
        { "root",     &words->root },
        { NULL,       NULL }
    };

    rest = *(podi_str_t *) word;

    if (podi_str_split(&rest, '=', &name)) {
        for (i = 0; known[i].name != NULL; i++) {
            if (podi_str_eq_c(&name, known[i].name)) {
                *(podi_str_t *) known[i].to = rest;
                return NGX_OK;
            }
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"podi_media_store\" does not know \"%V\": write "
                       "type=, endpoint=, bucket=, region=, key_file= and, "
                       "when embedded, root=", word);

    return NGX_ERROR;
}


static char *
media_store_add(ngx_conf_t *cf, ngx_http_podi_media_main_conf_t *mmcf,
    media_store_words_t *words)
{
    podi_mem_t             *mem;
    podi_fail_t             fail;
    podi_secret_t          *key;
    ngx_http_podi_store_t  *store;

    if (mmcf->stores.nelts == NGX_PODI_STORES_MAX) {
        return "stands more often than a configuration may have stores";
    }

    if (words->key_file.len == 0
        || media_store_dialect(cf, words) != NGX_OK
        || (words->root.len > 0
            && ngx_conf_full_name(cf->cycle, &words->root, 0) != NGX_OK)
        || ngx_conf_full_name(cf->cycle, &words->key_file, 1) != NGX_OK)
    {
        return "needs type=embedded|s3|oss, and root= when embedded, and "
               "key_file=";
    }

    ngx_memzero(&fail, sizeof(podi_fail_t));

    mem = ngx_podi_pool_mem(cf->pool);
    store = ngx_array_push(&mmcf->stores);

    if (mem == NULL || store == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(store, sizeof(ngx_http_podi_store_t));
    store->root = words->root;

    if (podi_secret_read(mem, (char *) words->key_file.data, &key, &fail)
        == PODI_OK)
    {
        words->settings.key = key;

        if (podi_object_store(&words->settings, mem, &store->object, &fail)
            == PODI_OK)
        {
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "store \"%V\": %s",
                       (ngx_str_t *) &words->settings.name, fail.detail);

    return NGX_CONF_ERROR;
}


/* the embedded store speaks S3 and has a root; nobody else has one */

static ngx_int_t
media_store_dialect(ngx_conf_t *cf, media_store_words_t *words)
{
    podi_str_t  *type;

    type = (podi_str_t *) &words->type;

    if (podi_str_eq_c(type, "oss")) {
        words->settings.dialect = PODI_OBJECT_OSS;
        return (words->root.len == 0) ? NGX_OK : NGX_ERROR;
    }

    words->settings.dialect = PODI_OBJECT_S3;

    if (podi_str_eq_c(type, "s3")) {
        return (words->root.len == 0) ? NGX_OK : NGX_ERROR;
    }

    if (podi_str_eq_c(type, "embedded")) {
        return (words->root.len > 0) ? NGX_OK : NGX_ERROR;
    }

    return NGX_ERROR;
}
