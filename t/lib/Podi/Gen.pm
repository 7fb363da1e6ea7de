package Podi::Gen;

# The pages of docs/ that are generated, as text.  docs/gen.pl writes them,
# t/00-lint/docs.t compares them with what is committed.

use strict;
use warnings;
use utf8;
use Podi::Repo qw( errors advices events slurp );

# file => how to make it; the ones that need a migrated database come last
our %MAKE = (
    'docs/errors.md'    => \&errors_md,
    'docs/events.md'    => \&events_md,
    'docs/openapi.yaml' => \&openapi,
    'docs/schema.md'    => \&schema_md,
);


sub _row
{
    return '| ' . join(' | ', map { s/\|/\\|/gr } @_) . ' |';
}


sub _table
{
    my ($head, @rows) = @_;

    return join "\n", _row(@$head), '|' . ' --- |' x @$head,
                map { _row(@$_) } @rows;
}


sub errors_md
{
    my %retry = (NEVER => 'no', LATER => 'later', AFTER_FIX => 'after the fix');
    my %word = map { $_->{id} => $_->{word} } advices();
    my @rows = map {
        [ "`$_->{code}`", $_->{http}, $_->{sqlstate} || '', $retry{$_->{retry}},
          $_->{en}, $_->{zh}, $_->{todo}, "`$word{$_->{advice}}`" ]
    } grep { $_->{id} ne 'NONE' } errors();

    my $table = _table([ 'code', 'HTTP', 'SQLSTATE', 'again?', 'English',
                         '中文', 'what a page should do', 'of a failed job' ],
                       @rows);
    my $advice = _table([ 'advice', 'English', '中文' ],
                        map { [ "`$_->{word}`", $_->{en}, $_->{zh} ] } advices());

    return <<'HEAD' . "$table\n\n" . <<'ADVICE' . "$advice\n";
# Errors

<!-- generated from shared/base/podi_errors.def by docs/gen.pl -->

Every refusal is an `application/problem+json` document (RFC 9457). Its `code`
is stable and is one of these; `title` is in English or Chinese by
`Accept-Language`; `trace_id` finds the request in the logs; `field` names the
input that is wrong; `retry_after` says how many seconds to wait. A failed job
carries one of the same codes as `error_code`.

    {"type":"/errors#insufficient_points","title":"Not enough points",
     "status":402,"code":"insufficient_points","trace_id":"4bf9…4736",
     "required":120,"available":30,"missing":90}

HEAD
## What can be done about a failed job

`failure.advice.do` of a job is one of these words, `failure.advice.text` what it
says to people. When the code advises `retry` and a retry would be refused now, the
advice is why: `wait`, `submit_again` or `contact_operator`.

ADVICE
}


sub events_md
{
    my @rows = map {
        [ "`$_->{type}`", $_->{kind} eq 'FACT' ? 'yes' : 'no', $_->{when},
          join(', ', map { "`$_`" } split /,\s*/, $_->{data}) ]
    } events();

    my $table = _table([ 'type', 'numbered', 'when', 'data' ], @rows);

    return <<'HEAD' . "$table\n";
# Events

<!-- generated from shared/base/podi_events.def by docs/gen.pl -->

What `GET /v1/events` sends, what `GET /v1/tasks/{task_id}` remembers. A
numbered event is a fact: it was written in the same commit as what it tells,
its `seq` is the user's next number without a hole, and it can be had again by
`Last-Event-ID`. The others are sent once and are never the truth; their frame
holds the members named here, those of a number hold them in `data`.

    id: 42
    event: job.succeeded
    data: {"seq":42,"type":"job.succeeded","at":"2026-01-01T00:00:00.000Z",
           "task_id":"…","job_id":"…","trace_id":"…","data":{…}}

HEAD
}


# the committed document with the lists between its marks made anew
sub openapi
{
    my $text = slurp('docs/openapi.yaml');
    my %list = (
        'podi_errors.def' => [ map { $_->{code} } grep { $_->{id} ne 'NONE' }
                               errors() ],
        'the advices of podi_errors.def' => [ map { $_->{word} } advices() ],
        'podi_events.def' => [ map { $_->{type} }
                               grep { $_->{kind} eq 'FACT' } events() ],
    );

    $text =~ s{(    \# generated from ([^\n]+)\n.*?enum:\n).*?(    \# end of generated)}{
        $1 . join('', map { "        - $_\n" } @{ $list{$2} }) . $3 }gse;

    return $text;
}


# tables of schema podi, from a migrated database
sub schema_md
{
    my ($dbh) = @_;
    my $tables = $dbh->selectall_arrayref(<<'SQL', { Slice => {} });
        select c.oid, c.relname as name, c.relkind as kind,
               coalesce(obj_description(c.oid), '') as about,
               c.relrowsecurity and c.relforcerowsecurity as walled
          from pg_class c
         where c.relnamespace = 'podi'::regnamespace
               and c.relkind in ('r', 'v', 'p') and not c.relispartition
         order by c.relname
SQL

    return join '', <<'HEAD', map { _schema_table($dbh, $_) } @$tables;
# The schema

<!-- generated from a migrated database by docs/gen.pl -->

Tables of schema `podi`. No program has a grant on them: `api.*` and `sys.*`
are the only way in. A walled table shows a tenant only its own rows, to its
owner too.

HEAD
}


sub _schema_table
{
    my ($dbh, $table) = @_;
    my $columns = $dbh->selectall_arrayref(<<'SQL', undef, $table->{oid});
        select a.attname, format_type(a.atttypid, a.atttypmod)
               || case when a.attnotnull then ' not null' else '' end,
               coalesce(col_description(a.attrelid, a.attnum), '')
          from pg_attribute a
         where a.attrelid = ? and a.attnum > 0 and not a.attisdropped
         order by a.attnum
SQL
    my $rules = $dbh->selectcol_arrayref(<<'SQL', undef, $table->{oid});
        select '`' || conname || '` ' || pg_get_constraintdef(oid)
          from pg_constraint where conrelid = ? and contype <> 't'
         order by array_position('{p,u,f,c}'::"char"[], contype), conname
SQL

    return "## podi.$table->{name}" . ($table->{kind} eq 'v' ? ' (view)' : '')
        . "\n\n" . ($table->{about} ? "$table->{about}.\n" : '')
        . ($table->{walled} ? "Walled by tenant.\n" : '') . "\n"
        . _table([ 'column', 'type', '' ], @$columns) . "\n\n"
        . (@$rules ? join("\n", map { "- $_" } @$rules) . "\n\n" : '');
}

1;
