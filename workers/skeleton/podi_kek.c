/*
 * podi_kek: reading the key-encryption key; the rows that it seals.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "podi_base64.h"
#include "podi_json.h"
#include "podi_kek.h"
#include "podi_worker_int.h"
#include "banned.h"


#define KEK_CREDENTIAL  "podi_kek"


static const char *podi_kek_credential(podi_mem_t *mem);
static podi_rc_t podi_kek_where(const char *file, podi_mem_t *mem,
    const char **ret_path, podi_fail_t *fail);
static podi_rc_t podi_kek_parse(const podi_str_t *text, podi_mem_t *mem,
    podi_secret_t **ret_kek);
static void podi_kek_wipe(json_t *json);
static podi_rc_t podi_kek_aad(const podi_kek_row_t *row, podi_mem_t *mem,
    podi_str_t *ret_aad);


podi_rc_t
podi_kek_read(const char *file, podi_mem_t *mem, podi_secret_t **ret_kek,
    podi_fail_t *fail)
{
    podi_str_t      bytes;
    const char     *path = "";
    podi_secret_t  *text;

    if (podi_kek_where(file, mem, &path, fail) != PODI_OK
        || podi_secret_read(mem, path, &text, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    bytes = podi_secret_bytes(text);

    if (podi_kek_parse(&bytes, mem, ret_kek) != PODI_OK) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the key-encryption key in \"%s\" is not 32 bytes "
                         "in hex or base64", path);
    }

    return PODI_OK;
}


podi_rc_t
podi_kek_of(podi_worker_t *w, podi_secret_t **ret_kek, podi_fail_t *fail)
{
    const char  *file = w->set->kek_file;

    *ret_kek = NULL;

    if ((file == NULL || file[0] == '\0')
        && podi_kek_credential(w->mem) == NULL)
    {
        return PODI_OK;
    }

    return podi_kek_read(file, w->mem, ret_kek, fail);
}


/* NULL: none was handed over; what cannot be looked at was */

static const char *
podi_kek_credential(podi_mem_t *mem)
{
    podi_str_t   path;
    const char  *dir;

    dir = getenv("CREDENTIALS_DIRECTORY");

    if (dir == NULL || dir[0] != '/'
        || podi_mem_printf(mem, &path, "%s/" KEK_CREDENTIAL, dir) != PODI_OK)
    {
        return NULL;
    }

    return access((const char *) path.data, F_OK) == 0 || errno != ENOENT
           ? (const char *) path.data : NULL;
}


/* the service manager guards what it hands over; a file is ours to check */

static podi_rc_t
podi_kek_where(const char *file, podi_mem_t *mem, const char **ret_path,
    podi_fail_t *fail)
{
    const char   *path;
    struct stat   st;

    path = podi_kek_credential(mem);

    if (path != NULL) {
        *ret_path = path;
        return PODI_OK;
    }

    if (file == NULL || file[0] == '\0') {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "there is no key-encryption key: kek_file is not "
                         "set");
    }

    if (stat(file, &st) == 0 && (st.st_mode & (S_IRWXG|S_IRWXO))) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the key-encryption key \"%s\" is open to others; "
                         "run chmod 0600 on it", file);
    }

    *ret_path = file;

    return PODI_OK;
}


static podi_rc_t
podi_kek_parse(const podi_str_t *text, podi_mem_t *mem,
    podi_secret_t **ret_kek)
{
    podi_rc_t       rc = PODI_ERROR;
    podi_str_t      bytes;
    unsigned char   data[PODI_SEAL_KEY_LEN];

    bytes.data = data;
    bytes.len = sizeof(data);

    if (podi_hex_decode(data, sizeof(data), text) == PODI_OK
        || (podi_base64_decode(mem, text, &bytes) == PODI_OK
            && bytes.len == PODI_SEAL_KEY_LEN))
    {
        rc = podi_secret_make(mem, &bytes, ret_kek);
    }

    podi_wipe(bytes.data, bytes.len);
    podi_wipe(data, sizeof(data));

    return rc;
}


