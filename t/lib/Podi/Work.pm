package Podi::Work;

# Tasks and jobs for tests of SQL: what nginx and a worker would send, through
# their own logins, with ids made up here.
#
#     my $w = Podi::Work->new(Podi::Sql->new);
#     my $ann = $w->person('ann', 100);                # with 100 points
#     my $pic = $w->media($ann);                       # ready
#     my $t = $w->submit($ann, inputs => [$pic], actions => [...]);
#     my $j = $w->claim_task($t)->[0];
#     $w->settle($j, 'succeeded');
#
# JSON columns come out decoded.  Calls that raise die with Podi::Sql::Error.

use strict;
use warnings;

use JSON::PP ();

my $json = JSON::PP->new->canonical->allow_nonref->utf8(0);
my @JSON = qw(jobs results events params inputs data tasks wallet parents
              checkpoint _hints _events _dropped _pokes actions accepts any_of
              schema);


sub new
{
    my ($class, $db) = @_;
    my $self = bless { db => $db }, $class;

    $self->{web} = $db->login('podi_web');
    $self->{worker} = $db->login('podi_worker');
    $self->{tenant} = $db->tenant('acme');

    # what is settled here delivers nothing, unless it says so
    $db->super->run('update podi.action set outputs = 0');
    return $self;
}


# in a forked child: connections of its own; the parent's stay the parent's
sub after_fork
{
    my ($self) = @_;
    my $db = $self->{db};
    my @kept = qw(super ctl web worker);

    $_->{dbh}{InactiveDestroy} = 1
        for grep { defined } @{$db}{@kept}, @{$self}{qw(web worker)};
    delete @{$db}{@kept};
    $self->{$_} = $db->login("podi_$_") for qw(web worker);
    return;
}


