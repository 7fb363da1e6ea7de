-- 0005 media: pictures, uploaded by users or made by jobs
--
-- Why:      bytes live in an object store; who owns them, whether they may be
--           used and where they came from are facts
-- Expand:   yes (running code does not know the tables)
-- Locks:    none on existing tables
--
--      upload:  pending --complete--> checking --media.check--> ready
--                  |                      `----------------->  rejected
--                  `--upload_expires_at--> expired
--      result:  ready, written by the settle of the job that made it
--
-- What was uploaded and is rejected or expired is nobody's: its object is
-- doomed, and object_gone says when the store has confirmed that it is gone.

set local lock_timeout = '5s';

create table podi.media (
    tenant_id          uuid         not null,
    media_id           uuid         not null,
    user_id            uuid         not null,
    kind               text         not null,
    state              text         not null,
    name               text         not null,
    type               text         not null,
    bytes              bigint       not null,
    sha256             text,
    width              int,
    height             int,
    store              text         not null,
    object_key         text         not null,
    object_gone        boolean      not null default false,
    thumb_key          text,
    thumb_bytes        bigint,
    task_id            uuid,
    job_id             uuid,
    reject_code        text,
    upload_expires_at  timestamptz,
    created_at         timestamptz  not null default now(),
    ready_at           timestamptz,

    -- the hands know a media by its id alone, so the id leads
    constraint media_pkey        primary key (media_id, tenant_id),
    constraint media_user_fk     foreign key (tenant_id, user_id)
                                 references podi.users (tenant_id, user_id),
    constraint media_kind_ck     check (kind in ('upload', 'result')),
    constraint media_state_ck    check (state in ('pending', 'checking', 'ready',
                                                  'rejected', 'expired')),
    constraint media_bytes_ck    check (bytes >= 0),
    constraint media_sha256_ck   check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint media_size_ck     check (width > 0 and height > 0),
    constraint media_pending_ck  check (state <> 'pending'
                                        or upload_expires_at is not null),
    constraint media_ready_ck    check ((state = 'ready') = (ready_at is not null)),
    constraint media_reject_ck   check ((state = 'rejected')
                                        = (reject_code is not null)),
    constraint media_gone_ck     check (not object_gone
                                        or state in ('rejected', 'expired')),
    constraint media_result_ck   check ((kind = 'result') = (job_id is not null)
                                        and (job_id is null) = (task_id is null))
) with (fillfactor = 85);

comment on table podi.media is 'A picture: uploaded by a user or made by a job';
comment on column podi.media.object_gone is 'The store has said that the object is not there; until then a rejected or expired one is to be removed';

create index media_user_ix on podi.media (tenant_id, user_id, media_id);
create index media_task_ix on podi.media (tenant_id, task_id, job_id)
       where task_id is not null;
create index media_pending_ix on podi.media (upload_expires_at)
       where state = 'pending';
create index media_doomed_ix on podi.media (store, media_id)
       where state in ('rejected', 'expired') and not object_gone;


create type podi.media_card as (
    media_id     uuid,
    kind         text,
    state        text,
    name         text,
    type         text,
    bytes        bigint,
    sha256       text,
    width        int,
    height       int,
    task_id      uuid,
    job_id       uuid,
    parents      jsonb,
    reject_code  text,
    created_at   timestamptz,
    _store       text,
    _object_key  text,
    _thumb_key   text
);
comment on type podi.media_card is 'A media as its owner is shown it; made by internal.media_card';


create table podi.media_parent (
    tenant_id  uuid  not null,
    media_id   uuid  not null,
    parent_id  uuid  not null,

    constraint media_parent_pkey      primary key (media_id, parent_id, tenant_id),
    constraint media_parent_media_fk  foreign key (tenant_id, media_id)
                                      references podi.media (tenant_id, media_id),
    constraint media_parent_from_fk   foreign key (tenant_id, parent_id)
                                      references podi.media (tenant_id, media_id)
);

comment on table podi.media_parent is 'Which media a result was made from';

do $$
declare
    v_table  text;
begin
    foreach v_table in array array['media', 'media_parent'] loop
        execute format('alter table podi.%I enable row level security', v_table);
        execute format('alter table podi.%I force row level security', v_table);
        execute format('create policy tenant_wall on podi.%I to podi_core'
                       ' using (tenant_id = (select internal.tenant()))'
                       ' with check (tenant_id = (select internal.tenant()))',
                       v_table);
        execute format('create policy system_pass on podi.%I to podi_system'
                       ' using (true) with check (true)', v_table);
    end loop;

    foreach v_table in array array['media'] loop
        execute format('create policy owner_wall on podi.%I as restrictive'
                       ' to podi_core'
                       ' using ((select internal.role()) is distinct from ''user'''
                       ' or user_id = (select internal.user_id()))', v_table);
    end loop;
end
$$;