podi_rc_t
podi_kek_seal(const podi_secret_t *kek, podi_kek_row_t *row,
    const podi_str_t *text, podi_mem_t *mem, podi_fail_t *fail)
{
    char         id[PODI_SEAL_ID_LEN + 1];
    podi_str_t   aad, sealed, name;

    if (podi_kek_aad(row, mem, &aad) != PODI_OK) {
        return podi_fail(fail, PODI_E_BAD_FIELD, "name",
                         "a provider and a name are wanted, a line each");
    }

    if (podi_seal_id(kek, id) != PODI_OK
        || podi_seal(kek, &aad, text, mem, &sealed) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL,
                         "the key could not be sealed");
    }

    name = podi_str_c(id);
    row->sealed.len = 2 * sealed.len;
    row->sealed.data = podi_mem_alloc(mem, row->sealed.len);

    if (row->sealed.data == NULL
        || podi_mem_dup(mem, &name, &row->kek) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_hex_encode(row->sealed.data, sealed.data, sealed.len);

    return PODI_OK;
}


podi_rc_t
podi_kek_open(const podi_secret_t *kek, const podi_kek_row_t *row,
    podi_mem_t *mem, podi_secret_t **ret_text, podi_fail_t *fail)
{
    char         id[PODI_SEAL_ID_LEN + 1];
    podi_str_t   aad, sealed;

    if (podi_seal_id(kek, id) != PODI_OK
        || !podi_str_eq_c(&row->kek, id))
    {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the key " PODI_STR_FMT "/" PODI_STR_FMT
                         " is sealed under another key-encryption key",
                         podi_str_arg(&row->provider),
                         podi_str_arg(&row->name));
    }

    sealed.len = row->sealed.len / 2;
    sealed.data = podi_mem_alloc(mem, sealed.len + 1);

    if (sealed.data == NULL
        || podi_hex_decode(sealed.data, sealed.len, &row->sealed) != PODI_OK
        || podi_kek_aad(row, mem, &aad) != PODI_OK
        || podi_seal_open(kek, &aad, &sealed, mem, ret_text) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the key " PODI_STR_FMT "/" PODI_STR_FMT
                         " does not open", podi_str_arg(&row->provider),
                         podi_str_arg(&row->name));
    }

    return PODI_OK;
}


podi_rc_t
podi_kek_member(const podi_secret_t *text, const char *name, podi_mem_t *mem,
    podi_secret_t **ret_value)
{
    json_t             *json;
    podi_rc_t           rc = PODI_DECLINED;
    podi_str_t          s = podi_secret_bytes(text), value;
    podi_fail_t         fail;
    podi_arena_t       *arena;
    podi_json_limit_t   limit = { PODI_SEAL_MAX, 2 };

    arena = podi_arena_create();
    if (arena == NULL) {
        return PODI_ERROR;
    }

    if (podi_json_parse(&s, &limit, podi_arena_mem(arena), &json, &fail)
        == PODI_OK)
    {
        value = podi_json_str(json_object_get(json, name));

        if (value.len > 0) {
            rc = podi_secret_make(mem, &value, ret_value);
        }

        podi_kek_wipe(json);
    }

    podi_arena_free(&arena);

    return rc;
}


/* the strings of an object: jansson lets go of them as they are */

static void
podi_kek_wipe(json_t *json)
{
    json_t      *value;
    podi_str_t   s;
    const char  *name;

    json_object_foreach(json, name, value) {
        s = podi_json_str(value);
        podi_wipe(s.data, s.len);
    }
}


/* a line each, so that no two rows say the same */

static podi_rc_t
podi_kek_aad(const podi_kek_row_t *row, podi_mem_t *mem, podi_str_t *ret_aad)
{
    if (row->provider.len == 0 || row->name.len == 0
        || memchr(row->provider.data, '\n', row->provider.len) != NULL
        || memchr(row->name.data, '\n', row->name.len) != NULL)
    {
        return PODI_DECLINED;
    }

    return podi_mem_printf(mem, ret_aad, "podi/provider_key/1\n"
                           PODI_STR_FMT "\n" PODI_STR_FMT "\n" PODI_STR_FMT,
                           podi_str_arg(&row->key_id),
                           podi_str_arg(&row->provider),
                           podi_str_arg(&row->name));
}
