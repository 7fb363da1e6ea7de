# check.pl DIR SEED: were the promises kept?
#
#     world.json     prices, digests of a quiet day, people, who has a budget
#     client-*       what each client asked and was told
#     reader-*       what each stream said
#     facts.jsonl    what the tables hold when all has ended
#     *.out          what the workers said
#
# A model of its own: what an order is, what its jobs may become, what they
# cost; purses and holds are Chaos::Bank's.  It asks no database, and shares no
# code with what it checks.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use JSON::PP ();
use List::Util qw( sum0 );
use Chaos::Bank;
use Chaos::History;

my ($dir, $seed) = @ARGV;
my $json = JSON::PP->new->utf8;
my (%broken, @told, %ops, %task_op, %asked, %fact, %refused);

die "usage: check.pl DIR SEED\n" if !defined $seed;


# something that must not be, and how many of its kind
sub broken
{
    my ($kind, $what) = @_;

    push @told, "$kind: $what" if $broken{$kind}++ < 5;
    return;
}


# --- what was recorded --------------------------------------------------------

my $world = do {
    open my $in, '<', "$dir/world.json" or die "world.json: $!";
    local $/;
    $json->decode(<$in>);
};
my %login = map { $world->{people}{$_}{user} => $_ } keys %{ $world->{people} };
my %reference = map { $_ => 1 } @{ $world->{reference} };

for my $line (Chaos::History::read("$dir/facts.jsonl")) {
    push @{ $fact{ $line->{fact} } }, $line->{row};
}

