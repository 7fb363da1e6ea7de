package Chaos::World;

# The world that chaos breaks: a rig of real binaries, people of three tenants,
# their pictures, and what each order gives on a quiet day.
#
#     two tenants of two users, and one noisy user of a third; a server of each
#     tenant's own, which freezes points of them; budgets of some
#     client --front--> nginx --cutter--> PostgreSQL, Redis <--cutter-- daemons

use strict;
use warnings;

use JSON::PP ();
use Podi::Cutter;
use Podi::Fault;
use Podi::Proc qw( poll );
use Podi::Rig;

my $json = JSON::PP->new->utf8->canonical;

our %KINDS = (
    (map { ("w$_" => { action => 'image.resize',
                       params => { width => $_ } }) } 8, 16, 24, 32),
    (map { ("f$_" => { action => 'image.convert',
                       params => { format => $_ } }) } qw( png webp )),
    t16 => { action => 'image.thumbnail', params => { size => 16 } },
);
our %PEOPLE = (red => [qw( ada abe )], blue => [qw( bea bob )],
               noise => [qw( noa )]);

# whose orders may be refused, and what a day has for him at first; a strike
# gives more
our %BUDGETS = (noa => [ in_flight => undef, 6 ],
                bea => [ points => 'day', 200 ], bob => [ tasks => 'day', 60 ]);


sub new
{
    my ($class, $dir) = @_;
    my $rig = Podi::Rig->new;
    my $self = bless { dir => $dir, rig => $rig, s => $rig->stack }, $class;

    $rig->more("podi_$_", 1, 1) for qw( imaged echod );
    $self->{s}->allow_errors(qr/./);

    my $s = $self->{s};
    my $ctl = $s->db->{ctl} //= $s->db->login('podi_ctl');
    $ctl->one(undef, 'select * from sys.action_put(?)',
              '{"action": "test.succeed", "price": 0}');
    $ctl->one(undef, 'select * from sys.action_put(?)',
              '{"action": "test.slow", "price": 7}');

    $s->sql('update podi.plan set interactive = true');

    $self->{front} = Podi::Cutter->start(listen => '127.0.0.1:0',
        upstream => "127.0.0.1:$s->{port}", control => $s->dir . '/front.ctl');
    ($self->{front_port}) = $self->{front}{listen} =~ /:(\d+)$/;
    push @{ $rig->{cutters} }, $self->{front};

    $self->people;
    $self->quiet_day;
    $self->budgets;
    $self->note;
    return $self;
}


sub people
{
    my ($self) = @_;
    my $s = $self->{s};
    my @file = map {
        Podi::Fault::picture($s->dir . "/$_->[0]", 64, 48, $_->[1])
    } [ 'a.jpg', 0 ], [ 'b.png', 90 ];

    for my $tenant (sort keys %PEOPLE) {
        local $s->{tenant} = $tenant;
        local $s->{tenant_id} = $s->db->tenant($tenant);
        my $shop = $s->member("shop$tenant");

        $s->sql("update podi.users set role = 'service' where user_id = ?",
                $shop->{user});
        for my $login (@{ $PEOPLE{$tenant} }) {
            my $who = $s->member($login, points => 1_000_000);

            $who->{shop} = $shop;
            $who->{media} = [
                Podi::Fault::upload($s, $who, $file[0], 'image/jpeg'),
                Podi::Fault::upload($s, $who, $file[1], 'image/png') ];
            push @{ $self->{people} }, $who;
        }
    }
}


# counted from now on: what the quiet day took is not in them
sub budgets
{
    my ($self) = @_;

    for my $tenant (sort keys %PEOPLE) {
        for my $login (grep { $BUDGETS{$_} } @{ $PEOPLE{$tenant} }) {
            $self->{s}->sql('select most from sys.quota_put(?, ?, ?, ?, ?)',
                            $tenant, $login, @{ $BUDGETS{$login} });
        }
    }
}


# --- orders -------------------------------------------------------------------

