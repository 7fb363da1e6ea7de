/*
 * podi_comfy_int: what the files of podi_comfy share.
 */

#ifndef PODI_COMFY_INT_H
#define PODI_COMFY_INT_H


#include "podi_comfy.h"


#define PODI_COMFY_ANSWER_MAX  (64 * 1024 * 1024)


/*
 * JSON as Python writes it: with NaN and Infinity, NUL and halves of
 * surrogates in strings, and integers of any size.  All numbers are reals.
 */
PODI_MUSTCHECK podi_rc_t podi_comfy_parse(const podi_str_t *text, size_t max,
    podi_mem_t *mem, json_t **ret_json);

/*
 * A copy in which a 0 stands for each object and list that lies deeper than
 * `most`.  What is no JSON stays none, but for what is left out.
 */
PODI_MUSTCHECK podi_rc_t podi_comfy_thin(const podi_str_t *text,
    unsigned most, podi_mem_t *mem, podi_str_t *ret_text);

/* the first line, without paths, of at most 200 bytes or so */
PODI_MUSTCHECK podi_rc_t podi_comfy_sentence(const podi_str_t *text,
    podi_mem_t *mem, podi_str_t *ret_sentence);

/* is that the file of a model? as internal.comfy_is_model */
int podi_comfy_is_model(const podi_str_t *name);

int podi_comfy_ends(const podi_str_t *s, const char *const *ends);


#endif /* PODI_COMFY_INT_H */
