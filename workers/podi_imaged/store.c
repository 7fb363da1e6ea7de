/*
 * store: the object stores that pictures come from and go to.
 *
 *     stores = NAME type=s3 endpoint=URL bucket=B region=R key_file=PATH
 *              [ca_file=PATH]; NAME type=oss ...
 *
 * The words are those of nginx's podi_media_store; its embedded store is one
 * of type s3.  NAME is what the rows of media say.  The long-lived secret is
 * read here and never leaves the process.
 */

#include <string.h>

#include "imaged.h"
#include "banned.h"


typedef struct {
    podi_str_t  name;
    podi_str_t  type;
    podi_str_t  endpoint;
    podi_str_t  bucket;
    podi_str_t  region;
    podi_str_t  key_file;
    podi_str_t  ca_file;
} store_words_t;

typedef struct {
    const char  *name;
    size_t       offset;
} store_word_t;


static podi_rc_t store_words(podi_str_t line, store_words_t *ret_words,
    podi_fail_t *fail);
static podi_rc_t store_word(const podi_str_t *word, store_words_t *words,
    podi_fail_t *fail);
static podi_rc_t store_open(podi_worker_t *w, const store_words_t *words,
    podi_fail_t *fail);
static podi_rc_t store_dialect(const store_words_t *words,
    podi_object_dialect_e *ret_dialect, podi_fail_t *fail);
static podi_rc_t store_http(podi_worker_t *w, const store_words_t *words,
    imaged_store_t *store, podi_fail_t *fail);


static const store_word_t  store_word_table[] = {
    { "type", offsetof(store_words_t, type) },
    { "endpoint", offsetof(store_words_t, endpoint) },
    { "bucket", offsetof(store_words_t, bucket) },
    { "region", offsetof(store_words_t, region) },
    { "key_file", offsetof(store_words_t, key_file) },
    { "ca_file", offsetof(store_words_t, ca_file) },
    { NULL, 0 }
};


podi_rc_t
imaged_stores_open(podi_worker_t *w, podi_fail_t *fail)
{
    podi_str_t     rest, line;
    store_words_t  words;

    rest = podi_str_c(imaged.stores_text);

    while (podi_str_split(&rest, ';', &line)) {

        if (store_words(line, &words, fail) != PODI_OK) {
            return PODI_ERROR;
        }

        if (words.name.len > 0 && store_open(w, &words, fail) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    if (imaged.n_stores == 0) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "stores names no store");
    }

    return PODI_OK;
}


void
imaged_stores_close(void)
{
    size_t  i;

    for (i = 0; i < imaged.n_stores; i++) {
        podi_http_free(&imaged.stores[i].http);
    }

    imaged.n_stores = 0;
}


imaged_store_t *
imaged_store_find(const podi_str_t *name)
{
    size_t  i;

    for (i = 0; i < imaged.n_stores; i++) {
        if (podi_str_eq(&imaged.stores[i].object.name, name)) {
            return &imaged.stores[i];
        }
    }

    return NULL;
}


static podi_rc_t
store_words(podi_str_t line, store_words_t *ret_words, podi_fail_t *fail)
{
    podi_str_t  word;

    memset(ret_words, 0, sizeof(store_words_t));

    while (podi_str_split(&line, ' ', &word)) {

        if (word.len == 0) {
            continue;
        }

        if (ret_words->name.len == 0) {
            ret_words->name = word;
            continue;
        }

        if (store_word(&word, ret_words, fail) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
store_word(const podi_str_t *word, store_words_t *words, podi_fail_t *fail)
{
    podi_str_t           value, name;
    const store_word_t  *row;

    value = *word;

    if (!podi_str_split(&value, '=', &name)) {
        name.len = 0;
    }

    for (row = store_word_table; row->name != NULL; row++) {
        if (podi_str_eq_c(&name, row->name) && value.len > 0) {
            memcpy((char *) words + row->offset, &value, sizeof(podi_str_t));
            return PODI_OK;
        }
    }

    return podi_fail(fail, PODI_E_CONFIG, NULL, "stores: \"" PODI_STR_FMT
                     "\" is none of type= endpoint= bucket= region= "
                     "key_file= ca_file=", podi_str_arg(word));
}


static podi_rc_t
store_open(podi_worker_t *w, const store_words_t *words, podi_fail_t *fail)
{
    char                     detail[sizeof(fail->detail)];
    char                    *key_file;
    podi_mem_t              *mem = podi_worker_mem(w);
    podi_secret_t           *key;
    imaged_store_t          *store;
    podi_object_settings_t   settings;

    if (imaged.n_stores == IMAGED_STORES_MAX
        || imaged_store_find(&words->name) != NULL)
    {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "stores: \"" PODI_STR_FMT "\" is there twice, or is "
                         "one more than %d", podi_str_arg(&words->name),
                         IMAGED_STORES_MAX);
    }

    store = &imaged.stores[imaged.n_stores];

    settings.name = words->name;
    settings.endpoint = words->endpoint;
    settings.bucket = words->bucket;
    settings.region = words->region;

    key_file = podi_mem_dup_c(mem, &words->key_file);
    if (key_file == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (store_dialect(words, &settings.dialect, fail) != PODI_OK
        || podi_secret_read(mem, key_file, &key, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    settings.key = key;

    if (podi_object_store(&settings, mem, &store->object, fail) != PODI_OK) {
        memcpy(detail, fail->detail, sizeof(detail));
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "stores: " PODI_STR_FMT ": %.200s",
                         podi_str_arg(&words->name), detail);
    }

    return store_http(w, words, store, fail);
}


static podi_rc_t
store_dialect(const store_words_t *words, podi_object_dialect_e *ret_dialect,
    podi_fail_t *fail)
{
    if (podi_str_eq_c(&words->type, "s3")
        || podi_str_eq_c(&words->type, "embedded"))
    {
        *ret_dialect = PODI_OBJECT_S3;
        return PODI_OK;
    }

    if (podi_str_eq_c(&words->type, "oss")) {
        *ret_dialect = PODI_OBJECT_OSS;
        return PODI_OK;
    }

    return podi_fail(fail, PODI_E_CONFIG, NULL,
                     "stores: " PODI_STR_FMT ": write type=s3, type=oss or "
                     "type=embedded", podi_str_arg(&words->name));
}


static podi_rc_t
store_http(podi_worker_t *w, const store_words_t *words,
    imaged_store_t *store, podi_fail_t *fail)
{
    podi_http_conf_t  conf;

    memset(&conf, 0, sizeof(podi_http_conf_t));

    conf.user_agent = "podi_imaged";

    if (words->ca_file.len > 0) {
        conf.ca_file = podi_mem_dup_c(podi_worker_mem(w), &words->ca_file);

        if (conf.ca_file == NULL) {
            return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    store->http = podi_http_create(podi_worker_io(w), &conf);
    if (store->http == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    imaged.n_stores++;

    return PODI_OK;
}
