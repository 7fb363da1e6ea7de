-- 0016 reconcile: what a worker is about to store, and what was never paid
--
-- Why:      a result whose attempt lost its fence stays in the store, and no
--           row named it; and what providers cost must meet what was captured
-- Expand:   yes; objects that were stored before have no intent and stay
-- Locks:    podi.media, podi.job and podi.attempt are share-locked while their
--           indexes are built
--
--      intent -> PUT -> settle: a media names the object, the intent goes
--                  '--> fence lost: nobody names it -> doomed -> DELETE -> gone
--
-- Keys are digests of contents: several jobs may store the same object.  So an
-- object is nobody's only when none of its intents is of a job that runs, and
-- once it is doomed nobody may intend it until it is gone.

set local lock_timeout = '5s';

create table podi.object_intent (
    tenant_id   uuid         not null,
    job_id      uuid         not null,
    fence       int          not null,
    store       text         not null,
    object_key  text         not null,
    at          timestamptz  not null default now(),
    doomed_at   timestamptz,

    constraint object_intent_pkey   primary key (object_key, store, job_id, fence,
                                                 tenant_id),
    constraint object_intent_job_fk foreign key (tenant_id, job_id)
                                    references podi.job (tenant_id, job_id),
    constraint object_intent_key_ck check (length(object_key) between 1 and 512
                                           and length(store) between 1 and 64)
);
comment on table podi.object_intent is 'Which objects attempts were about to store, until a media names them or they are gone';
comment on column podi.object_intent.doomed_at is 'nobody named it: it is being removed, and may not be intended meanwhile';

create index object_intent_at_ix on podi.object_intent (store, at)
       where doomed_at is null;
create index object_intent_doomed_ix on podi.object_intent (store, object_key)
       where doomed_at is not null;

-- a key is long and asked for as a whole
create index media_object_ix on podi.media using hash (object_key);
create index media_thumb_ix on podi.media using hash (thumb_key)
       where thumb_key is not null;

create index job_unpaid_ix on podi.job (ended_at)
       where charged = 0 and price > 0;
create index attempt_provider_ix on podi.attempt (provider_ref, provider)
       where provider_ref is not null;

alter table podi.object_intent enable row level security;
alter table podi.object_intent force row level security;
create policy tenant_wall on podi.object_intent to podi_core
       using (tenant_id = (select internal.tenant()))
       with check (tenant_id = (select internal.tenant()));
create policy system_pass on podi.object_intent to podi_system
       using (true) with check (true);


create type podi.row_place as (
    a  uuid,
    b  uuid,
    n  bigint
);
comment on type podi.row_place is 'Where a slice of rows ends: the key of the last one, of one or two ids and a number, what is not in it filled up';
