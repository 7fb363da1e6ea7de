-- 0025 remote: what attempts have left elsewhere is brought to its end
--
-- Why:      nobody may go on working, or be paid, for a job that has ended, and
--           what is done is removed there only once PostgreSQL knows of it
-- Expand:   yes (columns that are empty, or with a constant default)
-- Locks:    podi.attempt, for a moment
--
--      attempt.remote_state:
--        intended --> submitted --(its job ends with it)--> left --> ended
--            '------------'---(its holder does not wait)--> left
--            '------------'---(crashed, and its job has ended)-----> ended
--
-- Whoever brings something to its end has taken the row for a while, which
-- grows: a server that is away is asked less and less often.

set local lock_timeout = '5s';

alter table podi.attempt
    add column left_tries  int          not null default 0,
    add column left_next   timestamptz;
comment on column podi.attempt.remote_state is 'intended: it may have been asked for; submitted: it was; left: nobody waits for it, and it is to be removed; ended: nothing is left to be looked for';
comment on column podi.attempt.left_tries is 'how often it was tried to remove what was left';
comment on column podi.attempt.left_next is 'not to be tried again before';

drop index podi.attempt_open_ix;
create index attempt_open_ix on podi.attempt (provider)
       where remote_state in ('intended', 'submitted', 'left');
