/*
 * guard: its directives, read into configuration.
 *
 *     podi_upload_guard max=10m types=image/png,image/jpeg [role=user,admin];
 *     podi_identity_headers on [sign=FILE];
 *     podi_security_headers on [csp=TEXT] [frame=deny] [referrer=P] [hsts=T];
 */

#include "ngx_http_podi_guard.h"


#define GUARD_KEY_MIN  32               /* bytes */


static char *guard_upload_word(ngx_conf_t *cf, ngx_str_t *word,
    ngx_http_podi_upload_rule_t *rule);
static char *guard_upload_types(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_podi_upload_rule_t *rule);
static char *guard_upload_roles(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_podi_upload_rule_t *rule);
static char *guard_security_word(ngx_conf_t *cf, ngx_str_t *word,
    ngx_http_podi_security_t *security);
static char *guard_security_hsts(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_podi_security_t *security);
static ngx_uint_t guard_word(ngx_str_t *word, const char *name,
    ngx_str_t *ret_value);
static ngx_uint_t guard_has_control(const ngx_str_t *value);
static char *guard_refuse(ngx_conf_t *cf, const char *directive,
    ngx_str_t *word, const char *write);


char *
ngx_http_podi_guard_set_upload(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                       *value;
    ngx_uint_t                       i;
    ngx_http_podi_upload_rule_t     *rule;
    ngx_http_podi_guard_loc_conf_t  *glcf = conf;

    value = cf->args->elts;

    if (glcf->uploads == NULL) {
        glcf->uploads = ngx_array_create(cf->pool, 2,
                                         sizeof(ngx_http_podi_upload_rule_t));
        if (glcf->uploads == NULL) {
            return NGX_CONF_ERROR;
        }

    } else if (glcf->uploads_off) {
        return "is off above";
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        glcf->uploads_off = 1;
        return (glcf->uploads->nelts == 0) ? NGX_CONF_OK : "is not off above";
    }

    rule = ngx_array_push(glcf->uploads);
    if (rule == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(rule, sizeof(ngx_http_podi_upload_rule_t));

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "on") == 0) {
        return NGX_CONF_OK;         /* what the channel says, no more */
    }

    for (i = 1; i < cf->args->nelts; i++) {
        if (guard_upload_word(cf, &value[i], rule) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
guard_upload_word(ngx_conf_t *cf, ngx_str_t *word,
    ngx_http_podi_upload_rule_t *rule)
{
    ngx_str_t  value;

    if (guard_word(word, "max=", &value)) {
        rule->max = ngx_parse_offset(&value);

        if (rule->max > 0) {
            return NGX_CONF_OK;
        }

    } else if (guard_word(word, "types=", &value)) {
        return guard_upload_types(cf, &value, rule);

    } else if (guard_word(word, "role=", &value)) {
        return guard_upload_roles(cf, &value, rule);
    }

    return guard_refuse(cf, "podi_upload_guard", word,
                        "max=10m types=image/png,image/jpeg role=user");
}


static char *
guard_upload_types(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_podi_upload_rule_t *rule)
{
    podi_str_t    rest, type;
    podi_media_e  known;

    rest.len = text->len;
    rest.data = text->data;

    while (podi_str_split(&rest, ',', &type)) {

        known = podi_media_by_mime(&type);

        if (!podi_media_is_picture(known)) {
            return guard_refuse(cf, "podi_upload_guard",
                                (ngx_str_t *) (void *) &type,
                                "types that can be told by their first "
                                "bytes: image/jpeg, image/png, image/gif, "
                                "image/webp, image/avif, image/heic, "
                                "image/jxl, image/bmp, image/tiff");
        }

        rule->types |= (ngx_uint_t) 1 << known;
    }

    return NGX_CONF_OK;
}


static char *
guard_upload_roles(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_podi_upload_rule_t *rule)
{
    ngx_str_t   *role;
    podi_str_t   rest, name;

    rule->roles = ngx_array_create(cf->pool, 2, sizeof(ngx_str_t));
    if (rule->roles == NULL) {
        return NGX_CONF_ERROR;
    }

    rest.len = text->len;
    rest.data = text->data;

    while (podi_str_split(&rest, ',', &name)) {

        role = ngx_array_push(rule->roles);
        if (role == NULL) {
            return NGX_CONF_ERROR;
        }

        role->len = name.len;
        role->data = name.data;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_podi_guard_set_identity(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                       *value, path;
    ngx_http_podi_guard_loc_conf_t  *glcf = conf;

    if (glcf->identity != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        glcf->identity = 0;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "on") != 0) {
        return guard_refuse(cf, "podi_identity_headers", &value[1],
                            "on, on sign=FILE, or off");
    }

    glcf->identity = 1;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (!guard_word(&value[2], "sign=", &path)) {
        return guard_refuse(cf, "podi_identity_headers", &value[2],
                            "on sign=FILE");
    }

    glcf->identity_key = ngx_podi_conf_secret(cf, &path);
    if (glcf->identity_key == NULL) {
        return NGX_CONF_ERROR;
    }

    if (podi_secret_bytes(glcf->identity_key).len < GUARD_KEY_MIN) {
        return guard_refuse(cf, "podi_identity_headers", &path,
                            "a file of 32 bytes or more (openssl rand -hex "
                            "32 makes one)");
    }

    return NGX_CONF_OK;
}


char *
ngx_http_podi_guard_set_security(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                       *value;
    ngx_uint_t                       i;
    ngx_http_podi_security_t        *s;
    ngx_http_podi_guard_loc_conf_t  *glcf = conf;

    if (glcf->security != NULL) {
        return "is duplicate";
    }

    value = cf->args->elts;

    s = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_security_t));
    if (s == NULL) {
        return NGX_CONF_ERROR;
    }

    glcf->security = s;

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        glcf->security_off = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "on") != 0) {
        return guard_refuse(cf, "podi_security_headers", &value[1],
                            "on or off");
    }

    ngx_str_set(&s->frame, "DENY");
    ngx_str_set(&s->referrer, "no-referrer");
    ngx_str_set(&s->hsts, "max-age=31536000");

    for (i = 2; i < cf->args->nelts; i++) {
        if (guard_security_word(cf, &value[i], s) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
guard_security_word(ngx_conf_t *cf, ngx_str_t *word,
    ngx_http_podi_security_t *security)
{
    ngx_str_t  value, *slot;

    slot = NULL;

    if (guard_word(word, "csp=", &value)) {
        slot = &security->csp;

    } else if (guard_word(word, "referrer=", &value)) {
        slot = &security->referrer;

    } else if (guard_word(word, "hsts=", &value)) {
        return guard_security_hsts(cf, &value, security);

    } else if (guard_word(word, "frame=", &value)
               && (ngx_strcmp(value.data, "deny") == 0
                   || ngx_strcmp(value.data, "sameorigin") == 0
                   || ngx_strcmp(value.data, "off") == 0))
    {
        slot = &security->frame;
    }

    if (slot == NULL || value.len == 0
        || guard_has_control(&value))
    {
        return guard_refuse(cf, "podi_security_headers", word,
                            "csp=TEXT, frame=deny|sameorigin|off, "
                            "referrer=POLICY|off, hsts=1y|off");
    }

    if (ngx_strcmp(value.data, "off") == 0) {
        ngx_str_null(&value);

    } else if (slot == &security->frame) {
        ngx_str_set(&value, "SAMEORIGIN");

        if (word->len == sizeof("frame=deny") - 1) {
            ngx_str_set(&value, "DENY");
        }
    }

    *slot = value;

    return NGX_CONF_OK;
}


static char *
guard_security_hsts(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_podi_security_t *security)
{
    u_char     *p;
    ngx_int_t   seconds;

    if (ngx_strcmp(text->data, "off") == 0) {
        ngx_str_null(&security->hsts);
        return NGX_CONF_OK;
    }

    seconds = ngx_parse_time(text, 1);

    if (seconds == NGX_ERROR) {
        return guard_refuse(cf, "podi_security_headers", text, "hsts=1y");
    }

    p = ngx_pnalloc(cf->pool, sizeof("max-age=") + NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    security->hsts.data = p;
    security->hsts.len = (size_t) (ngx_sprintf(p, "max-age=%i", seconds) - p);

    return NGX_CONF_OK;
}


/* a value is as long as its word, and ends with its NUL */

static ngx_uint_t
guard_word(ngx_str_t *word, const char *name, ngx_str_t *ret_value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (word->len <= len || ngx_strncmp(word->data, name, len) != 0) {
        return 0;
    }

    ret_value->data = word->data + len;
    ret_value->len = word->len - len;

    return 1;
}


static ngx_uint_t
guard_has_control(const ngx_str_t *value)
{
    size_t  i;

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < ' ') {
            return 1;
        }
    }

    return 0;
}


static char *
guard_refuse(ngx_conf_t *cf, const char *directive, ngx_str_t *word,
    const char *write)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%s\" does not take \"%V\": write %s", directive,
                       word, write);

    return NGX_CONF_ERROR;
}
