/*
 * podi_comfy_history: how a prompt ended, and the files that it left.
 *
 * The messages decide: a run that failed may still be called a success.
 */

#include <string.h>

#include "podi_comfy_int.h"
#include "podi_text.h"
#include "banned.h"


static podi_rc_t podi_comfy_entry(const podi_str_t *body,
    const podi_str_t *id, podi_mem_t *text, podi_mem_t *mem,
    podi_comfy_history_t *ret_history);
static podi_rc_t podi_comfy_end(const json_t *entry, podi_mem_t *mem,
    podi_comfy_history_t *history);
static podi_rc_t podi_comfy_exception(const json_t *data, podi_mem_t *mem,
    podi_comfy_history_t *history);
static int podi_comfy_is_oom(const podi_str_t *exception,
    const podi_str_t *message);
static podi_rc_t podi_comfy_files(const json_t *outputs, podi_mem_t *mem,
    podi_comfy_history_t *history);
static podi_rc_t podi_comfy_add_file(podi_comfy_history_t *history,
    podi_mem_t *mem, const podi_comfy_file_t *file);


podi_rc_t
podi_comfy_history(const podi_str_t *body, const podi_str_t *id,
    podi_mem_t *mem, podi_comfy_history_t *ret_history)
{
    podi_rc_t      rc;
    podi_arena_t  *arena;

    arena = podi_arena_create();
    if (arena == NULL) {
        return PODI_ERROR;
    }

    rc = podi_comfy_entry(body, id, podi_arena_mem(arena), mem, ret_history);
    podi_arena_free(&arena);

    return rc;
}


/* text: of the memory that goes */

static podi_rc_t
podi_comfy_entry(const podi_str_t *body, const podi_str_t *id,
    podi_mem_t *text, podi_mem_t *mem, podi_comfy_history_t *ret_history)
{
    json_t                *json, *entry;
    podi_comfy_history_t   history;

    memset(&history, 0, sizeof(history));

    if (podi_comfy_parse(body, PODI_COMFY_ANSWER_MAX, text, &json) != PODI_OK
        || !json_is_object(json))
    {
        return PODI_ERROR;
    }

    entry = json_object_getn(json, (const char *) id->data, id->len);

    if (entry != NULL
        && (!json_is_object(entry)
            || podi_comfy_end(entry, mem, &history) != PODI_OK
            || podi_comfy_files(json_object_get(entry, "outputs"), mem,
                                &history) != PODI_OK))
    {
        return PODI_ERROR;
    }

    *ret_history = history;

    return PODI_OK;
}


int
podi_comfy_is_blank(const podi_str_t *body)
{
    size_t  i;
    char    seen[3] = "";
    size_t  n = 0;

    for (i = 0; i < body->len; i++) {

        if (memchr(" \t\r\n", body->data[i], 4) != NULL) {
            continue;
        }

        if (n == 2) {
            return 0;
        }

        seen[n++] = (char) body->data[i];
    }

    return strcmp(seen, "{}") == 0;
}


/* an error beats an interrupt, which beats what the status says */

static podi_rc_t
podi_comfy_end(const json_t *entry, podi_mem_t *mem,
    podi_comfy_history_t *history)
{
    size_t       i;
    json_t      *status, *message, *error = NULL;
    podi_str_t   event, word;

    status = json_object_get(entry, "status");
    word = podi_json_str(json_object_get(status, "status_str"));

    history->end = podi_str_eq_c(&word, "error") ? PODI_COMFY_FAILED
                                                 : PODI_COMFY_DONE;

    json_array_foreach(json_object_get(status, "messages"), i, message) {
        event = podi_json_str(json_array_get(message, 0));

        if (podi_str_eq_c(&event, "execution_error")) {
            error = json_array_get(message, 1);
            history->end = PODI_COMFY_FAILED;

        } else if (podi_str_eq_c(&event, "execution_interrupted")
                   && error == NULL)
        {
            history->end = PODI_COMFY_INTERRUPTED;
        }
    }

    return error != NULL ? podi_comfy_exception(error, mem, history)
                         : PODI_OK;
}


