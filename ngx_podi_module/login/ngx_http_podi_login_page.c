/*
 * The login page: one document a language, made when nginx reads its
 * configuration.
 *
 *     style, script -> SHA-256 -> Content-Security-Policy
 *     words of a language + style + script -> page
 *
 * Only this style and this script run in it, and it talks to /v1/auth/ of its
 * own origin only.  On arrival it tries the refresh cookie: who has one comes
 * back to where he was without seeing a form.  What it shows of an answer is
 * text, never markup; where it goes is a path of its own origin, whatever
 * `next` says.
 */

#include "ngx_http_podi_login.h"
#include "podi_base64.h"
#include "podi_hash.h"


typedef struct {
    const char  *lang;
    const char  *title;
    const char  *name;
    const char  *password;
    const char  *enter;
    const char  *leave;
    const char  *left;
    const char  *away;
    const char  *script;
} login_words_t;


static podi_rc_t login_hash(podi_mem_t *mem, const char *text,
    podi_str_t *ret_hash);
static podi_rc_t login_page(podi_mem_t *mem, const login_words_t *w,
    podi_str_t *ret_page);


static const login_words_t  login_words[] = {
    { "en", "Sign in", "Name", "Password", "Sign in", "Sign out",
      "You are signed out.", "The server cannot be reached. Try again.",
      "This page needs JavaScript." },
    { "zh-CN", "登录", "用户名", "密码", "登录", "退出登录",
      "您已退出登录。", "无法连接服务器，请重试。",
      "此页面需要 JavaScript。" }
};

static const char  login_style[] =
    "body{font:16px/1.5 system-ui,sans-serif;margin:12vh auto 0;"
        "max-width:20rem;padding:0 1rem;color:#222;background:#fff}"
    "label,input,button{display:block;width:100%;box-sizing:border-box;"
        "font:inherit}"
    "input{margin:.2rem 0 1rem;padding:.5rem;border:1px solid #888;"
        "border-radius:4px}"
    "button{padding:.6rem;border:0;border-radius:4px;background:#0b57d0;"
        "color:#fff}"
    "p{min-height:1.5em;color:#b00020}"
    "@media(prefers-color-scheme:dark){body{background:#181818;color:#eee}"
        "input{background:#222;color:#eee}p{color:#ff8a80}}";

/*
 * A silent return that leads here again within ten seconds is not tried
 * again: what asks does not believe these cookies.
 */

static const char  login_script[] =
    "'use strict';"
    "const q=new URLSearchParams(location.search),"
        "[i,o]=document.forms,m=document.querySelector('p');"
    "function say(t){m.textContent=t}"
    "function target(){try{"
        "const u=new URL(q.get('next')||'/',location.origin);"
        "if(u.origin===location.origin)return u.href}catch(e){}"
        "return location.origin+'/'}"
    "function post(what,body,token){"
        "const h=body?{'Content-Type':'application/json'}:{};"
        "if(token)h.Authorization='Bearer '+token;"
        "return fetch('/v1/auth/'+what,{method:'POST',headers:h,"
            "credentials:'same-origin',"
            "body:body?JSON.stringify(body):undefined})}"
    "function go(){sessionStorage.setItem('podi_login',Date.now());"
        "location.replace(target())}"
    "async function fault(r){"
        "try{say((await r.json()).title)}catch(e){say(m.dataset.away)}}"
    "async function arrive(){"
        "if(Date.now()-(sessionStorage.getItem('podi_login')||0)>10000){"
            "try{if((await post('refresh')).ok)return go()}catch(e){}}"
        "i.hidden=false;i.elements[0].focus()}"
    "i.addEventListener('submit',async function(e){"
        "e.preventDefault();say('');i.elements[2].disabled=true;"
        "try{const r=await post('login',{login:i.elements[0].value,"
            "password:i.elements[1].value});"
            "if(r.ok)return go();await fault(r)}"
        "catch(x){say(m.dataset.away)}"
        "i.elements[1].value='';i.elements[2].disabled=false});"
    "o.addEventListener('submit',async function(e){"
        "e.preventDefault();say('');"
        "try{let r=await post('refresh');"
            "if(r.ok)r=await post('logout',null,(await r.json())."
                "access_token);"
            "if(!r.ok&&r.status!==401)return fault(r);"
            "o.hidden=true;say(m.dataset.left)}"
        "catch(x){say(m.dataset.away)}});"
    "if(q.has('out'))o.hidden=false;else arrive();";


podi_rc_t
ngx_http_podi_login_page(podi_mem_t *mem, ngx_http_podi_login_loc_conf_t *llcf)
{
    ngx_uint_t  i;
    podi_str_t  script, style;

    if (login_hash(mem, login_script, &script) != PODI_OK
        || login_hash(mem, login_style, &style) != PODI_OK
        || podi_mem_printf(mem, &llcf->policy,
               "default-src 'none'; script-src 'sha256-" PODI_STR_FMT "'; "
               "style-src 'sha256-" PODI_STR_FMT "'; connect-src 'self'; "
               "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
               podi_str_arg(&script), podi_str_arg(&style))
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    for (i = 0; i <= PODI_LANG_ZH; i++) {
        if (login_page(mem, &login_words[i], &llcf->page[i]) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


/* as Content-Security-Policy names what may run */

static podi_rc_t
login_hash(podi_mem_t *mem, const char *text, podi_str_t *ret_hash)
{
    u_char      digest[PODI_SHA256_LEN];
    podi_str_t  bytes, all = podi_str_c(text);

    if (podi_sha256(&all, digest) != PODI_OK) {
        return PODI_ERROR;
    }

    bytes.data = digest;
    bytes.len = sizeof(digest);

    return podi_base64_encode(mem, &bytes, ret_hash);
}


static podi_rc_t
login_page(podi_mem_t *mem, const login_words_t *w, podi_str_t *ret_page)
{
    podi_buf_t  b;

    podi_buf_init(&b, mem);
    podi_buf_printf(&b,
        "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\">"
        "<title>%s</title><style>", w->lang, w->title);
    podi_buf_add_c(&b, login_style);
    podi_buf_printf(&b,
        "</style></head><body><h1>%s</h1>"
        "<form method=\"post\" hidden><label>%s<input name=\"login\" "
        "autocomplete=\"username\" autocapitalize=\"none\" required>"
        "</label><label>%s<input name=\"password\" type=\"password\" "
        "autocomplete=\"current-password\" required></label>"
        "<button>%s</button></form>",
        w->title, w->name, w->password, w->enter);
    podi_buf_printf(&b,
        "<form method=\"post\" hidden><button>%s</button></form>"
        "<p role=\"alert\" data-left=\"%s\" data-away=\"%s\"></p>"
        "<noscript>%s</noscript><script>",
        w->leave, w->left, w->away, w->script);
    podi_buf_add_c(&b, login_script);
    podi_buf_add_c(&b, "</script></body></html>\n");

    return podi_buf_take(&b, ret_page);
}