# what a client asks for: the jobs, in order, and the body of the request
sub order
{
    my ($who, $kind, $picture, @names) = @_;
    my $media = $who->{media}[$picture];

    return { jobs => [ map { "$picture $_" } @names ],
             body => { inputs => [$media],
                       actions => [ map { $KINDS{$_} } @names ] } }
        if $kind eq 'image';

    return { jobs => [ "$picture w32", "$picture w32>t16" ], body => { jobs => [
        { key => 'a', %{ $KINDS{w32} }, inputs => [ { media => $media } ] },
        { key => 'b', %{ $KINDS{t16} }, inputs => [ { job => 'a' } ] } ] } }
        if $kind eq 'graph';

    return { jobs => [ "$picture w16", "$picture w24",
                       "$picture w16+w24>m" ],
             body => { jobs => [
        { key => 'a', %{ $KINDS{w16} }, inputs => [ { media => $media } ] },
        { key => 'b', %{ $KINDS{w24} }, inputs => [ { media => $media } ] },
        { key => 'c', action => 'image.montage', params => { cell => 16 },
          inputs => [ { job => 'a' }, { job => 'b' } ] } ] } }
        if $kind eq 'montage';

    return { jobs => [], body => { inputs => [$media],
             actions => [ $KINDS{t16}, { action => 'image.none' } ] } }
        if $kind eq 'refused';

    my %params = (flaky => { failures => 1 });
    return { jobs => ["test.$kind"], body => { inputs => [$media],
             actions => [ { action => "test.$kind",
                            params => $params{$kind} // {} } ] } };
}


sub quiet_day
{
    my ($self) = @_;
    my $s = $self->{s};
    my $who = $self->{people}[0];

    for my $order (
        (map { order($who, 'image', $_, sort keys %KINDS) } 0, 1),
        (map { order($who, 'graph', $_), order($who, 'montage', $_) } 0, 1))
    {
        my $res = $s->post('/v1/tasks', as => $who, json => $order->{body});
        my $task = $res->json->{task_id} // die 'not taken: ' . $res->text;
        my @made;

        poll(60, sub {
            @made = $s->sql('select m.sha256 from podi.job j join podi.media m'
                . ' using (job_id) where j.task_id = ? order by j.ord', $task);
            @made == @{ $order->{jobs} };
        }) or die 'no reference';
        $self->{digest}{ $order->{jobs}[$_] } = $made[$_]{sha256}
            for 0 .. $#made;
        push @{ $self->{reference} }, $task;
    }
}


# what the checker must know of the world
sub note
{
    my ($self) = @_;
    my $s = $self->{s};

    $_->{start} = $s->sql('select coalesce(max(top), 0) from podi.user_head'
                          . ' where user_id = ?', $_->{user})
        for @{ $self->{people} };
    $self->write('world.json', $json->encode({
        digest => $self->{digest}, reference => $self->{reference},
        price => { map { $_->{action} => 0 + $_->{price} }
                   $s->sql('select action, price from podi.action') },
        people => { map { $_->{login} => { user => $_->{user},
                          start => 0 + $_->{start},
                          budget => $BUDGETS{ $_->{login} }[0] } }
                    @{ $self->{people} } },
    }));
}


sub write
{
    my ($self, $name, @text) = @_;

    open my $out, '>', "$self->{dir}/$name" or die "$self->{dir}/$name: $!";
    print {$out} @text;
    close $out or die "$self->{dir}/$name: $!";
}


# --- the end ------------------------------------------------------------------

my @FACTS = (
    [ task => 'select task_id, user_id, state, price, charged, round, ended_at,'
        . " jobs_open, trace_id from podi.task_header where kind = 'user'" ],
    [ job => 'select j.job_id, j.task_id, j.user_id, j.ord, j.action, j.state,'
        . ' j.price, j.charged, j.confirmed, j.segment, j.fence, j.error_code,'
        . ' j.crashes from podi.job j join podi.task_header t'
        . " using (tenant_id, task_id) where t.kind = 'user'" ],
    [ attempt => 'select job_id, fence, outcome from podi.attempt' ],
    [ media => 'select media_id, job_id, sha256 from podi.media'
        . ' where job_id is not null' ],
    [ ledger => 'select w.user_id, l.seq, l.op, l.amount, l.available_after,'
        . ' l.held_after, l.task_id, l.job_id, l.hold_id, l.idem'
        . ' from podi.ledger l join podi.wallet w using (tenant_id, wallet_id)'
        . ' order by w.user_id, l.seq' ],
    [ wallet => 'select user_id, available, held from podi.wallet' ],
    [ hold => 'select hold_id, task_id, ref, amount, captured, released'
        . ' from podi.hold' ],
    [ budget => 'select subject, meter, sum(used) as used,'
        . ' sum(reserved) as reserved from podi.quota_use'
        . ' group by subject, meter' ],
    [ event => 'select user_id, seq, type, task_id, job_id from podi.user_event'
        . ' order by user_id, seq' ],
    [ idem => "select user_id, key, response ->> 'task_id' as task_id,"
        . " case jsonb_typeof(response) when 'array' then response end"
        . " as items from podi.idempotency where key <> ''" ],
);


# tasks that have not ended, holds that are not exhausted
sub open_ends
{
    my ($self) = @_;

    return $self->{s}->sql('select (select count(*) from podi.task_header'
                           . ' where ended_at is null) + (select count(*)'
                           . ' from podi.hold where live)');
}


sub facts
{
    my ($self) = @_;
    my $s = $self->{s};
    my @line;

    for my $fact (@FACTS) {
        push @line, map { qq({"fact":"$fact->[0]","row":$_->{row}}\n) }
            $s->sql("select row_to_json(x)::text as row from ($fact->[1]) x");
    }
    push @line, map { $json->encode({ fact => 'break', row => $_ }) . "\n" }
        @{ $s->db->breaks };
    utf8::encode($_) for @line;
    $self->write('facts.jsonl', @line);
    system('cp', (glob $s->dir . '/log/*.out'), $self->{dir}) == 0
        or die 'no logs';
}


# new connections, after the server was away
sub forget
{
    my ($self) = @_;

    $self->{s}->db->{$_} = undef for qw( super ctl web worker );
}

1;