my %task = map { $_->{task_id} => $_ } grep { !$reference{ $_->{task_id} } }
           @{ $fact{task} // [] };
my (%jobs, %job);
for my $job (sort { $a->{ord} <=> $b->{ord} } @{ $fact{job} // [] }) {
    next if !$task{ $job->{task_id} };
    push @{ $jobs{ $job->{task_id} } }, $job;
    $job{ $job->{job_id} } = $job;
}

my (%made, %won, %paid, %events);
push @{ $made{ $_->{job_id} } }, $_->{sha256} for @{ $fact{media} // [] };
$won{ $_->{job_id} }++
    for grep { $_->{outcome} eq 'succeeded' } @{ $fact{attempt} // [] };
push @{ $paid{ $_->{job_id} } }, $_
    for grep { $_->{op} eq 'confirm' && $_->{job_id} } @{ $fact{ledger} // [] };
push @{ $events{ $_->{user_id} } }, $_ for @{ $fact{event} // [] };


# --- operations: what was accepted is there, once -----------------------------

sub operations
{
    for my $login (sort values %login) {
        for my $line (Chaos::History::read("$dir/client-$login.jsonl")) {
            my $op = $ops{$login}{ $line->{op} } //= { login => $login };
            my $phase = $line->{phase};

            %$op = (%$op, %$line, end => 'unknown') if $phase eq 'invoke';
            $op->{end} = $phase if $phase ne 'invoke';
            $op->{unsure} = 1 if $phase eq 'unknown' || $line->{hasty};
            $op->{$_} = $line->{$_} for grep { $line->{$_} }
                                        qw( task items said code );
            wallet_read($login, $line) if $line->{f} eq 'wallet';
            strange($op, $line) if $phase eq 'fail';
        }
    }
}


# no answer but those that the contract knows of
sub strange
{
    my ($op, $line) = @_;
    my $told = "$line->{status} " . ($line->{code} // '');

    return if $line->{f} =~ /^(?:confirm|release)$/;    # Chaos::Bank judges
    return if $line->{f} =~ /^(?:submit|retry)$/
              && $told eq '429 quota_exceeded'
              && $world->{people}{ $op->{login} }{budget};
    broken('strange_answer', "$op->{key}: $line->{f} $told")
        if $line->{f} !~ /^(?:cancel|retry)$/
           || $told !~ /^409 (?:task_final|conflict)$/;
}


sub wallet_read
{
    my ($login, $line) = @_;

    broken('wallet', "$login saw $line->{available} and $line->{frozen}")
        if $line->{available} < 0 || $line->{frozen} < 0
           || $line->{available} + $line->{frozen} > 1_000_000;
}


# what was ordered: each order of a batch is one for itself
sub orders
{
    my %by_key = map { ("$login{ $_->{user_id} } $_->{key}" => $_) }
                 grep { $login{ $_->{user_id} } } @{ $fact{idem} // [] };
    my @orders;

    for my $op (map { values %$_ } values %ops) {
        my $kept = $by_key{ "$op->{login} " . ($op->{key} // '') };

        if (($op->{f} // '') eq 'submit') {
            $op->{task} //= $kept->{task_id};
            push @orders, $op;
        }
        elsif (($op->{f} // '') eq 'batch') {
            push @orders, members($op, $kept);
        }
    }
    return @orders;
}


# an answer says what is kept, and no more is kept than that
sub members
{
    my ($op, $kept) = @_;
    my @kept = map { $_->{task_id} // '' } @{ $kept->{items} // [] };
    my @said = map { $_->{task} // '' } @{ $op->{items} // [] };
    my @code = map { $_->{code} } @{ $op->{items} // [] };

    broken('lost', "$op->{key}: the batch made @kept, and said @said")
        if @said && "@said" ne "@kept";
    return map { { %{ $op->{orders}[$_] }, login => $op->{login}, f => 'submit',
                   key => "$op->{key}, order $_", task => $kept[$_] || undef,
                   end => !@kept || $kept[$_] ? $op->{end} : 'fail',
                   code => $code[$_], unsure => !@kept } }
           0 .. $#{ $op->{orders} };
}


# who asked for which task; a lost answer is found by its key
sub owners
{
    for my $op (orders()) {
        refused($op);
        next if !$op->{task};

        broken('lost', "$op->{key}: $op->{task} is not there")
            if !$task{ $op->{task} };
        broken('one_task_for_two', "$op->{key}, $task_op{ $op->{task} }{key}")
            if $task_op{ $op->{task} };
        $task_op{ $op->{task} } = $op;
    }
    for my $op (map { values %$_ } values %ops) {
        my $task = $op->{target} // next;
        $asked{$task}{ $op->{f} }++ if $op->{end} ne 'fail';
    }
    for my $id (grep { !$task_op{$_} } sort keys %task) {
        broken('duplicated', "$id: nobody asked for it, or it was made twice");
    }
}


# what must be refused is, what is refused is nothing, and only that is refused
sub refused
{
    my ($op) = @_;
    my $code = $op->{code} // 'quota_exceeded';

    $refused{ $op->{kind} eq 'refused' ? 'orders' : 'budgets' }++
        if $op->{end} eq 'fail';
    broken('refused', "$op->{key}: what cannot be done is $op->{task}")
        if $op->{kind} eq 'refused' && $op->{task};
    broken('refused', "$op->{key} was refused, and is $op->{task}")
        if $op->{end} eq 'fail' && $op->{task} && !$op->{unsure};
    broken('refused', "$op->{key} ($op->{kind}): $code")
        if $op->{end} eq 'fail' && $op->{kind} ne 'refused'
           && ($code ne 'quota_exceeded'
               || !$world->{people}{ $op->{login} }{budget});
}


# --- tasks: each has ended as it may ------------------------------------------

my ($should, $did) = (0, 0);

sub tasks
{
    for my $id (sort keys %task) {
        my $task = $task{$id};
        my $op = $task_op{$id} // next;

        if (!$task->{ended_at} || $task->{jobs_open}) {
            broken('lost', "$id ($op->{kind}) is $task->{state}");
            next;
        }
        is_order($task, $op);
        is_end($task, $op);
        job($_, $op) for @{ $jobs{$id} };
        told($task);
    }
}


sub is_order
{
    my ($task, $op) = @_;
    my $got = join ' ', map { $_->{action} } @{ $jobs{ $task->{task_id} } };
    my $want = join ' ', map { action_of($_) } @{ $op->{jobs} };

    broken('order', "$task->{task_id}: $got, wanted $want") if $got ne $want;
}


# "0 w16", "1 w32>t16", "0 w16+w24>m", "test.slow"
sub action_of
{
    my ($name) = @_;
    my %action = (w => 'image.resize', f => 'image.convert',
                  t => 'image.thumbnail', m => 'image.montage');

    return $name if $name =~ /^test\./;
    my ($last) = $name =~ /(\w)\w*\z/;
    return $action{$last};
}


sub is_end
{
    my ($task, $op) = @_;
    my $asked = $asked{ $task->{task_id} } // {};
    my $state = $task->{state};

    if ($op->{kind} eq 'fail') {
        broken('outcome', "$task->{task_id}: what must fail is $state")
            if $state !~ /^(?:failed|cancelled)$/
               || $state eq 'cancelled' && !$asked->{cancel};
        return;
    }
    broken('outcome', "$task->{task_id} is cancelled, and nobody asked for it")
        if $state eq 'cancelled' && !$asked->{cancel};
    return if $asked->{cancel};

    $should++;
    $did++ if $state eq 'succeeded'
        && !grep { !right($_, $op) } @{ $jobs{ $task->{task_id} } };
    print "chaos: note: $task->{task_id} ($op->{kind}) is $state: "
        . join(', ', map { ($_->{error_code} // $_->{state})
                           . " after $_->{crashes} crashes" }
                     @{ $jobs{ $task->{task_id} } }) . "\n"
        if $state ne 'succeeded';
}


sub right
{
    my ($job, $op) = @_;
    my $digest = $world->{digest}{ $op->{jobs}[$job->{ord} - 1] } // '';

    return ($made{ $job->{job_id} }[0] // '') eq $digest;
}


# --- jobs: made once, paid once -----------------------------------------------

sub job
{
    my ($job, $op) = @_;
    my $id = $job->{job_id};
    my $good = $job->{state} eq 'succeeded';
    my $made = @{ $made{$id} // [] };
    my $won = $won{$id} // 0;

    broken('duplicated', "$id was won $won times") if $won != $good;
    broken('duplicated', "$id made $made results")
        if $made != ($good && $job->{action} =~ /^image/);
    broken('digest', "$id ($op->{jobs}[$job->{ord} - 1]) is another picture")
        if $good && $made && !right($job, $op);
    broken('settled', "$id is $job->{state}")
        if $job->{state} !~ /^(?:succeeded|failed|cancelled)$/;
    payment($job, $good);
}


# what is delivered is paid: all of it, or the segments that are finished
sub payment
{
    my ($job, $good) = @_;
    my @rows = @{ $paid{ $job->{job_id} } // [] };
    my $paid = sum0(map { $_->{amount} } @rows);
    my $price = $world->{price}{ $job->{action} };
    my $what = "$job->{job_id} ($job->{action}, $job->{state}): $paid of $price";

    broken('price', "$what, it says $job->{price}")
        if $job->{price} != $price;
    broken('double_charged', $what) if $paid > $price
        || @rows > 1 && $job->{action} ne 'test.parts';
    broken('uncharged', $what) if $good && $paid < $price;
    broken('double_charged', "$what, undelivered")
        if !$good && $paid && $job->{action} ne 'test.parts';
    broken('charged', "$what, it says $job->{charged}")
        if $paid != $job->{charged};
}


my $ENDED = qr/^task\.(?:succeeded|partial|failed|cancelled)$/;

# each round of a task ends once, each job succeeds once
sub told
{
    my ($task) = @_;
    my $id = $task->{task_id};
    my @mine = grep { ($_->{task_id} // '') eq $id }
               @{ $events{ $task->{user_id} } };
    my $ends = grep { $_->{type} =~ $ENDED } @mine;
    my %success;

    $success{ $_->{job_id} }++ for grep { $_->{type} eq 'job.succeeded' } @mine;
    broken('events', "$id ended $ends times in $task->{round} rounds")
        if $ends != $task->{round};
    broken('events', "a job of $id succeeded twice")
        if grep { $_ > 1 } values %success;
}


# --- budgets: nothing is reserved any more, and what was spent is used -------

sub budgets
{
    my %spent;

    for my $job (map { @$_ } values %jobs) {
        $spent{ $job->{user_id} } += sum0(map { $_->{amount} }
                                          @{ $paid{ $job->{job_id} } // [] });
    }
    for my $b (@{ $fact{budget} // [] }) {
        my $who = $login{ $b->{subject} } // $b->{subject};

        broken('budget', "$who: $b->{reserved} $b->{meter} are reserved")
            if $b->{reserved} != 0;
        broken('budget', "$who: $b->{used} points are used")
            if $b->{meter} eq 'points'
               && $b->{used} != ($spent{ $b->{subject} } // 0);
    }
}


# --- events: no silent hole ---------------------------------------------------

sub events
{
    for my $user (sort keys %login) {
        my ($login, @rows) = ($login{$user}, @{ $events{$user} // [] });
        my $start = $world->{people}{$login}{start};
        my $next = $rows[0]{seq} // 0;

        broken('events', "$login: a hole in the rows before $_->{seq}")
            for grep { $_->{seq} != $next++ } @rows;

        my @want = grep { $_->{seq} > $start } @rows;
        my @seen = grep { $_->{f} eq 'event' }
                   Chaos::History::read("$dir/reader-$login.jsonl");

        for my $n (0 .. $#want) {
            next if $seen[$n] && $seen[$n]{id} == $want[$n]{seq}
                    && $seen[$n]{type} eq $want[$n]{type};
            broken('events', "$login: wanted $want[$n]{seq} $want[$n]{type},"
                   . ' saw ' . ($seen[$n] ? "$seen[$n]{id} $seen[$n]{type}"
                                          : 'nothing'));
            last;
        }
        broken('events', "$login saw more than there was") if @seen > @want;
    }
}


# --- the workers: nobody too late was heard -----------------------------------

my $SETTLED = qr/"event":"job\.(?:settled|refused)",
                 "msg":"(\w+)\ .*?,\ fence\ (\d+):\ (\w+)"
                 .*"job_id":"([-\w]+)"/x;

sub workers
{
    my %outcome = map { ("$_->{job_id} $_->{fence}" => $_->{outcome}) }
                  @{ $fact{attempt} // [] };
    my %heard;

    for my $file (glob "$dir/podi_*.out") {
        open my $in, '<', $file or die "$file: $!";
        while (my $line = <$in>) {
            $line =~ $SETTLED or next;
            my ($end, $fence, $verdict, $id) = ($1, $2, $3, $4);

            broken('fence', "$id: $end under fence $fence is another's")
                if $verdict eq 'MISMATCH';
            next if $verdict !~ /^(?:OK|ALREADY)$/;
            my $is = $outcome{"$id $fence"} // 'unknown';

            # who wanted to go on may be told that it is over
            next if $end =~ /^(?:retried|deferred|returned)$/
                    && $is =~ /^(?:$end|cancelled|failed)$/;
            broken('fence', "$id: fence $fence was heard with $end, its"
                   . " attempt is $is") if $is ne $end;
            broken('duplicated', "$id was settled OK twice under $fence")
                if $verdict eq 'OK' && $heard{"$id $fence"}++;
        }
    }
}


# --- the verdict --------------------------------------------------------------

operations();
owners();
tasks();
Chaos::Bank->new(fact => \%fact, login => \%login, ops => \%ops, task => \%task,
                 reference => \%reference, broken => \&broken)->check;
budgets();
events();
workers();
broken('invariant', "$_->{inv} $_->{id}") for @{ $fact{break} // [] };
broken('success', "$did of $should that should have succeeded did")
    if $did < 0.99 * $should;
broken('nothing', 'too little happened to say anything') if $should < 20;

my $ops = sum0(map { scalar keys %$_ } values %ops);
my $unknown = grep { ($_->{end} // '') eq 'unknown' }
              map { values %$_ } values %ops;
my $invariants = sum0(map { $broken{$_} // 0 }
                      qw( invariant bank hold budget ));

print "chaos: broken: $_\n" for @told;
printf "chaos: %d operations, %d without an answer; %d of %d that should"
    . " succeed did; refused: %s; %s\n", $ops, $unknown, $did, $should,
    join(', ', map { "$refused{$_} $_" } sort keys %refused) || 'none',
    join(', ', map { "$_ $broken{$_}" } sort keys %broken) || 'nothing broken';
printf "chaos: seed=%d tasks=%d lost=%d double_charged=%d"
    . " invariant_breaks=%d verdict=%s\n", $seed, scalar(keys %task),
    $broken{lost} // 0, $broken{double_charged} // 0, $invariants,
    %broken ? 'FAIL' : 'PASS';
exit(%broken ? 1 : 0);
