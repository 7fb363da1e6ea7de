-- grants: who owns what, and who may call what; run whole at each deploy,
-- after all functions, in the deploy's transaction
--
-- Converges: everything is taken away first, so a line deleted here is a right
-- withdrawn.  Ownership goes by schema; the lists of podi_worker and podi_ctl
-- are written out, because each line is a hole in the tenant wall.

-- ownership, only where it differs: alter table takes a lock
do $$
declare
    v_sql  text;
begin
    for v_sql in
        select format('alter schema %I owner to podi_owner', n.nspname)
          from pg_namespace n
         where n.nspname in ('podi', 'api', 'sys', 'internal')
           and n.nspowner <> 'podi_owner'::regrole
        union all
        select format('alter %s podi.%I owner to podi_owner',
                      case c.relkind when 'v' then 'view' when 'c' then 'type'
                                     else 'table' end,
                      c.relname)
          from pg_class c
         where c.relnamespace = 'podi'::regnamespace
           and c.relkind in ('r', 'p', 'v', 'c') and c.relowner <> 'podi_owner'::regrole
        union all
        select format('alter function %s owner to %I', p.oid::regprocedure, o.name)
          from pg_proc p
          join pg_namespace n on n.oid = p.pronamespace
         cross join lateral (select case
                   when n.nspname = 'internal'
                        and p.proname in ('context_verify', 'chain_mac',
                                          'quote_mac')
                                            then 'podi_keeper'
                   when n.nspname = 'sys'   then 'podi_system'
                   else                          'podi_core' end as name) o
         where n.nspname in ('api', 'sys', 'internal')
           and p.proowner <> o.name::regrole
    loop
        execute v_sql;
    end loop;

    -- temporary tables would stand beside ours in a search path
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to podi_web, podi_worker,'
                   ' podi_ctl', current_database());
end
$$;

-- tables: for the owners of functions only
revoke all on all tables in schema podi
    from public, podi_core, podi_system, podi_keeper, podi_web, podi_worker, podi_ctl;
grant select, insert, update on all tables in schema podi
    to podi_core, podi_system;
revoke update on podi.ledger, podi.audit, podi.user_event, podi.media_parent,
    podi.operator_audit from podi_core, podi_system;

-- a fact is never deleted; what passes away by itself is named here
grant delete on podi.event_ticket to podi_core;
grant delete on podi.event_ticket, podi.idempotency, podi.session,
    podi.user_event, podi.worker, podi.object_intent, podi.quota_use,
    podi.quota_hold, podi.revocation, podi.revocation_any to podi_system;
revoke all on podi.context_key, podi.chain_key, podi.schema_migration
    from podi_core, podi_system;
grant select on podi.schema_migration to podi_core;
revoke all on podi.worker, podi.queue_turn, podi.object_intent,
    podi.operator_audit, podi.provider_key, podi.comfy_server, podi.comfy_seen,
    podi.comfy_workflow, podi.setting from podi_core;
revoke insert, update on podi.tenant, podi.action, podi.plan,
    podi.queue_type, podi.gate, podi.price_rule, podi.quota, podi.channel,
    podi.limit_rate, podi.revocation_any from podi_core;
revoke update on podi.price_rule from podi_system;
revoke insert, update on podi.setting from podi_system;
grant delete on podi.gate, podi.quota, podi.limit_rate, podi.comfy_server
    to podi_system;
grant select on podi.context_key, podi.chain_key, podi.tenant to podi_keeper;

-- schemas
revoke all on schema podi, api, sys, internal
    from public, podi_core, podi_system, podi_keeper, podi_web, podi_worker, podi_ctl;
grant usage on schema podi to podi_core, podi_system, podi_keeper;
grant usage on schema internal to podi_core, podi_system;
grant usage on schema api to podi_web, podi_worker, podi_ctl;
grant usage on schema sys to podi_worker, podi_ctl;
-- why a job waits is to be seen across tenants: counts only; and the admin
-- API is made of what the operator has
grant usage on schema sys to podi_core, podi_system;

