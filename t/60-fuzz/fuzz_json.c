/*
 * fuzz_json: how deep is it?
 */

#include <stdint.h>

#include "fuzz_json.h"
#include "banned.h"


unsigned
fuzz_json_depth(const json_t *value)
{
    void      *i;
    size_t     n;
    json_t    *at = (json_t *) (uintptr_t) value;
    unsigned   depth, deepest = 0;

    if (!json_is_object(value) && !json_is_array(value)) {
        return 0;
    }

    for (i = json_object_iter(at); i; i = json_object_iter_next(at, i)) {
        depth = fuzz_json_depth(json_object_iter_value(i));
        deepest = depth > deepest ? depth : deepest;
    }

    for (n = 0; n < json_array_size(value); n++) {
        depth = fuzz_json_depth(json_array_get(value, n));
        deepest = depth > deepest ? depth : deepest;
    }

    return deepest + 1;
}