static podi_rc_t
podi_comfy_exception(const json_t *data, podi_mem_t *mem,
    podi_comfy_history_t *history)
{
    podi_str_t  message, node, class_type, exception;

    message = podi_json_str(json_object_get(data, "exception_message"));
    node = podi_json_str(json_object_get(data, "node_id"));
    class_type = podi_json_str(json_object_get(data, "node_type"));
    exception = podi_json_str(json_object_get(data, "exception_type"));

    history->oom = podi_comfy_is_oom(&exception, &message) != 0;

    if (podi_mem_dup(mem, &node, &history->node) != PODI_OK
        || podi_mem_dup(mem, &class_type, &history->class_type) != PODI_OK
        || podi_mem_dup(mem, &exception, &history->exception) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_comfy_sentence(&message, mem, &history->sentence);
}


/* torch has one for each of its versions and devices */

static int
podi_comfy_is_oom(const podi_str_t *exception, const podi_str_t *message)
{
    return podi_text_find(exception, "OutOfMemory") != NULL
           || podi_text_find(exception, "OOMError") != NULL
           || podi_text_find(message, "out of memory") != NULL
           || podi_text_find(message, "Allocation on device") != NULL;
}


/* every list whose elements are files, whatever it is called */

static podi_rc_t
podi_comfy_files(const json_t *outputs, podi_mem_t *mem,
    podi_comfy_history_t *history)
{
    size_t              i;
    json_t             *output, *list, *element;
    const char         *node, *kind;
    podi_comfy_file_t   file;

    history->files = podi_mem_alloc(mem, PODI_COMFY_FILES_MAX
                                         * sizeof(podi_comfy_file_t));
    if (history->files == NULL) {
        return PODI_ERROR;
    }

    json_object_foreach((json_t *) outputs, node, output) {
        json_object_foreach(output, kind, list) {
            json_array_foreach(list, i, element) {
                file.node = podi_str_c(node);
                file.kind = podi_str_c(kind);
                file.filename = podi_json_str(json_object_get(element,
                                                              "filename"));
                file.subfolder = podi_json_str(json_object_get(element,
                                                               "subfolder"));
                file.type = podi_json_str(json_object_get(element, "type"));

                if (file.filename.len > 0 && file.type.len > 0
                    && podi_comfy_add_file(history, mem, &file) != PODI_OK)
                {
                    return PODI_ERROR;
                }
            }
        }
    }

    return PODI_OK;
}


/* once: some nodes name the same file twice, as a picture and as a video */

static podi_rc_t
podi_comfy_add_file(podi_comfy_history_t *history, podi_mem_t *mem,
    const podi_comfy_file_t *file)
{
    size_t                    i;
    podi_comfy_file_t        *copy;
    const podi_comfy_file_t  *other;

    for (i = 0; i < history->files_n; i++) {
        other = &history->files[i];

        if (podi_str_eq(&other->filename, &file->filename)
            && podi_str_eq(&other->subfolder, &file->subfolder)
            && podi_str_eq(&other->type, &file->type))
        {
            return PODI_OK;
        }
    }

    if (history->files_n == PODI_COMFY_FILES_MAX) {
        history->more = 1;
        return PODI_OK;
    }

    copy = &history->files[history->files_n++];

    return podi_mem_dup(mem, &file->node, &copy->node) == PODI_OK
           && podi_mem_dup(mem, &file->kind, &copy->kind) == PODI_OK
           && podi_mem_dup(mem, &file->filename, &copy->filename) == PODI_OK
           && podi_mem_dup(mem, &file->subfolder, &copy->subfolder) == PODI_OK
           && podi_mem_dup(mem, &file->type, &copy->type) == PODI_OK
           ? PODI_OK : PODI_ERROR;
}


int
podi_comfy_wants(const json_t *mapping, const podi_comfy_file_t *file)
{
    size_t       i;
    json_t      *output;
    podi_str_t   node;

    if (!podi_str_eq_c(&file->type, "output")
        && !(podi_str_eq_c(&file->type, "temp")
             && json_is_true(json_object_get(mapping, "keep_temp"))))
    {
        return 0;
    }

    json_array_foreach(json_object_get(mapping, "outputs"), i, output) {
        node = podi_json_str(json_object_get(output, "node"));

        if (podi_str_eq(&node, &file->node)) {
            return 1;
        }
    }

    return 0;
}


podi_rc_t
podi_comfy_view(const podi_comfy_file_t *file, podi_mem_t *mem,
    podi_str_t *ret_path)
{
    podi_buf_t  b;

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "/view?filename=");
    podi_buf_add_uri(&b, &file->filename, 0);
    podi_buf_add_c(&b, "&subfolder=");
    podi_buf_add_uri(&b, &file->subfolder, 0);
    podi_buf_add_c(&b, "&type=");
    podi_buf_add_uri(&b, &file->type, 0);

    return podi_buf_take(&b, ret_path);
}
