package Chaos::Break;

# Takes one protection out of a private database, so that a test can see that
# the checker would have seen its absence.
#
#     fence          who lost his job may still settle it
#     idempotency    a key that was used is a new one

use strict;
use warnings;

my %BREAK = (
    fence => [ 'internal.settle_judge(jsonb)',
               qr/\bj\.fence = i\.fence\s+and\s+/, '' ],
    idempotency => [ 'internal.idem_begin(text,text,bytea,text)',
                     qr/\bif found then\s+return null;\s+end if;/,
                     'return null;' ],
);


sub names { return sort keys %BREAK }


sub apply
{
    my ($s, $name) = @_;
    my ($function, $from, $to) = @{ $BREAK{$name} };
    my $text = $s->sql('select pg_get_functiondef(?::regprocedure)', $function);

    $text =~ s/$from/$to/ or die "$function has nothing like $from\n";
    $s->db->super->dbh->do($text);
}

1;
