package Podi::Stack::Shared;

# A stack that is up already (./build.sh env), used by a test that said
# Podi::Stack->new(shared => 1).  Its parts are not the test's to stop.

use strict;
use warnings;
use Podi::Sql;


# stands in for Podi::Pg: how to reach the database as whom
sub conninfo
{
    my ($self, $role, $database) = @_;
    my $text = "$ENV{PODI_PG} user=$role";

    if ($role ne 'postgres') {
        my $file = "$ENV{PODI_KEYS}/" . $role =~ s/^podi_/pg_/r;
        open my $in, '<', $file or die "$file: $!";
        chomp(my $password = <$in>);
        $text .= " password='$password'";
    }

    return $text;
}


sub attach
{
    my ($stack) = @_;

    $stack->{shared} = 1;
    $stack->{dir} = $ENV{PODI_TEST_STACK};
    $stack->{tenant} = $ENV{PODI_TENANT} // 'demo';
    $stack->{tls_port} = $ENV{PODI_HTTPS_PORT};
    $stack->{pg} = undef;
    $stack->{db} = Podi::Sql->new(pg => bless({}, __PACKAGE__),
                                  name => 'podi');
    return bless $stack, 'Podi::Stack::Shared::Face';
}


package Podi::Stack::Shared::Face;

our @ISA = ('Podi::Stack');

sub url  { $_[0]->tls_url }
sub ca   { $ENV{PODI_CA} }
sub port { $_[0]{tls_port} }

# its own streams speak TLS
sub events
{
    my ($self, %arg) = @_;

    return $self->SUPER::events(%arg, tls => 1);
}

1;
