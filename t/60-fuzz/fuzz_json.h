/*
 * fuzz_json: how deep an array or an object is; 0: it is neither.
 */

#ifndef PODI_FUZZ_JSON_H
#define PODI_FUZZ_JSON_H


#include <jansson.h>


unsigned fuzz_json_depth(const json_t *value);


#endif /* PODI_FUZZ_JSON_H */
