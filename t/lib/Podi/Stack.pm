package Podi::Stack;

# A whole PODI of a test's own: PostgreSQL, Redis, nginx and daemons in one
# private directory, on free ports, gone when the test ends.
#
#     my $s = Podi::Stack->new(daemons => [qw( podi_dispatchd )])->start;
#     my $ann = $s->user('ann', points => 100);
#     my $res = $s->post('/v1/tasks', as => $ann, json => { ... });
#     is $res->status, 201;
#     my $live = $s->events(as => $ann);
#     $live->until('task.succeeded', 20);
#     $s->redis->stop; ... $s->redis->start;
#     $s->done;
#
# The configuration is conf/*.conf with the paths of this directory put in, and
# what `http`, `server` and `rewrite` of new() add; `env` is nginx's.  done() is
# the last test: no alert, no error line that allow_errors() did not name, no
# sanitizer report, no broken invariant, nothing left behind, every process gone.

use strict;
use warnings;

use File::Path qw( make_path remove_tree );
use File::Temp ();
use Scalar::Util qw( weaken );
use Test::More ();

use Podi::Pg;
use Podi::Proc qw( poll free_port );
use Podi::Repo qw( root slurp );
use Podi::Sql;
use Podi::Stack::Check;
use Podi::Stack::Client;
use Podi::Stack::Files;
use Podi::Stack::Part;
use Podi::Token;

our @ISA = qw( Podi::Stack::Client Podi::Stack::Check );

my %alive;

our @DAEMONS = qw( podi_dispatchd podi_janitord podi_imaged );


sub new
{
    my ($class, %option) = @_;
    my $self = bless {
        tenant  => 'demo', daemons => [], parts => {}, allowed => [],
        pid     => $$, patience => 10, env => {},
        build   => $ENV{PODI_BUILD} // root() . '/var/build',
        %option }, $class;

    if ($ENV{PODI_TEST_STACK} && $option{shared}) {
        require Podi::Stack::Shared;
        return Podi::Stack::Shared::attach($self);
    }

    $self->{tmp} = File::Temp->newdir('podi-s-XXXXXX', TMPDIR => 1,
                                       CLEANUP => !$ENV{PODI_TEST_KEEP});
    $self->{dir} = "$self->{tmp}";
    chmod 0755, $self->{dir};
    $self->{port} = free_port();
    $self->{tls_port} = free_port();
    $self->{redirect_port} = free_port();
    Podi::Stack::Files::make($self);
    weaken($alive{ $self->{dir} } = $self);
    return $self;
}


# --- where things are --------------------------------------------------------

sub dir      { $_[0]{dir} }
sub ca       { "$_[0]{dir}/tls/ca.crt" }
sub url      { "http://127.0.0.1:$_[0]{port}" }
sub tls_url  { "https://localhost:$_[0]{tls_port}" }
sub log_file { "$_[0]{dir}/log/$_[1]" }


# --- the peers ---------------------------------------------------------------

# all of it, or the parts that are named; one after the other
sub start
{
    my ($self, @parts) = @_;

    @parts = ('pg', 'redis', 'nginx', @{ $self->{daemons} }) if !@parts;
    return $self if $self->{shared};

    for my $part (@parts) {
        $part eq 'pg' ? $self->_start_pg : $self->part($part)->start;
    }

    $self->baseline if grep { $_ eq 'nginx' } @parts;
    return $self;
}


sub _start_pg
{
    my ($self) = @_;

    return $self->{pg}->start if $self->{pg};

    delete local $ENV{PODI_TEST_PG};
    $self->{pg} = Podi::Pg->new(durable => $self->{durable},
                                conf => $self->{pg_conf});
    Podi::Stack::Files::open_socket_to_web("$self->{pg}{dir}/sock");
    $self->{db} = Podi::Sql->new(pg => $self->{pg});
    $self->{tenant_id} = $self->{db}->tenant($self->{tenant});
    Podi::Stack::Files::write_keys($self);
}


# the parts that are processes: redis, nginx, a daemon by its name
sub part
{
    my ($self, $name) = @_;

    return $self->{parts}{$name} //= Podi::Stack::Part->new($self, $name);
}

