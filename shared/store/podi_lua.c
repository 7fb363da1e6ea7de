/*
 * podi_lua: the scripts' texts, built in from shared/store/lua.
 */

#include "podi_assert.h"
#include "podi_redis.h"

#include "podi_lua_texts.h"
#include "banned.h"


static const char *const  lua_texts[] = {
#define PODI_LUA(id, file)  podi_lua_text_##file,
#include "podi_scripts.def"
#undef PODI_LUA
};


const char *
podi_lua_text(podi_lua_e script)
{
    podi_assert(script < PODI_LUA_LAST);

    return lua_texts[script];
}
