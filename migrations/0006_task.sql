-- 0006 task: work that a user asked for, its jobs and their attempts
--
-- Why:      work must outlive the request that asked for it and every process
--           that carries it out
-- Expand:   yes (running code does not know the tables)
-- Locks:    none on existing tables that hold rows (adds keys to podi.media)
--
--      task:  queued --first claim--> running --last job--> succeeded
--               `------------------ last job -------------> partial, failed,
--                                                           cancelled
--      job:   queued --claim (fence+1)--> running --settle--> succeeded
--               ^                            |                failed
--               `-- retry, return, lost -----'                cancelled
--             queued --expire, cancel--> failed, cancelled
--
-- Lock order, everywhere: idempotency row, task_header, job, wallet, hold,
-- lot, user_head; ascending id within each.
--
-- The outbox is a state: a job that is queued and has no pushed_at is owed to
-- Redis.  A fence names one holder of a job; every change of holder raises it.

set local lock_timeout = '5s';

create table podi.task_header (
    tenant_id            uuid         not null,
    task_id              uuid         not null,
    user_id              uuid         not null,
    kind                 text         not null default 'user',
    state                text         not null default 'queued',
    channel              text         not null default '',
    hold_id              bigint,
    price                bigint       not null,
    charged              bigint       not null default 0,
    jobs_total           int          not null,
    jobs_open            int          not null,
    jobs_succeeded       int          not null default 0,
    jobs_cancelled       int          not null default 0,
    trace_id             text         not null,
    cancel_requested_at  timestamptz,
    created_at           timestamptz  not null default now(),
    started_at           timestamptz,
    ended_at             timestamptz,

    constraint task_header_pkey     primary key (task_id, tenant_id),
    constraint task_header_user_fk  foreign key (tenant_id, user_id)
                                    references podi.users (tenant_id, user_id),
    constraint task_header_hold_fk  foreign key (tenant_id, hold_id)
                                    references podi.hold (tenant_id, hold_id),
    constraint task_kind_ck         check (kind in ('user', 'system')),
    constraint task_state_ck        check (state in ('queued', 'running', 'succeeded',
                                                     'partial', 'failed', 'cancelled')),
    constraint task_final_ck        check ((state in ('queued', 'running'))
                                           = (jobs_open > 0)
                                           and (jobs_open = 0)
                                           = (ended_at is not null)),
    constraint task_jobs_ck         check (jobs_total between 1 and 64
                                           and jobs_open >= 0
                                           and jobs_succeeded >= 0
                                           and jobs_cancelled >= 0
                                           and jobs_open + jobs_succeeded
                                           + jobs_cancelled <= jobs_total),
    constraint task_charged_ck      check (charged between 0 and price),
    -- what costs nothing holds nothing
    constraint task_hold_ck         check ((price > 0) = (hold_id is not null))
) with (fillfactor = 60);

comment on table podi.task_header is 'A unit of work that a user (or the system for him) asked for';
comment on column podi.task_header.kind is 'system: made by PODI itself (media.check); never listed, never charged';
comment on column podi.task_header.jobs_open is 'jobs that have not ended; who takes it to 0 ends the task';

create index task_user_ix on podi.task_header (tenant_id, user_id, task_id);
-- ended_at changes once, so only the end of a task is not a HOT update
create index task_open_ix on podi.task_header (tenant_id, user_id, task_id)
       where ended_at is null;


create table podi.job (
    tenant_id         uuid         not null,
    job_id            uuid         not null,
    task_id           uuid         not null,
    user_id           uuid         not null,
    ord               smallint     not null,
    action            text         not null,
    queue             text         not null,
    params            jsonb        not null,
    inputs            uuid[]       not null,
    price             bigint       not null,
    state             text         not null default 'queued',
    fence             int          not null default 0,
    attempts          smallint     not null default 0,
    crashes           smallint     not null default 0,
    deferrals         int          not null default 0,
    max_attempts      smallint     not null,
    progress          smallint     not null default 0,
    cancel_requested  boolean      not null default false,
    not_before        timestamptz  not null default now(),
    start_by          timestamptz  not null,
    lease_until       timestamptz,
    worker            text,
    pushed_at         timestamptz,
    settled_fence     int,
    charged           bigint,
    results_digest    bytea,
    error_code        text,
    error_detail      text,
    created_at        timestamptz  not null default now(),
    started_at        timestamptz,
    ended_at          timestamptz,

    -- the hands know a job by its id alone, so the id leads
    constraint job_pkey         primary key (job_id, tenant_id),
    constraint job_task_fk      foreign key (tenant_id, task_id)
                                references podi.task_header (tenant_id, task_id),
    constraint job_state_ck     check (state in ('queued', 'running', 'succeeded',
                                                 'failed', 'cancelled')),
    constraint job_running_ck   check ((state = 'running')
                                       = (lease_until is not null)
                                       and (state = 'running')
                                       = (worker is not null)),
    constraint job_final_ck     check ((state in ('succeeded', 'failed', 'cancelled'))
                                       = (settled_fence is not null)
                                       and (settled_fence is not null)
                                       = (ended_at is not null)
                                       and (settled_fence is not null)
                                       = (charged is not null)),
    constraint job_charged_ck   check (charged between 0 and price
                                       and (charged = 0 or state = 'succeeded')),
    constraint job_counts_ck    check (fence >= 0 and attempts >= 0
                                       and crashes >= 0 and deferrals >= 0
                                       and max_attempts > 0),
    constraint job_progress_ck  check (progress between 0 and 100),
    constraint job_failed_ck    check (state <> 'failed' or error_code is not null)
) with (fillfactor = 60);

