-- 0008 task index: no index of a queue's tables begins with the tenant
--
-- Why:      before the first ANALYZE the planner takes (tenant_id, ...) for as
--           good as the primary key, and a claim by job_id then reads all jobs
--           of the tenant.  An index that begins with an id cannot be misused
--           so: each query that may use it names that id.
-- Expand:   yes (same columns, other order; running code does not notice)
-- Locks:    share lock on podi.media, podi.task_header, podi.job while their
--           indexes are built; the tables are small or empty at this version

set local lock_timeout = '5s';

drop index podi.media_user_ix;
create index media_user_ix on podi.media (user_id, tenant_id, media_id);

drop index podi.media_task_ix;
create index media_task_ix on podi.media (task_id, tenant_id, job_id)
       where task_id is not null;

drop index podi.task_user_ix;
create index task_user_ix on podi.task_header (user_id, tenant_id, task_id);

drop index podi.task_open_ix;
create index task_open_ix on podi.task_header (user_id, tenant_id, task_id)
       where ended_at is null;

drop index podi.job_task_ix;
create index job_task_ix on podi.job (task_id, tenant_id, ord);
