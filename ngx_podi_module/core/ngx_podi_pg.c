/*
 * ngx_podi_pg: the PostgreSQL engine as a request sees it, and what is told
 * to others after a commit.
 *
 * The context is signed for a minute and kept with the request, because a
 * flow may make several calls; a long answer has it signed again, and so has a
 * subrequest in a location of another tenant.
 */

#include "ngx_podi_core.h"
#include "podi_event.h"
#include "podi_fault.h"
#include "podi_queue.h"


#define NGX_PODI_CONTEXT_LIFE  60       /* seconds */


static podi_rc_t ngx_podi_pg_send(podi_flow_t *f, podi_pg_call_t *call,
    const podi_context_t *who, ngx_podi_request_t *pr);
static ngx_uint_t ngx_podi_pg_is_signed(const ngx_podi_request_t *pr,
    const podi_context_t *who, podi_usec_t until);


void
ngx_podi_pg_init(ngx_http_request_t *r, podi_pg_call_t *call,
    podi_sql_e sql)
{
    podi_pg_call_init(call, sql, ngx_podi_mem(r));
}


ngx_uint_t
ngx_podi_has_pg(void)
{
    const ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_podi_conf();

    return pmcf != NULL && pmcf->pg.len != 0 && pmcf->context_key != NULL;
}


podi_str_t
ngx_podi_tenant(ngx_http_request_t *r)
{
    ngx_podi_loc_conf_t        *plcf;
    ngx_podi_request_t         *pr = ngx_podi_request(r);
    const ngx_podi_identity_t  *who = &pr->pub.identity;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);

    if (who->ours && who->tenant.len != 0) {
        return who->tenant;
    }

    if (pr->pub.channel != NULL && pr->pub.channel->tenant.len != 0) {
        return pr->pub.channel->tenant;
    }

    return plcf->tenant;
}


/* a role that is not one of ours gives the least: that of anybody */

podi_rc_t
ngx_podi_pg_call(podi_flow_t *f, ngx_http_request_t *r,
    podi_pg_call_t *call)
{
    podi_context_t       who;
    ngx_podi_request_t  *pr = ngx_podi_request(r);

    ngx_memzero(&who, sizeof(podi_context_t));

    who.tenant = ngx_podi_tenant(r);

    if (pr->pub.identity.ours) {

        who.user = pr->pub.identity.user;

        if (podi_role_parse(&pr->pub.identity.role, &who.role) != PODI_OK
            || who.role > PODI_ROLE_SERVICE)
        {
            who.role = PODI_ROLE_ANON;
        }

    } else {
        who.role = PODI_ROLE_ANON;
    }

    return ngx_podi_pg_send(f, call, &who, pr);
}


podi_rc_t
ngx_podi_pg_call_as(podi_flow_t *f, ngx_http_request_t *r,
    podi_pg_call_t *call, const char *role)
{
    podi_str_t           name;
    podi_context_t       who;
    ngx_podi_request_t  *pr = ngx_podi_request(r);

    name = podi_str_c(role);

    ngx_memzero(&who, sizeof(podi_context_t));

    who.tenant = ngx_podi_tenant(r);

    if (pr->pub.identity.ours) {
        who.user = pr->pub.identity.user;
    }

    if (podi_role_parse(&name, &who.role) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no role %s",
                         role);
    }

    return ngx_podi_pg_send(f, call, &who, NULL);
}


podi_rc_t
ngx_podi_pg_call_of(podi_flow_t *f, const ngx_podi_of_t *of, podi_sql_e sql)
{
    podi_str_t       id;
    podi_pg_call_t   call;

    id = podi_id_str(&of->id);

    ngx_podi_pg_init(of->request, &call, sql);
    podi_arg_str(&call, &id);

    return ngx_podi_pg_call(f, of->request, &call);
}


podi_rc_t
ngx_podi_pg_call_tenant(podi_flow_t *f, podi_pg_call_t *call,
    const podi_str_t *tenant)
{
    podi_context_t  who;

    ngx_memzero(&who, sizeof(podi_context_t));

    who.tenant = *tenant;
    who.role = PODI_ROLE_GATEWAY;

    return ngx_podi_pg_send(f, call, &who, NULL);
}


/* with pr the context is the request's, and outlives the flow */

static podi_rc_t
ngx_podi_pg_send(podi_flow_t *f, podi_pg_call_t *call,
    const podi_context_t *who, ngx_podi_request_t *pr)
{
    podi_rc_t                    rc;
    podi_pg_t                   *pg;
    podi_usec_t                  now, life;
    podi_context_t               signed_for;
    const ngx_podi_main_conf_t  *pmcf;

    pg = ngx_podi_pg();
    pmcf = ngx_podi_conf();

    if (pg == NULL || !ngx_podi_has_pg()) {
        return podi_fail(&f->fail, PODI_E_UNAVAILABLE, NULL,
                         "PostgreSQL is not configured");
    }

    now = podi_time_now();
    life = (podi_usec_t) NGX_PODI_CONTEXT_LIFE * 1000000;

    if (pr != NULL && ngx_podi_pg_is_signed(pr, who, now + life / 2)) {
        call->context = pr->context;
        return podi_pg_call(pg, f, call);
    }

    signed_for = *who;
    signed_for.expires = now + life;

    if (podi_context_mint(pmcf->context_key, &signed_for,
                          (pr != NULL) ? &pr->mem : f->mem,
                          &call->context, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    rc = podi_pg_call(pg, f, call);

    if (rc == PODI_AGAIN && pr != NULL) {
        pr->context = call->context;
        pr->context_of = signed_for;
    }

    return rc;
}


static ngx_uint_t
ngx_podi_pg_is_signed(const ngx_podi_request_t *pr, const podi_context_t *who,
    podi_usec_t until)
{
    const podi_context_t  *of = &pr->context_of;

    return pr->context.len != 0 && until < of->expires
           && who->role == of->role && podi_str_eq(&who->tenant, &of->tenant)
           && podi_str_eq(&who->user, &of->user);
}


void
ngx_podi_announce(ngx_http_request_t *r, const podi_str_t *events,
    const podi_str_t *hints)
{
    podi_mem_t    *mem;
    podi_redis_t  *redis;

    redis = ngx_podi_redis();
    if (redis == NULL) {
        return;
    }

    mem = ngx_podi_mem(r);

    /* DECLINED also means that there was nothing to tell */

    if (hints != NULL && hints->len > 2
        && podi_queue_push_hints(redis, mem, hints) != PODI_OK)
    {
        ngx_podi_count(NGX_PODI_COUNT_ANNOUNCE_LOST);
    }

    PODI_FAULT(announce);

    if (events != NULL && events->len > 2
        && podi_event_publish(redis, mem, events) != PODI_OK)
    {
        ngx_podi_count(NGX_PODI_COUNT_ANNOUNCE_LOST);
    }
}