sub decode
{
    my (@rows) = @_;

    for my $row (@rows) {
        for my $name (grep { defined $row->{$_} } @JSON) {
            $row->{$name} = $json->decode($row->{$name})
                if $row->{$name} =~ /^[\[\{]/;
        }
    }
    return \@rows;
}


sub text
{
    my ($value) = @_;

    return defined $value ? $json->encode($value) : undef;
}


sub ids
{
    my ($self, $n) = @_;
    my $rows = $self->{db}->super->all(undef,
        'select internal.uuid7() as id from generate_series(1, ?)', $n);

    return map { $_->{id} } @$rows;
}


# --- people and pictures ---------------------------------------------------

sub person
{
    my ($self, $login, $points, %o) = @_;
    my $who = $self->{db}->user($o{tenant} // $self->{tenant}, $login);

    $self->{db}->grant($who, $points) if $points;
    return $who;
}


# planted: the way through upload, complete and check is media.t's
sub media
{
    my ($self, $who, %o) = @_;
    my ($id) = $self->ids(1);
    my $state = $o{state} // 'ready';

    $self->{db}->super->all(undef,
        'insert into podi.media (tenant_id, media_id, user_id, kind, state,'
        . ' name, type, bytes, sha256, store, object_key, reject_code,'
        . ' upload_expires_at, ready_at)'
        . " values (?, ?, ?, 'upload', ?, ?, ?, 1000, repeat('ab', 32),"
        . " 'local', ?, ?, now() + interval '1 hour', ?::timestamptz)",
        $who->{tenant}, $id, $who->{user}, $state, $o{name} // 'cat.jpg',
        $o{type} // 'image/jpeg', "u/$id",
        $state eq 'rejected' ? 'picture_invalid' : undef,
        $state eq 'ready' ? 'now' : undef);
    return $id;
}


# --- what nginx sends ------------------------------------------------------

sub action
{
    my ($name, %params) = @_;

    return { action => $name, params => \%params };
}


my %SHORT = (
    resize    => sub { action('image.resize', width => 100) },
    convert   => sub { action('image.convert', format => 'png') },
    thumbnail => sub { action('image.thumbnail') },
);


# what a client would send: graph is its jobs, more its other members
sub order
{
    my ($self, %o) = @_;
    my $actions = [map { ref $_ ? $_ : $SHORT{$_}->() } @{ $o{actions} // [] }];

    return { $o{graph} ? (jobs => $o{graph})
                       : (inputs => $o{inputs}, actions => $actions),
             defined $o{expected} ? (expected_price => $o{expected}) : (),
             %{ $o{more} // {} } };
}


# the statement and its binds, for those who send it themselves
sub submit_call
{
    my ($self, %o) = @_;
    my $order = $self->order(%o);
    my @ids = $self->ids(1 + ($order->{jobs} ? @{ $order->{jobs} }
                              : @{ $o{actions} } * @{ $o{inputs} }));
    my $task = $o{task} // shift @ids;
    my $jobs = $o{jobs} // \@ids;
    my $hash = $o{hash} // 'the body';

    return ('select * from api.task_submit(?, ?::uuid[], ?, ?, ?, ?, ?)',
            $task, '{' . join(',', @$jobs) . '}', text($order),
            $o{channel} // 'default', $o{trace} // 'a' x 32, $o{key}, \$hash);
}


# the same with its binds written out, for Podi::Sql::Session::send
sub literal
{
    my ($self, $sql, @bind) = @_;
    my $dbh = $self->{db}->super->dbh;
    my $quote = sub {
        my ($v) = @_;
        return ref $v ? "'\\x" . unpack('H*', $$v) . "'" : $dbh->quote($v);
    };

    return $sql =~ s/\?/$quote->(shift @bind)/ger;
}


sub submit
{
    my ($self, $who, %o) = @_;
    my $session = $o{session} // $self->{web};

    return decode($session->one($self->{db}->as($who),
                                $self->submit_call(%o)))->[0];
}


sub cancel
{
    my ($self, $who, $task, $key) = @_;
    my $hash = 'cancel';

    return decode($self->{web}->one($self->{db}->as($who),
        'select * from api.task_cancel(?, ?, ?)', $task, $key, \$hash))->[0];
}


sub read_task
{
    my ($self, $who, $task) = @_;

    return decode(grep { $_ } $self->{web}->one($self->{db}->as($who),
        'select * from api.task_read(?)', $task))->[0];
}


sub wallet
{
    my ($self, $who) = @_;
    my $row = $self->{web}->one($self->{db}->as($who),
                                'select * from api.wallet_read()');

    return [@{$row}{qw(available frozen)}];
}


# --- what a worker sends ---------------------------------------------------

sub claim
{
    my ($self, $ids, %o) = @_;

    return decode(@{ $self->{worker}->all(undef,
        'select * from sys.job_claim(?::uuid[], ?, ?)',
        '{' . join(',', @$ids) . '}', $o{worker} // 'w1',
        $o{lease} // 60_000) });
}


# the jobs of a task in the order asked
sub claim_task
{
    my ($self, $task, %o) = @_;
    my %at = map { $_->{job_id} => $_ }
             @{ $self->claim([map { $_->{job_id} } @{ $task->{jobs} }], %o) };

    return [grep { $_ } map { $at{ $_->{job_id} } } @{ $task->{jobs} }];
}


# one item of sys.job_settle
sub settle_item
{
    my ($self, $job, $state, %o) = @_;

    return { job_id => $job->{job_id},
             fence => 0 + ($o{fence} // $job->{fence}), state => $state,
             results => $o{results}, error_detail => $o{detail},
             error_code => $o{code}
                           // ($state eq 'failed' ? 'picture_invalid' : undef),
             map { $_ => $o{$_} } grep { exists $o{$_} } qw(usage cost_micros) };
}


# the call with its items written out, for Podi::Sql::Session::send
sub settle_sql
{
    my ($self, @items) = @_;

    return 'sys.job_settle(' . $self->{db}->super->dbh->quote(text(\@items))
           . ')';
}


# rows of sys.job_settle for many items
sub settle_all
{
    my ($self, @items) = @_;

    return decode(@{ $self->{worker}->all(undef,
        'select * from sys.job_settle(?)', text(\@items)) });
}


sub settle
{
    my ($self, @what) = @_;

    return $self->settle_all($self->settle_item(@what))->[0];
}


# one item of sys.job_retry
sub retry_item
{
    my ($self, $job, $kind, %o) = @_;

    return { job_id => $job->{job_id}, kind => $kind,
             fence => 0 + ($o{fence} // $job->{fence}),
             delay_ms => 0 + ($o{delay} // 0),
             $kind eq 'return' ? ()
                 : (error_code => $o{code} // 'store_failed',
                    error_detail => $o{detail}),
             map { $_ => $o{$_} } grep { exists $o{$_} } qw(usage cost_micros) };
}


sub retry_all
{
    my ($self, @items) = @_;

    return decode(@{ $self->{worker}->all(undef,
        'select * from sys.job_retry(?)', text(\@items)) });
}


sub retry
{
    my ($self, @what) = @_;

    return $self->retry_all($self->retry_item(@what))->[0];
}


# who held them stops
sub give_back
{
    my ($self, @jobs) = @_;

    return $self->retry_all(map { $self->retry_item($_, 'return') } @jobs);
}


# any other set-returning function of sys
sub sys
{
    my ($self, $call, @bind) = @_;

    return decode(@{ $self->{worker}->all(undef, "select * from sys.$call",
                                          @bind) });
}


sub result
{
    my ($self, %o) = @_;
    my ($id) = $self->ids(1);

    return { media_id => $id, store => 'local', object_key => "r/$id",
             type => 'image/png', bytes => 500, sha256 => 'cd' x 32,
             width => 10, height => 20, name => 'cat.png', %o };
}


# --- looking ---------------------------------------------------------------

sub job
{
    my ($self, $id) = @_;

    return $self->{db}->super->one(undef,
                                   'select * from podi.job where job_id = ?',
                                   $id);
}


# changes a job behind everybody's back, the guard of its states included
sub bend
{
    my ($self, $id, $set, $state) = @_;
    my $super = $self->{db}->super;

    $super->dbh->do('set session_replication_role = replica');
    my $done = eval {
        $super->all(undef, "update podi.job set $set where job_id = ?"
                    . ' and state = coalesce(?, state)', $id, $state);
    };
    my $error = $@;
    $super->dbh->do('set session_replication_role = origin');
    die $error if !$done;
    return;
}


sub types
{
    my ($events) = @_;

    return [map { $_->{type} } @$events];
}


# what a user was told, oldest first
sub told
{
    my ($self, $who) = @_;

    return types($self->{web}->all($self->{db}->as($who),
                                   'select * from api.event_read(0, 1000)'));
}


1;
