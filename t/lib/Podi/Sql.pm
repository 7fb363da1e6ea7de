package Podi::Sql;

# A migrated database of a test's own, and callers as they are in production:
# real logins, signed contexts, one transaction a call.
#
#     my $db  = Podi::Sql->new;
#     my $web = $db->login('podi_web');
#     my $t   = $db->tenant('acme');
#     my $ann = $db->user($t, 'ann');              # { tenant, user, login }
#     my $row = $web->one($db->as($ann), 'select * from api.wallet_read()');
#     $web->refused('U0402', $context, $sql, @bind, 'a sentence');
#
# one, all: begin; api.context_open; the statement; commit.  A context of
# undef opens none.  What the database raises comes out as a Podi::Sql::Error
# with state, text and detail; the transaction is rolled back.

use strict;
use warnings;

use DBD::Pg qw(:async);
use Digest::SHA qw(hmac_sha256_hex sha256);
use JSON::PP ();
use Test::More ();

use Podi::Pg;

my $json = JSON::PP->new->canonical;


sub new
{
    my ($class, %option) = @_;
    my $pg = $option{pg} // Podi::Pg->new;

    return bless { pg => $pg, name => $option{name} // $pg->database },
                 $class;
}


sub login
{
    my ($self, $role) = @_;
    my $dbh = DBI->connect('dbi:Pg:' . $self->{pg}->conninfo($role,
                                                             $self->{name}),
                           '', '', { RaiseError => 1, PrintError => 0,
                                     AutoCommit => 1, PrintWarn => 0,
                                     pg_server_prepare => 0 });

    return bless { dbh => $dbh, role => $role }, 'Podi::Sql::Session';
}


# the superuser: plants, repairs, looks
sub super
{
    my ($self) = @_;

    return $self->{super} //= $self->login('postgres');
}


# --- contexts --------------------------------------------------------------

sub mint
{
    my ($self, %c) = @_;
    my $text = join '|', 'v1', $c{key_id} // $Podi::Pg::KEY_ID, $c{tenant},
                    $c{user} // '', $c{role} // 'anon',
                    time + ($c{ttl} // 60);

    return "$text|" . hmac_sha256_hex($text,
                                      pack 'H*', $c{key} // $Podi::Pg::KEY);
}


sub as
{
    my ($self, $who, $role) = @_;

    return $self->mint(tenant => $who->{tenant}, user => $who->{user},
                       role => $role // 'user');
}


sub anon
{
    my ($self, $tenant) = @_;

    return $self->mint(tenant => $tenant);
}


sub gateway
{
    my ($self, $tenant) = @_;

    return $self->mint(tenant => $tenant, role => 'gateway');
}


# --- people ----------------------------------------------------------------

sub uuid
{
    my ($self) = @_;

    return $self->super->value(undef, 'select internal.uuid7()');
}


sub tenant
{
    my ($self, $slug) = @_;

    $self->{ctl} //= $self->login('podi_ctl');
    return $self->{ctl}->value(undef, 'select tenant_id from'
           . ' sys.tenant_create(?, ?, ?)', $self->uuid, $slug, "The $slug");
}


sub user
{
    my ($self, $tenant, $login) = @_;
    my $user = $self->uuid;

    $self->{web} //= $self->login('podi_web');
    $self->{web}->one($self->anon($tenant),
        'select * from api.account_register(?, ?, ?, ?, null, null)',
        $user, $login, "hash of $login", "Name of $login");
    return { tenant => $tenant, user => $user, login => $login,
             slug => $self->super->value(undef,
                     'select slug from podi.tenant where tenant_id = ?',
                     $tenant) };
}


sub grant
{
    my ($self, $who, $amount, %o) = @_;

    $self->{ctl} //= $self->login('podi_ctl');
    return $self->{ctl}->one(undef,
        'select * from sys.wallet_grant(?, ?, ?, ?, ?, ?, ?)', $who->{slug},
        $who->{login}, $amount, $o{kind} // 'paid', $o{expires},
        $o{ref} // $self->uuid, $o{reason} // 'test');
}


# the columns of a table that can be written, for putting rows back
sub columns
{
    my ($self, $table) = @_;

    return $self->super->value(undef, 'select string_agg(quote_ident(attname),'
        . " ', ' order by attnum) from pg_attribute where attrelid = ?::regclass"
        . " and attnum > 0 and not attisdropped and attgenerated = ''", $table);
}


# what podi_worker's own connection sees broken, as "I1 ..." => id
sub breaks
{
    my ($self) = @_;

    $self->{worker} //= $self->login('podi_worker');
    return $self->{worker}->all(undef, 'select * from sys.invariant_breaks()');
}


sub whole
{
    my ($self, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return Test::More::is_deeply($self->breaks, [],
                                 $name // 'no invariant is broken');
}


package Podi::Sql::Session;

use strict;
use warnings;

use Test::More ();


sub dbh
{
    return $_[0]{dbh};
}


# the statement in the transaction that is open
sub run
{
    my ($self, $sql, @bind) = @_;
    my $rows = eval {
        my $sth = $self->{dbh}->prepare($sql);
        my $n = 0;
        for my $value (@bind) {
            $n++;
            ref $value eq 'SCALAR'
                ? $sth->bind_param($n, $$value,
                                   { pg_type => DBD::Pg::PG_BYTEA() })
                : $sth->bind_param($n, $value);
        }
        $sth->execute;
        $sth->{NUM_OF_FIELDS} ? $sth->fetchall_arrayref({}) : [];
    };

    return $rows if $rows;
    die $self->error($@);
}


sub error
{
    my ($self, $raw) = @_;
    my $dbh = $self->{dbh};
    my %field = (raw => "$raw");

    $field{state} = $dbh->state;
    $field{text} = eval { $dbh->pg_error_field('message_primary') };
    $field{detail} = eval { $dbh->pg_error_field('detail') };
    return bless \%field, 'Podi::Sql::Error';
}


sub all
{
    my ($self, $context, $sql, @bind) = @_;
    my $dbh = $self->{dbh};
    my $outer = !$dbh->{AutoCommit};

    $dbh->begin_work unless $outer;
    my $rows = eval {
        $dbh->do('select api.context_open(?)', undef, $context)
            if defined $context;
        $self->run($sql, @bind);
    };
    if (!$rows) {
        my $error = $@;
        $dbh->rollback unless $outer;
        die $error;
    }
    $dbh->commit unless $outer;
    return $rows;
}


sub one
{
    my ($self, @call) = @_;

    return $self->all(@call)->[0];
}


sub value
{
    my ($self, @call) = @_;
    my $row = $self->one(@call);

    die "one column is wanted: @{[ %$row ]}" if $row && keys %$row != 1;
    return $row ? (values %$row)[0] : undef;
}


# the call must raise this SQLSTATE; gives back the error
sub refused
{
    my ($self, $state, $context, $sql, @rest) = @_;
    my $name = pop @rest;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $rows = eval { $self->all($context, $sql, @rest) };
    my $error = $@;

    if ($rows) {
        Test::More::fail($name);
        Test::More::diag("no error, wanted $state");
        return { state => '' };
    }
    Test::More::is(ref $error ? $error->{state} : $error, $state, $name)
        or Test::More::diag("$error");
    return $error;
}


# --- two at once -----------------------------------------------------------

sub pid
{
    return $_[0]{dbh}{pg_pid};
}


# sends a statement without waiting for its end; bind by literals
sub send
{
    my ($self, $sql) = @_;

    $self->{sent} = $self->{dbh}->prepare($sql,
                           { pg_async => DBD::Pg::PG_ASYNC() });
    $self->{sent}->execute;
    return;
}


# waits until the statement sent waits for somebody's lock
sub wait_blocked
{
    my ($self, $watcher) = @_;
    my $deadline = time + 20;

    while (!$watcher->value(undef, 'select cardinality(pg_blocking_pids(?))',
                            $self->pid))
    {
        die 'the statement ended instead of waiting' if $self->{dbh}->pg_ready;
        die 'the statement is not blocked' if time > $deadline;
        select undef, undef, undef, 0.005;
    }
    return;
}


# the rows of the statement sent, or dies with its error
sub wait
{
    my ($self) = @_;
    my $rows = eval {
        $self->{dbh}->pg_result;
        $self->{sent}->fetchall_arrayref({});
    };

    return $rows if $rows;
    die $self->error($@);
}


package Podi::Sql::Error;

use overload '""' => sub {
    my ($self) = @_;
    return join ' ', grep { defined } @{$self}{qw(state text detail raw)};
}, fallback => 1;


1;