-- functions
revoke all on all functions in schema api, sys, internal
    from public, podi_core, podi_system, podi_keeper, podi_web, podi_worker, podi_ctl;
grant execute on all functions in schema internal to podi_core, podi_system;
revoke execute on function internal.context_verify, internal.quote_mac
    from podi_system;
grant execute on all functions in schema api to podi_web;
grant execute on function api.context_open to podi_worker, podi_ctl;
grant execute on function sys.job_place to podi_core, podi_ctl;
grant execute on function sys.job_remote to podi_core, podi_ctl;

-- behind internal.operator_enter: of no tenant
grant execute on function sys.comfy_server_cards, sys.comfy_server_put,
    sys.comfy_server_remove, sys.comfy_workflow_cards, sys.comfy_workflow_put,
    sys.comfy_workflow_publish, sys.comfy_workflow_show, sys.provider_key_list,
    sys.provider_key_disable to podi_core;
grant execute on function sys.comfy_server_cards, sys.comfy_workflow_cards
    to podi_ctl;
-- and of sys.comfy_apply
grant execute on function sys.comfy_server_put, sys.comfy_server_remove,
    sys.comfy_workflow_put, sys.comfy_workflow_publish to podi_system;

-- each row of these two lists crosses tenants: reviewed one by one

-- the workers
grant execute on function sys.job_claim, sys.job_claim_next, sys.job_beat,
    sys.job_settle, sys.job_retry, sys.job_dispatch,
    sys.job_pushed, sys.job_crashed, sys.job_running, sys.job_sweep, sys.job_expire,
    sys.worker_gone
    to podi_worker;
grant execute on function sys.gates to podi_worker, podi_ctl;
grant execute on function sys.upload_expire, sys.object_doomed,
    sys.object_gone, sys.object_intend, sys.object_orphan,
    sys.object_orphan_gone, sys.object_orphan_keep, sys.metrics to podi_worker;
grant execute on function sys.job_segment, sys.job_log to podi_worker;
grant execute on function sys.job_executor, sys.attempt_remote,
    sys.remote_left, sys.remote_end,
    sys.comfy_servers, sys.comfy_seen_put, sys.provider_keys to podi_worker;
grant execute on function sys.worker_beat to podi_worker;
grant execute on function sys.purge to podi_worker;
grant execute on function sys.invariant_breaks, sys.ledger_verify,
    sys.reconcile, sys.hold_expire, sys.report_daily to podi_worker, podi_ctl;
grant execute on function sys.invariant_slice to podi_worker;

-- the operator
grant execute on function sys.reconcile_bill to podi_ctl;
grant execute on function sys.action_put to podi_ctl;
grant execute on function sys.queue_put, sys.queue_list, sys.gate_put to podi_ctl;
grant execute on function sys.job_aside, sys.job_dismiss, sys.job_replay
    to podi_ctl;
grant execute on function sys.tenant_create, sys.tenant_operator to podi_ctl;
grant execute on function sys.account_role, sys.revoke to podi_ctl;
grant execute on function sys.price_put, sys.price_list, sys.plan_put,
    sys.plan_list, sys.tenant_plan to podi_ctl;
grant execute on function sys.channel_put, sys.channel_kill, sys.channel_list
    to podi_ctl;
grant execute on function sys.limit_put, sys.limit_list to podi_ctl;
grant execute on function sys.quota_put, sys.quota_list, sys.tenant_zone
    to podi_ctl;
grant execute on function sys.wallet_grant, sys.wallet_refund,
    sys.wallet_adjust to podi_ctl;
grant execute on function sys.comfy_server_put, sys.comfy_server_remove,
    sys.comfy_server_list, sys.comfy_apply,
    sys.comfy_workflow_put, sys.comfy_workflow_publish,
    sys.comfy_workflow_list, sys.comfy_workflow_show,
    sys.comfy_graph_fits, sys.comfy_server_open to podi_ctl;
grant execute on function sys.provider_key_add, sys.provider_key_list,
    sys.provider_key_disable to podi_ctl;
