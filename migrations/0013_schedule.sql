-- 0013 schedule: jobs that end together, turns without Redis
--
-- Why:      workers settle in batches, in one statement a phase; and the claim
--           without Redis must be as fair and as bounded as the one with it
-- Expand:   yes, but for action.queue: an action of a queue that is no type is
--           refused from now on
-- Locks:    podi.action, podi.user_event and podi.job for a moment; the index
--           is built over what is queued

set local lock_timeout = '5s';

-- an array of these has an estimate that makes the planner look rows up
create type podi.job_end as (
    ord          int,
    job_id       uuid,
    state        text,
    outcome      text,
    bump         int,
    whole        boolean,
    aside        boolean,
    results      jsonb,
    media        jsonb,
    digest       bytea,
    code         text,
    detail       text,
    usage        jsonb,
    cost_micros  bigint,
    verdict      text,
    task_state   text
);
comment on type podi.job_end is 'How a job shall end: state, what becomes of its attempt, whether its fence rises, whether the whole price is charged, what it delivered';

create type podi.job_back as (
    ord          int,
    job_id       uuid,
    kind         text,
    delay        interval,
    code         text,
    detail       text,
    usage        jsonb,
    cost_micros  bigint,
    verdict      text
);
comment on type podi.job_back is 'A job that its holder could not end: why, when it may be tried again, what the attempt has used';

create type podi.job_done as (
    ord             int,
    tenant_id       uuid,
    user_id         uuid,
    task_id         uuid,
    job_id          uuid,
    state           text,
    action          text,
    input           uuid,
    code            text,
    price           bigint,
    confirmed       bigint,
    charged         bigint,
    fence           int,
    hold_id         bigint,
    results         jsonb,
    media           jsonb,
    trace_id        text,
    kind            text,
    task_state      text,
    jobs_total      int,
    jobs_open       int,
    jobs_succeeded  int,
    task_price      bigint,
    task_charged    bigint
);
comment on type podi.job_done is 'A job that has just ended, with its task after that';

create type podi.claim as (
    job_id        uuid,
    fence         int,
    tenant_id     uuid,
    user_id       uuid,
    task_id       uuid,
    action        text,
    params        jsonb,
    inputs        jsonb,
    attempts      smallint,
    max_attempts  smallint,
    timeout_ms    bigint,
    price         bigint,
    trace_id      text,
    kind          text,
    priority      smallint,
    segment       smallint,
    checkpoint    jsonb,
    scopes        text[],
    _events       jsonb
);
comment on type podi.claim is 'What a worker is told about a job that it was handed';


alter table podi.action
    add constraint action_queue_fk foreign key (queue)
        references podi.queue_type (queue);

-- event_append finds the head before it writes; I10 sees what has none
alter table podi.user_event drop constraint user_event_head_fk;


-- whose turn it is: the tenants of a queue one by one, each its oldest first
drop index podi.job_queued_ix;
create index job_turn_ix
       on podi.job (queue, priority, tenant_id, not_before, job_id)
       where state = 'queued';

create table podi.queue_turn (
    tenant_id  uuid              not null,
    queue      text              not null,
    pass       double precision  not null,
    served     double precision  not null,

    constraint queue_turn_pkey     primary key (queue, tenant_id),
    constraint queue_turn_queue_fk foreign key (queue)
                                   references podi.queue_type (queue),
    constraint queue_turn_pass_ck  check (pass > served)
) with (fillfactor = 60);
comment on table podi.queue_turn is 'Whose turn it is while Redis is away: stride scheduling';
comment on column podi.queue_turn.pass is 'when it is served next; it rises by 1000 / weight with each job';
comment on column podi.queue_turn.served is 'when it was served last; the greatest is the time of the queue';
create index queue_turn_served_ix on podi.queue_turn (queue, served desc);

alter table podi.queue_turn enable row level security;
alter table podi.queue_turn force row level security;
create policy tenant_wall on podi.queue_turn to podi_core
       using (tenant_id = (select internal.tenant()))
       with check (tenant_id = (select internal.tenant()));
create policy system_pass on podi.queue_turn to podi_system
       using (true) with check (true);