comment on table podi.job is 'One action on one input; leased, fenced, settled once';
comment on column podi.job.action is 'no foreign key: it would lock one hot row per submit; actions are never deleted';
comment on column podi.job.fence is 'names the holder; raised at each claim and when a lease is taken away';
comment on column podi.job.start_by is 'queued later than this: failed, job_expired';
comment on column podi.job.settled_fence is 'which holder ended it; no holder knows the fence of an end by cancel, expiry or crash';
comment on column podi.job.results_digest is 'SHA-256 of the results settled, to tell a repeated settle from another one';

create index job_task_ix on podi.job (tenant_id, task_id, ord);
create index job_queued_ix on podi.job (queue, not_before, job_id)
       where state = 'queued';
create index job_push_ix
       on podi.job (coalesce(pushed_at, timestamptz '-infinity'), not_before)
       where state = 'queued';
create index job_start_by_ix on podi.job (start_by) where state = 'queued';
-- lease_until is not in it: beats stay HOT, a sweep reads only what runs
create index job_running_ix on podi.job (worker) where state = 'running';


create table podi.attempt (
    tenant_id     uuid         not null,
    job_id        uuid         not null,
    fence         int          not null,
    worker        text         not null,
    outcome       text         not null default 'running',
    error_code    text,
    provider      text,
    provider_ref  text,
    started_at    timestamptz  not null default now(),
    ended_at      timestamptz,

    constraint attempt_pkey        primary key (job_id, fence, tenant_id),
    constraint attempt_job_fk      foreign key (tenant_id, job_id)
                                   references podi.job (tenant_id, job_id),
    constraint attempt_outcome_ck  check (outcome in ('running', 'succeeded', 'failed',
                                                      'cancelled', 'retried', 'deferred',
                                                      'crashed', 'returned', 'lost')),
    constraint attempt_ended_ck    check ((outcome = 'running')
                                          = (ended_at is null))
) with (fillfactor = 70);

comment on table podi.attempt is 'One holder of a job, from its claim to its end';


alter table podi.media
    add constraint media_job_fk foreign key (tenant_id, job_id)
        references podi.job (tenant_id, job_id),
    add constraint media_task_fk foreign key (tenant_id, task_id)
        references podi.task_header (tenant_id, task_id);


do $$
declare
    v_table  text;
begin
    foreach v_table in array array['task_header', 'job', 'attempt'] loop
        execute format('alter table podi.%I enable row level security', v_table);
        execute format('alter table podi.%I force row level security', v_table);
        execute format('create policy tenant_wall on podi.%I to podi_core'
                       ' using (tenant_id = (select internal.tenant()))'
                       ' with check (tenant_id = (select internal.tenant()))',
                       v_table);
        execute format('create policy system_pass on podi.%I to podi_system'
                       ' using (true) with check (true)', v_table);
    end loop;

    foreach v_table in array array['task_header', 'job'] loop
        execute format('create policy owner_wall on podi.%I as restrictive'
                       ' to podi_core'
                       ' using ((select internal.role()) is distinct from ''user'''
                       ' or user_id = (select internal.user_id()))', v_table);
    end loop;
end
$$;


-- what happened to a task: the events that its user was told
create view podi.task_event
    with (security_invoker = true)
as
select e.tenant_id, e.task_id, e.user_id, e.seq, e.at, e.type, e.job_id,
       e.trace_id, e.data
  from podi.user_event e
 where e.task_id is not null;

comment on view podi.task_event is 'The events of a task; stored once, in user_event';


-- what happened to a job: each holder from claim to end, then the job's end
create view podi.job_event
    with (security_invoker = true)
as
select a.tenant_id, a.job_id, a.fence, a.started_at as at,
       'claimed'::text as type, a.worker, null::text as error_code
  from podi.attempt a
union all
select a.tenant_id, a.job_id, a.fence, a.ended_at, a.outcome, a.worker,
       a.error_code
  from podi.attempt a
 where a.ended_at is not null
union all
select j.tenant_id, j.job_id, j.settled_fence, j.ended_at, 'ended_' || j.state,
       null, j.error_code
  from podi.job j
 where j.settled_fence is not null;

comment on view podi.job_event is 'The attempts and the end of a job; derived from attempt and job';