sub pg    { $_[0]{pg} }
sub db    { $_[0]{db} }
sub nginx { $_[0]->part('nginx') }

# $s->redis is the part; $s->redis('LLEN', $key) asks it
sub redis
{
    my ($self, @command) = @_;

    return $self->part('redis') if !@command;

    local $ENV{REDISCLI_AUTH} = 'redis-of-tests';
    open my $out, '-|', 'sh', '-c', 'exec redis-cli "$@" 2>&1', 'redis-cli',
        '-s', "$self->{dir}/run/redis/redis.sock", @command
        or die "redis-cli: $!";
    my $text = do { local $/; <$out> } // '';
    close $out;
    chomp $text;
    return $text;
}


sub stop
{
    my ($self) = @_;

    for my $part (grep { $_ ne 'redis' } sort keys %{ $self->{parts} }) {
        $self->part($part)->stop;
    }

    $self->{parts}{redis}->stop if $self->{parts}{redis};
    $self->{db}{$_} = undef for qw( super ctl web worker );
    $self->{pg}->stop if $self->{pg};
}


# --- the database ------------------------------------------------------------

# one value, or in list context the rows, as the superuser
sub sql
{
    my ($self, $sql, @bind) = @_;
    my $rows = $self->{db}->super->all(undef, $sql, @bind);

    return @$rows if wantarray;
    return if !@$rows;
    die "one column is wanted: $sql" if keys %{ $rows->[0] } != 1;
    return (values %{ $rows->[0] })[0];
}


# a user who has registered and signed in; points => n grants them
sub user
{
    my ($self, $login, %option) = @_;
    my $user = $self->register($login, %option);

    $self->login($user);
    $self->grant($user, $option{points}) if $option{points};
    return $user;
}


# a user with a session and a token, made without HTTP: no password is hashed
sub member
{
    my ($self, $login, %option) = @_;
    my $user = $self->{db}->user($self->{tenant_id}, $login);
    my $session = $self->{db}->uuid;

    $self->{db}{web}->one($self->{db}->anon($self->{tenant_id}),
        'select * from api.session_open(?, ?, ?, ?, ?, ?, ?)', $session,
        $user->{user}, 'local', 'test', '127.0.0.0/24', 3600_000, 86400_000);
    @{$user}{qw( user_id session )} = ($user->{user}, $session);
    $user->{token} = $self->token($user, %{ $option{claims} || {} });
    $self->grant($user, $option{points}) if $option{points};
    return $user;
}


# an access token as nginx would mint it, but for the claims that are given
sub token
{
    my ($self, $user, %claims) = @_;
    my $issuer = $self->{issuer} // "https://localhost:$self->{tls_port}";

    $self->{token_key} //= Podi::Token->new("$self->{dir}/keys/token.key");
    return $self->{token_key}->sign({
        iat => time, exp => time + 600, client_id => 'podi', iss => $issuer,
        aud => $issuer, jti => $self->{db}->uuid, sub => $user->{user_id},
        sid => $user->{session}, tid => $self->{tenant_id}, rol => 'user',
        src => 'local', %claims });
}


sub grant
{
    my ($self, $user, $amount, %option) = @_;

    return $self->{db}->grant({ slug => $self->{tenant},
                                login => $user->{login} }, $amount, %option);
}


# --- waiting -----------------------------------------------------------------

# polls until the code is true, and says so when it never is
sub wait_for
{
    my ($self, $code, $seconds, $what) = @_;
    my $value = poll($seconds, $code);

    Test::More::fail("$what within $seconds s") if !$value;
    return $value;
}


sub DESTROY
{
    my ($self) = @_;

    return if $$ != $self->{pid} || $self->{shared} || $self->{ended}++;

    local ($?, $@, $!);
    $_->kill for grep { $_->running } values %{ $self->{parts} };
    delete $self->{db};
    delete $self->{pg};
    remove_tree($self->{dir}) if $self->{dir} && !$ENV{PODI_TEST_KEEP};
    delete $alive{ $self->{dir} };
}


# a test that dies leaves its stack to global destruction, where objects go in
# any order and processes would be forgotten
END {
    my $status = $?;

    $_->DESTROY for grep { defined } values %alive;
    $? = $status;
}

1;
