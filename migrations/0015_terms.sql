-- 0015 terms: what a job was promised stays with it
--
-- Why:      an action may be changed while jobs of it are open or may be begun
--           again: what a cancel costs and what their parts cost was fixed by
--           the submit; the first result of a job is the first one named, not
--           the one with the least id; interactive work is part of a plan
-- Expand:   yes (null: no terms of its own, no place; plans say no until told)
-- Locks:    podi.job, podi.media, podi.plan, podi.attempt for a moment; jobs of
--           actions with terms are written once
--
--      action.cancel, segments --submit, once--> job.terms --> settle, cancel

set local lock_timeout = '5s';

alter table podi.job
    add column terms jsonb,
    add constraint job_terms_ck check (jsonb_typeof(terms) = 'object');
comment on column podi.job.terms is '{cancel, segments} of the action at the submit; null: none of the rest is charged, one piece';

update podi.job j
   set terms = jsonb_build_object('cancel', a.cancel, 'segments', a.segments)
  from podi.action a
 where a.action = j.action and (a.cancel <> 'none' or a.segments <> '[]');

alter type podi.job_plan add attribute terms jsonb;


alter table podi.media
    add column ord smallint,
    add constraint media_ord_ck check (ord is null
                                     or ord > 0 and kind = 'result');
comment on column podi.media.ord is 'its place among the results of its job; null: an upload, or from before there were places';


alter table podi.plan add column interactive boolean not null default false;
comment on column podi.plan.interactive is 'whether orders may ask for the priority interactive';


-- of a report by day; by the start, because an index over the end, which is
-- written later, would make that write touch all indexes
create index attempt_started_ix on podi.attempt using brin (started_at);
