# POST /v1/tasks through nginx against pgbench that sends the same unit,
# api.context_open and api.task_submit in one pipeline, on as many connections
# as the nginx worker has in its pipelined lane, for as many people.
#
# Both make a task of one priced job under an Idempotency-Key; only nginx
# parses, checks a token, announces events and hints, and replies.

use strict;
use warnings;

use File::Temp ();
use Podi::Bench;

my $PEOPLE = 100;                       # pgbench takes 128 scripts
my $LANES = 2;                          # podi_pg_pipelined

my $bench = Podi::Bench->new('submit');
my $s = $bench->stack(http => "podi_pg_pipelined $LANES;\n");
my $tmp = File::Temp->newdir;
my @who = $bench->people($s, $PEOPLE, points => 10_000_000, tokens => 1);


# one request a line: token, body
sub script
{
    my $file = Podi::Bench::Tools::write_lines("$tmp/people",
                                  map { "$_->{token} $_->{media}" } @who);

    return Podi::Bench::Tools::write_lines("$tmp/submit.lua", <<"LUA");
local people, turn = {}, 0
math.randomseed(os.time())
local run = math.random(1, 999999999)
for line in io.lines("$file") do
    local token, media = line:match("(%S+) (%S+)")
    people[#people + 1] = {
        token = "Bearer " .. token,
        body = '{"inputs":["' .. media .. '"],"actions":[{"action":'
               .. '"image.resize","params":{"width":100}}]}' }
end
function request()
    turn = turn + 1
    local who = people[turn % #people + 1]
    return wrk.format("POST", "/v1/tasks", {
        ["Authorization"] = who.token, ["Content-Type"] = "application/json",
        ["Idempotency-Key"] = "k" .. run .. "-" .. turn }, who.body)
end
LUA
}


sub pgbench_script
{
    my ($i) = @_;

    return Podi::Bench::Tools::write_lines("$tmp/submit-$i.sql", <<"SQL");
\\startpipeline
select api.context_open(:ctx$i);
select * from api.task_submit(gen_random_uuid(), array[gen_random_uuid()], jsonb_build_object('inputs', array[:media$i]::uuid[], 'actions', '[{"action":"image.resize","params":{"width":100}}]'::jsonb), 'default', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', gen_random_uuid()::text, '\\x00');
\\endpipeline
SQL
}


my $lua = script();
my @files = map { pgbench_script($_) } 0 .. $#who;
my %define = map { ("ctx$_" => $who[$_]{context},
                    "media$_" => $who[$_]{media}) } 0 .. $#who;

sub ours
{
    my ($connections) = @_;

    return $bench->wrk($s->url . '/v1/tasks', script => $lua,
                   connections => $connections);
}

sub theirs
{
    return $bench->pgbench($s, role => 'podi_web', clients => $LANES,
                       files => \@files, define => \%define);
}


$bench->fact("$LANES connections to PostgreSQL each; $PEOPLE people");
ours(32);
theirs();
$s->db->super->dbh->do('vacuum analyze');
$bench->compare('submit.rate', metric => 'throughput', unit => 'tasks/s',
    peer => 'pgbench, the same functions',
    ours => sub { ours(32) }, theirs => \&theirs,
    note => '32 HTTP connections; token and idempotency key on each');
$bench->done;
